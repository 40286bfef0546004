/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/served.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
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

int plan_note_served(Store *store, const char *identity, Error **reterr) {
        _cleanup_free_ char *path = store_path(store, PLAN_SERVED), *text = xasprintf("%s\n", identity);
        int r;

        r = fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, reterr);
        return r < 0 ? r : 0;
}

int plan_forget_served(Store *store, Error **reterr) {
        _cleanup_free_ char *path = store ? store_path(store, PLAN_SERVED) : NULL;

        return path ? fs_remove_file(AT_FDCWD, path, reterr) : 0;
}
