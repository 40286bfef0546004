/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdarg.h>

#include "common/macro.h"

/*
 * A growing run of bytes
 *
 * Invariants: data is NULL or has a NUL behind its size bytes, so that a Buffer of text is a C string. An
 * empty Buffer is BUFFER_NULL. buffer_str() never returns NULL. buffer_wipe() is buffer_done() for secrets.
 */
typedef struct Buffer {
        char *data;
        size_t size;
        size_t allocated;
} Buffer;

#define BUFFER_NULL ((Buffer) {})

void buffer_add(Buffer *b, const void *data, size_t size);
void buffer_add_str(Buffer *b, const char *s);
void buffer_add_char(Buffer *b, char c);
void buffer_addf(Buffer *b, const char *format, ...) _printf_(2, 3);
void buffer_vaddf(Buffer *b, const char *format, va_list ap) _printf_(2, 0) __attribute__((nonnull(2)));
const char* buffer_str(const Buffer *b);
char* buffer_take(Buffer *b); /* never NULL; the caller frees */
void buffer_clear(Buffer *b); /* size 0, memory kept */
void buffer_done(Buffer *b);
void buffer_wipe(Buffer *b);

#define _cleanup_buffer_ _cleanup_(buffer_done)
#define _cleanup_buffer_secret_ _cleanup_(buffer_wipe)
