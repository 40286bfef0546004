/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "common/macro.h"

/*
 * Text to number, whole string or nothing: no blanks, no signs where none belong, no trailing characters.
 * Each returns 0, -EINVAL (not of the form) or -ERANGE (outside minimum and maximum).
 */

int parse_uint64(const char *s, uint64_t minimum, uint64_t maximum, uint64_t *ret);
int parse_unsigned(const char *s, unsigned minimum, unsigned maximum, unsigned *ret);
int parse_boolean(const char *s, bool *ret);                      /* true, false, yes, no */
int parse_span(const char *s, int64_t maximum, int64_t *ret_sec); /* "30d", "12h", "90m", "45s" */
int parse_hex(const char *s, void *ret, size_t size);             /* exactly 2*size hex digits */
void format_hex(const void *data, size_t size, char *ret);        /* ret has 2*size+1 bytes */
