/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/store-internal.h"
#include "pki/store-rotation-internal.h"

/*
 * A CA, key pair or secret that is being replaced, in the store
 *
 * While there is a state, the old and the new one are read from beside it and nothing else counts: what lies
 * under the usual names follows from them, for people and their tools, and is written again if need be. So
 * each step is one rename, that of the state.
 */

#define SIGNING "signing-"

static int load(Store *s, Error **reterr) {
        _cleanup_free_ char *path = store_path_in_directory(s, STATE);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        if (s->rotation_known)
                return 0;
        rotation_done(&s->rotation);
        r = fs_read_optional(AT_FDCWD, path, ROTATION_SIZE_MAX, &text, reterr);
        if (r > 0)
                r = rotation_parse(path, text.data, text.size, &s->rotation, reterr);
        if (r < 0)
                return r;
        s->rotation_known = true;
        return 0;
}

int store_rotation_lock(Store *s, Error **reterr) {
        _cleanup_close_ int lock = store_lock(s, reterr);
        int r;

        if (lock < 0)
                return lock;
        store_forget(s);
        r = load(s, reterr);
        return r < 0 ? r : TAKE_FD(lock);
}

/**
 * store_rotation() - what is being replaced
 * @s:          the store
 * @ret:        the state; rotation_done(); untouched if there is none
 * @reterr:     the state cannot be read
 *
 * Return: 1 if a rotation is under way, 0 if none is, or a negative errno.
 */
int store_rotation(Store *s, Rotation *ret, Error **reterr) {
        STORE_LOCKED(s);
        int r;

        r = load(s, reterr);
        if (r < 0 || !s->rotation.name)
                return r;
        *ret = (Rotation) {
                .name = xstrdup(s->rotation.name),
                .phase = s->rotation.phase,
                .since = s->rotation.since,
        };
        return 1;
}

/* "ca" and "crt" of "ca.crt" and of "signing-ca.crt"; signing: it was the latter. */
static void split(const char *path, char **ret_name, const char **ret_ending, bool *ret_signing) {
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        const char *dot = strrchr(base, '.'), *rest = startswith(base, SIGNING);
        size_t n;

        *ret_signing = rest != NULL;
        base = rest ?: base;
        n = dot && dot > base ? (size_t) (dot - base) : strlen(base);
        *ret_name = xasprintf("%.*s%.*s", slash ? (int) (slash + 1 - path) : 0, path, (int) n, base);
        *ret_ending = dot ? dot + 1 : "";
}

static bool old_one_signs(const Rotation *r) {
        return r->phase == ROTATION_TRUST;
}

static bool is_secret(const Rotation *r) {
        return startswith(r->name, STORE_SECRETS) != NULL;
}

char* store_rotation_key(const Rotation *r) {
        return is_secret(r) ? xstrdup(r->name) : xasprintf("%s.key", r->name);
}

/* The one that is in use comes first: see pki/secret.h. */
static Strv resolve_secret(const Rotation *r) {
        Strv files = NULL;

        strv_add(&files, old_one_signs(r) ? ROTATION "/old.key" : ROTATION "/new.key");
        if (r->phase != ROTATION_FINISH)
                strv_add(&files, old_one_signs(r) ? ROTATION "/new.key" : ROTATION "/old.key");
        return files;
}

/*
 * The files that a store path stands for, relative to the cluster directory; none: the one of that name.
 * The chain above a CA goes with it, and may be missing.
 */
static Strv resolve(const Rotation *r, const char *path) {
        _cleanup_free_ char *name = NULL;
        const char *ending;
        bool signing;
        Strv files = NULL;

        split(path, &name, &ending, &signing);
        if (!streq_null(name, r->name)) {
                if (signing)
                        strv_addf(&files, "pki/%s.%s", name, ending);
        } else if (is_secret(r))
                files = resolve_secret(r);
        else if (signing || streq(ending, "key"))
                strv_addf(&files, ROTATION "/%s.%s", old_one_signs(r) ? "old" : "new", ending);
        else if (streq(ending, "crt") || streq(ending, "pub") || streq(ending, "chain")) {
                if (r->phase != ROTATION_FINISH)
                        strv_addf(&files, ROTATION "/old.%s", ending);
                strv_addf(&files, ROTATION "/new.%s", ending);
        }
        return files;
}

static bool is_required(const char *file) {
        return startswith(file, ROTATION) && !endswith(file, ".chain");
}

static bool may_be_rotated(const char *path) {
        return !startswith(path, "nodes/") && !endswith(path, ".conf");
}

int store_rotation_add(const Store *s, const char *file, bool required, Buffer *ret, Error **reterr) {
        _cleanup_free_ char *path = store_path_in_directory(s, file);
        int r;

        r = fs_read_optional(AT_FDCWD, path, KEY_SIZE_MAX, ret, reterr);
        if (r == 0 && required)
                return error_set(reterr, ERROR_CONFIG, ENOENT,
                                 "%s is missing, and its rotation is under way: restore it from a backup",
                                 path);
        if (r > 0 && ret->size > 0 && ret->data[ret->size - 1] != '\n')
                buffer_add_char(ret, '\n');
        return r;
}

/**
 * store_rotation_read() - what a path stands for while something is being replaced
 * @s:          the store
 * @path:       a path in the store
 * @ret:        the bytes; may hold a key
 * @reterr:     names the file
 *
 * Return: 1 if it stands for other files than that of its name, and they were read; 0 if it does not;
 * -ENODATA (without an Error) if it does, and there are none; another negative errno.
 */
