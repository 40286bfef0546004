/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/parse.h"
#include "pki/secret.h"
#include "pki/store-internal.h"

/*
 * What is there, against what is asked for: sets the outcome of each entry, and writes nothing.
 */

static void entry_files_done(EntryFiles *f) {
        free(f->secret_name);
        free(f->public_name);
}

int store_bad_file(Error **reterr, const char *name, const char *problem) {
        return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: %s", name, problem);
}

/* Takes the reason. */
static int entry_reissue(StoreEntry *e, char *why) {
        free(e->why);
        e->why = why;
        e->outcome = STORE_REISSUED;
        return 0;
}

/*
 * A key that was copied without its mode is repaired; that it may have been read meanwhile is for its owner
 * to judge.
 */
static int entry_check_mode(StoreEntry *e, const char *name, Error **reterr) {
        struct stat st;

        if (fstatat(AT_FDCWD, name, &st, 0) < 0)
                return error_set_errno(reterr, errno, "cannot stat %s", name);
        if (st.st_mode & 077) {
                e->loose = true;
                e->why = xasprintf("its mode was %04o", (unsigned) st.st_mode & 07777);
        }
        return 0;
}

static int entry_read(StoreRun *run, StoreEntry *e, EntryFiles *f, Error **reterr) {
        bool rotates = e->request->type == STORE_CA || e->request->type == STORE_KEY_PAIR;
        _cleanup_free_ char *secret = store_entry_secret_path(e->request),
                            *plain = store_entry_public_path(e->request),
                            *public = rotates ? store_signing_path(plain) : xstrdup_null(plain);
        int r;

        f->secret_name = store_rotation_path(run->store, secret);
        r = store_read(run->store, secret, &f->secret, reterr);
        if (r < 0)
                return r;
        if (r > 0) {
                r = entry_check_mode(e, f->secret_name, reterr);
                if (r < 0)
                        return r;
        }
        if (public) {
                f->public_name = store_rotation_path(run->store, public);
                r = store_read(run->store, public, &f->public, reterr);
                if (r < 0)
                        return r;
        }
        e->present = f->secret || f->public;
        return 0;
}

int store_entry_key(StoreEntry *e, const EntryFiles *f, EVP_PKEY **ret, Error **reterr) {
        int r = key_from_pem(f->secret_name, f->secret->data.data, f->secret->data.size, ret, reterr);

        if (r >= 0)
                e->key_type = key_type_name(*ret);
        return r;
}

/*
 * Where there is an intermediate CA, its certificate and those above it follow that of the server. Return: 1
 * if it is whole, 0 if something else follows.
 */
static int read_certificate(const StoreRun *run, const StoreEntry *e, const EntryFiles *f, X509 **ret,
                            Error **reterr) {
        const StoreEntry *ca = store_run_find_ca(run, e->request->issuer);
        const Buffer *data = &f->public->data;
        size_t first;
        int r;

        if (ca->above.size == 0 && !store_is_rotated(run->store, e->request->issuer)) {
                r = certificate_from_pem(f->public_name, data->data, data->size, ret, reterr);
                return r < 0 ? r : 1;
        }
        r = certificate_from_chain(f->public_name, data->data, data->size, ret, &first, reterr);
        if (r < 0)
                return r;
        return data->size - first == ca->above.size &&
               memcmp(data->data + first, buffer_str(&ca->above), ca->above.size) == 0;
}

static int examine_key_pair(StoreEntry *e, const EntryFiles *f, Error **reterr) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *public = NULL;
        int r;

        if (!f->secret && f->public)
                return error_set(reterr, ERROR_CONFIG, ENOENT,
                                 "%s is missing, and %s cannot give it back; restore it from a backup",
                                 f->secret_name, f->public_name);
        e->outcome = STORE_MADE;
        if (!f->secret)
                return 0;
        r = store_entry_key(e, f, &e->key, reterr);
        if (r < 0)
                return r;
        if (!f->public)
                return entry_reissue(e, xstrdup("its public half was missing"));

        e->outcome = STORE_KEPT;
        r = key_public_from_pem(f->public_name, f->public->data.data, f->public->data.size, &public, reterr);
        if (r < 0)
                return r;
        if (EVP_PKEY_eq(public, e->key) != 1)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: does not belong to %s", f->public_name,
                                 f->secret_name);
        return 0;
}

static int examine_hex(const EntryFiles *f, size_t size) {
        unsigned char unused[STORE_SECRET_SIZE_MAX];
        int r = parse_hex(buffer_str(&f->secret->data), unused, size);

        OPENSSL_cleanse(unused, sizeof(unused));
        return r;
}

