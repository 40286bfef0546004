/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explain-print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/table.h"
#include "common/alloc.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN 40
#define WIDTH_MAX 110 /* longer lines are hard to read */
#define LABEL_WIDTH 10
#define STEP_INDENT 10 /* of the commands of a step */

static int line_width(const VerbContext *v) {
        struct winsize size = {};

        if (!v->terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return WIDTH_DEFAULT;
        return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

/* Text in lines of a width, the first of which continues a line at column. */
static void print_wrapped(const char *text, int indent, int column, int width) {
        while (*text) {
                int n = (int) strcspn(text, " \n");

                if (column > indent && column + 1 + n > width) {
                        (void) printf("\n%*s", indent, "");
                        column = indent;
                } else if (column > indent) {
                        (void) putchar(' ');
                        column++;
                }
                (void) printf("%.*s", n, text);
                column += n;
                text += n;
                if (*text == '\n' && text[1]) {
                        (void) printf("\n%*s", indent, "");
                        column = indent;
                }
                text += strspn(text, " \n");
        }
        (void) putchar('\n');
}

static void print_label(const VerbContext *v, const char *label) {
        (void) printf("  %s%-*s%s", verb_style(v, STYLE_BOLD), LABEL_WIDTH, label,
                      verb_style(v, STYLE_NONE));
}

static void print_field(const VerbContext *v, const char *label, const char *text) {
        if (!text)
                return;
        print_label(v, label);
        print_wrapped(text, LABEL_WIDTH + 2, LABEL_WIDTH + 2, line_width(v));
}

/* "<<EOF" or "<<'EOF'": what follows is no command, but the text of a file, up to the line that says EOF. */
static bool begins_text(const char *line, size_t n) {
        return memmem(line, n, "<<EOF", strlen("<<EOF")) || memmem(line, n, "<<'EOF'", strlen("<<'EOF'"));
}

/*
 * A command is to be copied: it is not wrapped, but each of several gets a line. The first continues one. Text for a file is
 * not indented, as that would be in the file, and its end not be found.
 */
static void print_lines(const char *text, int indent) {
        bool in_text = false;

        for (const char *p = text; *p;) {
                int n = (int) strcspn(p, "\n");

                (void) printf("%*s%.*s\n", p == text || in_text ? 0 : indent, "", n, p);
                in_text = in_text ? n != 3 || strncmp(p, "EOF", 3) != 0 : begins_text(p, (size_t) n);
                p += n + (p[n] == '\n');
        }
}

static void print_command(const VerbContext *v, const char *label, const char *text) {
        if (!text)
                return;
        print_label(v, label);
        print_lines(text, LABEL_WIDTH + 2);
}

static void print_values(const VerbContext *v, const Explanation *e) {
        if (e->n_values == 0) {
                if (e->absent && v->cluster)
                        print_field(v, "Here", "Not in this cluster.");
                return;
        }
        for (size_t i = 0; i < e->n_values; i++) {
                _cleanup_free_ char *where = e->values[i].where ? strv_join(e->values[i].where, ", ") : NULL;
                _cleanup_free_ char *text = where ? xasprintf("on %s: %s", where, e->values[i].text) :
                                                    xstrdup(e->values[i].text);

                print_field(v, i == 0 ? "Here" : "", text);
        }
}

static void print_parts(const VerbContext *v, const Explanation *e) {
        int width = line_width(v);

        if (e->n_parts == 0)
                return;
        (void) printf("\n  %s%s%s%s%s\n", verb_style(v, STYLE_BOLD), e->parts_title ?: "Parts",
                      e->parts_of ? ", on " : "", e->parts_of ? e->parts_of->name : "",
                      verb_style(v, STYLE_NONE));
        for (size_t i = 0; i < e->n_parts; i++) {
                const ExplainPart *part = e->parts + i;

                (void) printf("    %s\n", part->name);
                if (part->text) {
                        (void) printf("        %s", verb_style(v, STYLE_DIM));
                        print_wrapped(part->text, 8, 8, width);
                        (void) fputs(verb_style(v, STYLE_NONE), stdout);
                }
                if (part->by_hand) {
                        (void) printf("%*s", STEP_INDENT, "");
                        print_lines(part->by_hand, STEP_INDENT);
                }
        }
}

void explain_print(const VerbContext *v, const Explanation *e) {
        (void) printf("%s%s%s: %s\n", verb_style(v, STYLE_BOLD), e->name, verb_style(v, STYLE_NONE),
                      e->kind);
        print_field(v, "Why", e->why);
        print_field(v, "Without", e->without);
        print_values(v, e);
        print_field(v, "Read by", e->read_by);
        print_field(v, "See", e->manual);
        print_command(v, "Usage", e->usage);
        print_command(v, "By hand", e->by_hand);
        print_parts(v, e);
}

void explain_print_choice(const VerbContext *v, const Explanation *const *list, size_t n) {
        _cleanup_(table_freep) Table *t = table_new(v, "NAME", "WHAT", "WHY", NULL);

        table_text(t, 2);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || !streq(list[i]->name, list[i - 1]->name))
                        table_row(t, list[i]->name, list[i]->kind, list[i]->why ?: "", NULL);
        table_print(t);
}
