/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "common/alloc.h"
#include "pki/store-internal.h"

/*
 * Keys of CAs under a passphrase: opened when something has to be issued, and not before
 */

#define ATTEMPTS 3

/**
 * store_set_passphrase() - say whom to ask for the passphrase
 * @s:          the store
 * @ask:        see pki/store.h
 * @userdata:   for @ask
 */
void store_set_passphrase(Store *s, StoreAsk ask, void *userdata) {
        s->ask = ask;
        s->ask_userdata = userdata;
}

/**
 * store_protect() - have the key of a CA put under the passphrase
 * @s:          the store
 * @ca:         its name: "ca"
 */
void store_protect(Store *s, const char *ca) {
        if (!strv_contains(s->protect, ca))
                strv_add(&s->protect, ca);
}

bool store_seals(const Store *s, const StoreEntry *e) {
        return e->request->type == STORE_CA && strv_contains(s->protect, e->request->name);
}

/* So that s->passphrase is set */
static int ask_passphrase(Store *s, const char *file, bool new, Error **reterr) {
        if (s->passphrase)
                return 0;
        if (!s->ask)
                return error_set(reterr, ERROR_PERMISSION, EKEYREJECTED,
                                 "%s: is under a passphrase, and nobody can be asked for it", file);
        return s->ask(s->ask_userdata, file, new, &s->passphrase, reterr);
}

/* Asks again when the answer was wrong, as far as there is somebody who can answer otherwise. */
int store_open_key(Store *s, const char *name, const Buffer *pem, EVP_PKEY **ret, Error **reterr) {
        for (unsigned i = 1;; i++) {
                _cleanup_error_ Error *error = NULL;
                int r;

                r = ask_passphrase(s, name, /* new= */ false, reterr);
                if (r < 0)
                        return r;
                r = key_from_pem_sealed(name, pem->data, pem->size, s->passphrase, ret, &error);
                if (r != -EKEYREJECTED || i == ATTEMPTS)
                        return r < 0 ? error_propagate(reterr, TAKE_PTR(error)) : r;
                secret_freep(&s->passphrase);
        }
}

static bool has_work(const StoreRun *run, const StoreEntry *ca) {
        if (ca->outcome == STORE_MADE)
                return true;
        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreEntry *e = run->entries + i;

                if (e->request->issuer && streq(e->request->issuer, ca->request->name) &&
                    (e->outcome == STORE_MADE || e->outcome == STORE_REISSUED))
                        return true;
        }
        return false;
}

static int open_entry(StoreRun *run, StoreEntry *e, Error **reterr) {
        _cleanup_free_ char *path = store_entry_secret_path(e->request),
                            *name = store_path(run->store, path);
        StoreFile *file = NULL;
        int r;

        r = store_read(run->store, path, &file, reterr);
        if (r <= 0)
                return r;
        r = store_open_key(run->store, name, &file->data, &e->key, reterr);
        if (r < 0)
                return r;
        if (e->certificate && !certificate_has_key(e->certificate, e->key))
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: does not belong to the certificate of this CA", name);
        return 0;
}

int store_open_keys(StoreRun *run, Error **reterr) {
        for (size_t i = 0; i < run->n_entries; i++) {
                StoreEntry *e = run->entries + i;
                int r;

                if (!e->sealed || e->key || !has_work(run, e))
                        continue;
                r = open_entry(run, e, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreEntry *e = run->entries + i;
                int r;

                if (!store_seals(run->store, e) || e->sealed || e->external)
                        continue;
                r = ask_passphrase(run->store, e->request->name, /* new= */ true, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
