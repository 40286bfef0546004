/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/signature.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/parse.h"
#include "fetch/sigstore-pem.h"

#define OID_ISSUER_RAW "1.3.6.1.4.1.57264.1.1" /* the bytes are the text */
#define OID_ISSUER "1.3.6.1.4.1.57264.1.8"     /* they are a UTF8String */

/*
 * Who signs what lies at dl.k8s.io: https://kubernetes.io/docs/tasks/administer-cluster/verify-signed-artifacts/
 */
const SignatureTrust signature_trust_kubernetes = {
        .authorities = EMBED_SIGSTORE_PEM,
        .identity = "krel-staging@k8s-releng-prod.iam.gserviceaccount.com",
        .issuer = "https://accounts.google.com",
};

DEFINE_CLEANUP_VOID(BIO*, BIO_free_all)
DEFINE_CLEANUP_VOID(X509*, X509_free)
DEFINE_CLEANUP_VOID(X509_STORE*, X509_STORE_free)
DEFINE_CLEANUP_VOID(X509_STORE_CTX*, X509_STORE_CTX_free)
DEFINE_CLEANUP_VOID(EVP_PKEY_CTX*, EVP_PKEY_CTX_free)
DEFINE_CLEANUP_VOID(GENERAL_NAMES*, GENERAL_NAMES_free)
DEFINE_CLEANUP_VOID(ASN1_OBJECT*, ASN1_OBJECT_free)
DEFINE_CLEANUP_VOID(ASN1_UTF8STRING*, ASN1_UTF8STRING_free)

typedef STACK_OF(X509) Stack;

static void stack_freep(Stack **s) {
        sk_X509_pop_free(*s, X509_free);
}

/* Nothing of the certificate's making may end up in the message but what OpenSSL says. */
static int signature_refuse(const char *why, Error **reterr) {
        return error_set(reterr, ERROR_VERIFY, EKEYREJECTED, "wrong signature: %s", why);
}

/* Base64 with blanks and line ends anywhere in it. */
static int base64_take(const Buffer *text, size_t max, Buffer *ret) {
        _cleanup_buffer_ Buffer packed = BUFFER_NULL;
        _cleanup_free_ unsigned char *bytes = NULL;
        size_t padding = 0;
        int n;

        for (size_t i = 0; i < text->size; i++)
                if (!memchr(" \t\r\n", text->data[i], 4))
                        buffer_add_char(&packed, text->data[i]);
        if (packed.size == 0 || packed.size > max || packed.size % 4 != 0)
                return -EBADMSG;
        while (padding < 2 && packed.data[packed.size - 1 - padding] == '=')
                padding++;
        bytes = xmalloc(packed.size);
        n = EVP_DecodeBlock(bytes, (const unsigned char *) packed.data, (int) packed.size);
        if (n < 0 || (size_t) n <= padding)
                return -EBADMSG;
        buffer_add(ret, bytes, (size_t) n - padding);
        return 0;
}

static int no_password(char *buffer, int size, int writing, void *userdata) {
        return -1;
}

static X509* certificate_read(const Buffer *text) {
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;
        _cleanup_(BIO_free_allp) BIO *bio = NULL;

        if (text->size == 0 || text->size > SIGNATURE_CERTIFICATE_SIZE_MAX)
                return NULL;
        if (memmem(text->data, text->size, "-----BEGIN", 10))
                buffer_add(&pem, text->data, text->size);
        else if (base64_take(text, SIGNATURE_CERTIFICATE_SIZE_MAX, &pem) < 0)
                return NULL;
        bio = BIO_new_mem_buf(pem.data, (int) pem.size);
        return bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
}

