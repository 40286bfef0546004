/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"

/*
 * PEM (RFC 7468), one block in a text and nothing else: what hardway writes, and all that it takes back.
 * What is cut off, DER, encrypted, from Windows or glued together is refused with the reason, since no guess
 * at such a file is as good as a look at it.
 */

typedef struct PemBlock {
        char *label; /* "CERTIFICATE", "PRIVATE KEY" */
        unsigned char *der;
        long size;
} PemBlock;

#define PEM_BLOCK_NULL ((PemBlock) {})

int pem_decode(const char *what, const void *data, size_t size, const char *wanted, PemBlock *ret,
               Error **reterr);
void pem_encode(const char *label, const void *der, size_t size, Buffer *out);
void pem_block_done(PemBlock *b); /* wipes */
/* How many bytes of a text its first block takes, with what stands in front of it; size if it has no end. */
size_t pem_first_size(const char *data, size_t size);

/* Base64 (RFC 4648) without line breaks. The Buffers may hold secrets. */
void base64_encode(const void *data, size_t size, Buffer *out);
/* -EINVAL: not base64, or not in the one form that we write */
int base64_decode(const char *text, size_t size, Buffer *ret);
