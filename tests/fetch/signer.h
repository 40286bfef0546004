/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "fetch/signature.h"

/* An authority of the tests' own, and somebody who signs what is released. */

typedef struct Signer {
        EVP_PKEY *ca_key, *key;
        X509 *ca, *leaf;
        char *ca_pem, *leaf_pem;
        SignatureTrust trust;
} Signer;

static inline char* pem_of(X509 *x) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *data = NULL, *text;
        long n;

        (void) PEM_write_bio_X509(bio, x);
        n = BIO_get_mem_data(bio, &data);
        text = xstrndup(data, (size_t) n);
        BIO_free(bio);
        return text;
}

static inline X509* certificate(EVP_PKEY *key, X509 *issuer, const char *cn, const char *const *extensions) {
        static const int nids[] = { NID_basic_constraints, NID_subject_alt_name, NID_ext_key_usage };
        X509 *x = X509_new();

        (void) X509_set_version(x, 2);
        (void) X509_gmtime_adj(X509_getm_notBefore(x), -3600);
        (void) X509_gmtime_adj(X509_getm_notAfter(x), -3000); /* long over, as they always are */
        (void) X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                          (const unsigned char *) cn, -1, -1, 0);
        (void) X509_set_issuer_name(x, X509_get_subject_name(issuer ?: x));
        (void) X509_set_pubkey(x, key);
        for (size_t i = 0; i < ARRAY_SIZE(nids); i++) {
                X509_EXTENSION *e =
                        extensions[i] ? X509V3_EXT_nconf_nid(NULL, NULL, nids[i], extensions[i]) : NULL;

                if (e)
                        assert_int_equal(X509_add_ext(x, e, -1), 1);
                X509_EXTENSION_free(e);
        }
        return x;
}

static inline void add_issuer(X509 *x, const char *text) {
        ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.57264.1.1", 1);
        ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
        X509_EXTENSION *e;

        (void) ASN1_OCTET_STRING_set(string, (const unsigned char *) text, (int) strlen(text));
        e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, string);
        assert_int_equal(X509_add_ext(x, e, -1), 1);
        X509_EXTENSION_free(e);
        ASN1_OCTET_STRING_free(string);
        ASN1_OBJECT_free(object);
}

static inline void signer_new(Signer *s) {
        s->ca_key = EVP_EC_gen("P-384");
        s->key = EVP_EC_gen("P-256");
        s->ca = certificate(s->ca_key, NULL, "test root",
                            (const char *[]){ "critical,CA:TRUE", NULL, NULL });
        assert_true(X509_sign(s->ca, s->ca_key, EVP_sha384()) > 0);
        s->leaf = certificate(s->key, s->ca, "leaf",
                              (const char *[]){ NULL, "email:me@example.test", "codeSigning" });
        add_issuer(s->leaf, "https://issuer.test");
        assert_true(X509_sign(s->leaf, s->ca_key, EVP_sha384()) > 0);
        s->ca_pem = pem_of(s->ca);
        s->leaf_pem = pem_of(s->leaf);
        s->trust = (SignatureTrust) { s->ca_pem, "me@example.test", "https://issuer.test" };
}

static inline void signer_done(Signer *s) {
        EVP_PKEY_free(s->ca_key);
        EVP_PKEY_free(s->key);
        X509_free(s->ca);
        X509_free(s->leaf);
        free(s->ca_pem);
        free(s->leaf_pem);
}

static inline char* signer_sign(const Signer *s, const Buffer *data) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char bytes[256];
        char *text = xmalloc(512);
        size_t size = sizeof(bytes);

        assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, s->key), 1);
        assert_int_equal(
                EVP_DigestSign(context, bytes, &size, (const unsigned char *) data->data, data->size), 1);
        EVP_MD_CTX_free(context);
        (void) EVP_EncodeBlock((unsigned char *) text, bytes, (int) size);
        return text;
}
