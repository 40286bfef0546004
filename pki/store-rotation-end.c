/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "pki/store-rotation-internal.h"

/* The end of a rotation: the new one alone lies under the usual names, and the old one is kept by its day. */

#define RETIRED "pki/retired"

/* "etcd-ca-2026-11-25": what goes by the day when its rotation began. */
static char* retired_name(const Rotation *r) {
        _cleanup_free_ char *date = clock_format_iso(r->since);
        char *name = xasprintf(RETIRED "/%s-%s", r->name, date);

        for (char *p = name + strlen(RETIRED "/"); *p; p++)
                if (*p == '/')
                        *p = '-';
                else if (*p == ':')
                        *p = '.';
        return name;
}

static int stage_file(const Store *s, FsBatch *batch, const char *from, const char *to, const char *ending,
                      mode_t mode, Error **reterr) {
        _cleanup_free_ char *source = xasprintf("%s.%s", from, ending),
                            *target = xasprintf("%s.%s", to, ending);
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;
        int r;

        r = store_rotation_add(s, source, /* required= */ true, &data, reterr);
        return r < 0 ? r : store_rotation_stage(s, batch, target, &data, mode, reterr);
}

/* What is above a CA that was an intermediate one; the new one is a root. */
static int retire_chain(Store *s, FsBatch *batch, const char *name, Error **reterr) {
        _cleanup_free_ char *target = xasprintf("%s.chain", name);
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        int r;

        r = store_rotation_add(s, ROTATION "/old.chain", /* required= */ false, &data, reterr);
        return r <= 0 ? r : store_rotation_stage(s, batch, target, &data, STORE_PUBLIC_MODE, reterr);
}

static int remove_chain(const Store *s, Error **reterr) {
        _cleanup_free_ char *relative = xasprintf("pki/%s.chain", s->rotation.name),
                            *path = store_path_in_directory(s, relative);

        if (unlink(path) < 0 && errno != ENOENT)
                return error_set_errno(reterr, errno, "cannot remove %s", path);
        return 0;
}

static int retire(Store *s, Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        _cleanup_free_ char *name = retired_name(&s->rotation);
        _cleanup_free_ char *usual = xasprintf("pki/%s", s->rotation.name);
        const char *ending = store_rotation_ending(s);
        int r;

        r = stage_file(s, batch, ROTATION "/old", name, "key", STORE_KEY_MODE, reterr);
        if (r >= 0)
                r = stage_file(s, batch, ROTATION "/old", name, ending, STORE_PUBLIC_MODE, reterr);
        if (r >= 0)
                r = retire_chain(s, batch, name, reterr);
        if (r >= 0)
                r = stage_file(s, batch, ROTATION "/new", usual, "key", STORE_KEY_MODE, reterr);
        if (r >= 0)
                r = stage_file(s, batch, ROTATION "/new", usual, ending, STORE_PUBLIC_MODE, reterr);
        return r < 0 ? r : fs_batch_commit(batch, reterr);
}

/* The state goes first: without it what is beside it counts for nothing. */
static int clear(const Store *s, Error **reterr) {
        _cleanup_free_ char *state = store_path_in_directory(s, STATE),
                            *directory = store_path_in_directory(s, ROTATION);

        if (unlink(state) < 0)
                return error_set_errno(reterr, errno, "cannot remove %s", state);
        return fs_remove_tree(AT_FDCWD, directory, reterr);
}

/**
 * store_rotation_end() - the new one takes the place of the old one
 * @s:          the store; all nodes are as the last phase wants them
 * @reterr:     names the file
 *
 * The old one is kept in pki/retired.
 *
 * Return: 0; -EINVAL (ERROR_INTERNAL) if it is not at the last phase; another negative errno.
 */
int store_rotation_end(Store *s, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_close_ int lock = store_rotation_lock(s, reterr);
        int r;

        if (lock < 0)
                return lock;
        if (!s->rotation.name || s->rotation.phase != ROTATION_FINISH)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "no rotation has come to its end");
        r = retire(s, reterr);
        if (r >= 0)
                r = remove_chain(s, reterr);
        if (r >= 0)
                r = clear(s, reterr);
        store_forget(s);
        return r;
}
