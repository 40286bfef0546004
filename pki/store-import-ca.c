/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/store-internal.h"

/*
 * A CA of your own takes the place of the one that store_generate() would make
 *
 * The certificate gets its name first, then what is above it, then the key or the mark that there is none:
 * killed in between, the store has a CA whose key is missing, for which nothing is made, and the same import
 * finishes it.
 */

#define MARK                                                                            \
        "The key of this CA is kept elsewhere. hardway pki csr writes what to ask its " \
        "owner for,\nhardway pki import takes the answers.\n"

typedef struct Import {
        Store *store;
        const char *name; /* of the CA */
        const CaImport *from;
        X509 *certificate;
        EVP_PKEY *key;
        bool sealed; /* the key was under a passphrase, and stays so */
        CertificateChain chain;
} Import;

static void import_done(Import *i) {
        X509_free(i->certificate);
        EVP_PKEY_free(i->key);
        certificate_chain_done(&i->chain);
}

static int read_parts(Import *i, Error **reterr) {
        const CaImport *from = i->from;
        int r;

        r = certificate_from_pem(from->certificate_name, from->certificate->data, from->certificate->size,
                                 &i->certificate, reterr);
        if (r >= 0 && from->key) {
                i->sealed = key_is_sealed(from->key->data, from->key->size);
                r = i->sealed ?
                            store_open_key(i->store, from->key_name, from->key, &i->key, reterr) :
                            key_from_pem(from->key_name, from->key->data, from->key->size, &i->key, reterr);
        }
        if (r >= 0 && from->chain)
                r = certificate_chain_from_pem(from->chain_name, from->chain->data, from->chain->size,
                                               CERTIFICATE_CHAIN_MAX, &i->chain, reterr);
        return r;
}

/* A chain as it is often handed out: with the CA itself in front. */
static void chain_drop_self(Import *i) {
        CertificateChain *c = &i->chain;

        if (c->n_certificates == 0 || X509_cmp(c->certificates[0], i->certificate) != 0)
                return;
        X509_free(c->certificates[0]);
        memmove(c->certificates, c->certificates + 1, --c->n_certificates * sizeof(X509*));
}

static int check_parts(Import *i, int64_t now, Error **reterr) {
        const char *name = i->from->certificate_name;
        _cleanup_free_ char *why = NULL;

        if (i->key && !certificate_has_key(i->certificate, i->key))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: does not belong to %s",
                                 i->from->key_name, name);
        chain_drop_self(i);
        if (certificate_chain_check(i->certificate, &i->chain, now, &why) > 0) {
                int r = error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: %s", name, why);

                if (!i->from->chain)
                        error_detail(reterr, "The certificates above it, its issuer first and a root last, "
                                             "are given by --chain.\n");
                return r;
        }
        return 0;
}

static int read_current(const Import *i, const char *ending, StoreFile **ret, char **ret_name,
                        Error **reterr) {
        _cleanup_free_ char *path = store_ca_path(i->name, ending);

        *ret_name = store_path(i->store, path);
        return store_read(i->store, path, ret, reterr);
}

/* What is there may be finished by this, never replaced. */
static int check_current(const Import *i, Error **reterr) {
        _cleanup_free_ char *crt_name = NULL, *key_name = NULL;
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        _cleanup_(X509_freep) X509 *x = NULL;
        StoreFile *crt_file = NULL, *key_file = NULL;
        int r;

        r = read_current(i, "crt", &crt_file, &crt_name, reterr);
        if (r > 0)
                r = certificate_from_pem(crt_name, crt_file->data.data, crt_file->data.size, &x, reterr);
        if (r < 0)
                return r;
        if (x && X509_cmp(x, i->certificate) != 0)
                return error_set(reterr, ERROR_CONFIG, EEXIST,
                                 "%s exists and is another CA; the one of a cluster is replaced by: hardway "
                                 "pki rotate-ca",
                                 crt_name);
        r = read_current(i, "key", &key_file, &key_name, reterr);
        if (r > 0 && !key_is_sealed(key_file->data.data, key_file->data.size))
                r = key_from_pem(key_name, key_file->data.data, key_file->data.size, &key, reterr);
        if (r < 0)
                return r;
        if (key && !certificate_has_key(i->certificate, key))
                return error_set(reterr, ERROR_CONFIG, EEXIST, "%s exists and belongs to another CA",
                                 key_name);
        return 0;
}

/* Whoever one CA has certified must not be believed by those who trust another one. */
static int check_others(const Import *i, const StoreRequest *requests, size_t n_requests, Error **reterr) {
        for (size_t k = 0; k < n_requests; k++) {
                _cleanup_free_ char *path = NULL, *name = NULL;
                _cleanup_(X509_freep) X509 *x = NULL;
                StoreFile *file = NULL;
                int r;

                if (requests[k].type != STORE_CA || streq(requests[k].name, i->name))
                        continue;
                path = store_ca_path(requests[k].name, "crt");
                name = store_path(i->store, path);
                r = store_read(i->store, path, &file, reterr);
                if (r > 0)
                        r = certificate_from_pem(name, file->data.data, file->data.size, &x, reterr);
                if (r < 0)
                        return r;
                if (x && EVP_PKEY_eq(X509_get0_pubkey(x), X509_get0_pubkey(i->certificate)) == 1)
                        return error_set(reterr, ERROR_CONFIG, EEXIST,
                                         "%s: is the CA of %s already, and each has to be one of its own",
                                         i->from->certificate_name, name);
        }
        return 0;
}

