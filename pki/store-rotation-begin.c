/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/certificate-internal.h"
#include "pki/store-rotation-internal.h"

/* The begin of a rotation: the old one is kept beside the store, with a new one, and the state is written last. */

/* The entry as it is: whole, and alone. */
static int stage_old(StoreRun *run, FsBatch *batch, const char *ending, Error **reterr) {
        const StoreEntry *e = run->entries;
        _cleanup_free_ char *key = store_entry_secret_path(e->request),
                            *public = store_entry_public_path(e->request);
        _cleanup_free_ char *file = xasprintf(ROTATION "/old.%s", ending ?: ""),
                            *chain = xasprintf("%s.chain", e->request->name);
        int r;

        if (e->outcome != STORE_KEPT)
                return error_set(reterr, ERROR_CONFIG, ENOENT,
                                 "%s is not made yet, so there is nothing to replace (hardway pki gen makes "
                                 "it)",
                                 e->request->name);
        if (e->external)
                return error_set(reterr, ERROR_CONFIG, ENOKEY,
                                 "the key of %s is kept elsewhere: while both are trusted nothing could be "
                                 "issued, so it cannot be replaced from here",
                                 e->request->name);
        r = store_rotation_stage_copy(run->store, batch, key, ROTATION "/old.key", STORE_KEY_MODE, reterr);
        if (r < 0 || !ending)
                return r;
        r = store_rotation_stage_copy(run->store, batch, public, file, STORE_PUBLIC_MODE, reterr);
        if (r >= 0)
                r = store_rotation_stage_copy(run->store, batch, chain, ROTATION "/old.chain",
                                              STORE_PUBLIC_MODE, reterr);
        return r;
}

/* Under the same passphrase as the old one, if that is under one: opening it shows that it is the right one. */
static int write_new_key(StoreRun *run, EVP_PKEY *key, Buffer *ret, Error **reterr) {
        const StoreEntry *e = run->entries;
        _cleanup_free_ char *path = store_entry_secret_path(e->request),
                            *name = store_path(run->store, path);
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *old = NULL;
        StoreFile *file = NULL;
        int r;

        if (!e->sealed)
                return key_to_pem(key, ret, reterr);
        r = store_read(run->store, path, &file, reterr);
        if (r >= 0)
                r = store_open_key(run->store, name, &file->data, &old, reterr);
        return r < 0 ? r : key_to_pem_sealed(key, run->store->passphrase, ret, reterr);
}

static int stage_new(StoreRun *run, FsBatch *batch, const char *ending, Error **reterr) {
        const StoreRequest *request = run->entries[0].request;
        _cleanup_free_ char *file = xasprintf(ROTATION "/new.%s", ending);
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
        _cleanup_buffer_ Buffer public = BUFFER_NULL;
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        _cleanup_(X509_freep) X509 *x = NULL;
        int r;

        r = store_make_key(run, request, &key, reterr);
        if (r < 0)
                return r;
        if (request->type == STORE_CA) {
                r = certificate_make(&request->profile, key, NULL, NULL, run->now, &x, reterr);
                if (r >= 0)
                        r = certificate_to_pem(x, &public, reterr);
        } else
                r = key_public_to_pem(key, &public, reterr);
        if (r >= 0)
                r = write_new_key(run, key, &pem, reterr);
        if (r >= 0)
                r = store_rotation_stage(run->store, batch, ROTATION "/new.key", &pem, STORE_KEY_MODE,
                                         reterr);
        return r < 0 ? r : store_rotation_stage(run->store, batch, file, &public, STORE_PUBLIC_MODE, reterr);
}

static int stage_new_secret(StoreRun *run, FsBatch *batch, Error **reterr) {
        _cleanup_buffer_secret_ Buffer line = BUFFER_NULL;
        int r;

        r = store_secret_next(run->store, run->entries[0].request, &line, reterr);
        return r < 0 ? r :
                       store_rotation_stage(run->store, batch, ROTATION "/new.key", &line, STORE_KEY_MODE,
                                            reterr);
}

/* Of the public half. */
static const char* ending_of(const StoreRequest *request) {
        switch (request->type) {
        case STORE_CA:
                return "crt";
        case STORE_KEY_PAIR:
                return "pub";
        default:
                return NULL;
        }
}

static int begin(StoreRun *run, const StoreRequest *request, Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        _cleanup_free_ char *directory = store_path_in_directory(run->store, ROTATION);
        const char *ending = ending_of(request);
        Rotation state = { .name = request->name, .phase = ROTATION_TRUST, .since = run->now };
        int r;

        /* What a run left that did not come to the state. */
        r = fs_remove_tree(AT_FDCWD, directory, reterr);
        if (r >= 0)
                r = store_run_examine(run, request, 1, reterr);
        if (r >= 0)
                r = store_stage_edition(run->store, batch, reterr);
        if (r >= 0)
                r = stage_old(run, batch, ending, reterr);
        if (r >= 0)
                r = ending ? stage_new(run, batch, ending, reterr) : stage_new_secret(run, batch, reterr);
        if (r >= 0)
                r = store_rotation_stage_state(run->store, batch, &state, reterr);
        return r < 0 ? r : fs_batch_commit(batch, reterr);
}

/**
 * store_rotation_begin() - make the new one
 * @s:          the store
 * @request:    the CA, key pair or secret that is to be replaced
 * @now:        seconds since 1970
 * @reterr:     names the file
 *
 * The rotation is in its first phase then; what follows from that is made by store_generate() or
 * store_renew().
 *
 * Return: 0; -EEXIST (ERROR_CONFIG) if one is under way; another negative errno.
 */
int store_rotation_begin(Store *s, const StoreRequest *request, int64_t now, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_(store_run_done) StoreRun run = { .store = s, .now = now };
        _cleanup_close_ int lock = store_rotation_lock(s, reterr);
        int r = 0;

        if (lock < 0)
                return lock;
        if (s->rotation.name)
                r = error_set(reterr, ERROR_CONFIG, EEXIST, "the rotation of %s is under way",
                              s->rotation.name);
        if (r >= 0)
                r = begin(&run, request, reterr);
        store_forget(s);
        return r;
}
