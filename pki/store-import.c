/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/certificate-internal.h"
#include "pki/store-internal.h"

/*
 * Taking the answers of a CA elsewhere
 *
 * Each is held against what was asked: the key tells which request it answers, then issuer, names, usages
 * and dates have to be just those. All answers are looked at before one is taken, and one that is wrong
 * keeps all of them out: whoever sees half of them work forgets the other half.
 */

#define ANSWERS_MAX 4096
#define SECURITY_BITS_MIN 112 /* as in certificate-chain.c */

typedef struct Import {
        StoreRun *run;
        EVP_PKEY **keys; /* of the request of each entry, or NULL */
        ErrorList *errors;
} Import;

static void import_done(Import *i) {
        for (size_t k = 0; i->keys && k < i->run->n_entries; k++)
                EVP_PKEY_free(i->keys[k]);
        free(i->keys);
}

static int read_keys(Import *i, Error **reterr) {
        i->keys = xnew(EVP_PKEY*, i->run->n_entries + 1);
        for (size_t k = 0; k < i->run->n_entries; k++) {
                const StoreRequest *request = i->run->entries[k].request;
                int r;

                if (!request->issuer)
                        continue;
                r = store_request_key(i->run->store, request, i->keys + k, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The entry whose request this answers, NULL if there is none. */
static StoreEntry* find_entry(const Import *i, X509 *x, EVP_PKEY **ret_key) {
        for (size_t k = 0; k < i->run->n_entries; k++)
                if (i->keys[k] && certificate_has_key(x, i->keys[k])) {
                        *ret_key = i->keys[k];
                        return i->run->entries + k;
                }
        return NULL;
}

static bool is_taken_already(const Import *i, X509 *x) {
        for (size_t k = 0; k < i->run->n_entries; k++)
                if (i->run->entries[k].certificate && X509_cmp(i->run->entries[k].certificate, x) == 0)
                        return true;
        return false;
}

static char* judge(const Import *i, const StoreEntry *e, X509 *x, EVP_PKEY *key) {
        const StoreEntry *ca = store_run_find_ca(i->run, e->request->issuer);
        _cleanup_error_ Error *error = NULL;
        char *why = NULL;
        int bits = 0;

        if (!ca->certificate)
                return xasprintf("its CA %s is missing", ca->request->name);
        if (certificate_check(x, &e->request->profile, key, ca->certificate, i->run->now, 0, &why) > 0)
                return why;
        if (X509_get_signature_info(x, NULL, NULL, &bits, NULL) == 1 && bits < SECURITY_BITS_MIN)
                return xstrdup("is signed with a digest that clients do not believe (SHA-1?)");
        if (certificate_check_constraints(x, ca->certificate, &error) < 0)
                return xstrdup(error->message);
        return NULL;
}

/* Takes the certificate. */
static void take(Import *i, const char *file, X509 *certificate) {
        _cleanup_(X509_freep) X509 *x = certificate;
        _cleanup_free_ char *subject = certificate_subject(x), *why = NULL;
        EVP_PKEY *key = NULL;
        StoreEntry *e = find_entry(i, x, &key);

        if (!e && ((certificate_usage(x) & USAGE_CA) || is_taken_already(i, x)))
                return;
        if (!e) {
                error_list_add(i->errors, ERROR_CONFIG, EBADMSG,
                               "%s: certifies a key that was not asked for (%s)", file, subject);
                return;
        }
        if (e->key) {
                if (X509_cmp(e->certificate, x) != 0)
                        error_list_add(i->errors, ERROR_CONFIG, EBADMSG, "%s: a second answer for %s", file,
                                       e->request->name);
                return;
        }
        why = judge(i, e, x, key);
        if (why) {
                error_list_add(i->errors, ERROR_CONFIG, EBADMSG, "%s: is no answer for %s: it %s%s", file,
                               e->request->name, startswith(why, "its ") ? "is wrong, " : "", why);
                return;
        }
        X509_free(e->certificate);
        e->certificate = TAKE_PTR(x);
        e->expires = certificate_not_after(e->certificate);
        e->outcome = e->present ? STORE_REISSUED : STORE_MADE;
        (void) EVP_PKEY_up_ref(key);
        e->key = key;
}

static void take_file(Import *i, const StoreAnswer *answer) {
        _cleanup_(certificate_chain_done) CertificateChain chain = {};
        _cleanup_error_ Error *error = NULL;

        if (certificate_chain_from_pem(answer->name, answer->pem->data, answer->pem->size, ANSWERS_MAX,
                                       &chain, &error) < 0) {
                error_list_take(i->errors, TAKE_PTR(error));
                return;
        }
        for (size_t k = 0; k < chain.n_certificates; k++)
                take(i, answer->name, TAKE_PTR(chain.certificates[k]));
}

static bool is_answered(const StoreEntry *e) {
        return e->request->issuer && e->key;
}

/* What was not answered is as it was. */
static void keep_others(const StoreRun *run) {
        for (size_t k = 0; k < run->n_entries; k++)
                if (!is_answered(run->entries + k) && run->entries[k].outcome != STORE_WAITS)
                        run->entries[k].outcome = STORE_KEPT;
}

static bool is_any_answered(const StoreRun *run) {
        for (size_t k = 0; k < run->n_entries; k++)
                if (is_answered(run->entries + k))
                        return true;
        return false;
}

static int stage_all(StoreRun *run, FsBatch *batch, Error **reterr) {
        _cleanup_strv_ Strv names = NULL;
        int r;

        for (size_t k = 0; k < run->n_entries; k++) {
                const StoreEntry *e = run->entries + k;

                if (is_answered(e) && e->request->type == STORE_CERTIFICATE && e->present)
                        strv_add(&names, e->request->name);
        }
        r = is_any_answered(run) ? store_stage_edition(run->store, batch, reterr) : 0;
        if (r >= 0)
                r = store_stage_pending(run->store, batch, names, reterr);
        for (size_t k = 0; r >= 0 && k < run->n_entries; k++)
                if (is_answered(run->entries + k))
                        r = store_stage_leaf(run, batch, run->entries + k, reterr);
        return r;
}

static int commit(StoreRun *run, Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        int r;

        store_sweep(run);
        r = stage_all(run, batch, reterr);
        if (r >= 0)
                r = store_publish(run->store, batch, reterr);
        if (r < 0)
                return r;
        for (size_t k = 0; k < run->n_entries; k++)
                if (is_answered(run->entries + k))
                        (void) store_request_remove(run->store, run->entries[k].request, NULL);
        return 0;
}

static int import(Import *i, const StoreAnswer *answers, size_t n_answers, bool dry_run) {
        Error *error = NULL;
        int r;

        r = read_keys(i, &error);
        for (size_t k = 0; r >= 0 && k < n_answers; k++)
                take_file(i, answers + k);
        if (r >= 0 && i->errors->n_errors == 0) {
                r = store_check_serials(i->run, &error);
                keep_others(i->run);
                if (r >= 0 && !dry_run)
                        r = commit(i->run, &error);
        }
        if (r < 0)
                error_list_take(i->errors, error);
        return i->errors->n_errors > 0 ? -i->errors->errors[0]->errnum : 0;
}

/**
 * store_import() - take certificates that were asked for
 * @s:          the store
 * @requests:   what it shall hold
 * @n_requests: how many
 * @answers:    the certificates
 * @n_answers:  how many files
 * @now:        seconds since 1970
 * @dry_run:    only look
 * @report:     called for each request in turn when all is on disk, or NULL
 * @userdata:   for @report
 * @errors:     everything that is wrong with the answers; then none is taken
 *
 * Return: 1 if some were taken, 0 if all had been before; a negative errno, with the errors in @errors.
 */
int store_import(Store *s, const StoreRequest *requests, size_t n_requests, const StoreAnswer *answers,
                 size_t n_answers, int64_t now, bool dry_run, StoreReport report, void *userdata,
                 ErrorList *errors) {
        STORE_LOCKED(s);
        _cleanup_(store_run_done) StoreRun run = { .store = s, .now = now };
        _cleanup_(import_done) Import i = { .run = &run, .errors = errors };
        _cleanup_close_ int lock = -EBADF;
        Error *error = NULL;
        int r = 0;

        if (!dry_run)
                lock = r = store_lock(s, &error);
        store_forget(s);
        if (r >= 0)
                r = store_run_examine(&run, requests, n_requests, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        r = import(&i, answers, n_answers, dry_run);
        store_forget(s);
        return r < 0 ? r : store_run_report(&run, report, userdata);
}
