/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/alloc.h"
#include "common/buffer.h"
#include "fetch/signature.h"

/* Certificates and signatures as Sigstore makes them, of an authority of the tests' own. */

static inline char* signed_base64(const void *data, size_t size) {
        char *text = xmalloc(4 * (size / 3 + 1) + 1);

        (void) EVP_EncodeBlock((unsigned char *) text, data, (int) size);
        return text;
}

static inline void set_extension(X509 *x, int nid, const char *value) {
        X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);

        assert_non_null(e);
        assert_int_equal(X509_add_ext(x, e, -1), 1);
        X509_EXTENSION_free(e);
}

static inline void set_raw(X509 *x, const char *oid, const void *data, size_t size) {
        ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
        ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
        X509_EXTENSION *e;

        assert_int_equal(ASN1_OCTET_STRING_set(string, data, (int) size), 1);
        e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, string);
        assert_int_equal(X509_add_ext(x, e, -1), 1);
        X509_EXTENSION_free(e);
        ASN1_OCTET_STRING_free(string);
        ASN1_OBJECT_free(object);
}

static inline X509* certificate_new(EVP_PKEY *key, const char *name, time_t from, time_t until) {
        X509 *x = X509_new();

        (void) X509_set_version(x, 2);
        (void) ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
        (void) ASN1_TIME_set(X509_getm_notBefore(x), from);
        (void) ASN1_TIME_set(X509_getm_notAfter(x), until);
        if (name)
                (void) X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                                  (const unsigned char *) name, -1, -1, 0);
        (void) X509_set_pubkey(x, key);
        return x;
}

static inline char* certificate_pem(X509 *x) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *data = NULL, *text;
        long n;

        (void) PEM_write_bio_X509(bio, x);
        n = BIO_get_mem_data(bio, &data);
        text = xstrndup(data, (size_t) n);
        BIO_free(bio);
        return text;
}

#define YEAR (365L * 24 * 3600)
#define THEN 1700000000L /* long over, as such certificates always are */
#define LEAF_SECONDS 600
#define OID_ISSUER "1.3.6.1.4.1.57264.1.1" /* Fulcio's, in its older form */

typedef struct Authority {
        EVP_PKEY *key;
        X509 *certificate;
        char *pem;
} Authority;

static inline void authority_new(Authority *a) {
        a->key = EVP_EC_gen("P-384");
        a->certificate = certificate_new(a->key, "test root", THEN - YEAR, THEN + YEAR);
        (void) X509_set_issuer_name(a->certificate, X509_get_subject_name(a->certificate));
        set_extension(a->certificate, NID_basic_constraints, "critical,CA:TRUE");
        set_extension(a->certificate, NID_key_usage, "critical,keyCertSign");
        assert_true(X509_sign(a->certificate, a->key, EVP_sha384()) > 0);
        a->pem = certificate_pem(a->certificate);
}

static inline void authority_done(Authority *a) {
        EVP_PKEY_free(a->key);
        X509_free(a->certificate);
        free(a->pem);
}

static inline char* key_sign(EVP_PKEY *key, const void *data, size_t n) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char bytes[512];
        size_t size = sizeof(bytes);

        assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
        assert_int_equal(EVP_DigestSign(context, bytes, &size, data, n), 1);
        EVP_MD_CTX_free(context);
        return signed_base64(bytes, size);
}

/* Somebody who signs what is released. */
typedef struct Signer {
        Authority authority;
        EVP_PKEY *key;
        char *leaf_pem;
        SignatureTrust trust;
} Signer;

static inline void signer_new(Signer *s) {
        X509 *leaf;

        authority_new(&s->authority);
        s->key = EVP_EC_gen("P-256");
        leaf = certificate_new(s->key, "leaf", THEN, THEN + LEAF_SECONDS);
        (void) X509_set_issuer_name(leaf, X509_get_subject_name(s->authority.certificate));
        set_extension(leaf, NID_subject_alt_name, "email:me@example.test");
        set_extension(leaf, NID_ext_key_usage, "codeSigning");
        set_raw(leaf, OID_ISSUER, "https://issuer.test", strlen("https://issuer.test"));
        assert_true(X509_sign(leaf, s->authority.key, EVP_sha384()) > 0);
        s->leaf_pem = certificate_pem(leaf);
        X509_free(leaf);
        s->trust = (SignatureTrust) { s->authority.pem, "me@example.test", "https://issuer.test" };
}

static inline void signer_done(Signer *s) {
        authority_done(&s->authority);
        EVP_PKEY_free(s->key);
        free(s->leaf_pem);
}

static inline char* signer_sign(const Signer *s, const Buffer *data) {
        return key_sign(s->key, data->data, data->size);
}
