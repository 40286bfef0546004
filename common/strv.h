/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/*
 * A vector of strings, NULL-terminated, as exec wants it
 *
 * An empty vector is NULL or { NULL }. Adding copies the string.
 */

typedef char **Strv;

size_t strv_length(char *const *v);
bool strv_contains(char *const *v, const char *s);
void strv_add(Strv *v, const char *s);
void strv_add_once(Strv *v, const char *s); /* unless it is there */
void strv_addf(Strv *v, const char *format, ...) _printf_(2, 3);
void strv_add_all(Strv *v, char *const *other);
Strv strv_new(const char *first, ...) __attribute__((sentinel));
Strv strv_copy(char *const *v);
Strv strv_split(const char *s, const char *separators); /* empty fields are left out */
char* strv_join(char *const *v, const char *separator);
void strv_sort(Strv v);
char** strv_free(Strv v);
DEFINE_CLEANUP(Strv, strv_free)
#define _cleanup_strv_ _cleanup_(strv_freep)

#define STRV_FOREACH(s, v) for (char *const *s = (v); s && *s; s++)

/* The nearest of candidates (NULL-terminated) to s, for "did you mean", or NULL if none is near. */
const char* string_nearest(const char *s, const char *const *candidates);