static int stage_part(const Import *i, FsBatch *batch, const char *ending, const Buffer *data, mode_t mode,
                      Error **reterr) {
        _cleanup_free_ char *path = store_ca_path(i->name, ending), *name = store_path(i->store, path);

        return store_stage(batch, name, data, mode, 0, reterr);
}

static int stage_certificate(const Import *i, FsBatch *batch, Error **reterr) {
        _cleanup_buffer_ Buffer pem = BUFFER_NULL, above = BUFFER_NULL;
        int r;

        r = certificate_to_pem(i->certificate, &pem, reterr);
        if (r >= 0)
                r = stage_part(i, batch, "crt", &pem, STORE_PUBLIC_MODE, reterr);
        for (size_t k = 0; r >= 0 && k < i->chain.n_certificates; k++)
                r = certificate_to_pem(i->chain.certificates[k], &above, reterr);
        if (r >= 0 && above.size > 0)
                r = stage_part(i, batch, "chain", &above, STORE_PUBLIC_MODE, reterr);
        return r;
}

/* The key, or that there is none; one that is here already stays. */
static int stage_key(const Import *i, FsBatch *batch, Error **reterr) {
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
        _cleanup_free_ char *path = store_ca_path(i->name, "key");
        StoreFile *file = NULL;
        int r;

        r = store_read(i->store, path, &file, reterr);
        if (r != 0)
                return r < 0 ? r : 0;
        if (!i->key) {
                buffer_add_str(&pem, MARK);
                return stage_part(i, batch, "external", &pem, STORE_PUBLIC_MODE, reterr);
        }
        r = i->sealed ? key_to_pem_sealed(i->key, i->store->passphrase, &pem, reterr) :
                        key_to_pem(i->key, &pem, reterr);
        return r < 0 ? r : stage_part(i, batch, "key", &pem, STORE_KEY_MODE, reterr);
}

/* The key has come: nothing may say any more that it is elsewhere. */
static int drop_mark(const Import *i, Error **reterr) {
        _cleanup_free_ char *path = store_ca_path(i->name, "external"), *name = store_path(i->store, path);

        if (!i->key)
                return 0;
        if (unlink(name) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, errno, "cannot remove %s", name);
        return 1;
}

static int import_commit(const Import *i, Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        bool changed;
        int r;

        r = store_stage_edition(i->store, batch, reterr);
        if (r >= 0)
                r = stage_certificate(i, batch, reterr);
        if (r >= 0)
                r = stage_key(i, batch, reterr);
        if (r < 0)
                return r;
        changed = fs_batch_size(batch) > 1; /* than the edition */
        if (changed) {
                r = fs_batch_commit(batch, reterr);
                if (r < 0)
                        return r;
        }
        r = drop_mark(i, reterr);
        return r < 0 ? r : r > 0 || changed;
}

/**
 * store_import_ca() - use a CA that was made elsewhere
 * @s:          the store
 * @requests:   what it shall hold
 * @n_requests: how many
 * @name:       which one it is to be: "ca", "etcd/ca"
 * @from:       its certificate, and what else there is of it
 * @now:        seconds since 1970
 * @dry_run:    only look
 * @reterr:     names the file
 *
 * Without key, what it has to certify is asked for (store_csr()). Done again with the key, or killed and
 * done again, it completes what is there. Another CA is never replaced.
 *
 * Return: 1 if something was (@dry_run: would be) written, 0 if all was so already; -EBADMSG (ERROR_CONFIG)
 * if it cannot be a CA of this kind, or key and certificate do not belong together; -EEXIST (ERROR_CONFIG)
 * if there is another CA; -EBUSY (ERROR_TEMPORARY) if another run is at it; another negative errno.
 */
int store_import_ca(Store *s, const StoreRequest *requests, size_t n_requests, const char *name,
                    const CaImport *from, int64_t now, bool dry_run, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_(import_done) Import i = { .store = s, .name = name, .from = from };
        _cleanup_close_ int lock = -EBADF;
        int r;

        r = read_parts(&i, reterr);
        if (r >= 0)
                r = check_parts(&i, now, reterr);
        if (r < 0)
                return r;
        if (!dry_run) {
                lock = store_lock(s, reterr);
                if (lock < 0)
                        return lock;
        }
        store_forget(s);
        r = check_others(&i, requests, n_requests, reterr);
        if (r >= 0)
                r = check_current(&i, reterr);
        if (r < 0 || dry_run)
                return r < 0 ? r : 1;
        r = import_commit(&i, reterr);
        store_forget(s);
        return r;
}
