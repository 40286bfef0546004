/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/served.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

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

int plan_forget_served(Store *store, Error **reterr) {
        _cleanup_free_ char *path = store ? store_path(store, PLAN_SERVED) : NULL;

        if (!path)
                return 0;
        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, errno, "%s: cannot be removed", path);
        return fs_sync_dir_of(AT_FDCWD, path, reterr);
}
