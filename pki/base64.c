/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/evp.h>
#include <string.h>

#include "common/alloc.h"
#include "pki/pem.h"

#define PIECE_BYTES 3072 /* a multiple of 3, so that no piece but the last is padded */
#define PIECE_CHARACTERS (PIECE_BYTES / 3 * 4)

/**
 * base64_encode() - append bytes in base64, on one line
 * @data:       the bytes
 * @size:       how many
 * @out:        where to append the text
 */
void base64_encode(const void *data, size_t size, Buffer *out) {
        unsigned char piece[PIECE_CHARACTERS + 1];

        for (size_t i = 0; i < size; i += PIECE_BYTES) {
                size_t n = size - i < PIECE_BYTES ? size - i : PIECE_BYTES;

                buffer_add(out, piece,
                           (size_t) EVP_EncodeBlock(piece, (const unsigned char *) data + i, (int) n));
        }
        explicit_bzero(piece, sizeof(piece));
}

/**
 * base64_decode() - read base64
 * @text:       the text, without blanks
 * @size:       its length
 * @ret:        the bytes; the caller wipes or frees
 *
 * Return: 0; -EINVAL if it is not base64, or would not come out like this if written again.
 */
int base64_decode(const char *text, size_t size, Buffer *ret) {
        _cleanup_buffer_secret_ Buffer b = BUFFER_NULL, again = BUFFER_NULL;
        unsigned char piece[PIECE_BYTES];

        if (size % 4 != 0)
                return -EINVAL;

        for (size_t i = 0; i < size; i += PIECE_CHARACTERS) {
                size_t n = size - i < PIECE_CHARACTERS ? size - i : PIECE_CHARACTERS;
                int decoded = EVP_DecodeBlock(piece, (const unsigned char *) text + i, (int) n);

                if (decoded < 0)
                        return -EINVAL;
                buffer_add(&b, piece, (size_t) decoded);
        }
        explicit_bzero(piece, sizeof(piece));

        /* EVP_DecodeBlock() counts the padding as bytes, */
        for (size_t i = size; i > 0 && text[i - 1] == '=' && size - i < 2; i--)
                b.data[--b.size] = '\0';

        /* and forgives blanks and bits that stand for nothing. */
        base64_encode(b.data, b.size, &again);
        if (again.size != size || (size > 0 && memcmp(again.data, text, size) != 0))
                return -EINVAL;

        *ret = b;
        b = BUFFER_NULL;
        return 0;
}
