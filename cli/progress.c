/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/events.h"
#include "cli/progress-line.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/text.h"

/*
 * Rows are changed by whoever works, under the mutex; they are drawn by a thread of their own, so that time
 * goes by on the screen when nothing else happens, and a fast download costs no more drawing than a slow
 * one.
 */

#define DRAW_INTERVAL_USEC (USEC_PER_SEC / 8)
#define TELL_INTERVAL_USEC (10 * USEC_PER_SEC)
#define EVENT_INTERVAL_USEC USEC_PER_SEC /* between two of the same amount */

typedef enum Mode {
        MODE_SILENT,
        MODE_EVENTS,
        MODE_PLAIN,
        MODE_LIVE
} Mode;

struct Progress {
        VerbContext *v;
        Mode mode;
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        pthread_t thread;
        bool running, ending;
        ProgressRow *rows;
        size_t n_rows;
        size_t n_drawn; /* lines on the screen that are ours */
};

/* What lies in a log is laid beside others, such as the nodes' journals. */
static void plain_line(const ProgressRow *row, const char *text) {
        _cleanup_free_ char *now = clock_format_iso(clock_realtime()),
                            *shown = text_harmless(xstrdup(text), TEXT_COLORS);

        (void) printf("%s %s: %s\n", now, row->name, shown);
        (void) fflush(stdout);
}

/* Writes all rows anew, over those that are on the screen. */
static void draw(Progress *p) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;

        if (p->mode != MODE_LIVE)
                return;
        if (p->n_drawn > 0)
                buffer_addf(&out, "\033[%zuA", p->n_drawn);
        p->n_drawn = progress_lines(p->v, p->rows, p->n_rows, p->n_drawn, &out);
        if (out.size > 0)
                (void) fwrite(out.data, 1, out.size, stdout);
        (void) fflush(stdout);
}

static void tell_long_steps(Progress *p) {
        uint64_t now = clock_usec();

        for (size_t i = 0; i < p->n_rows; i++) {
                ProgressRow *row = &p->rows[i];

                if (row->step && now - row->told_usec >= TELL_INTERVAL_USEC) {
                        _cleanup_free_ char *text = progress_step_text(row);

                        row->told_usec = now;
                        plain_line(row, text);
                }
        }
}

static void* ticker(void *userdata) {
        Progress *p = userdata;

        pthread_mutex_lock(&p->mutex);
        while (!p->ending) {
                struct timespec until;
                uint64_t next = clock_usec() + DRAW_INTERVAL_USEC;

                if (p->mode == MODE_LIVE)
                        draw(p);
                else
                        tell_long_steps(p);
                until = (struct timespec){
                        .tv_sec = (time_t) (next / USEC_PER_SEC),
                        .tv_nsec = (long) (next % USEC_PER_SEC * 1000),
                };
                (void) pthread_cond_timedwait(&p->wake, &p->mutex, &until);
        }
        pthread_mutex_unlock(&p->mutex);
        return NULL;
}

/* Signals are for the threads that work: only they know what to end. */
static void start_ticker(Progress *p) {
        sigset_t all, old;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &old);
        p->running = pthread_create(&p->thread, NULL, ticker, p) == 0;
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/**
 * progress_new() - begin to show progress
 * @v:          the context, which says whether and how, and whose notes go above the rows from now on
 *
 * Return: the progress; the caller frees.
 */
Progress* progress_new(VerbContext *v) {
        const char *term = getenv("TERM");
        Progress *p = xnew(Progress, 1);
        pthread_condattr_t attributes;

        p->v = v;
        if (v->quiet || (v->json && !v->events))
                p->mode = MODE_SILENT;
        else if (v->events)
                p->mode = MODE_EVENTS;
        else
                p->mode = v->terminal && term && !streq(term, "dumb") ? MODE_LIVE : MODE_PLAIN;

        (void) pthread_mutex_init(&p->mutex, NULL);
        (void) pthread_condattr_init(&attributes);
        (void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void) pthread_cond_init(&p->wake, &attributes);
        (void) pthread_condattr_destroy(&attributes);
        if (p->mode == MODE_PLAIN || p->mode == MODE_LIVE)
                start_ticker(p);
        v->progress = p;
        return p;
}

