/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "pki/store-internal.h"

#define SEC_PER_DAY INT64_C(86400)

char* store_ca_path(const char *name, const char *ending) {
        return xasprintf("%s.%s", name, ending);
}

/* 0: there is none, 1: lent */
static int read_part(Store *s, const char *name, const char *ending, StoreFile **ret, Error **reterr) {
        _cleanup_free_ char *path = store_ca_path(name, ending);

        return store_read(s, path, ret, reterr);
}

static bool has_part(Store *s, const char *name, const char *ending) {
        STORE_LOCKED(s);
        StoreFile *file;

        return read_part(s, name, ending, &file, NULL) > 0;
}

/* It was imported without its key, which is kept elsewhere. */
static bool is_external(Store *s, const char *name) {
        return has_part(s, name, "external");
}

/**
 * store_ca_key_stays() - whether the key of a CA is no business of the nodes
 * @s:          the store
 * @name:       the CA: "ca"
 *
 * Return: whether it is kept elsewhere, or under a passphrase.
 */
bool store_ca_key_stays(Store *s, const char *name) {
        STORE_LOCKED(s);
        StoreFile *file;

        return is_external(s, name) || (read_part(s, name, "key", &file, NULL) > 0 &&
                                        key_is_sealed(file->data.data, file->data.size));
}

/**
 * store_ca_has_chain() - whether a CA is an intermediate one
 * @s:          the store
 * @name:       the CA: "ca"
 *
 * Return: whether there are certificates above its own.
 */
bool store_ca_has_chain(Store *s, const char *name) {
        return has_part(s, name, "chain");
}

int store_ca_bundle(Store *s, const char *name, Buffer *ret, Error **reterr) {
        static const char *const endings[] = { "crt", "chain" };

        for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
                StoreFile *file = NULL;
                int r = read_part(s, name, endings[i], &file, reterr);

                if (r < 0)
                        return r;
                if (r == 0)
                        return 0;
                buffer_add(ret, file->data.data, file->data.size);
        }
        return 0;
}

static int add_above(X509 *x, Buffer *above, Error **reterr) {
        return certificate_is_root(x) ? 0 : certificate_to_pem(x, above, reterr);
}

static int examine_chain(StoreRun *run, StoreEntry *e, const EntryFiles *f, Error **reterr) {
        _cleanup_free_ char *plain = store_ca_path(e->request->name, "chain"),
                            *path = store_signing_path(plain), *name = store_rotation_path(run->store, path),
                            *why = NULL;
        _cleanup_(certificate_chain_done) CertificateChain chain = {};
        StoreFile *file = NULL;
        int r;

        r = store_read(run->store, path, &file, reterr);
        if (r > 0)
                r = certificate_chain_from_pem(name, file->data.data, file->data.size, CERTIFICATE_CHAIN_MAX,
                                               &chain, reterr);
        if (r < 0)
                return r;
        if (certificate_chain_check(e->certificate, &chain, run->now, &why) > 0)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: %s%s%s", f->public_name, why,
                                 file ? ", see " : "", file ? name : "");

        r = add_above(e->certificate, &e->above, reterr);
        for (size_t i = 0; r >= 0 && i < chain.n_certificates; i++) {
                r = add_above(chain.certificates[i], &e->above, reterr);
                if (certificate_not_after(chain.certificates[i]) < e->expires)
                        e->expires = certificate_not_after(chain.certificates[i]);
        }
        return r < 0 ? r : 0;
}

static int check_dates(StoreEntry *e, const EntryFiles *f, int64_t now, Error **reterr) {
        _cleanup_free_ char *when = NULL;

        e->expires = certificate_not_after(e->certificate);
        if (now < certificate_not_before(e->certificate)) {
                when = clock_format_iso(certificate_not_before(e->certificate));
                return error_set(reterr, ERROR_TEMPORARY, ETIME,
                                 "%s: is valid from %s: is this machine's clock right?", f->public_name,
                                 when);
        }
        if (now >= e->expires) {
                when = clock_format_iso(e->expires);
                return error_set(reterr, ERROR_CONFIG, EKEYEXPIRED, "%s: has expired on %s", f->public_name,
                                 when);
        }
        return 0;
}

static int examine_certificate(StoreRun *run, StoreEntry *e, const EntryFiles *f, Error **reterr) {
        int64_t left;
        int r;

        if (e->key && !certificate_has_key(e->certificate, e->key))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: does not belong to %s", f->secret_name,
                                 f->public_name);
        if (!(certificate_usage(e->certificate) & USAGE_CA) ||
            !(X509_get_key_usage(e->certificate) & KU_KEY_CERT_SIGN))
                return store_bad_file(reterr, f->public_name, "is not the certificate of a CA");
        r = check_dates(e, f, run->now, reterr);
        if (r < 0)
                return r;
        r = examine_chain(run, e, f, reterr);
        if (r < 0)
                return r;
        left = e->expires - run->now;
        if (left < certificate_part_of_life(e->certificate, STORE_RENEW_BEFORE_SEC,
                                            CERTIFICATE_RENEW_PART) &&
            !e->why)
                e->why = xasprintf("expires in %" PRIi64 " days: rotate it", left / SEC_PER_DAY);
        return 0;
}

/* A key alone is what a killed first run leaves; the certificate is made for it, as for any key of a CA. */
static int examine_key(StoreRun *run, StoreEntry *e, const EntryFiles *f, Error **reterr) {
        e->external = is_external(run->store, e->request->name);
        e->sealed = f->secret && key_is_sealed(f->secret->data.data, f->secret->data.size);
        if (e->sealed) /* is opened when it is needed */
                return 0;
        if (f->secret)
                return store_entry_key(e, f, &e->key, reterr);
        if (f->public && !e->external)
                return error_set(
                        reterr, ERROR_CONFIG, ENOENT,
                        "%s is missing: without it nothing can be issued for %s; restore it from a backup",
                        f->secret_name, f->public_name);
        return 0;
}

int store_examine_ca(StoreRun *run, StoreEntry *e, const EntryFiles *f, Error **reterr) {
        int r;

        r = examine_key(run, e, f, reterr);
        if (r < 0)
                return r;
        if (e->external && (f->secret || !f->public)) {
                _cleanup_free_ char *path = store_ca_path(e->request->name, "external"),
                                    *name = store_path(run->store, path);

                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: says that the key of this CA is kept elsewhere, but %s", name,
                                 f->secret ? "it is here" : "its certificate is missing");
        }
        e->outcome = STORE_MADE;
        if (!f->public)
                return 0;

        e->outcome = STORE_KEPT;
        r = certificate_from_pem(f->public_name, f->public->data.data, f->public->data.size, &e->certificate,
                                 reterr);
        if (r < 0)
                return r;
        if (!e->key)
                e->key_type = key_type_name(X509_get0_pubkey(e->certificate));
        return examine_certificate(run, e, f, reterr);
}
