/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "common/buffer.h"

/* One row of a Progress, and how it looks. */
typedef struct ProgressRow {
        char *name;
        Strv finished; /* "facts 0.2 s" */
        char *step;    /* the one it is at, or NULL */
        char *detail;  /* what that waits for, or NULL */
        uint64_t done, total;
        uint64_t first, first_usec; /* done when it was first told, and when: for the rate */
        uint64_t begin_usec;        /* of its first step */
        uint64_t start_usec, told_usec;
        char *end; /* how it ended, or NULL */
        bool success, removed;
} ProgressRow;

char* progress_step_done(const ProgressRow *row); /* "facts 0.2 s" */
char* progress_step_text(const ProgressRow *row); /* "etcd: 2 of 3 members, 12 s" */

/*
 * Adds the lines for a terminal, each over what stands there now, and clears n_old lines in all. Returns
 * their number.
 */
size_t progress_lines(const VerbContext *v, const ProgressRow *rows, size_t n_rows, size_t n_old,
                      Buffer *out);
void progress_line(const VerbContext *v, const ProgressRow *row, size_t name_width, size_t width,
                   Buffer *out);
void progress_row_done(ProgressRow *row);
char* format_size(uint64_t bytes); /* "361 MB"; the caller frees */
