/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdarg.h>
#include <string.h>

#include "common/macro.h"

/*
 * Allocation that cannot fail
 *
 * hardway is a short-lived tool whose every write is atomic and whose every run may be repeated: running out
 * of memory ends it with one line on standard error. Sizes that come from outside are limited before
 * anything is allocated for them (cluster file, checksum files, answers of servers).
 */

void* xmalloc(size_t size) __attribute__((returns_nonnull));
void* xcalloc(size_t n, size_t size) __attribute__((returns_nonnull));
void* xrealloc(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char* xstrdup(const char *s) __attribute__((returns_nonnull));
char* xstrndup(const char *s, size_t n) __attribute__((returns_nonnull));
void* xmemdup(const void *p, size_t size) __attribute__((returns_nonnull));
char* xasprintf(const char *format, ...) _printf_(1, 2) __attribute__((returns_nonnull));
char* xvasprintf(const char *format, va_list ap) _printf_(1, 0) __attribute__((returns_nonnull));

#define xnew(type, n) ((type*) xcalloc((n), sizeof(type)))

static inline char* xstrdup_null(const char *s) {
        return s ? xstrdup(s) : NULL;
}

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static inline bool streq_null(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

/* The part of s behind prefix, or NULL if s does not begin with it. */
static inline const char* startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool endswith(const char *s, const char *suffix);

/* Wipes and frees a string that held a secret. */
void secret_freep(char **p);
#define _cleanup_secret_ _cleanup_(secret_freep)
