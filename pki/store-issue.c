/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/certificate-internal.h"
#include "pki/store-internal.h"

/*
 * Carrying out what store-examine.c decided: all new files are staged, then published in one batch. The
 * order is that of pki/store.h, so that at no moment a certificate is there whose CA is not, nor one without
 * its key.
 */

static bool entry_is_done(const StoreEntry *e) {
        return e->outcome == STORE_KEPT || e->outcome == STORE_WAITS;
}

static int stage(StoreRun *run, FsBatch *batch, const char *path, const Buffer *data, mode_t mode,
                 FsFlags flags, Error **reterr) {
        _cleanup_free_ char *name = store_path(run->store, path);

        return store_stage(batch, name, data, mode, flags, reterr);
}

static int stage_key(StoreRun *run, FsBatch *batch, const StoreEntry *e, FsFlags flags, Error **reterr) {
        _cleanup_free_ char *path = store_entry_secret_path(e->request);
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
        int r;

        if (store_seals(run->store, e))
                r = key_to_pem_sealed(e->key, run->store->passphrase, &pem, reterr);
        else
                r = key_to_pem(e->key, &pem, reterr);
        if (r < 0)
                return r;
        return stage(run, batch, path, &pem, STORE_KEY_MODE, flags, reterr);
}

static int stage_certificate(StoreRun *run, FsBatch *batch, const StoreEntry *e, FsFlags flags,
                             Error **reterr) {
        _cleanup_free_ char *path = store_entry_public_path(e->request);
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;
        int r;

        r = certificate_to_pem(e->certificate, &pem, reterr);
        if (r < 0)
                return r;
        if (e->request->issuer) {
                const StoreEntry *ca = store_run_find_ca(run, e->request->issuer);

                buffer_add(&pem, ca->above.data, ca->above.size);
        }
        return stage(run, batch, path, &pem, STORE_PUBLIC_MODE, flags, reterr);
}

static int make_secret(StoreRun *run, FsBatch *batch, StoreEntry *e, Error **reterr) {
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        int r;

        r = store_secret_draw(e->request, &text, reterr);
        return r < 0 ? r : stage(run, batch, e->request->name, &text, STORE_KEY_MODE, FS_EXCLUSIVE, reterr);
}

/* Whoever is asked to stop does it here: all else takes no time. */
int store_make_key(StoreRun *run, const StoreRequest *request, EVP_PKEY **ret, Error **reterr) {
        run->maker.cancelled = run->store->cancelled;
        return key_maker_generate(&run->maker, request->key_type, ret, reterr);
}

/* A key that others rely on is made once, and never in the place of another. */
static int make_lasting_key(StoreRun *run, FsBatch *batch, StoreEntry *e, Error **reterr) {
        int r;

        if (e->key)
                return 0;
        r = store_make_key(run, e->request, &e->key, reterr);
        return r < 0 ? r : stage_key(run, batch, e, FS_EXCLUSIVE, reterr);
}

static int make_key_pair(StoreRun *run, FsBatch *batch, StoreEntry *e, Error **reterr) {
        _cleanup_free_ char *path = store_entry_public_path(e->request);
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;
        int r;

        r = make_lasting_key(run, batch, e, reterr);
        if (r < 0)
                return r;
        r = key_public_to_pem(e->key, &pem, reterr);
        if (r < 0)
                return r;
        return stage(run, batch, path, &pem, STORE_PUBLIC_MODE, FS_EXCLUSIVE, reterr);
}

static int make_ca(StoreRun *run, FsBatch *batch, StoreEntry *e, Error **reterr) {
        int r = make_lasting_key(run, batch, e, reterr);

        if (r < 0)
                return r;
        r = certificate_make(&e->request->profile, e->key, NULL, NULL, run->now, &e->certificate, reterr);
        if (r < 0)
                return r;
        e->expires = certificate_not_after(e->certificate);
        return stage_certificate(run, batch, e, FS_EXCLUSIVE, reterr);
}