/**
 * progress_add() - add a row
 * @p:          the progress
 * @name:       what the row is of
 *
 * Return: its number, for the other functions.
 */
size_t progress_add(Progress *p, const char *name) {
        size_t row;

        pthread_mutex_lock(&p->mutex);
        row = p->n_rows++;
        p->rows = xrealloc(p->rows, p->n_rows, sizeof(ProgressRow));
        p->rows[row] = (ProgressRow) { .name = xstrdup(name) };
        pthread_mutex_unlock(&p->mutex);
        return row;
}

static void end_step(Progress *p, ProgressRow *row) {
        _cleanup_free_ char *text = NULL;

        if (!row->step)
                return;

        text = progress_step_done(row);
        if (p->mode == MODE_PLAIN)
                plain_line(row, text);
        strv_add(&row->finished, text);
        row->step = (free(row->step), NULL);
        row->detail = (free(row->detail), NULL);
        row->done = row->total = row->first = row->first_usec = 0;
}

static void tell_stage(const Progress *p, const ProgressRow *row, Stage stage) {
        event_print(p->v, "stage",
                    json_pack("{s:o, s:o, s:s}", "name", event_string(row->name), "text",
                              event_string(row->step), "step", stage_name(stage)));
}

/**
 * progress_step() - a row is at its next step
 * @p:          the progress
 * @number:     the row
 * @stage:      which one
 * @text:       what the row says of it ("12 files"), or NULL: its name
 */
void progress_step(Progress *p, size_t number, Stage stage, const char *text) {
        pthread_mutex_lock(&p->mutex);
        end_step(p, &p->rows[number]);
        p->rows[number].step = xstrdup(text ?: stage_name(stage));
        p->rows[number].start_usec = p->rows[number].told_usec = clock_usec();
        if (p->rows[number].begin_usec == 0)
                p->rows[number].begin_usec = p->rows[number].start_usec;
        if (p->mode == MODE_EVENTS)
                tell_stage(p, &p->rows[number], stage);
        pthread_mutex_unlock(&p->mutex);
}

/* Of one that is told piece by piece, a script wants to know now and then. */
static void tell_amount(const Progress *p, ProgressRow *row) {
        uint64_t now = clock_usec();

        if (p->mode != MODE_EVENTS || now - row->told_usec < EVENT_INTERVAL_USEC)
                return;
        row->told_usec = now;
        event_print(p->v, "progress",
                    json_pack("{s:o, s:I, s:I}", "name", event_string(row->name), "done",
                              (json_int_t) row->done, "total", (json_int_t) row->total));
}

/**
 * progress_amount() - how far a row's step has got
 * @p:          the progress
 * @number:     the row
 * @done:       bytes done
 * @total:      bytes in all; 0: not known
 */
void progress_amount(Progress *p, size_t number, uint64_t done, uint64_t total) {
        pthread_mutex_lock(&p->mutex);
        if (p->rows[number].first_usec == 0 || done < p->rows[number].first) {
                p->rows[number].first = done;
                p->rows[number].first_usec = clock_usec();
        }
        p->rows[number].done = done;
        p->rows[number].total = total;
        tell_amount(p, &p->rows[number]);
        pthread_mutex_unlock(&p->mutex);
}

/**
 * progress_detail() - what a row's step is waiting for
 * @p:          the progress
 * @number:     the row
 * @format:     printf-style text
 */