int store_rotation_read(Store *s, const char *path, Buffer *ret, Error **reterr) {
        _cleanup_buffer_secret_ Buffer all = BUFFER_NULL;
        _cleanup_strv_ Strv files = NULL;
        bool there = false;
        int r;

        if (!may_be_rotated(path))
                return 0;
        r = load(s, reterr);
        if (r < 0)
                return r;
        files = resolve(&s->rotation, path);
        STRV_FOREACH(file, files) {
                _cleanup_buffer_secret_ Buffer one = BUFFER_NULL;

                r = store_rotation_add(s, *file, is_required(*file), &one, reterr);
                if (r < 0)
                        return r;
                buffer_add(&all, one.data, one.size);
                there = there || r > 0;
        }
        if (!files)
                return 0;
        if (!there)
                return -ENODATA;
        *ret = TAKE_GENERIC(all, Buffer, BUFFER_NULL);
        return 1;
}

/* Whether a CA is being replaced: what it has issued may be of either. */
bool store_is_rotated(Store *s, const char *name) {
        return load(s, NULL) >= 0 && streq_null(s->rotation.name, name);
}

/* The file that has to be looked at for what is wrong with an entry's; the caller frees. */
char* store_rotation_path(Store *s, const char *path) {
        _cleanup_strv_ Strv files = NULL;

        if (may_be_rotated(path) && load(s, NULL) >= 0)
                files = resolve(&s->rotation, path);
        return files ? store_path_in_directory(s, files[0]) : store_path(s, path);
}

/* "etcd/signing-ca.crt", "signing-sa.pub": the one half that goes with the key; the caller frees. */
char* store_signing_path(const char *path) {
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

        return xasprintf("%.*s" SIGNING "%s", (int) (base - path), path, base);
}

int store_rotation_stage(const Store *s, FsBatch *batch, const char *file, const Buffer *data, mode_t mode,
                         Error **reterr) {
        _cleanup_free_ char *path = store_path_in_directory(s, file);

        return store_stage(batch, path, data, mode, 0, reterr);
}

const char* store_rotation_ending(const Store *s) {
        _cleanup_free_ char *path = store_path_in_directory(s, ROTATION "/new.pub");

        if (is_secret(&s->rotation))
                return NULL;
        return access(path, F_OK) == 0 ? "pub" : "crt";
}

/* From a path of the store, as it reads now, to a file. */
int store_rotation_stage_copy(Store *s, FsBatch *batch, const char *from, const char *file, mode_t mode,
                              Error **reterr) {
        StoreFile *found = NULL;
        int r;

        r = store_read(s, from, &found, reterr);
        return r <= 0 ? r : store_rotation_stage(s, batch, file, &found->data, mode, reterr);
}

/* What must not be read by others, under its usual name. */
static int stage_usual(Store *s, FsBatch *batch, const char *key, Error **reterr) {
        _cleanup_free_ char *path = store_path(s, key);
        StoreFile *found = NULL;
        int r;

        r = store_read(s, key, &found, reterr);
        return r <= 0 ? r : store_stage(batch, path, &found->data, STORE_KEY_MODE, 0, reterr);
}

/**
 * store_stage_rotated() - what lies under the usual names follows from the state
 * @s:          the store
 * @batch:      where to stage it, if it is not so
 * @reterr:     names the file
 *
 * Return: 0 or a negative errno.
 */
int store_stage_rotated(Store *s, FsBatch *batch, Error **reterr) {
        _cleanup_free_ char *key = NULL, *public = NULL, *public_file = NULL;
        const char *ending;
        int r;

        r = load(s, reterr);
        if (r < 0 || !s->rotation.name)
                return r;
        ending = store_rotation_ending(s);
        key = store_rotation_key(&s->rotation);
        r = stage_usual(s, batch, key, reterr);
        if (r < 0 || !ending)
                return r;
        public = xasprintf("%s.%s", s->rotation.name, ending);
        public_file = xasprintf("pki/%s", public);
        return store_rotation_stage_copy(s, batch, public, public_file, STORE_PUBLIC_MODE, reterr);
}

int store_rotation_stage_state(const Store *s, FsBatch *batch, const Rotation *rotation, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        rotation_write(rotation, &text);
        return store_rotation_stage(s, batch, STATE, &text, STORE_PUBLIC_MODE, reterr);
}

/**
 * store_rotation_advance() - go over to the next phase
 * @s:          the store
 * @phase:      the next one; all nodes are as the one before wants them
 * @reterr:     names the file
 *
 * Return: 0; -EINVAL (ERROR_INTERNAL) if it is not the next; another negative errno.
 */
int store_rotation_advance(Store *s, RotationPhase phase, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_close_ int lock = store_rotation_lock(s, reterr);
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        int r;

        if (lock < 0)
                return lock;
        if (!s->rotation.name || phase != s->rotation.phase + 1 || phase >= _ROTATION_PHASE_MAX)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "that is not the next phase of a rotation");
        s->rotation.phase = phase;
        r = store_stage_edition(s, batch, reterr);
        if (r >= 0)
                r = store_rotation_stage_state(s, batch, &s->rotation, reterr);
        if (r >= 0)
                r = fs_batch_commit(batch, reterr);
        store_forget(s);
        return r < 0 ? r : 0;
}
