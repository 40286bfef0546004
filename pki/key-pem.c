/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/err.h>

#include "common/alloc.h"
#include "pki/key-internal.h"
#include "pki/pem.h"

/**
 * key_to_pem() - write a private key
 * @key:        the key
 * @ret:        PKCS#8 in PEM ("BEGIN PRIVATE KEY") is appended; the caller wipes
 * @reterr:     where to say what failed
 *
 * Return: 0, or -EIO.
 */
int key_to_pem(EVP_PKEY *key, Buffer *ret, Error **reterr) {
        const KeyType *type = key_type_of(key);
        _cleanup_(PKCS8_PRIV_KEY_INFO_freep) PKCS8_PRIV_KEY_INFO *p8 = NULL;
        unsigned char *der = NULL;
        int r, size;

        if (type && type->group) {
                p8 = PKCS8_PRIV_KEY_INFO_new();
                r = p8 ? key_ec_to_pkcs8(key, type, p8, reterr) :
                         pki_error(reterr, ERROR_INTERNAL, "no PKCS#8");
                if (r < 0)
                        return r;
        } else
                p8 = EVP_PKEY2PKCS8(key);

        size = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, &der) : -1;
        if (size <= 0)
                return pki_error(reterr, ERROR_INTERNAL, "cannot write a private key");

        pem_encode("PRIVATE KEY", der, (size_t) size, ret);
        OPENSSL_clear_free(der, (size_t) size);
        return 0;
}

/**
 * key_public_to_pem() - write the public half of a key
 * @key:        the key, private or public
 * @ret:        its SubjectPublicKeyInfo in PEM ("BEGIN PUBLIC KEY") is appended
 * @reterr:     where to say what failed
 *
 * Return: 0, or -EIO.
 */
int key_public_to_pem(EVP_PKEY *key, Buffer *ret, Error **reterr) {
        _cleanup_buffer_ Buffer der = BUFFER_NULL;
        int r;

        r = key_public_to_der(key, &der, reterr);
        if (r < 0)
                return r;
        pem_encode("PUBLIC KEY", der.data, der.size, ret);
        return 0;
}

/* NULL: cannot be read */
static EVP_PKEY* key_of_p8(const PKCS8_PRIV_KEY_INFO *p8) {
        EVP_PKEY *key = NULL;

        return key_ec_from_pkcs8(p8, &key) > 0 ? key : EVP_PKCS82PKEY(p8);
}

static EVP_PKEY* key_from_der(const PemBlock *block) {
        _cleanup_(PKCS8_PRIV_KEY_INFO_freep) PKCS8_PRIV_KEY_INFO *p8 = NULL;
        const unsigned char *p = block->der;
        EVP_PKEY *key = NULL;

        if (!streq(block->label, "PRIVATE KEY")) {
                key = d2i_AutoPrivateKey(NULL, &p, block->size);
                if (key && p != block->der + block->size)
                        EVP_PKEY_freep(&key);
                return key;
        }

        p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, block->size);
        if (!p8 || p != block->der + block->size)
                return NULL;
        return key_of_p8(p8);
}

/*
 * Whether the private half makes the public one: nothing else would notice a flipped bit before a handshake
 * fails.
 */
static bool key_is_sound(EVP_PKEY *key) {
        _cleanup_(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

        return context && EVP_PKEY_pairwise_check(context) == 1;
}

/* Takes the key. */
static int key_accept(const char *what, EVP_PKEY *read, EVP_PKEY **ret, Error **reterr) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = read;

        if (!key)
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged, not a private key", what);
        if (!key_type_of(key))
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: is a key of a type that is not supported", what);
        if (!key_is_sound(key))
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged, its private and public half differ",
                                 what);

        ERR_clear_error();
        *ret = TAKE_PTR(key);
        return 0;
}

int key_from_p8(const char *what, const PKCS8_PRIV_KEY_INFO *p8, EVP_PKEY **ret, Error **reterr) {
        return key_accept(what, key_of_p8(p8), ret, reterr);
}

/**
 * key_from_pem() - read a private key
 * @what:       its name for the message, such as the path
 * @data:       PEM text: PKCS#8, or the older forms for EC and RSA, without a passphrase
 * @size:       its size
 * @ret:        the key; EVP_PKEY_free()
 * @reterr:     says what is wrong with the text
 *
 * Return: 0, or -EBADMSG (ERROR_CONFIG): no such text, a type of key we do not use, or halves that do not
 * belong together.
 */
int key_from_pem(const char *what, const void *data, size_t size, EVP_PKEY **ret, Error **reterr) {
        _cleanup_(pem_block_done) PemBlock block = PEM_BLOCK_NULL;
        int r;

        r = pem_decode(what, data, size, "PRIVATE KEY", &block, reterr);
        if (r < 0)
                return r;

        ERR_clear_error();
        return key_accept(what, key_from_der(&block), ret, reterr);
}

/**
 * key_public_from_pem() - read a public key
 * @what:       its name for the message, such as the path
 * @data:       PEM text ("BEGIN PUBLIC KEY")
 * @size:       its size
 * @ret:        the key; EVP_PKEY_free()
 * @reterr:     says what is wrong with the text
 *
 * Return: 0, or -EBADMSG (ERROR_CONFIG).
 */
int key_public_from_pem(const char *what, const void *data, size_t size, EVP_PKEY **ret, Error **reterr) {
        _cleanup_(pem_block_done) PemBlock block = PEM_BLOCK_NULL;
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        const unsigned char *p;
        int r;

        r = pem_decode(what, data, size, "PUBLIC KEY", &block, reterr);
        if (r < 0)
                return r;

        p = block.der;
        key = d2i_PUBKEY(NULL, &p, block.size);
        if (!key || p != block.der + block.size)
                return pki_error(reterr, ERROR_CONFIG, "%s: is damaged, not a public key", what);

        *ret = TAKE_PTR(key);
        return 0;
}
