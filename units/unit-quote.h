/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"

/*
 * The bytes of a unit file: which values can stand there as they are, and how others are written.
 * unit-file.h is what others use; here is what it is made of.
 *
 * Settings differ in what they do with a word. Command lines and Environment= know C's escapes (\n, \x20),
 * lists of names and paths know none that all of them share; command lines expand variables ('$').
 * Specifiers ('%') are expanded everywhere, and escaped unless they are wanted.
 */
typedef enum UnitQuote {
        QUOTE_ESCAPES = 1 << 0,
        QUOTE_VARIABLES = 1 << 1,
        QUOTE_KEEP_SPECIFIERS = 1 << 2,
} UnitQuote;

int unit_quote_word(const char *s, UnitQuote quote, Buffer *out);
bool unit_value_is_valid(const char *value);
bool unit_text_is_utf8(const char *s);