/* As it stands in the file, if it does: store-examine.c compares the bytes. */
static int ca_to_pem(StoreRun *run, const StoreEntry *ca, Buffer *ret, Error **reterr) {
        int r = store_ca_bundle(run->store, ca->request->name, ret, reterr);

        if (r < 0 || ret->size > 0)
                return r;
        return certificate_to_pem(ca->certificate, ret, reterr);
}

int store_kubeconfig_text(StoreRun *run, const StoreEntry *e, const StoreEntry *ca, Buffer *ret,
                          Error **reterr) {
        _cleanup_(kubeconfig_done) Kubeconfig k = {
                .cluster = xstrdup(e->request->cluster),
                .server = xstrdup(e->request->server),
                .user = xstrdup(e->request->user),
        };
        int r;

        r = ca_to_pem(run, ca, &k.ca, reterr);
        if (r < 0)
                return r;
        r = certificate_to_pem(e->certificate, &k.certificate, reterr);
        if (r < 0)
                return r;
        r = key_to_pem(e->key, &k.key, reterr);
        if (r < 0)
                return r;
        kubeconfig_write(&k, ret);
        return 0;
}

static int stage_kubeconfig(StoreRun *run, FsBatch *batch, const StoreEntry *e, const StoreEntry *ca,
                            Error **reterr) {
        _cleanup_free_ char *path = store_entry_secret_path(e->request);
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        int r;

        r = store_kubeconfig_text(run, e, ca, &text, reterr);
        return r < 0 ? r : stage(run, batch, path, &text, STORE_KEY_MODE, 0, reterr);
}

/* The CAs above may be limited to names, too; that of the issuer itself was looked at when it signed. */
int store_check_above(const StoreEntry *ca, X509 *x, Error **reterr) {
        _cleanup_(certificate_chain_done) CertificateChain chain = {};
        int r;

        if (ca->above.size == 0)
                return 0;
        r = certificate_chain_from_pem(ca->request->name, ca->above.data, ca->above.size,
                                       CERTIFICATE_CHAIN_MAX + 1, &chain, reterr);
        for (size_t i = 0; r >= 0 && i < chain.n_certificates; i++)
                r = certificate_check_constraints(x, chain.certificates[i], reterr);
        return r;
}

/* Key and certificate of an entry, as its type wants them. */
int store_stage_leaf(StoreRun *run, FsBatch *batch, const StoreEntry *e, Error **reterr) {
        int r = store_check_above(store_run_find_ca(run, e->request->issuer), e->certificate, reterr);

        if (r < 0)
                return r;
        if (e->request->type == STORE_KUBECONFIG)
                return stage_kubeconfig(run, batch, e, store_run_find_ca(run, e->request->issuer), reterr);
        r = store_stage_former(run, batch, e, reterr);
        if (r >= 0)
                r = stage_key(run, batch, e, 0, reterr);
        return r < 0 ? r : stage_certificate(run, batch, e, 0, reterr);
}

/* A new key for an entry, and its certificate by that CA. */
int store_make_pair(StoreRun *run, StoreEntry *e, const StoreEntry *ca, Error **reterr) {
        int r;

        r = store_make_key(run, e->request, &e->key, reterr);
        if (r < 0)
                return r;
        r = certificate_make(&e->request->profile, e->key, ca->certificate, ca->key, run->now,
                             &e->certificate, reterr);
        if (r < 0)
                return r;
        e->expires = certificate_not_after(e->certificate);
        return 0;
}

static int make_leaf(StoreRun *run, FsBatch *batch, StoreEntry *e, Error **reterr) {
        int r;

        X509_freep(&e->certificate); /* the one that is replaced */
        r = store_make_pair(run, e, store_run_find_ca(run, e->request->issuer), reterr);
        if (r < 0)
                return r;

        r = store_stage_leaf(run, batch, e, reterr);
        X509_freep(&e->certificate);
        EVP_PKEY_freep(&e->key);
        return r;
}

