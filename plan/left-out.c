/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/left-out.h"

#include "common/strv.h"

bool plan_left_out(Store *store, const Node *node) {
        _cleanup_strv_ Strv names = NULL;
        const Buffer *content;

        if (!store || store_file(store, PLAN_LEFT_OUT, &content, NULL) < 0)
                return false;
        names = strv_split(buffer_str(content), "\n");
        return strv_contains(names, node->name);
}