static int chain_check(const SignatureTrust *trust, X509 *leaf, X509_STORE *store, Stack *others,
                       Error **reterr) {
        _cleanup_(X509_STORE_CTX_freep) X509_STORE_CTX *context = X509_STORE_CTX_new();
        X509_VERIFY_PARAM *parameters;
        struct tm tm = {};

        if (ASN1_TIME_to_tm(X509_get0_notBefore(leaf), &tm) != 1)
                return signature_refuse("the certificate does not say when it was issued", reterr);
        if (!context || X509_STORE_CTX_init(context, store, leaf, others) != 1)
                abort();
        parameters = X509_STORE_CTX_get0_param(context);
        X509_VERIFY_PARAM_set_time(parameters, timegm(&tm));
        X509_VERIFY_PARAM_set_depth(parameters, 3);
        X509_VERIFY_PARAM_set_auth_level(parameters, 1);
        if (X509_verify_cert(context) == 1)
                return 0;
        return error_set(
                reterr, ERROR_VERIFY, EKEYREJECTED,
                "wrong signature: its certificate is not of the authority that releases are signed with "
                "(%s)",
                X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
}

/* Up to the root, at the time when the certificate was issued: it is long over by now. */
static int authority_check(const SignatureTrust *trust, X509 *leaf, Error **reterr) {
        _cleanup_(BIO_free_allp) BIO *bio = BIO_new_mem_buf(trust->authorities, -1);
        _cleanup_(X509_STORE_freep) X509_STORE *store = X509_STORE_new();
        _cleanup_(stack_freep) Stack *others = sk_X509_new_null();
        _cleanup_(X509_freep) X509 *root = NULL;
        X509 *x;

        if (!bio || !store || !others)
                abort();
        root = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        if (!root || X509_STORE_add_cert(store, root) != 1)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "the root of signatures cannot be read");
        while ((x = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
                if (sk_X509_push(others, x) <= 0)
                        abort();
        return chain_check(trust, leaf, store, others, reterr);
}

static bool identity_is(X509 *leaf, const char *identity) {
        _cleanup_(GENERAL_NAMES_freep) GENERAL_NAMES *names =
                X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
        const GENERAL_NAME *name =
                names && sk_GENERAL_NAME_num(names) == 1 ? sk_GENERAL_NAME_value(names, 0) : NULL;
        size_t n = strlen(identity);

        return name && name->type == GEN_EMAIL && (size_t) ASN1_STRING_length(name->d.rfc822Name) == n &&
               memcmp(ASN1_STRING_get0_data(name->d.rfc822Name), identity, n) == 0;
}

static bool string_is(const ASN1_STRING *s, const char *text) {
        size_t n = strlen(text);

        return s && (size_t) ASN1_STRING_length(s) == n && memcmp(ASN1_STRING_get0_data(s), text, n) == 0;
}

/* 1: it is there and right, 0: it is not there, -1: it is there and says something else. */
static int extension_is(X509 *leaf, const char *oid, bool der, const char *text) {
        _cleanup_(ASN1_OBJECT_freep) ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
        _cleanup_(ASN1_UTF8STRING_freep) ASN1_UTF8STRING *inner = NULL;
        int at = object ? X509_get_ext_by_OBJ(leaf, object, -1) : -1;
        const ASN1_OCTET_STRING *value;
        const unsigned char *p;

        if (at < 0)
                return 0;
        value = X509_EXTENSION_get_data(X509_get_ext(leaf, at));
        if (!der)
                return string_is(value, text) ? 1 : -1;
        p = ASN1_STRING_get0_data(value);
        inner = d2i_ASN1_UTF8STRING(NULL, &p, ASN1_STRING_length(value));
        return string_is(inner, text) ? 1 : -1;
}

static int owner_check(const SignatureTrust *trust, X509 *leaf, Error **reterr) {
        int raw = extension_is(leaf, OID_ISSUER_RAW, /* der= */ false, trust->issuer);
        int text = extension_is(leaf, OID_ISSUER, /* der= */ true, trust->issuer);

        if (X509_check_ca(leaf) != 0 || !(X509_get_extended_key_usage(leaf) & XKU_CODE_SIGN) ||
            X509_get_extended_key_usage(leaf) == UINT32_MAX)
                return signature_refuse("its certificate is not one to sign programs with", reterr);
        if (!identity_is(leaf, trust->identity))
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                                 "wrong signature: its certificate is not that of %s", trust->identity);
        if (raw < 0 || text < 0 || raw + text == 0)
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                                 "wrong signature: it is not %s that knows who signed", trust->issuer);
        return 0;
}

static int bytes_check(X509 *leaf, const char *sha256, const Buffer *signature, Error **reterr) {
        EVP_PKEY *key = X509_get0_pubkey(leaf);
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
        _cleanup_buffer_ Buffer bytes = BUFFER_NULL;
        unsigned char digest[(SHA256_HEX_SIZE - 1) / 2];

        if (parse_hex(sha256, digest, sizeof(digest)) < 0)
                abort();
        if (base64_take(signature, SIGNATURE_SIZE_MAX, &bytes) < 0)
                return signature_refuse("it is not in base64", reterr);
        if (!context || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_verify_init(context) != 1 ||
            EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) != 1)
                return signature_refuse("its certificate has no key for ECDSA", reterr);
        if (EVP_PKEY_verify(context, (const unsigned char *) bytes.data, bytes.size, digest,
                            sizeof(digest)) != 1)
                return signature_refuse("it is not one of this file", reterr);
        return 0;
}

/**
 * signature_check() - verify the signature of a file
 * @trust:      who may have signed, or NULL for signature_trust_kubernetes
 * @sha256:     the file's digest, 64 small hex digits
 * @signature:  as it is published
 * @certificate: as it is published
 * @reterr:     says what does not hold
 *
 * Return: 0 or -EKEYREJECTED.
 */
int signature_check(const SignatureTrust *trust, const char *sha256, const Buffer *signature,
                    const Buffer *certificate, Error **reterr) {
        _cleanup_(X509_freep) X509 *leaf = certificate_read(certificate);
        int r = 0;

        trust = trust ?: &signature_trust_kubernetes;
        if (!leaf)
                r = signature_refuse("its certificate cannot be read", reterr);
        if (r >= 0)
                r = authority_check(trust, leaf, reterr);
        if (r >= 0)
                r = owner_check(trust, leaf, reterr);
        if (r >= 0)
                r = bytes_check(leaf, sha256, signature, reterr);
        ERR_clear_error(); /* what stays in the queue would be taken for an error of the next connection */
        return r;
}