typedef int (*EntryMaker)(StoreRun *run, FsBatch *batch, StoreEntry *e, Error **reterr);

/* In the order in which they get their names. */
static const struct {
        StoreEntryType type;
        EntryMaker make;
} makers[] = {
        { STORE_SECRET, make_secret },    { STORE_KEY_PAIR, make_key_pair }, { STORE_CA, make_ca },
        { STORE_CERTIFICATE, make_leaf }, { STORE_KUBECONFIG, make_leaf },
};

static int stage_pending(StoreRun *run, FsBatch *batch, Error **reterr) {
        _cleanup_strv_ Strv names = NULL;

        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreEntry *e = run->entries + i;

                if (e->request->type == STORE_CERTIFICATE && e->outcome == STORE_REISSUED)
                        strv_add(&names, e->request->name);
        }
        return store_stage_pending(run->store, batch, names, reterr);
}

/* A key of a CA that is here already, and from now on is to be under the passphrase. */
static bool is_to_be_sealed(const StoreRun *run, const StoreEntry *e) {
        return store_seals(run->store, e) && !e->sealed && e->key;
}

static int seal_present(StoreRun *run, FsBatch *batch, Error **reterr) {
        for (size_t i = 0; i < run->n_entries; i++) {
                StoreEntry *e = run->entries + i;
                int r;

                if (!is_to_be_sealed(run, e))
                        continue;
                r = stage_key(run, batch, e, 0, reterr);
                if (r < 0)
                        return r;
                free(e->why);
                e->why = xstrdup("its key is under the passphrase from now on");
        }
        return 0;
}

static bool something_is_new(const StoreRun *run) {
        for (size_t i = 0; i < run->n_entries; i++)
                if (!entry_is_done(run->entries + i) || is_to_be_sealed(run, run->entries + i))
                        return true;
        return false;
}

/* @ret_made: how many, also if it fails */
static int make_all(StoreRun *run, FsBatch *batch, size_t *ret_made, Error **reterr) {
        int r = something_is_new(run) ? store_stage_edition(run->store, batch, reterr) : 0;

        if (r < 0)
                return r;
        r = stage_pending(run, batch, reterr);
        if (r < 0)
                return r;
        r = seal_present(run, batch, reterr);
        if (r < 0)
                return r;
        for (size_t m = 0; m < ARRAY_SIZE(makers); m++)
                for (size_t i = 0; i < run->n_entries; i++) {
                        StoreEntry *e = run->entries + i;

                        if (e->request->type != makers[m].type || entry_is_done(e))
                                continue;
                        r = makers[m].make(run, batch, e, reterr);
                        if (r < 0)
                                return error_prefix(reterr, r, "%s", e->request->name);
                        (*ret_made)++;
                }
        return 0;
}

static int make_and_publish(StoreRun *run, FsBatch *batch, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        size_t n_made = 0, n_wanted = 0;
        int r, made;

        made = make_all(run, batch, &n_made, &error);
        if (made < 0 && made != -ECANCELED)
                return error_propagate(reterr, TAKE_PTR(error));
        /* Each entry is whole by itself, and an RSA key is not made twice for nothing. */
        r = made < 0 && n_made == 0 ? 0 : store_publish(run->store, batch, reterr);
        if (r < 0 || made >= 0)
                return r;
        for (size_t i = 0; i < run->n_entries; i++)
                n_wanted += !entry_is_done(run->entries + i);
        return error_set(
                reterr, ERROR_TEMPORARY, ECANCELED,
                "stopped as asked: %zu of %zu keys, certificates and secrets are made; the same command makes the "
                "others",
                n_made, n_wanted);
}

int store_run_issue(StoreRun *run, Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        int r;

        r = store_open_keys(run, reterr);
        if (r < 0)
                return r;
        store_sweep(run);
        r = store_tidy(run, reterr);
        if (r < 0)
                return r;
        r = store_stage_rotated(run->store, batch, reterr);
        return r < 0 ? r : make_and_publish(run, batch, reterr);
}
