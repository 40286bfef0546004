/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/text.h"

#define TEXT_MIN 24       /* characters that a column of text is worth having with */
#define SPARE_MIN 32      /* ... and one that may be left out: less is more confusing than none */
#define SPARE_MAX 64      /* of a spare column of text where lines may be of any length */
#define SEPARATOR_WIDTH 2 /* between columns */
#define BELOW_INDENT 4    /* of text that has no room beside its row */
#define WIDEST_MIN 12     /* of the widest column, where even those that are no text have no room */

typedef struct TableColumn {
        const char *heading;
        bool text;  /* sentences: may be wrapped */
        bool spare; /* may be left out */
        bool right; /* of numbers */
        bool left_out;
        bool below;   /* wrapped below its row */
        size_t width; /* while the table is laid out: of its widest cell, then as printed */
} TableColumn;

typedef struct TableRow {
        char **cells;
        Style *styles;
} TableRow;

struct Table {
        TableColumn *columns;
        size_t n_columns;
        TableRow *rows;
        size_t n_rows;
        const char *elsewhere; /* where what was left out is to be had */
        size_t limit;          /* characters of the terminal, 0 where lines may be of any length */
        bool color;
};

static size_t terminal_width(const VerbContext *v) {
        struct winsize size = {};

        if (!v->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
                return 0;
        return size.ws_col;
}

/**
 * table_new() - begin a table
 * @v:          the context
 * @heading:    of the first column, then those of the others, then NULL; lent
 *
 * Return: the table; the caller frees.
 */
Table* table_new(const VerbContext *v, const char *heading, ...) {
        Table *t = xnew(Table, 1);
        va_list ap;

        t->limit = terminal_width(v);
        t->color = v->color;
        va_start(ap, heading);
        for (const char *h = heading; h; h = va_arg(ap, const char*)) {
                t->columns = xrealloc(t->columns, t->n_columns + 1, sizeof(TableColumn));
                t->columns[t->n_columns++] = (TableColumn) { .heading = h };
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
        TableRow row = { xnew(char*, t->n_columns), xnew(Style, t->n_columns) };
        va_list ap;
        size_t i = 0;

        va_start(ap, cell);
        for (const char *c = cell; c && i < t->n_columns; c = va_arg(ap, const char*))
                row.cells[i++] = text_harmless(xstrdup(*c ? c : "-"), TEXT_LINES);
        va_end(ap);
        while (i < t->n_columns)
                row.cells[i++] = xstrdup("-");
        t->rows = xrealloc(t->rows, t->n_rows + 1, sizeof(TableRow));
        t->rows[t->n_rows++] = row;
}

/**
 * table_style() - colour a cell of the last row
 * @t:          the table
 * @column:     which one
 * @style:      how
 */
void table_style(Table *t, size_t column, Style style) {
        if (t->n_rows > 0 && column < t->n_columns)
                t->rows[t->n_rows - 1].styles[column] = style;
}

/**
 * table_align_right() - write a column of numbers as one does
 * @t:          the table
 * @column:     which one
 */
void table_align_right(Table *t, size_t column) {
        t->columns[column].right = true;
}

/**
 * table_text() - say that a column holds sentences, which may be wrapped
 * @t:          the table
 * @column:     which one
 */
void table_text(Table *t, size_t column) {
        t->columns[column].text = true;
}

/**
 * table_spare() - say that a column may be left out where there is no room; the last first
 * @t:          the table
 * @column:     which one
 * @elsewhere:  where what was left out is to be had: "--json"; lent
 */
void table_spare(Table *t, size_t column, const char *elsewhere) {
        t->columns[column].spare = true;
        t->elsewhere = elsewhere;
}

/* Characters, not bytes: of those in use here each takes one place. */
static size_t text_width(const char *text, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += ((unsigned char) text[i] & 0xc0) != 0x80;
        return n;
}

static size_t cell_width(const char *text) {
        size_t widest = 0;

        while (*text) {
                size_t size = strcspn(text, "\n"), width = text_width(text, size);

                widest = width > widest ? width : widest;
                text += size + (text[size] == '\n');
        }
        return widest;
}

/* How many bytes of a text a line of this many characters takes: up to a blank, else a slash, else all that fit. */
static size_t line_size(const char *text, size_t width) {
        size_t size = strcspn(text, "\n"), fits = 0, blank = 0, slash = 0, n = 0;

        if (text_width(text, size) <= width)
                return size;
        while (fits < size) {
                n += ((unsigned char) text[fits] & 0xc0) != 0x80;
                if (text[fits] == ' ' && n <= width + 1)
                        blank = fits;
                if (n > width)
                        break;
                fits++;
                if (text[fits - 1] == '/' || text[fits - 1] == ',')
                        slash = fits;
        }
        return blank ?: slash ?: fits ?: size;
}

/* What follows a line: the end of it, or the blanks at which it was wrapped, are no part of the next. */
static const char* next_line(const char *text) {
        return *text == '\n' ? text + 1 : text + strspn(text, " ");
}

static void measure(Table *t) {
        for (size_t i = 0; i < t->n_columns; i++) {
                TableColumn *c = t->columns + i;

                c->left_out = c->below = false;
                c->width = cell_width(c->heading);
                for (size_t k = 0; k < t->n_rows; k++) {
                        size_t width = cell_width(t->rows[k].cells[i]);

                        c->width = width > c->width ? width : c->width;
                }
        }
}

static bool is_beside(const TableColumn *c) {
        return !c->left_out && !c->below;
}

/* What the columns want: text at least so much that it can be read. */
static size_t least_width(const Table *t) {
        size_t sum = 0;

        for (size_t i = 0; i < t->n_columns; i++) {
                const TableColumn *c = t->columns + i;
                size_t least = c->spare ? SPARE_MIN : TEXT_MIN;

                if (is_beside(c))
                        sum += (c->text && c->width > least ? least : c->width) +
                               (sum > 0 ? SEPARATOR_WIDTH : 0);
        }
        return sum;
}

/* Columns of text share what the others leave; one that wants less than its share leaves the rest to others. */
static void share_width(Table *t) {
        size_t room = t->limit, n = 0, n_before = 0;
        _cleanup_free_ bool *served = xnew(bool, t->n_columns);

        for (size_t i = 0; i < t->n_columns; i++) {
                const TableColumn *c = t->columns + i;

                if (!is_beside(c))
                        continue;
                room -= i > 0 ? SEPARATOR_WIDTH : 0;
                room -= c->text ? 0 : c->width;
                n += c->text;
        }
        while (n > 0 && n != n_before) {
                n_before = n;
                for (size_t i = 0; i < t->n_columns; i++) {
                        const TableColumn *c = t->columns + i;

                        if (!is_beside(c) || !c->text || served[i] || c->width > room / n)
                                continue;
                        served[i] = true;
                        room -= c->width;
                        n--;
                        if (n == 0)
                                return;
                }
        }
        for (size_t i = 0; i < t->n_columns; i++)
                if (is_beside(t->columns + i) && t->columns[i].text && !served[i])
                        t->columns[i].width = room / n;
}

/* Names are wrapped, at their slashes, where there is nothing else to be had. */
static void wrap_widest(Table *t, size_t excess) {
        TableColumn *widest = t->columns;

        for (size_t i = 1; i < t->n_columns; i++)
                if (is_beside(t->columns + i) && t->columns[i].width > widest->width)
                        widest = t->columns + i;
        widest->width = widest->width > excess + WIDEST_MIN ? widest->width - excess : WIDEST_MIN;
}

/* The least that makes it fit: leave out what is spare, put text below its row, wrap the widest column. */
static void lay_out(Table *t) {
        size_t width;

        measure(t);
        if (t->limit == 0) {
                for (size_t i = 0; i < t->n_columns; i++)
                        if (t->columns[i].spare && t->columns[i].text && t->columns[i].width > SPARE_MAX)
                                t->columns[i].width = SPARE_MAX;
                return;
        }
        for (size_t i = t->n_columns; i-- > 0 && least_width(t) > t->limit;)
                t->columns[i].left_out = t->columns[i].spare;
        if (least_width(t) > t->limit)
                for (size_t i = 1; i < t->n_columns; i++)
                        t->columns[i].below = t->columns[i].text && !t->columns[i].left_out;
        width = least_width(t);
        if (width <= t->limit) {
                share_width(t);
                return;
        }
        wrap_widest(t, width - t->limit);
}

static void print_cell(const Table *t, size_t i, const char *text, size_t size, Style style, bool last) {
        const TableColumn *c = t->columns + i;
        size_t width = text_width(text, size);
        int padding = width < c->width ? (int) (c->width - width) : 0;
        const char *color = t->color && size > 0 && style != STYLE_NONE ? style_sequence(style) : "";

        (void) printf("%*s%s%.*s%s%*s", c->right ? padding : 0, "", color, (int) size, text,
                      *color ? style_sequence(STYLE_NONE) : "", c->right || last ? 0 : padding, "");
        if (!last)
                (void) printf("%*s", SEPARATOR_WIDTH, "");
}

/* As many lines as its cells take. Blanks behind the last cell of a line are not printed. */
static void print_beside(const Table *t, const char *const *cells, const Style *styles) {
        _cleanup_free_ const char **rest = xnew(const char*, t->n_columns);
        size_t end;

        memcpy(rest, cells, t->n_columns * sizeof(const char*));
        for (;;) {
                end = 0;
                for (size_t i = 0; i < t->n_columns; i++)
                        if (is_beside(t->columns + i) && *rest[i])
                                end = i + 1;
                if (end == 0)
                        return;
                for (size_t i = 0; i < end; i++) {
                        size_t size;

                        if (!is_beside(t->columns + i))
                                continue;
                        size = line_size(rest[i], t->columns[i].width);
                        print_cell(t, i, rest[i], size, styles[i], i + 1 == end);
                        rest[i] = next_line(rest[i] + size);
                }
                (void) putchar('\n');
        }
}

static void print_lines(const char *text, size_t indent, size_t limit) {
        size_t width = limit > 2 * indent ? limit - indent : limit;

        while (*text) {
                size_t size = line_size(text, width);

                (void) printf("%*s%.*s\n", (int) indent, "", (int) size, text);
                text = next_line(text + size);
        }
}

static void print_headings(const Table *t) {
        _cleanup_free_ const char **headings = xnew(const char*, t->n_columns);
        _cleanup_free_ Style *styles = xnew(Style, t->n_columns);

        for (size_t i = 0; i < t->n_columns; i++) {
                headings[i] = t->columns[i].heading;
                styles[i] = STYLE_BOLD;
        }
        print_beside(t, headings, styles);
}

static void tell_left_out(const Table *t) {
        _cleanup_strv_ Strv names = NULL;
        _cleanup_free_ char *all = NULL, *text = NULL;

        for (size_t i = 0; i < t->n_columns; i++)
                if (t->columns[i].left_out)
                        strv_add(&names, t->columns[i].heading);
        if (!names)
                return;
        all = strv_join(names, ", ");
        text = xasprintf("%s: in a wider terminal, or with %s", all, t->elsewhere);
        (void) printf("\n%s", t->color ? style_sequence(STYLE_DIM) : "");
        print_lines(text, 0, t->limit);
        (void) fputs(t->color ? style_sequence(STYLE_NONE) : "", stdout);
}

/**
 * table_print() - print the table to standard output
 * @t:          the table
 */
void table_print(Table *t) {
        lay_out(t);
        print_headings(t);
        for (size_t k = 0; k < t->n_rows; k++) {
                const TableRow *row = t->rows + k;

                print_beside(t, (const char *const *) row->cells, row->styles);
                for (size_t i = 0; i < t->n_columns; i++)
                        if (t->columns[i].below && !streq(row->cells[i], "-"))
                                print_lines(row->cells[i], BELOW_INDENT, t->limit);
        }
        tell_left_out(t);
}

/**
 * table_free() - free a table
 * @t:          the table, or NULL
 *
 * Return: NULL.
 */
Table* table_free(Table *t) {
        if (!t)
                return NULL;
        for (size_t k = 0; k < t->n_rows; k++) {
                for (size_t i = 0; i < t->n_columns; i++)
                        free(t->rows[k].cells[i]);
                free(t->rows[k].cells);
                free(t->rows[k].styles);
        }
        free(t->rows);
        free(t->columns);
        free(t);
        return NULL;
}
