/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "pki/store-rotation-internal.h"

/* The end of a rotation: the new one alone lies under the usual names, and the old one is kept by its day. */

/* "etcd-ca-2026-11-25": what goes by the day when its rotation began. */
static char* retired_name(const Rotation *r) {
        _cleanup_free_ char *date = clock_format_iso(r->since);
        char *name = xasprintf(STORE_RETIRED "/%s-%s", startswith(r->name, STORE_SECRETS) ?: r->name, date);

        for (char *p = name + strlen(STORE_RETIRED "/"); *p; p++)
                if (*p == '/')
                        *p = '-';
                else if (*p == ':')
                        *p = '.';
        return name;
}

/* A file of the rotation, under another name. */
static int stage_file(const Store *s, FsBatch *batch, const char *side, const char *ending, const char *to,
                      mode_t mode, Error **reterr) {
        _cleanup_free_ char *source = xasprintf(ROTATION "/%s.%s", side, ending);
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;
        int r;

        r = store_rotation_add(s, source, /* required= */ true, &data, reterr);
        return r < 0 ? r : store_stage(batch, to, &data, mode, 0, reterr);
}

/* The old one to where it is kept, the new one to the usual name. */
static int stage_half(Store *s, FsBatch *batch, const char *ending, const char *retired, const char *path,
                      mode_t mode, Error **reterr) {
        _cleanup_free_ char *relative = xasprintf("%s.%s", retired, ending),
                            *kept = store_path_in_directory(s, relative), *usual = store_path(s, path);
        int r;

        r = stage_file(s, batch, "old", ending, kept, mode, reterr);
        return r < 0 ? r : stage_file(s, batch, "new", ending, usual, mode, reterr);
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
        _cleanup_free_ char *name = retired_name(&s->rotation), *key = store_rotation_key(&s->rotation);
        const char *ending = store_rotation_ending(s);
        _cleanup_free_ char *public = ending ? xasprintf("%s.%s", s->rotation.name, ending) : NULL;
        int r;

        r = stage_half(s, batch, "key", name, key, STORE_KEY_MODE, reterr);
        if (r >= 0 && public)
                r = stage_half(s, batch, ending, name, public, STORE_PUBLIC_MODE, reterr);
        if (r >= 0)
                r = retire_chain(s, batch, name, reterr);
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
