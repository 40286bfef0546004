/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"

/*
 * A secret as it stands in its file: a line, or several
 *
 * Each line is a key in base64 (RFC 4648). The first one is in use, the others are good for reading what was
 * written with them. One that took the place of another has a number in front, "2 BASE64", by which it is known
 * wherever something was written with it; the first of all has none, which means 1.
 */
typedef struct SecretLine {
        unsigned number; /* 1 to SECRET_NUMBER_MAX */
        char *text;      /* base64 */
} SecretLine;

typedef struct Secret {
        SecretLine *lines; /* at least one; no number twice */
        size_t n_lines;
} Secret;

#define SECRET_NUMBER_MAX 1000
#define SECRET_LINES_MAX 64

int secret_parse(const char *what, const void *data, size_t size, Secret *ret, Error **reterr);
/* Whether each line stands for so many bytes. */
bool secret_has_size(const Secret *s, size_t size);
const SecretLine* secret_find(const Secret *s, unsigned number);        /* NULL: has none of that number */
void secret_write_line(unsigned number, const char *text, Buffer *out); /* without the end of the line */
void secret_done(Secret *s);                                            /* wipes */
