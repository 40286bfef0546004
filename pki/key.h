/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/evp.h>

#include "common/buffer.h"
#include "common/error.h"

/*
 * Private keys: made, written as PEM (PKCS#8), read back. PEM text of a private key lives only in Buffers
 * that are wiped (buffer_wipe). A key type is given by its name ("ec:p256", "ec:p384", "rsa:2048",
 * "rsa:3072", "rsa:4096"): pki/ takes plain values and knows no cluster file.
 */

#define KEY_SIZE_MAX (64 * 1024) /* of a PEM file, key or certificate: larger ones are not looked at */

DEFINE_CLEANUP_VOID(EVP_PKEY*, EVP_PKEY_free)

int key_generate(const char *type, EVP_PKEY **ret, Error **reterr);
int key_to_pem(EVP_PKEY *key, Buffer *ret, Error **reterr);
int key_public_to_pem(EVP_PKEY *key, Buffer *ret, Error **reterr);
int key_from_pem(const char *what, const void *data, size_t size, EVP_PKEY **ret, Error **reterr);
/* Under a passphrase; -EKEYREJECTED (ERROR_PERMISSION): it is wrong */
bool key_is_sealed(const void *data, size_t size);
int key_to_pem_sealed(EVP_PKEY *key, const char *passphrase, Buffer *ret, Error **reterr);
int key_from_pem_sealed(const char *what, const void *data, size_t size, const char *passphrase,
                        EVP_PKEY **ret, Error **reterr);
int key_public_from_pem(const char *what, const void *data, size_t size, EVP_PKEY **ret, Error **reterr);
char* key_fingerprint(EVP_PKEY *key);     /* hex SHA-256 of the DER SubjectPublicKeyInfo (RFC 7469's pin) */
const char* key_type_name(EVP_PKEY *key); /* "ec:p256", ..., or "unknown" */
bool key_type_known(const char *type);

/* Folds OpenSSL's error queue of this thread into an Error and empties it. */
int pki_error(Error **reterr, ErrorKind kind, const char *format, ...) _printf_(3, 4);