static int examine_secret(StoreEntry *e, const EntryFiles *f, Error **reterr) {
        _cleanup_(secret_done) Secret secret = {};
        const StoreRequest *request = e->request;
        bool good;
        int r;

        e->outcome = f->secret ? STORE_KEPT : STORE_MADE;
        if (!f->secret)
                return 0;
        if (request->hex)
                good = examine_hex(f, request->size) >= 0;
        else {
                r = secret_parse(f->secret_name, f->secret->data.data, f->secret->data.size, &secret,
                                 reterr);
                if (r < 0)
                        return r;
                good = secret_has_size(&secret, request->size);
        }
        if (!good)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: does not hold %zu bytes in %s",
                                 f->secret_name, request->size, request->hex ? "hex" : "base64");
        return 0;
}

/* Common to certificates and kubeconfigs, once both halves are read and belong together. */
static void leaf_check(StoreRun *run, StoreEntry *e, EVP_PKEY *key, X509 *x) {
        const StoreEntry *ca = store_run_find_ca(run, e->request->issuer);
        char *why = NULL;

        e->outcome = STORE_KEPT;
        e->key_type = key_type_name(key);
        e->expires = certificate_not_after(x);
        if (!ca->certificate)
                return; /* is to be made: check_identity() refuses */
        if (!streq(key_type_name(key), e->request->key_type))
                (void) entry_reissue(
                        e, xasprintf("its key is %s, not %s", key_type_name(key), e->request->key_type));
        e->fault = certificate_check(x, &e->request->profile, key, ca->certificate, run->now,
                                     STORE_RENEW_BEFORE_SEC, &why);
        if (e->fault != CERTIFICATE_GOOD)
                (void) entry_reissue(e, why);
}

static int examine_certificate(StoreRun *run, StoreEntry *e, const EntryFiles *f, Error **reterr) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        _cleanup_(X509_freep) X509 *x = NULL;
        int r, whole;

        if (!e->present) {
                e->outcome = STORE_MADE;
                return 0;
        }
        if (!f->secret || !f->public)
                return entry_reissue(
                        e, xstrdup(f->secret ? "its certificate was missing" : "its key was missing"));

        whole = read_certificate(run, e, f, &x, reterr);
        if (whole < 0)
                return whole;
        r = store_entry_key(e, f, &key, reterr);
        if (r < 0)
                return r;
        if (!certificate_has_key(x, key)) {
                if (strv_contains(run->pending, e->request->name))
                        return entry_reissue(e, xstrdup("an earlier run was cut short"));
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: does not belong to %s; remove both to have them made again",
                                 f->secret_name, f->public_name);
        }
        leaf_check(run, e, key, x);
        if (e->outcome == STORE_KEPT && whole == 0)
                (void) entry_reissue(e, xstrdup("what follows it is not the chain of its CA"));
        e->certificate = TAKE_PTR(x);
        return 0;
}

/* Why a kubeconfig has to be written again, apart from its certificate; the caller frees. */
static char* kubeconfig_differs(const Kubeconfig *k, const StoreRequest *request, const Buffer *ca) {
        if (!streq(k->server, request->server))
                return xasprintf("points at %s, not %s", k->server, request->server);
        if (!streq(k->cluster, request->cluster))
                return xasprintf("is of the cluster %s, not %s", k->cluster, request->cluster);
        if (!streq(k->user, request->user))
                return xasprintf("is of the user %s, not %s", k->user, request->user);
        if (k->ca.size != ca->size || memcmp(k->ca.data, buffer_str(ca), k->ca.size) != 0)
                return xstrdup("trusts another CA");
        return NULL;
}

static int examine_kubeconfig(StoreRun *run, StoreEntry *e, const EntryFiles *f, Error **reterr) {
        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL;
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        _cleanup_(X509_freep) X509 *x = NULL;
        _cleanup_buffer_ Buffer ca = BUFFER_NULL;
        char *why;
        int r;

        if (!f->secret) {
                e->outcome = STORE_MADE;
                return 0;
        }
        r = kubeconfig_parse(f->secret_name, f->secret->data.data, f->secret->data.size, &k, reterr);
        if (r < 0)
                return r;
        r = certificate_from_pem(f->secret_name, k.certificate.data, k.certificate.size, &x, reterr);
        if (r < 0)
                return r;
        r = key_from_pem(f->secret_name, k.key.data, k.key.size, &key, reterr);
        if (r < 0)
                return r;
        if (!certificate_has_key(x, key))
                return store_bad_file(
                        reterr, f->secret_name,
                        "its key does not belong to its certificate; remove it to have it made again");

        r = store_ca_bundle(run->store, e->request->issuer, &ca, reterr);
        if (r < 0)
                return r;
        leaf_check(run, e, key, x);
        why = e->outcome == STORE_KEPT ? kubeconfig_differs(&k, e->request, &ca) : NULL;
        if (why)
                (void) entry_reissue(e, why);
        e->certificate = TAKE_PTR(x);
        return 0;
}

static int entry_examine(StoreRun *run, StoreEntry *e, Error **reterr) {
        _cleanup_(entry_files_done) EntryFiles f = {};
        int r;

        r = entry_read(run, e, &f, reterr);
        if (r < 0)
                return r;

        switch (e->request->type) {
        case STORE_CA:
                return store_examine_ca(run, e, &f, reterr);
        case STORE_CERTIFICATE:
                return examine_certificate(run, e, &f, reterr);
        case STORE_KUBECONFIG:
                return examine_kubeconfig(run, e, &f, reterr);
        case STORE_KEY_PAIR:
                return examine_key_pair(e, &f, reterr);
        default:
                return examine_secret(e, &f, reterr);
        }
}

