/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/served.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/strv.h"
#include "plan/component.h"

bool plan_has_served(Store *store) {
        _cleanup_free_ char *identity = NULL;
        _cleanup_strv_ Strv lines = NULL;
        const Buffer *content;

        if (!store || store_file(store, PLAN_SERVED, &content, NULL) < 0 ||
            plan_identity(store, &identity, NULL) < 0)
                return false;
        lines = strv_split(buffer_str(content), "\n");
        return strv_length(lines) > 0 && streq(lines[0], identity);
}
