/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/progress-line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/alloc.h"
#include "common/clock.h"

#define BAR_WIDTH 20u
#define GAP "   "
#define RATE_USEC_MIN (USEC_PER_SEC / 2) /* before that a rate says little */

/**
 * format_size() - write a number of bytes for people
 * @bytes:      how many
 *
 * Return: "12 kB", "361 MB", in powers of ten as disks and networks are sold; the caller frees.
 */
char* format_size(uint64_t bytes) {
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
        size_t i = 0;
        uint64_t n = bytes, rest = 0;

        while (n >= 1000 && i + 1 < ARRAY_SIZE(units)) {
                rest = n % 1000;
                n /= 1000;
                i++;
        }
        return n < 10 && i > 0 ? xasprintf("%" PRIu64 ".%" PRIu64 " %s", n, rest / 100, units[i]) :
                                 xasprintf("%" PRIu64 " %s", n, units[i]);
}

char* progress_step_done(const ProgressRow *row) {
        _cleanup_free_ char *span = clock_format_span(clock_usec() - row->start_usec);

        return xasprintf("%s %s", row->step, span);
}

/* How fast, and how long still: of what came since it was first told, not of what had been there before. */
static void add_rate(const ProgressRow *row, Buffer *out) {
        uint64_t now = clock_usec(), span = now - row->first_usec, rate;
        _cleanup_free_ char *text = NULL, *left = NULL;

        if (row->first_usec == 0 || span < RATE_USEC_MIN || row->done <= row->first)
                return;
        rate = (row->done - row->first) * USEC_PER_SEC / span;
        text = format_size(rate);
        buffer_addf(out, " %s/s", text);
        if (row->total <= row->done || rate == 0)
                return;
        left = clock_format_span(((row->total - row->done) / rate + 1) * USEC_PER_SEC);
        buffer_addf(out, ", %s left", left);
}

static void add_amount(const ProgressRow *row, Buffer *out) {
        _cleanup_free_ char *done = format_size(row->done);
        _cleanup_free_ char *total = format_size(row->total);
        uint64_t part = row->total > 0 && row->done < row->total ? row->done : row->total;

        if (row->total == 0) {
                if (row->done > 0)
                        buffer_addf(out, " %s", done);
                add_rate(row, out);
                return;
        }

        buffer_add_str(out, " [");
        for (unsigned i = 0; i < BAR_WIDTH; i++)
                buffer_add_char(out, i < part * BAR_WIDTH / row->total ? '#' : ' ');
        buffer_addf(out, "] %" PRIu64 "%% %s/%s", part * 100 / row->total, done, total);
        add_rate(row, out);
}

char* progress_step_text(const ProgressRow *row) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        uint64_t seconds = (clock_usec() - row->start_usec) / USEC_PER_SEC;

        buffer_add_str(&out, row->step);
        add_amount(row, &out);
        if (row->detail)
                buffer_addf(&out, ": %s", row->detail);
        /* Time matters once it is felt. */
        if (seconds > 0)
                buffer_addf(&out, ", %" PRIu64 " s", seconds);
        return buffer_take(&out);
}

/* What fits into width columns, without control characters. Bytes of one character count once. */
static void add_cut(Buffer *out, const char *s, size_t *width) {
        for (; *s; s++) {
                unsigned char c = (unsigned char) *s;

                if ((c & 0xc0) != 0x80) {
                        if (*width == 0)
                                return;
                        (*width)--;
                }
                buffer_add_char(out, c < ' ' || c == 0x7f ? ' ' : *s);
        }
}

/* Steps that are over give way when the line gets too long: where the row stands now matters more. */
static void add_finished(const ProgressRow *row, size_t needed, size_t *width, Buffer *out) {
        size_t first = 0, n = strv_length(row->finished), length = 0;

        for (size_t i = 0; i < n; i++)
                length += strlen(row->finished[i]) + strlen(GAP);
        while (first < n && length + needed > *width)
                length -= strlen(row->finished[first++]) + strlen(GAP);

        for (size_t i = first; i < n; i++) {
                add_cut(out, row->finished[i], width);
                add_cut(out, GAP, width);
        }
}

/**
 * progress_line() - one row as a line, without its end
 * @v:          the context
 * @row:        the row
 * @name_width: of the column of names
 * @width:      of the line
 * @out:        where to add it
 */
void progress_line(const VerbContext *v, const ProgressRow *row, size_t name_width, size_t width,
                   Buffer *out) {
        _cleanup_free_ char *name = xasprintf("%-*s" GAP, (int) name_width, row->name);
        _cleanup_free_ char *now = row->end  ? xstrdup(row->end) :
                                   row->step ? progress_step_text(row) :
                                               xstrdup("");

        buffer_add_str(out, verb_style(v, STYLE_BOLD));
        add_cut(out, name, &width);
        buffer_add_str(out, verb_style(v, STYLE_NONE));
        add_finished(row, strlen(now), &width, out);
        if (row->end)
                buffer_add_str(out, verb_style(v, row->success ? STYLE_GREEN : STYLE_RED));
        add_cut(out, now, &width);
        if (row->end)
                buffer_add_str(out, verb_style(v, STYLE_NONE));
}

static bool is_shown(const ProgressRow *row) {
        return !row->removed && (row->step || row->end || row->finished);
}

size_t progress_lines(const VerbContext *v, const ProgressRow *rows, size_t n_rows, size_t n_old,
                      Buffer *out) {
        struct winsize size = { .ws_row = 24, .ws_col = 80 };
        size_t name_width = 0, n = 0, n_shown = 0, n_skip;

        (void) ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        if (size.ws_col == 0 || size.ws_row == 0)
                size = (struct winsize){ .ws_row = 24, .ws_col = 80 };

        for (size_t i = 0; i < n_rows; i++) {
                if (is_shown(&rows[i]) && strlen(rows[i].name) > name_width)
                        name_width = strlen(rows[i].name);
                n_shown += is_shown(&rows[i]);
        }

        /*
         * What does not fit on the screen could not be written over: rows that went well are left out first.
         */
        n_skip = n_shown >= size.ws_row ? n_shown - size.ws_row + 1u : 0;
        for (size_t i = 0; i < n_rows && n + 1 < size.ws_row; i++) {
                if (!is_shown(&rows[i]))
                        continue;
                if (n_skip > 0 && rows[i].end && rows[i].success) {
                        n_skip--;
                        continue;
                }
                buffer_add_str(out, "\r");
                progress_line(v, &rows[i], name_width, size.ws_col - 1u, out);
                buffer_add_str(out, "\033[K\n");
                n++;
        }

        if (n < n_old)
                buffer_add_str(out, "\r\033[J");
        return n;
}

/**
 * progress_row_done() - free what a row holds
 * @row:        the row
 */
void progress_row_done(ProgressRow *row) {
        free(row->name);
        strv_free(row->finished);
        free(row->step);
        free(row->detail);
        free(row->end);
}
