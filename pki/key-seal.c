/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#include "common/alloc.h"
#include "pki/key-internal.h"
#include "pki/pem.h"

/*
 * Private keys under a passphrase: PKCS#8's EncryptedPrivateKeyInfo (RFC 5958) by PBES2 (RFC 8018) with
 * scrypt (RFC 7914) and AES-256-CBC, which the openssl command opens as well
 */

#define LABEL "ENCRYPTED PRIVATE KEY"
#define SALT_SIZE 16

/*
 * 16 MiB, the most with which OpenSSL opens a file without being told; p makes up for it (OWASP's cheat
 * sheet on password storage has N = 2^14, r = 8, p = 5 among its equals).
 */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5

/* What is taken back: some seconds of work at most. A made-up file may ask for years. */
#define SCRYPT_WORK_MAX (UINT64_C(1) << 24) /* N * r * p */
#define PBKDF2_ITERATIONS_MAX 10000000

DEFINE_CLEANUP_VOID(X509_SIG*, X509_SIG_free)
DEFINE_CLEANUP_VOID(PBE2PARAM*, PBE2PARAM_free)
DEFINE_CLEANUP_VOID(PBKDF2PARAM*, PBKDF2PARAM_free)
DEFINE_CLEANUP_VOID(SCRYPT_PARAMS*, SCRYPT_PARAMS_free)

/**
 * key_is_sealed() - whether a text is a key under a passphrase
 * @data:       the text
 * @size:       its size
 *
 * Return: whether it says so.
 */
bool key_is_sealed(const void *data, size_t size) {
        static const char begin[] = "-----BEGIN " LABEL "-----";

        return size > 0 && memmem(data, size, begin, strlen(begin));
}

static int key_to_p8(EVP_PKEY *key, PKCS8_PRIV_KEY_INFO **ret, Error **reterr) {
        const KeyType *type = key_type_of(key);
        _cleanup_(PKCS8_PRIV_KEY_INFO_freep) PKCS8_PRIV_KEY_INFO *p8 = NULL;
        int r;

        if (!type || !type->group)
                p8 = EVP_PKEY2PKCS8(key);
        else {
                p8 = PKCS8_PRIV_KEY_INFO_new();
                r = p8 ? key_ec_to_pkcs8(key, type, p8, reterr) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        if (!p8)
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a private key");
        *ret = TAKE_PTR(p8);
        return 0;
}

/**
 * key_to_pem_sealed() - write a private key under a passphrase
 * @key:        the key
 * @passphrase: the passphrase, not empty
 * @ret:        PEM ("BEGIN ENCRYPTED PRIVATE KEY") is appended
 * @reterr:     where to say what failed
 *
 * Return: 0 or a negative errno.
 */
int key_to_pem_sealed(EVP_PKEY *key, const char *passphrase, Buffer *ret, Error **reterr) {
        _cleanup_(PKCS8_PRIV_KEY_INFO_freep) PKCS8_PRIV_KEY_INFO *p8 = NULL;
        _cleanup_(X509_SIG_freep) X509_SIG *sealed = NULL;
        unsigned char salt[SALT_SIZE], *der = NULL;
        X509_ALGOR *algorithm = NULL;
        int r, size;

        r = key_to_p8(key, &p8, reterr);
        if (r < 0)
                return r;
        if (RAND_bytes(salt, sizeof(salt)) == 1)
                algorithm = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL, SCRYPT_N,
                                                  SCRYPT_R, SCRYPT_P);
        if (algorithm)
                sealed = PKCS8_set0_pbe(passphrase, (int) strlen(passphrase), p8, algorithm);
        if (!sealed)
                X509_ALGOR_free(algorithm); /* otherwise it went with the rest */
        size = sealed ? i2d_X509_SIG(sealed, &der) : -1;
        if (size <= 0)
                return pki_error(reterr, ERROR_INTERNAL, "cannot protect a private key");
        pem_encode(LABEL, der, (size_t) size, ret);
        OPENSSL_free(der);
        return 0;
}

