/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/problems.h"

#include <stdlib.h>

#include "common/alloc.h"

static void _printf_(4, 0)
        problem_vadd(Problems *p, Mark mark, bool warning, const char *format, va_list ap) {
        if (!warning && p->n_errors++ >= PROBLEMS_MAX) {
                p->n_untold++;
                return;
        }

        /* Grown by doubling: powers of two are where there is no room left. */
        if ((p->n_items & (p->n_items - 1)) == 0)
                p->items = xrealloc(p->items, p->n_items ? p->n_items * 2 : 1, sizeof(Problem));
        p->items[p->n_items++] = (Problem) {
                .mark = mark,
                .warning = warning,
                .text = xvasprintf(format, ap),
        };
}

/**
 * problem_add() - note an error
 * @p:          the problems
 * @mark:       where it is
 * @format:     printf-style message, one line, without the place
 */
void problem_add(Problems *p, Mark mark, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        problem_vadd(p, mark, /* warning= */ false, format, ap);
        va_end(ap);
}

/**
 * problem_warn() - note what is legal but unwise
 * @p:          the problems
 * @mark:       where it is
 * @format:     printf-style message, one line, without the place
 */
void problem_warn(Problems *p, Mark mark, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        problem_vadd(p, mark, /* warning= */ true, format, ap);
        va_end(ap);
}

/**
 * problem_format() - put the place in front of a message
 * @p:          the problems, for the file's name
 * @mark:       where it is
 * @text:       the message
 *
 * Return: "file:line:column: text"; the caller frees.
 */
char* problem_format(const Problems *p, Mark mark, const char *text) {
        if (!p->path)
                return xstrdup(text);
        if (mark.line == 0)
                return xasprintf("%s: %s", p->path, text);
        return xasprintf("%s:%d:%d: %s", p->path, mark.line, mark.column, text);
}

/**
 * problem_line() - point to another place of the file
 * @p:          the problems, for whether there is a file
 * @mark:       the other place
 *
 * Return: " (line 7)", or "" where nobody has the lines before them; the caller frees.
 */
char* problem_line(const Problems *p, Mark mark) {
        return p->path ? xasprintf(" (line %d)", mark.line) : xstrdup("");
}

/*
 * qsort() is not stable, but the order of two problems of one place should not depend on the C library: by
 * age then.
 */
static int problem_compare(const void *a, const void *b) {
        const Problem *const *x = a, *const *y = b;

        if ((*x)->mark.line != (*y)->mark.line)
                return (*x)->mark.line < (*y)->mark.line ? -1 : 1;
        if ((*x)->mark.column != (*y)->mark.column)
                return (*x)->mark.column < (*y)->mark.column ? -1 : 1;
        return *x < *y ? -1 : 1;
}

/**
 * problems_publish() - hand all of them over, in the order of the file
 * @p:          the problems
 * @errors:     where the errors go
 * @warnings:   where the warnings go, or NULL
 */
void problems_publish(Problems *p, ErrorList *errors, ErrorList *warnings) {
        _cleanup_free_ const Problem **sorted = xnew(const Problem*, p->n_items + 1);

        for (size_t i = 0; i < p->n_items; i++)
                sorted[i] = &p->items[i];
        qsort(sorted, p->n_items, sizeof(Problem*), problem_compare);

        for (size_t i = 0; i < p->n_items; i++) {
                _cleanup_free_ char *text = problem_format(p, sorted[i]->mark, sorted[i]->text);
                ErrorList *list = sorted[i]->warning ? warnings : errors;

                if (list)
                        error_list_add(list, ERROR_CONFIG, EINVAL, "%s", text);
        }

        if (p->n_untold > 0) {
                _cleanup_free_ char *text =
                        xasprintf("and %zu more problems, which are not listed", p->n_untold);
                _cleanup_free_ char *message = problem_format(p, (Mark) {}, text);

                error_list_add(errors, ERROR_CONFIG, EINVAL, "%s", message);
        }
}

/**
 * problems_done() - free what was collected
 * @p:          the problems
 */
void problems_done(Problems *p) {
        for (size_t i = 0; i < p->n_items; i++)
                free(p->items[i].text);
        free(p->items);
        *p = (Problems) { .path = p->path };
}
