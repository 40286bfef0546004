/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pki/key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "pki/key-internal.h"

/*
 * The digest grows with the curve (RFC 5480 section 4); for RSA, SHA-256 is what every client of Kubernetes
 * takes.
 */
static const KeyType key_types[] = {
        { "ec:p256", "EC", "prime256v1", NID_X9_62_prime256v1, 256, "SHA256" },
        { "ec:p384", "EC", "secp384r1", NID_secp384r1, 384, "SHA384" },
        { "rsa:2048", "RSA", NULL, NID_undef, 2048, "SHA256" },
        { "rsa:3072", "RSA", NULL, NID_undef, 3072, "SHA256" },
        { "rsa:4096", "RSA", NULL, NID_undef, 4096, "SHA256" },
};

const KeyType* key_type_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
                if (streq(key_types[i].name, name))
                        return key_types + i;
        return NULL;
}

const KeyType* key_type_of(EVP_PKEY *key) {
        char group[64] = "";

        for (size_t i = 0; i < ARRAY_SIZE(key_types); i++) {
                const KeyType *type = key_types + i;

                if (!EVP_PKEY_is_a(key, type->algorithm) || EVP_PKEY_get_bits(key) != (int) type->bits)
                        continue;
                if (!type->group)
                        return type;
                if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
                    streq(group, type->group))
                        return type;
        }
        return NULL;
}

/**
 * key_type_known() - whether keys of a type can be made
 * @type:       "ec:p256", ...
 *
 * Return: whether it is one of those that this file lists.
 */
bool key_type_known(const char *type) {
        return key_type_find(type) != NULL;
}

/**
 * key_type_name() - what kind of key this is
 * @key:        a private or public key
 *
 * Return: "ec:p256", ..., or "unknown".
 */
const char* key_type_name(EVP_PKEY *key) {
        const KeyType *type = key_type_of(key);

        return type ? type->name : "unknown";
}

/* OpenSSL asks it for each candidate of a prime (EVP_PKEY_generate(3)): 0 ends the making of the key. */
static int go_on(EVP_PKEY_CTX *context) {
        const volatile int *cancelled = EVP_PKEY_CTX_get_app_data(context);

        return !cancelled || !*cancelled;
}

static EVP_PKEY_CTX* key_maker_new(const KeyType *type, const volatile int *cancelled) {
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *context =
                EVP_PKEY_CTX_new_from_name(NULL, type->algorithm, NULL);

        if (!context || EVP_PKEY_keygen_init(context) != 1)
                return NULL;
        if (type->group && EVP_PKEY_CTX_set_group_name(context, type->group) != 1)
                return NULL;
        if (!type->group && EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int) type->bits) != 1)
                return NULL;
        EVP_PKEY_CTX_set_app_data(context, (void*) cancelled);
        EVP_PKEY_CTX_set_cb(context, go_on);
        return TAKE_PTR(context);
}

void key_maker_done(KeyMaker *m) {
        EVP_PKEY_CTX_free(m->context);
        *m = (KeyMaker) {};
}

static int stopped(const KeyMaker *m, Error **reterr) {
        return error_if_cancelled(m->cancelled, reterr, "stopped as asked, before a key was made");
}

/* -ECANCELED if that was asked for, also while the key was being made. */
int key_maker_generate(KeyMaker *m, const char *type_name, EVP_PKEY **ret, Error **reterr) {
        const KeyType *type = key_type_find(type_name);
        EVP_PKEY *key = NULL;
        int r;

        if (!type)
                return error_set(reterr, ERROR_CONFIG, EINVAL, "no such type of key: %s", type_name);
        r = stopped(m, reterr);
        if (r < 0)
                return r;
        if (m->type != type) {
                EVP_PKEY_CTX_free(m->context);
                m->context = key_maker_new(type, m->cancelled);
                m->type = type;
        }
        if (!m->context || EVP_PKEY_generate(m->context, &key) != 1) {
                r = stopped(m, reterr);
                if (r < 0)
                        ERR_clear_error();
                return r < 0 ? r :
                               pki_error(reterr, ERROR_INTERNAL, "cannot make a key of type %s", type->name);
        }

        *ret = key;
        return 0;
}

/**
 * key_generate() - make a private key
 * @type:       "ec:p256", "ec:p384", "rsa:2048", "rsa:3072" or "rsa:4096"
 * @ret:        the key; EVP_PKEY_free()
 * @reterr:     names the type
 *
 * Return: 0; -EINVAL if the type is not known; -EIO if OpenSSL fails.
 */