/* Sets no Error: see the callers. */
static bool request_is_sane(const StoreRun *run, const StoreRequest *r) {
        bool leaf = r->type == STORE_CERTIFICATE || r->type == STORE_KUBECONFIG;

        if (!r->name || !*r->name || r->name[0] == '/' || strstr(r->name, "..") ||
            r->type >= _STORE_ENTRY_TYPE_MAX)
                return false;
        if (leaf && (!r->issuer || !store_run_find_ca(run, r->issuer)))
                return false;
        if (r->type == STORE_KUBECONFIG && (!r->server || !r->cluster || !r->user))
                return false;
        if (r->type == STORE_SECRET)
                return startswith(r->name, STORE_SECRETS) && r->size > 0 && r->size <= STORE_SECRET_SIZE_MAX;
        return r->key_type && key_type_known(r->key_type);
}

/* What would be issued, but by a CA whose key is not here, has to be asked for. */
static void check_keyless(const StoreRun *run) {
        for (size_t i = 0; i < run->n_entries; i++) {
                StoreEntry *e = run->entries + i;
                const StoreEntry *ca =
                        e->request->issuer ? store_run_find_ca(run, e->request->issuer) : NULL;
                char *why;

                if (!ca || !ca->external || e->outcome == STORE_KEPT || e->error)
                        continue;
                why = xasprintf("%s%swaits for %s, whose key is not here: hardway pki csr", e->why ?: "",
                                e->why ? "; " : "", ca->request->name);
                free(e->why);
                e->why = why;
                e->outcome = STORE_WAITS;
        }
}

/* CAs, key pairs and secrets are made together when a store is new, and never again: see pki/store.h. */
static int check_identity(const StoreRun *run, Error **reterr) {
        const StoreEntry *leaf = NULL;
        StoreEntry *missing = NULL;
        _cleanup_free_ char *path = NULL, *name = NULL, *leaf_path = NULL;
        Error **where;
        int r;

        for (size_t i = 0; i < run->n_entries; i++) {
                StoreEntry *e = run->entries + i;
                bool is_leaf = e->request->type == STORE_CERTIFICATE || e->request->type == STORE_KUBECONFIG;

                if (is_leaf && e->present && !leaf)
                        leaf = e;
                if (!is_leaf && e->outcome == STORE_MADE && !e->error && !missing)
                        missing = e;
        }
        if (!leaf || !missing)
                return 0;

        path = missing->request->type == STORE_CA ? store_entry_public_path(missing->request) :
                                                    store_entry_secret_path(missing->request);
        name = store_path(run->store, path);
        leaf_path = store_entry_secret_path(leaf->request);
        where = run->tolerant ? &missing->error : reterr;
        r = error_set(
                where, ERROR_CONFIG, ENOENT,
                "%s is missing, although %s has been made: restore it from a backup (a new one would not "
                "fit the cluster)",
                name, leaf_path);
        error_detail(
                where,
                "If no node has any of it yet: take pki/nodes and the kubeconfigs beside the cluster file away, then: "
                "hardway pki gen\n");
        return r;
}

static int read_pending(StoreRun *run, Error **reterr) {
        _cleanup_free_ char *path = store_path_in_directory(run->store, STORE_PENDING);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = fs_read_optional(AT_FDCWD, path, STORE_PENDING_SIZE_MAX, &text, reterr);
        if (r > 0)
                run->pending = strv_split(buffer_str(&text), "\n");
        return r;
}

int store_run_examine(StoreRun *run, const StoreRequest *requests, size_t n_requests, Error **reterr) {
        int r;

        run->entries = xnew(StoreEntry, n_requests);
        run->n_entries = n_requests;
        for (size_t i = 0; i < n_requests; i++)
                run->entries[i].request = requests + i;
        for (size_t i = 0; i < n_requests; i++)
                if (!request_is_sane(run, requests + i))
                        return error_set(reterr, ERROR_INTERNAL, EINVAL, "no entry can be like this: %s",
                                         requests[i].name ?: "(no name)");

        r = read_pending(run, reterr);
        if (r < 0)
                return r;

        /* CAs first: the rest is compared with them. */
        for (int cas = 1; cas >= 0; cas--)
                for (size_t i = 0; i < n_requests; i++) {
                        if ((requests[i].type == STORE_CA) != cas)
                                continue;
                        r = entry_examine(run, run->entries + i,
                                          run->tolerant ? &run->entries[i].error : reterr);
                        if (r < 0 && !run->tolerant)
                                return r;
                }
        check_keyless(run);
        r = store_check_serials(run, reterr);
        if (r >= 0)
                r = check_identity(run, reterr);
        return run->tolerant ? 0 : r;
}