void progress_detail(Progress *p, size_t number, const char *format, ...) {
        _cleanup_free_ char *before = NULL;
        va_list ap;

        va_start(ap, format);
        pthread_mutex_lock(&p->mutex);
        before = p->rows[number].detail;
        p->rows[number].detail = xvasprintf(format, ap);
        if (p->mode == MODE_EVENTS && *p->rows[number].detail && !streq_null(before, p->rows[number].detail))
                event_text(p->v, "waiting", p->rows[number].name, p->rows[number].detail);
        pthread_mutex_unlock(&p->mutex);
        va_end(ap);
}

static void tell_end(const Progress *p, const ProgressRow *row) {
        uint64_t span = row->begin_usec > 0 ? clock_usec() - row->begin_usec : 0;

        event_print(p->v, row->success ? "finished" : "failed",
                    json_pack("{s:o, s:o, s:o}", "name", event_string(row->name), "text",
                              event_string(row->end), "seconds", json_seconds(span)));
}

/**
 * progress_end() - a row has come to its end
 * @p:          the progress
 * @number:     the row
 * @success:    which end
 * @format:     printf-style text: "done", "failed"
 */
void progress_end(Progress *p, size_t number, bool success, const char *format, ...) {
        ProgressRow *row;
        va_list ap;

        va_start(ap, format);
        pthread_mutex_lock(&p->mutex);
        row = &p->rows[number];
        end_step(p, row);
        free(row->end);
        row->end = xvasprintf(format, ap);
        row->success = success;
        if (p->mode == MODE_PLAIN)
                plain_line(row, row->end);
        if (p->mode == MODE_EVENTS)
                tell_end(p, row);
        draw(p);
        pthread_mutex_unlock(&p->mutex);
        va_end(ap);
}

/**
 * progress_remove() - take a row off the screen
 * @p:          the progress
 * @number:     the row
 */
void progress_remove(Progress *p, size_t number) {
        pthread_mutex_lock(&p->mutex);
        p->rows[number].removed = true;
        p->rows[number].step = (free(p->rows[number].step), NULL);
        pthread_mutex_unlock(&p->mutex);
}

/**
 * progress_note() - put a line above the rows; among plain lines, with the time as they have it
 * @p:          the progress
 * @format:     printf-style line without its end
 */
void progress_note(Progress *p, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *line = NULL;
        va_list ap;

        if (p->mode == MODE_SILENT)
                return;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        if (p->mode == MODE_EVENTS) {
                event_text(p->v, "note", NULL, text);
                return;
        }
        if (p->mode == MODE_PLAIN) {
                _cleanup_free_ char *now = clock_format_iso(clock_realtime());

                line = xasprintf("%s %s", now, text);
        }
        progress_above(p, stdout, line ?: text);
}

/**
 * progress_above() - put any text above the rows, as it is, and with --quiet too
 * @p:          the progress
 * @stream:     standard output or standard error
 * @text:       the line without its end
 */
void progress_above(Progress *p, FILE *stream, const char *text) {
        pthread_mutex_lock(&p->mutex);
        if (p->n_drawn > 0)
                (void) printf("\033[%zuA\r\033[J", p->n_drawn);
        p->n_drawn = 0;
        (void) fflush(stdout);
        (void) fprintf(stream, "%s\n", text);
        (void) fflush(stream);
        draw(p);
        pthread_mutex_unlock(&p->mutex);
}

/**
 * progress_free() - end showing progress; what is on the screen stays
 * @p:          the progress, or NULL
 *
 * Return: NULL.
 */
Progress* progress_free(Progress *p) {
        if (!p)
                return NULL;

        p->v->progress = NULL;
        pthread_mutex_lock(&p->mutex);
        p->ending = true;
        draw(p);
        (void) pthread_cond_signal(&p->wake);
        pthread_mutex_unlock(&p->mutex);
        if (p->running)
                (void) pthread_join(p->thread, NULL);

        for (size_t i = 0; i < p->n_rows; i++)
                progress_row_done(&p->rows[i]);
        free(p->rows);
        (void) pthread_cond_destroy(&p->wake);
        (void) pthread_mutex_destroy(&p->mutex);
        free(p);
        return NULL;
}
