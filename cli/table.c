/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/table.h"

#include <libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>

#include "common/alloc.h"

struct Table {
        struct libscols_table *table;
        struct libscols_line *last;
        bool color;
};

static const char *const colors[_STYLE_MAX] = {
        [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",     [STYLE_RED] = "\033[31m",
        [STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m",
};

/* libsmartcols fails for want of memory only, if its caller has no bug. */
static void* must(void *p) {
        if (!p)
                abort();
        return p;
}

/**
 * table_new() - begin a table
 * @v:          the context
 * @heading:    of the first column, then those of the others, then NULL
 *
 * Return: the table; the caller frees.
 */
Table* table_new(const VerbContext *v, const char *heading, ...) {
        Table *t = xnew(Table, 1);
        va_list ap;

        t->table = must(scols_new_table());
        t->color = v->color;
        (void) scols_table_enable_colors(t->table, v->color);
        (void) scols_table_set_column_separator(t->table, "   ");
        if (!v->terminal)
                (void) scols_table_set_termforce(t->table, SCOLS_TERMFORCE_NEVER);

        va_start(ap, heading);
        for (const char *h = heading; h; h = va_arg(ap, const char*)) {
                struct libscols_column *column =
                        must(scols_table_new_column(t->table, h, 0, SCOLS_FL_TRUNC));

                if (v->color)
                        (void) scols_cell_set_color(scols_column_get_header(column), colors[STYLE_BOLD]);
        }
        va_end(ap);
        return t;
}

/**
 * table_row() - add a row
 * @t:          the table
 * @cell:       of the first column, then those of the others, then NULL
 */
void table_row(Table *t, const char *cell, ...) {
        size_t n = scols_table_get_ncols(t->table);
        va_list ap;
        size_t i = 0;

        t->last = must(scols_table_new_line(t->table, NULL));
        va_start(ap, cell);
        for (const char *c = cell; c && i < n; c = va_arg(ap, const char*))
                (void) scols_line_set_data(t->last, i++, *c ? c : "-");
        va_end(ap);
        while (i < n)
                (void) scols_line_set_data(t->last, i++, "-");
}

/**
 * table_style() - colour a cell of the last row
 * @t:          the table
 * @column:     which one
 * @style:      how
 */
void table_style(Table *t, size_t column, Style style) {
        if (t->color && t->last && colors[style])
                (void) scols_cell_set_color(scols_line_get_cell(t->last, column), colors[style]);
}

/**
 * table_align_right() - write a column of numbers as one does
 * @t:          the table
 * @column:     which one
 */
void table_align_right(Table *t, size_t column) {
        struct libscols_column *c = scols_table_get_column(t->table, column);

        if (c)
                (void) scols_column_set_flags(c, SCOLS_FL_RIGHT);
}

/**
 * table_print() - print the table to standard output
 * @t:          the table
 */
void table_print(Table *t) {
        (void) scols_table_set_stream(t->table, stdout);
        (void) scols_print_table(t->table);
}

/**
 * table_free() - free a table
 * @t:          the table, or NULL
 *
 * Return: NULL.
 */
Table* table_free(Table *t) {
        if (t) {
                scols_unref_table(t->table);
                free(t);
        }
        return NULL;
}
