/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fetch-display.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/events.h"
#include "cli/progress-line.h"
#include "common/alloc.h"
#include "common/clock.h"

#define EVENT_USEC USEC_PER_SEC /* between two of the same download */

void fetch_display_init(FetchDisplay *d, VerbContext *v) {
        *d = (FetchDisplay) { .v = v, .progress = progress_new(v) };
}

/**
 * fetch_display_event() - print one event
 * @d:          the display
 * @object:     the event; taken
 */
void fetch_display_event(const FetchDisplay *d, json_t *object) {
        if (d->v->json)
                event_print(d->v, json_text(object, "event"), object);
        else
                json_decref(object);
}

static json_t* event_new(const char *event, const FetchProgress *p) {
        json_t *object = json_object();

        (void) json_object_set_new(object, "event", json_string(event));
        (void) json_object_set_new(object, "name", json_string(p->name));
        (void) json_object_set_new(object, "architecture", json_string(p->architecture));
        return object;
}

static void tell_progress(const FetchDisplay *d, const FetchProgress *p) {
        json_t *object = event_new("progress", p);

        (void) json_object_set_new(object, "done", json_integer((json_int_t) p->done));
        (void) json_object_set_new(object, "total", json_integer((json_int_t) p->total));
        (void) json_object_set_new(object, "resumed", json_integer((json_int_t) p->resumed));
        fetch_display_event(d, object);
}

static void tell_file(const FetchDisplay *d, const FetchProgress *p) {
        json_t *object = event_new("file", p);

        (void) json_object_set_new(object, "bytes", json_integer((json_int_t) (p->total ?: p->done)));
        (void) json_object_set_new(object, "cached", json_boolean(p->cached));
        fetch_display_event(d, object);
}

static FetchRow* display_find(FetchDisplay *d, const char *label) {
        for (size_t i = 0; i < d->n_rows; i++)
                if (streq(d->rows[i].label, label))
                        return &d->rows[i];

        d->rows = xrealloc(d->rows, d->n_rows + 1, sizeof(FetchRow));
        d->rows[d->n_rows] = (FetchRow) {
                .label = xstrdup(label),
                .row = progress_add(d->progress, label),
        };
        return &d->rows[d->n_rows++];
}

static void row_finish(FetchDisplay *d, FetchRow *row, const FetchProgress *p) {
        uint64_t bytes = p->total ?: p->done;
        _cleanup_free_ char *size = format_size(bytes), *resumed = format_size(p->resumed);

        row->finished = true;
        tell_file(d, p);
        d->n_cached += p->cached;
        d->n_fetched += !p->cached;
        d->bytes += p->cached ? 0 : bytes - p->resumed;
        if (p->cached)
                progress_end(d->progress, row->row, true, "in the cache");
        else if (p->resumed > 0)
                progress_end(d->progress, row->row, true, "%s, of which %s were there; verified", size,
                             resumed);
        else
                progress_end(d->progress, row->row, true, "%s, verified", size);
}

/* The total is a line of the terminal's, once something is really downloaded; elsewhere the last line says it. */
static void display_total(FetchDisplay *d, const FetchProgress *p) {
        if (!d->v->terminal || (!d->totalled && p->finished))
                return;
        if (!d->totalled) {
                d->total = progress_add(d->progress, "total");
                progress_step(d->progress, d->total, STAGE_DOWNLOAD, NULL);
                d->totalled = true;
        }
        progress_amount(d->progress, d->total, p->done, p->total);
}

/**
 * fetch_display_progress() - show how far a download is
 * @userdata:   the display
 * @p:          of fetch/
 */
void fetch_display_progress(void *userdata, const FetchProgress *p) {
        _cleanup_free_ char *label = NULL;
        FetchDisplay *d = userdata;
        FetchRow *row;

        if (!p->name) {
                display_total(d, p);
                return;
        }

        label = xasprintf("%s %s", p->name, p->architecture);
        row = display_find(d, label);
        if (row->finished)
                return;
        if (p->finished) {
                row_finish(d, row, p);
                return;
        }

        if (!row->started) {
                _cleanup_free_ char *resumed = format_size(p->resumed),
                                    *text = p->resumed > 0 ? xasprintf("download from %s on", resumed) :
                                                             NULL;

                row->started = true;
                progress_step(d->progress, row->row, STAGE_DOWNLOAD, text);
        }
        progress_amount(d->progress, row->row, p->done, p->total);
        if (clock_usec() - row->told_usec >= EVENT_USEC) {
                row->told_usec = clock_usec();
                tell_progress(d, p);
        }
}

/**
 * fetch_display_note() - show what is tried again or elsewhere
 * @userdata:   the display
 * @text:       one line
 */
void fetch_display_note(void *userdata, const char *text) {
        const FetchDisplay *d = userdata;

        progress_note(d->progress, "%s", text);
        fetch_display_event(d, json_pack("{s:s, s:s}", "event", "note", "text", text));
}

void fetch_display_end(FetchDisplay *d) {
        if (d->totalled)
                progress_remove(d->progress, d->total);
        d->totalled = false;
        d->progress = progress_free(d->progress);
}

void fetch_display_done(FetchDisplay *d) {
        fetch_display_end(d);
        for (size_t i = 0; i < d->n_rows; i++)
                free(d->rows[i].label);
        free(d->rows);
        *d = (FetchDisplay) {};
}