static bool is_scrypt_bearable(const ASN1_TYPE *parameters) {
        _cleanup_(SCRYPT_PARAMS_freep) SCRYPT_PARAMS *p =
                ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), parameters);
        uint64_t n, block, parallel, work;

        return p && ASN1_INTEGER_get_uint64(&n, p->costParameter) == 1 &&
               ASN1_INTEGER_get_uint64(&block, p->blockSize) == 1 &&
               ASN1_INTEGER_get_uint64(&parallel, p->parallelizationParameter) == 1 &&
               !__builtin_mul_overflow(n, block, &work) && !__builtin_mul_overflow(work, parallel, &work) &&
               work <= SCRYPT_WORK_MAX;
}

static bool is_pbkdf2_bearable(const ASN1_TYPE *parameters) {
        _cleanup_(PBKDF2PARAM_freep) PBKDF2PARAM *p =
                ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), parameters);
        uint64_t iterations;

        return p && ASN1_INTEGER_get_uint64(&iterations, p->iter) == 1 &&
               iterations <= PBKDF2_ITERATIONS_MAX;
}

static int check_algorithm(const char *what, const X509_SIG *sealed, Error **reterr) {
        _cleanup_(PBE2PARAM_freep) PBE2PARAM *p = NULL;
        const X509_ALGOR *algorithm = NULL;
        bool bearable;

        X509_SIG_get0(sealed, &algorithm, NULL);
        if (OBJ_obj2nid(algorithm->algorithm) == NID_pbes2)
                p = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
        ERR_clear_error();
        if (!p)
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: is protected in a way that is not supported (openssl pkcs8 -topk8 "
                                 "-scrypt makes it new)",
                                 what);
        switch (OBJ_obj2nid(p->keyfunc->algorithm)) {
        case NID_id_scrypt:
                bearable = is_scrypt_bearable(p->keyfunc->parameter);
                break;
        case NID_id_pbkdf2:
                bearable = is_pbkdf2_bearable(p->keyfunc->parameter);
                break;
        default:
                bearable = false;
        }
        ERR_clear_error();
        if (!bearable)
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: asks for more work than a passphrase is worth, or is damaged", what);
        return 0;
}

static int sealed_from_pem(const char *what, const void *data, size_t size, X509_SIG **ret, Error **reterr) {
        _cleanup_(pem_block_done) PemBlock block = PEM_BLOCK_NULL;
        _cleanup_(X509_SIG_freep) X509_SIG *sealed = NULL;
        const unsigned char *p;
        int r;

        r = pem_decode(what, data, size, LABEL, &block, reterr);
        if (r < 0)
                return r;
        ERR_clear_error();
        p = block.der;
        sealed = d2i_X509_SIG(NULL, &p, block.size);
        if (!sealed || p != block.der + block.size)
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged, not a protected private key", what);
        r = check_algorithm(what, sealed, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(sealed);
        return 0;
}

/* All that is looked at before the passphrase is. */
int key_sealed_check(const char *what, const void *data, size_t size, Error **reterr) {
        X509_SIG *sealed = NULL;
        int r = sealed_from_pem(what, data, size, &sealed, reterr);

        X509_SIG_free(sealed);
        return r;
}

/**
 * key_from_pem_sealed() - read a private key that is under a passphrase
 * @what:       its name for the message, such as the path
 * @data:       PEM text
 * @size:       its size
 * @passphrase: the passphrase
 * @ret:        the key; EVP_PKEY_free()
 * @reterr:     says what is wrong with the text, or that the passphrase is
 *
 * Return: 0; -EKEYREJECTED (ERROR_PERMISSION) if the passphrase is wrong; -EBADMSG (ERROR_CONFIG) as
 * key_from_pem().
 */
int key_from_pem_sealed(const char *what, const void *data, size_t size, const char *passphrase,
                        EVP_PKEY **ret, Error **reterr) {
        _cleanup_(PKCS8_PRIV_KEY_INFO_freep) PKCS8_PRIV_KEY_INFO *p8 = NULL;
        _cleanup_(X509_SIG_freep) X509_SIG *sealed = NULL;
        int r;

        r = sealed_from_pem(what, data, size, &sealed, reterr);
        if (r < 0)
                return r;
        p8 = PKCS8_decrypt(sealed, passphrase, (int) strlen(passphrase));
        ERR_clear_error();
        if (!p8)
                return error_set(reterr, ERROR_PERMISSION, EKEYREJECTED, "%s: the passphrase is wrong",
                                 what);
        return key_from_p8(what, p8, ret, reterr);
}
