/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "pki/certificate.h"

/*
 * CAs above a CA
 *
 * What OpenSSL and Go look at when they build a path, looked at once when the chain is taken in, so that it
 * does not fail in some client later: signatures, validity, basicConstraints, pathLenConstraint (RFC 5280
 * sections 4.2.1.9 and 6.1), and digests that clients no longer believe.
 */

#define SECURITY_BITS_MIN 112 /* NIST SP 800-131A: SHA-1 and RSA of 1024 bits are below */

void certificate_chain_done(CertificateChain *c) {
        for (size_t i = 0; i < c->n_certificates; i++)
                X509_free(c->certificates[i]);
        free(c->certificates);
        *c = (CertificateChain) {};
}

/**
 * certificate_chain_from_pem() - read several certificates
 * @what:       their name for the message
 * @data:       PEM texts, one behind the other
 * @size:       of all
 * @max:        how many there may be
 * @ret:        the certificates in their order; certificate_chain_done()
 * @reterr:     which of them is wrong, and how
 *
 * Return: 0, or -EBADMSG (ERROR_CONFIG).
 */
int certificate_chain_from_pem(const char *what, const void *data, size_t size, size_t max,
                               CertificateChain *ret, Error **reterr) {
        _cleanup_(certificate_chain_done) CertificateChain chain = {};
        const char *p = data;

        do {
                X509 *x = NULL;
                size_t n = 0;
                int r;

                if (chain.n_certificates == max)
                        return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: more than %zu certificates",
                                         what, max);
                r = certificate_from_chain(what, p, size, &x, &n, reterr);
                if (r < 0)
                        return chain.n_certificates > 0 ? error_prefix(reterr, r, "certificate %zu of",
                                                                       chain.n_certificates + 1) :
                                                          r;
                chain.certificates = xrealloc(chain.certificates, chain.n_certificates + 1, sizeof(X509*));
                chain.certificates[chain.n_certificates++] = x;
                p += n;
                size -= n;
                while (size > 0 && (*p == '\n' || *p == ' ')) {
                        p++;
                        size--;
                }
        } while (size > 0);

        *ret = chain;
        chain = (CertificateChain) {};
        return 0;
}

/**
 * certificate_is_root() - whether it is its own issuer
 * @certificate: the certificate
 *
 * Return: whether it is; its signature is not looked at.
 */
bool certificate_is_root(X509 *certificate) {
        return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

static char* check_signature(X509 *x, X509 *signer) {
        EVP_PKEY *key = X509_get0_pubkey(signer);
        _cleanup_free_ char *name = NULL;

        if (X509_check_issued(signer, x) == X509_V_OK && key && X509_verify(x, key) == 1)
                return NULL;
        name = certificate_subject(signer);
        return xasprintf("is not issued by %s", name);
}

static char* check_dates(X509 *x, int64_t now) {
        _cleanup_free_ char *when = NULL;

        if (now < certificate_not_before(x)) {
                when = clock_format_iso(certificate_not_before(x));
                return xasprintf("is valid from %s: is this machine's clock right?", when);
        }
        if (now >= certificate_not_after(x)) {
                when = clock_format_iso(certificate_not_after(x));
                return xasprintf("has expired on %s", when);
        }
        return NULL;
}

/* Nobody verifies the signature of a root: it is trusted for itself. */
static char* check_strength(X509 *x) {
        EVP_PKEY *key = X509_get0_pubkey(x);
        int bits = 0;

        if (!key || EVP_PKEY_get_security_bits(key) < SECURITY_BITS_MIN)
                return xstrdup("has a key that is too weak");
        if (!certificate_is_root(x) && X509_get_signature_info(x, NULL, NULL, &bits, NULL) == 1 &&
            bits < SECURITY_BITS_MIN)
                return xstrdup("is signed with a digest that clients do not believe (SHA-1?)");
        return NULL;
}

static char* check_ca(X509 *x, size_t n_below) {
        long limit = X509_get_pathlen(x);

        if (!(certificate_usage(x) & USAGE_CA) || !(X509_get_key_usage(x) & KU_KEY_CERT_SIGN))
                return xstrdup("is not the certificate of a CA");
        if (limit >= 0 && (size_t) limit < n_below)
                return xasprintf("allows %ld CAs below it, not %zu", limit, n_below);
        return NULL;
}

static char* check_one(X509 *x, size_t n_below, int64_t now) {
        char *why = check_ca(x, n_below);

        if (!why)
                why = check_dates(x, now);
        return why ?: check_strength(x);
}

/**
 * certificate_chain_check() - can a CA be one, with these above it?
 * @ca:         its certificate
 * @above:      the certificates above it, its issuer first, a root last; none for a root
 * @now:        seconds since 1970
 * @ret_why:    what is wrong, with the subject of what is meant in front; the caller frees
 *
 * Return: 0 if it can; 1 if not, *ret_why says why.
 */
int certificate_chain_check(X509 *ca, const CertificateChain *above, int64_t now, char **ret_why) {
        X509 *x = ca;
        char *why = NULL;

        for (size_t i = 0; !why; i++) {
                X509 *signer = certificate_is_root(x)    ? x :
                               i < above->n_certificates ? above->certificates[i] :
                                                           NULL;

                why = check_one(x, i, now);
                if (!why && !signer)
                        why = xstrdup("is no root, and the certificates above it are missing");
                if (!why)
                        why = check_signature(x, signer);
                if (!why && signer == x && i < above->n_certificates)
                        why = xstrdup("is a root, and more certificates follow");
                if (why || signer == x)
                        break;
                x = signer;
        }
        ERR_clear_error();
        if (!why)
                return 0;
        if (x != ca) {
                _cleanup_free_ char *name = certificate_subject(x), *text = why;

                why = xasprintf("%s above it %s", name, text);
        }
        *ret_why = why;
        return 1;
}
