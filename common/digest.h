/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/*
 * SHA-256 over bytes that arrive in pieces (libcrypto's EVP). One Digest is one running hash; digest_hex()
 * may be asked at any time and does not end it.
 */

#define SHA256_HEX_SIZE 65 /* with the NUL */

typedef struct Digest Digest;

Digest* digest_new(const char *algorithm); /* "SHA256", "SHA512"; never NULL */
void digest_add(Digest *d, const void *data, size_t size);
void digest_add_str(Digest *d, const char *s); /* with its NUL, so that fields cannot run together */
char* digest_hex(const Digest *d);
Digest* digest_free(Digest *d);
DEFINE_CLEANUP(Digest*, digest_free)

void sha256_hex(const void *data, size_t size, char ret[static SHA256_HEX_SIZE]);
int sha256_hex_file(int fd, char ret[static SHA256_HEX_SIZE]); /* from the current offset to the end */
