/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/x509.h>

#include "pki/key.h"

/*
 * What the files of pki/ share about keys. OpenSSL 3 writes and reads keys through a chain of encoders and
 * decoders that takes 0.1 to 0.5 ms for each key (measured, 3.0); for EC keys the same bytes are put
 * together here in a hundredth of that, from OpenSSL's own ASN.1 templates. RSA keys, whose making costs far
 * more, take the general way.
 */

typedef struct KeyType {
        const char *name;
        const char *algorithm; /* OpenSSL's name for it */
        const char *group;     /* EC: OpenSSL's name of the curve (RFC 5480 section 2.1.1.1); else NULL */
        int curve_nid;
        unsigned bits;
        const char *digest; /* that goes with it in signatures */
} KeyType;

#define KEY_FIELD_SIZE_MAX 66                           /* bytes of a private EC key */
#define KEY_POINT_SIZE_MAX (1 + 2 * KEY_FIELD_SIZE_MAX) /* and of its public point, uncompressed */

const KeyType* key_type_find(const char *name); /* NULL: not known */
const KeyType* key_type_of(EVP_PKEY *key);      /* NULL: not known */

static inline size_t key_field_size(const KeyType *type) {
        return (type->bits + 7) / 8;
}

/* Makes many keys of one type, in half the time. */
typedef struct KeyMaker {
        const KeyType *type;
        EVP_PKEY_CTX *context;
        const volatile int
                *cancelled; /* or NULL; lent; looked at within a key too, as one of RSA may take minutes */
} KeyMaker;

int key_maker_generate(KeyMaker *m, const char *type, EVP_PKEY **ret, Error **reterr);
void key_maker_done(KeyMaker *m);

int key_fill_public(EVP_PKEY *key, X509_PUBKEY *public, Error **reterr);
int key_read_public_point(EVP_PKEY *key, unsigned char ret[static KEY_POINT_SIZE_MAX], size_t *ret_size,
                          Error **reterr);
int key_public_to_der(EVP_PKEY *key, Buffer *ret, Error **reterr);

/* key-seal.c */
int key_sealed_check(const char *what, const void *data, size_t size, Error **reterr);

/* key-pem.c */
int key_from_p8(const char *what, const PKCS8_PRIV_KEY_INFO *p8, EVP_PKEY **ret, Error **reterr);

/* key-ec.c: the ECPrivateKey of RFC 5915 inside a PKCS#8 (RFC 5958) */
int key_ec_to_pkcs8(EVP_PKEY *key, const KeyType *type, PKCS8_PRIV_KEY_INFO *p8, Error **reterr);
int key_ec_from_pkcs8(const PKCS8_PRIV_KEY_INFO *p8, EVP_PKEY **ret); /* 0: not of the plain form, 1: read */

DEFINE_CLEANUP_VOID(X509_PUBKEY*, X509_PUBKEY_free)
DEFINE_CLEANUP_VOID(PKCS8_PRIV_KEY_INFO*, PKCS8_PRIV_KEY_INFO_free)
DEFINE_CLEANUP_VOID(EVP_PKEY_CTX*, EVP_PKEY_CTX_free)
