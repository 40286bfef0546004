/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static _noreturn_ void alloc_failed(void) {
        static const char text[] = "hardway: out of memory\n";

        /* No stdio: it might want to allocate. */
        if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
                abort();
        abort();
}

/**
 * xmalloc() - allocate or end the program
 * @size:       bytes; 0 gives a pointer that may be freed
 *
 * Return: memory that is not initialised; the caller frees.
 */
void* xmalloc(size_t size) {
        void *p = malloc(size ?: 1);

        if (!p)
                alloc_failed();
        return p;
}

/**
 * xcalloc() - allocate zeroed memory or end the program
 * @n:          how many
 * @size:       bytes of each; the product is checked for overflow
 *
 * Return: zeroed memory; the caller frees.
 */
void* xcalloc(size_t n, size_t size) {
        void *p = calloc(n ?: 1, size ?: 1);

        if (!p)
                alloc_failed();
        return p;
}

/**
 * xrealloc() - resize an array or end the program
 * @p:          what xmalloc() and its like gave, or NULL
 * @n:          how many
 * @size:       bytes of each; the product is checked for overflow
 *
 * Return: the memory at its new place; what is new is not initialised.
 */
void* xrealloc(void *p, size_t n, size_t size) {
        p = reallocarray(p, n ?: 1, size ?: 1);
        if (!p)
                alloc_failed();
        return p;
}

/**
 * xstrdup() - copy a string
 * @s:          the string, not NULL
 *
 * Return: the copy; the caller frees.
 */
char* xstrdup(const char *s) {
        return xmemdup(s, strlen(s) + 1);
}

/**
 * xstrndup() - copy the beginning of a string
 * @s:          bytes, which need no NUL within the first @n
 * @n:          how many at most
 *
 * Return: a string; the caller frees.
 */
char* xstrndup(const char *s, size_t n) {
        size_t length = strnlen(s, n);
        char *copy = xmalloc(length + 1);

        memcpy(copy, s, length);
        copy[length] = '\0';
        return copy;
}

/**
 * xmemdup() - copy bytes
 * @p:          the bytes, may be NULL if there are none
 * @size:       how many
 *
 * Return: the copy; the caller frees.
 */
void* xmemdup(const void *p, size_t size) {
        void *copy = xmalloc(size);

        if (size > 0)
                memcpy(copy, p, size);
        return copy;
}

/**
 * xvasprintf() - format a new string
 * @format:     printf-style
 * @ap:         its arguments
 *
 * Return: the string; the caller frees.
 */
char* xvasprintf(const char *format, va_list ap) {
        char *s;

        if (vasprintf(&s, format, ap) < 0)
                alloc_failed();
        return s;
}

/**
 * xasprintf() - format a new string
 * @format:     printf-style
 *
 * Return: the string; the caller frees.
 */
char* xasprintf(const char *format, ...) {
        va_list ap;
        char *s;

        va_start(ap, format);
        s = xvasprintf(format, ap);
        va_end(ap);
        return s;
}

/**
 * endswith() - whether a string ends with another
 * @s:          the string
 * @suffix:     its end; the empty string ends every string
 *
 * Return: true if so.
 */
bool endswith(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

/**
 * secret_freep() - cleanup of _cleanup_secret_
 * @p:          address of a string variable, which may be NULL
 */
void secret_freep(char **p) {
        if (!*p)
                return;

        explicit_bzero(*p, strlen(*p));
        free(*p);
        *p = NULL;
}
