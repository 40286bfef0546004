/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define BUFFER_SIZE_MIN 64

/* Room for that many more bytes and the NUL behind them. */
static void buffer_reserve(Buffer *b, size_t more) {
        size_t need, size;
        char *data;

        if (__builtin_add_overflow(b->size, more, &need) || __builtin_add_overflow(need, 1, &need))
                need = SIZE_MAX; /* which xmalloc() will not give */
        if (need <= b->allocated)
                return;

        size = b->allocated > SIZE_MAX / 2 ? need : b->allocated * 2;
        if (size < need)
                size = need;
        if (size < BUFFER_SIZE_MIN)
                size = BUFFER_SIZE_MIN;

        /* Not realloc(): a Buffer may hold a secret, and would leave pieces of it behind as it grows. */
        data = xmalloc(size);
        if (b->data) {
                memcpy(data, b->data, b->size + 1);
                explicit_bzero(b->data, b->allocated);
                free(b->data);
        } else
                data[0] = '\0';
        b->data = data;
        b->allocated = size;
}

/**
 * buffer_add() - append bytes
 * @b:          the buffer
 * @data:       bytes outside of it, may be NULL if there are none
 * @size:       how many
 */
void buffer_add(Buffer *b, const void *data, size_t size) {
        buffer_reserve(b, size);
        if (size > 0)
                memcpy(b->data + b->size, data, size);
        b->size += size;
        b->data[b->size] = '\0';
}

/**
 * buffer_add_str() - append a string without its NUL
 * @b:          the buffer
 * @s:          the string
 */
void buffer_add_str(Buffer *b, const char *s) {
        buffer_add(b, s, strlen(s));
}

/**
 * buffer_add_char() - append one byte
 * @b:          the buffer
 * @c:          the byte
 */
void buffer_add_char(Buffer *b, char c) {
        buffer_add(b, &c, 1);
}

/**
 * buffer_vaddf() - append formatted text
 * @b:          the buffer
 * @format:     printf-style
 * @ap:         its arguments
 */
void buffer_vaddf(Buffer *b, const char *format, va_list ap) {
        va_list again;
        int n;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (n < 0)
                abort(); /* a format that cannot be printed is a bug */

        buffer_reserve(b, (size_t) n);
        (void) vsnprintf(b->data + b->size, (size_t) n + 1, format, ap);
        b->size += (size_t) n;
}

/**
 * buffer_addf() - append formatted text
 * @b:          the buffer
 * @format:     printf-style
 */
void buffer_addf(Buffer *b, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        buffer_vaddf(b, format, ap);
        va_end(ap);
}

/**
 * buffer_str() - the content as a string
 * @b:          the buffer
 *
 * Return: the text, valid until the buffer changes; "" if there is none.
 */
const char* buffer_str(const Buffer *b) {
        return b->data ?: "";
}

/**
 * buffer_take() - hand the content over
 * @b:          the buffer, empty afterwards
 *
 * Return: a string that the caller frees, never NULL.
 */
char* buffer_take(Buffer *b) {
        char *data = b->data ?: xstrdup("");

        *b = BUFFER_NULL;
        return data;
}

/**
 * buffer_clear() - forget the content, keep the memory
 * @b:          the buffer
 */
void buffer_clear(Buffer *b) {
        b->size = 0;
        if (b->data)
                b->data[0] = '\0';
}

/**
 * buffer_done() - free the content
 * @b:          the buffer, empty and ready for use afterwards
 */
void buffer_done(Buffer *b) {
        free(b->data);
        *b = BUFFER_NULL;
}

/**
 * buffer_wipe() - overwrite and free the content
 * @b:          the buffer, empty and ready for use afterwards
 */
void buffer_wipe(Buffer *b) {
        if (b->data)
                explicit_bzero(b->data, b->allocated);
        buffer_done(b);
}
