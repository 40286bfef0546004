/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "pki/certificate-internal.h"
#include "pki/key-internal.h"
#include "pki/pem.h"

/*
 * Signing requests (PKCS#10, RFC 2986): what a CA elsewhere is asked for, and how it is told which names,
 * usages and key to certify (the extensionRequest of RFC 2985 section 5.4.2).
 */

DEFINE_CLEANUP_VOID(X509_REQ*, X509_REQ_free)

static void extensions_freep(STACK_OF(X509_EXTENSION) * *list) {
        sk_X509_EXTENSION_pop_free(*list, X509_EXTENSION_free);
        *list = NULL;
}

/* The extensions are built on a certificate, by the code that issues them, and carried over. */
static int collect_extensions(const CertificateProfile *profile, EVP_PKEY *key,
                              STACK_OF(X509_EXTENSION) * *ret, Error **reterr) {
        _cleanup_(X509_freep) X509 *x = X509_new();
        const STACK_OF(X509_EXTENSION) * found;
        STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

        if (!x || !list || !certificate_add_extensions(x, profile, key)) {
                sk_X509_EXTENSION_free(list);
                return pki_error(reterr, ERROR_INTERNAL, "cannot build a signing request");
        }
        found = X509_get0_extensions(x);
        for (int i = 0; i < sk_X509_EXTENSION_num(found); i++) {
                X509_EXTENSION *copy = X509_EXTENSION_dup(sk_X509_EXTENSION_value(found, i));

                if (!copy || sk_X509_EXTENSION_push(list, copy) <= 0)
                        abort();
        }
        *ret = list;
        return 0;
}

static int request_build(const CertificateProfile *profile, EVP_PKEY *key, X509_REQ *q, Error **reterr) {
        _cleanup_(extensions_freep) STACK_OF(X509_EXTENSION) *extensions = NULL;
        int r;

        r = collect_extensions(profile, key, &extensions, reterr);
        if (r < 0)
                return r;
        if (X509_REQ_set_version(q, X509_REQ_VERSION_1) != 1 ||
            !certificate_set_subject(X509_REQ_get_subject_name(q), profile) ||
            X509_REQ_add_extensions(q, extensions) != 1)
                return pki_error(reterr, ERROR_CONFIG, "\"%s\" cannot stand in a signing request",
                                 profile->common_name);
        return key_fill_public(key, X509_REQ_get_X509_PUBKEY(q), reterr);
}

/**
 * certificate_request_make() - ask for a certificate
 * @profile:    whom it is to name and what for
 * @key:        the private key that it is to certify
 * @ret:        the request in PEM is appended
 * @reterr:     where to say what failed
 *
 * Return: 0 or a negative errno.
 */
int certificate_request_make(const CertificateProfile *profile, EVP_PKEY *key, Buffer *ret, Error **reterr) {
        _cleanup_(X509_REQ_freep) X509_REQ *q = X509_REQ_new();
        const KeyType *type = key_type_of(key);
        unsigned char *der = NULL;
        int r, size;

        if (!q || !type)
                return pki_error(reterr, ERROR_INTERNAL, "cannot build a signing request");
        r = request_build(profile, key, q, reterr);
        if (r < 0)
                return r;
        if (X509_REQ_sign(q, key, EVP_get_digestbyname(type->digest)) <= 0)
                return pki_error(reterr, ERROR_INTERNAL, "cannot sign a signing request");

        size = i2d_X509_REQ(q, &der);
        if (size <= 0)
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a signing request");
        pem_encode("CERTIFICATE REQUEST", der, (size_t) size, ret);
        OPENSSL_free(der);
        return 0;
}

static int request_parse(const char *what, const void *data, size_t size, X509_REQ **ret, Error **reterr) {
        _cleanup_(pem_block_done) PemBlock block = PEM_BLOCK_NULL;
        const unsigned char *p;
        X509_REQ *q;
        int r;

        r = pem_decode(what, data, size, "CERTIFICATE REQUEST", &block, reterr);
        if (r < 0)
                return r;
        ERR_clear_error();
        p = block.der;
        q = d2i_X509_REQ(NULL, &p, block.size);
        if (!q || p != block.der + block.size) {
                X509_REQ_free(q);
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged, not a signing request", what);
        }
        *ret = q;
        return 0;
}

/* What is signed in a request, that is all but the signature, which is another one each time. */
static bool same_but_signature(X509_REQ *a, X509_REQ *b) {
        unsigned char *x = NULL, *y = NULL;
        int n = i2d_re_X509_REQ_tbs(a, &x), m = i2d_re_X509_REQ_tbs(b, &y);
        bool same = n > 0 && n == m && memcmp(x, y, (size_t) n) == 0;

        OPENSSL_free(x);
        OPENSSL_free(y);
        return same;
}

/**
 * certificate_request_asks() - whether a request asks for just that
 * @what:       its name for the message
 * @data:       the request in PEM
 * @size:       its size
 * @profile:    whom the certificate is to name and what for
 * @key:        the private key that it is to certify
 * @reterr:     what is wrong with the text
 *
 * Return: 1 if it does, 0 if it asks for something else; -EBADMSG (ERROR_CONFIG) if it is no request.
 */
int certificate_request_asks(const char *what, const void *data, size_t size,
                             const CertificateProfile *profile, EVP_PKEY *key, Error **reterr) {
        _cleanup_(X509_REQ_freep) X509_REQ *q = NULL, *wanted = X509_REQ_new();
        int r;

        r = request_parse(what, data, size, &q, reterr);
        if (r < 0)
                return r;
        if (!wanted)
                return pki_error(reterr, ERROR_INTERNAL, "cannot build a signing request");
        r = request_build(profile, key, wanted, reterr);
        if (r < 0)
                return r;
        ERR_clear_error();
        return same_but_signature(q, wanted);
}