int key_generate(const char *type, EVP_PKEY **ret, Error **reterr) {
        _cleanup_(key_maker_done) KeyMaker maker = {};

        return key_maker_generate(&maker, type, ret, reterr);
}

static bool read_point(EVP_PKEY *key, unsigned char *ret, size_t *ret_size) {
        return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, ret, KEY_POINT_SIZE_MAX,
                                               ret_size) == 1;
}

/* The point of an EC key, uncompressed: what a SubjectPublicKeyInfo holds (RFC 5480 section 2.2). */
int key_read_public_point(EVP_PKEY *key, unsigned char ret[static KEY_POINT_SIZE_MAX], size_t *ret_size,
                          Error **reterr) {
        bool ok = read_point(key, ret, ret_size);

        /* A key that was read from a file with a compressed point would go on like that. */
        if (ok && ret[0] != POINT_CONVERSION_UNCOMPRESSED)
                ok = EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                                    OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) ==
                             1 &&
                     read_point(key, ret, ret_size) && ret[0] == POINT_CONVERSION_UNCOMPRESSED;
        if (!ok)
                return pki_error(reterr, ERROR_INTERNAL, "cannot read the public half of a key");
        return 0;
}

static int fill_public_ec(EVP_PKEY *key, const KeyType *type, X509_PUBKEY *public, Error **reterr) {
        unsigned char point[KEY_POINT_SIZE_MAX], *copy;
        size_t size = 0;
        int r;

        r = key_read_public_point(key, point, &size, reterr);
        if (r < 0)
                return r;
        copy = OPENSSL_memdup(point, size);
        if (!copy || X509_PUBKEY_set0_param(public, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
                                            OBJ_nid2obj(type->curve_nid), copy, (int) size) != 1) {
                OPENSSL_free(copy);
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a public key");
        }
        return 0;
}

/*
 * X509_PUBKEY_set() would replace the object, which may be part of a certificate: hence by way of another.
 */
static int fill_public_rsa(EVP_PKEY *key, X509_PUBKEY *public, Error **reterr) {
        _cleanup_(X509_PUBKEY_freep) X509_PUBKEY *made = NULL;
        const unsigned char *der = NULL;
        unsigned char *copy = NULL;
        int size = 0;

        if (X509_PUBKEY_set(&made, key) == 1 && X509_PUBKEY_get0_param(NULL, &der, &size, NULL, made) == 1)
                copy = OPENSSL_memdup(der, (size_t) size);
        if (!copy || X509_PUBKEY_set0_param(public, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, NULL, copy,
                                            size) != 1) {
                OPENSSL_free(copy);
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a public key");
        }
        return 0;
}

/* Puts the public half of a key into a certificate or a SubjectPublicKeyInfo. */
int key_fill_public(EVP_PKEY *key, X509_PUBKEY *public, Error **reterr) {
        const KeyType *type = key_type_of(key);

        if (!type)
                return error_set(reterr, ERROR_INTERNAL, EOPNOTSUPP,
                                 "a key of a type that is not supported");
        if (type->group)
                return fill_public_ec(key, type, public, reterr);
        return fill_public_rsa(key, public, reterr);
}

int key_public_to_der(EVP_PKEY *key, Buffer *ret, Error **reterr) {
        _cleanup_(X509_PUBKEY_freep) X509_PUBKEY *public = X509_PUBKEY_new();
        unsigned char *der = NULL;
        int r, size;

        if (!public)
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a public key");
        r = key_fill_public(key, public, reterr);
        if (r < 0)
                return r;

        size = i2d_X509_PUBKEY(public, &der);
        if (size <= 0)
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a public key");
        buffer_add(ret, der, (size_t) size);
        OPENSSL_free(der);
        return 0;
}

/**
 * key_fingerprint() - what stands for a key where the key must not be seen
 * @key:        a private or public key
 *
 * Return: the SHA-256 of its SubjectPublicKeyInfo in hex, as in RFC 7469 section 2.4; the caller frees.
 */
char* key_fingerprint(EVP_PKEY *key) {
        _cleanup_buffer_ Buffer der = BUFFER_NULL;
        char hex[SHA256_HEX_SIZE];

        if (key_public_to_der(key, &der, NULL) < 0)
                return xstrdup("unknown");
        sha256_hex(der.data, der.size, hex);
        return xstrdup(hex);
}
