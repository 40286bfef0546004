/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"

/*
 * What is wrong with a cluster file: collected in any order, handed over in that of the file
 *
 * Marks count lines and columns from 1, as editors do; a mark of line 0 is the file as a whole. Problems are
 * errors unless they are warnings. Beyond PROBLEMS_MAX errors the rest is only counted: nobody reads them,
 * and a hostile file must not make us write a hundred thousand.
 */
typedef struct Mark {
        int line, column;
} Mark;

#define MARK_REFUSED ((Mark) { .line = -1 })

#define PROBLEMS_MAX 50

typedef struct Problem {
        Mark mark;
        bool warning;
        char *text;
} Problem;

typedef struct Problems {
        const char *path; /* NULL: messages do not say where */
        Problem *items;
        size_t n_items;
        size_t n_errors, n_untold;
} Problems;

void problem_add(Problems *p, Mark mark, const char *format, ...) _printf_(3, 4);
void problem_warn(Problems *p, Mark mark, const char *format, ...) _printf_(3, 4);
char* problem_format(const Problems *p, Mark mark, const char *text);
char* problem_line(const Problems *p,
                   Mark mark); /* " (line 7)" for messages that point elsewhere; "" without a file */
void problems_publish(Problems *p, ErrorList *errors, ErrorList *warnings);
void problems_done(Problems *p);
