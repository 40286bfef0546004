/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a table of lines to a configuration file
 */

#include <string.h>

#include "common/alloc.h"
#include "plan/config-text.h"

#define INDENT 8

static void add_lines(Buffer *out, unsigned depth, const char *keyword, const char *text) {
        const char *line = text;

        do {
                size_t n = strcspn(line, "\n");

                buffer_addf(out, "%*s%s%s%.*s\n", (int) depth * INDENT, "", keyword,
                            *keyword && n > 0 ? " " : "", (int) n, line);
                line += n + (line[n] == '\n');
        } while (*line);
}

/**
 * config_line_value() - what stands behind a line's keyword, for one node
 * @l:          the line
 * @c:          what it depends on
 *
 * Return: the text, several lines of it if the keyword comes several times; NULL if the line is left out.
 * The caller frees.
 */
char* config_line_value(const ConfigLine *l, const PlanContext *c) {
        return l->function ? l->function(c) : xstrdup(l->value ? l->value : "");
}

/**
 * config_text_render() - write a configuration file for one node
 * @t:          the table
 * @c:          what values depend on
 * @out:        where to append the text
 */
void config_text_render(const ConfigText *t, const PlanContext *c, Buffer *out) {
        for (const ConfigLine *l = t->lines; l < t->lines + t->n_lines; l++) {
                _cleanup_free_ char *value = config_line_value(l, c);

                if (!value)
                        continue;
                if (l->comment)
                        add_lines(out, l->depth, "#", l->comment);
                if (l->keyword)
                        add_lines(out, l->depth, l->keyword, value);
                else if (!l->comment)
                        buffer_add_char(out, '\n');
        }
}
