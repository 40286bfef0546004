/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * A table on standard output: aligned columns, headings bold. Nothing is ever cut off. Where a terminal is
 * too narrow, columns of text are wrapped between words, spare columns are left out, which is said below the
 * table, and at last text stands below its row. Elsewhere lines are as long as they have to be; a line feed
 * in a cell begins a new line in its column.
 *
 *     Table *t = table_new(v, "NODE", "ROLE", "STATE", NULL);
 *     table_row(t, node->name, "etcd", "ready", NULL);
 *     table_style(t, 2, STYLE_GREEN);
 *     table_print(t);
 *
 * Cells are copied; a missing or empty cell shows as "-". For --json, verbs print a tree of their own with
 * verb_print_json(): a table is for people.
 */
typedef struct Table Table;

Table* table_new(const VerbContext *v, const char *heading, ...) __attribute__((sentinel));
void table_row(Table *t, const char *cell, ...)
        __attribute__((sentinel));                      /* exactly one per column, or NULL at the end */
void table_style(Table *t, size_t column, Style style); /* of that cell in the last row */
void table_align_right(Table *t, size_t column);
void table_text(Table *t, size_t column); /* sentences: may be wrapped */
void table_spare(Table *t, size_t column,
                 const char *elsewhere); /* may be left out: those to the right first */
void table_print(Table *t);
Table* table_free(Table *t);
DEFINE_CLEANUP(Table*, table_free)
