/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "plan/flag.h"

/*
 * A configuration file of another program as a table of its lines: the text, and why each is there
 *
 * The file is written from the table, and `explain` finds a line in it by its keyword. A row without a
 * reason only holds others together: a brace, a blank line, a comment of the file.
 */
typedef struct ConfigLine {
        unsigned depth;      /* how far it is indented */
        const char *keyword; /* "timeout connect"; NULL: the comment alone, or an empty line */
        const char *value;   /* what stands behind it; or ... */
        /* ... this gives it; NULL result: the line is left out; behind a newline, the keyword comes again */
        char *(*function)(const PlanContext *c);
        const char *comment; /* above the line, in the file; or NULL */
        const char *why;
        const char *without; /* what breaks without it */
        const char
                *instead; /* a sysctl that others set for the same; explain finds the line by it. Or NULL */
} ConfigLine;

/* A word in the values of lines, and what it is there for; for `explain`. Names that the file itself declares are none. */
typedef struct ConfigWord {
        const char *keyword; /* of the lines */
        const char *word;
        const char *why;
        const char *without;
} ConfigWord;

typedef struct ConfigText {
        const char *path;
        const char *manual; /* what upstream's documentation is called */
        const ConfigLine *lines;
        size_t n_lines;
        const ConfigWord *words;
        size_t n_words;
} ConfigText;

void config_text_render(const ConfigText *t, const PlanContext *c, Buffer *out);
char* config_line_value(const ConfigLine *l, const PlanContext *c); /* NULL: has none, or is left out */
