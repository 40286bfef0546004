/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"

#define DIGEST_READ_SIZE (64 * 1024)

struct Digest {
        EVP_MD_CTX *context;
};

/* Hashing memory fails only for want of memory or of the algorithm: in neither case is there a way on. */
static void digest_check(int ok) {
        static const char text[] = "hardway: libcrypto cannot compute digests\n";

        if (ok == 1)
                return;
        if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
                abort();
        abort();
}

/**
 * digest_new() - begin a digest
 * @algorithm:  "SHA256" or "SHA512"
 *
 * Return: the digest, never NULL; the caller frees.
 */
Digest* digest_new(const char *algorithm) {
        const EVP_MD *md = EVP_get_digestbyname(algorithm);
        Digest *d = xnew(Digest, 1);

        d->context = EVP_MD_CTX_new();
        digest_check(md && d->context && EVP_DigestInit_ex(d->context, md, NULL));
        return d;
}

/**
 * digest_add() - hash more bytes
 * @d:          the digest
 * @data:       the bytes
 * @size:       how many
 */
void digest_add(Digest *d, const void *data, size_t size) {
        digest_check(EVP_DigestUpdate(d->context, data, size));
}

/**
 * digest_add_str() - hash a string and its NUL
 * @d:          the digest
 * @s:          the string
 */
void digest_add_str(Digest *d, const char *s) {
        digest_add(d, s, strlen(s) + 1);
}

/**
 * digest_hex() - the digest of what was added so far
 * @d:          the digest, which may be added to afterwards
 *
 * Return: small hex digits; the caller frees.
 */
char* digest_hex(const Digest *d) {
        unsigned char bytes[EVP_MAX_MD_SIZE];
        EVP_MD_CTX *copy = EVP_MD_CTX_new();
        unsigned size = 0;
        char *hex;

        digest_check(copy && EVP_MD_CTX_copy_ex(copy, d->context) && EVP_DigestFinal_ex(copy, bytes, &size));
        EVP_MD_CTX_free(copy);

        hex = xmalloc(2 * (size_t) size + 1);
        format_hex(bytes, size, hex);
        return hex;
}

/**
 * digest_free() - free a digest
 * @d:          the digest, may be NULL
 *
 * Return: NULL.
 */
Digest* digest_free(Digest *d) {
        if (!d)
                return NULL;

        EVP_MD_CTX_free(d->context);
        free(d);
        return NULL;
}

/**
 * sha256_hex() - the SHA-256 of bytes in memory
 * @data:       the bytes
 * @size:       how many
 * @ret:        small hex digits and a NUL
 */
void sha256_hex(const void *data, size_t size, char ret[static SHA256_HEX_SIZE]) {
        unsigned char bytes[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        digest_check(EVP_Digest(data, size, bytes, &n, EVP_sha256(), NULL));
        format_hex(bytes, n, ret);
}

/**
 * sha256_hex_file() - the SHA-256 of a file from where it stands to its end
 * @fd:         the open file; stands at the end afterwards
 * @ret:        small hex digits and a NUL
 *
 * Return: 0, or a negative errno if reading fails.
 */
int sha256_hex_file(int fd, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_(digest_freep) Digest *d = digest_new("SHA256");
        _cleanup_free_ char *buffer = xmalloc(DIGEST_READ_SIZE);
        _cleanup_free_ char *hex = NULL;

        for (;;) {
                ssize_t n = read(fd, buffer, DIGEST_READ_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                digest_add(d, buffer, (size_t) n);
        }

        hex = digest_hex(d);
        memcpy(ret, hex, SHA256_HEX_SIZE);
        return 0;
}
