/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/strv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"

/**
 * strv_length() - how many strings there are
 * @v:          the vector, may be NULL
 *
 * Return: the number.
 */
size_t strv_length(char *const *v) {
        size_t n = 0;

        STRV_FOREACH(s, v)
                n++;
        return n;
}

/**
 * strv_contains() - whether a string is in the vector
 * @v:          the vector, may be NULL
 * @s:          the string
 *
 * Return: true if so.
 */
bool strv_contains(char *const *v, const char *s) {
        STRV_FOREACH(i, v)
                if (streq(*i, s))
                        return true;
        return false;
}

static void strv_take(Strv *v, char *s) {
        size_t n = strv_length(*v);

        *v = xrealloc(*v, n + 2, sizeof(char*));
        (*v)[n] = s;
        (*v)[n + 1] = NULL;
}

/**
 * strv_add() - append a copy of a string
 * @v:          the vector
 * @s:          the string
 */
void strv_add(Strv *v, const char *s) {
        strv_take(v, xstrdup(s));
}

void strv_add_once(Strv *v, const char *s) {
        if (!strv_contains(*v, s))
                strv_add(v, s);
}

/**
 * strv_addf() - append a formatted string
 * @v:          the vector
 * @format:     printf-style
 */
void strv_addf(Strv *v, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        strv_take(v, xvasprintf(format, ap));
        va_end(ap);
}

/**
 * strv_add_all() - append copies of all strings of another vector
 * @v:          the vector
 * @other:      the other, may be NULL
 */
void strv_add_all(Strv *v, char *const *other) {
        STRV_FOREACH(s, other)
                strv_add(v, *s);
}

/**
 * strv_new() - make a vector
 * @first:      the first string; more follow, the last is NULL
 *
 * Return: the vector; the caller frees.
 */
Strv strv_new(const char *first, ...) {
        Strv v = NULL;
        va_list ap;

        va_start(ap, first);
        for (const char *s = first; s; s = va_arg(ap, const char*))
                strv_add(&v, s);
        va_end(ap);
        return v;
}

/**
 * strv_copy() - copy a vector
 * @v:          the vector, may be NULL
 *
 * Return: the copy, NULL if it is empty; the caller frees.
 */
Strv strv_copy(char *const *v) {
        Strv copy = NULL;

        strv_add_all(&copy, v);
        return copy;
}

/**
 * strv_split() - cut a string into fields
 * @s:          the string
 * @separators: the characters that separate; a run of them separates once
 *
 * Return: the fields that are not empty, NULL if there are none; the caller frees.
 */
Strv strv_split(const char *s, const char *separators) {
        Strv v = NULL;

        for (;;) {
                size_t n;

                s += strspn(s, separators);
                if (!*s)
                        return v;
                n = strcspn(s, separators);
                strv_take(&v, xstrndup(s, n));
                s += n;
        }
}

/**
 * strv_join() - put all strings into one
 * @v:          the vector, may be NULL
 * @separator:  what stands between two of them
 *
 * Return: the string, never NULL; the caller frees.
 */
char* strv_join(char *const *v, const char *separator) {
        Buffer b = BUFFER_NULL;

        STRV_FOREACH(s, v) {
                if (s != v)
                        buffer_add_str(&b, separator);
                buffer_add_str(&b, *s);
        }
        return buffer_take(&b);
}

static int strv_compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/**
 * strv_sort() - sort by byte value
 * @v:          the vector, may be NULL
 */
void strv_sort(Strv v) {
        if (v)
                qsort(v, strv_length(v), sizeof(char*), strv_compare);
}

/**
 * strv_free() - free a vector and its strings
 * @v:          the vector, may be NULL
 *
 * Return: NULL.
 */
char** strv_free(Strv v) {
        STRV_FOREACH(s, v)
                free(*s);
        free(v);
        return NULL;
}

#define NEAREST_LENGTH_MAX 64

static unsigned min3(unsigned a, unsigned b, unsigned c) {
        unsigned ab = a < b ? a : b;

        return ab < c ? ab : c;
}

/* Damerau-Levenshtein: insertions, deletions, replacements and exchanges of two neighbours, one each. */
static unsigned string_distance(const char *a, size_t n, const char *b, size_t m) {
        unsigned rows[3][NEAREST_LENGTH_MAX + 1];
        unsigned *before = rows[0], *last = rows[1], *row = rows[2];

        for (size_t j = 0; j <= m; j++)
                last[j] = (unsigned) j;

        for (size_t i = 1; i <= n; i++) {
                unsigned *unused = before;

                row[0] = (unsigned) i;
                for (size_t j = 1; j <= m; j++) {
                        row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                            before[j - 2] + 1 < row[j])
                                row[j] = before[j - 2] + 1;
                }
                before = last;
                last = row;
                row = unused;
        }
        return last[m];
}

/**
 * string_nearest() - what the user may have meant
 * @s:          what was written
 * @candidates: what there is, NULL-terminated
 *
 * A third of the letters may be wrong, but no more than three: beyond that a suggestion is a guess.
 *
 * Return: the nearest candidate, the first of several equally near; NULL if none is near.
 */
const char* string_nearest(const char *s, const char *const *candidates) {
        const char *nearest = NULL;
        size_t n = strlen(s);
        unsigned limit = n < 3 ? 1 : n / 3 < 3 ? (unsigned) n / 3 : 3;

        if (n == 0 || n > NEAREST_LENGTH_MAX)
                return NULL;

        for (const char *const *c = candidates; c && *c; c++) {
                size_t m = strlen(*c);
                unsigned distance;

                if (m > NEAREST_LENGTH_MAX)
                        continue;
                distance = string_distance(s, n, *c, m);
                /* One letter for another is no misspelling. */
                if (distance > limit || distance >= m || distance >= n)
                        continue;
                nearest = *c;
                if (distance == 0)
                        break;
                limit = distance - 1;
        }
        return nearest;
}
