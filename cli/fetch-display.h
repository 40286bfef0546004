/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/progress.h"
#include "cli/verb.h"
#include "fetch/fetch.h"

/*
 * How a fetch is shown: one line per download and a total on a terminal, plain lines elsewhere, and with --json one
 * object per line:
 *
 *      {"event": "progress", "name": "kubectl", "architecture": "arm64", "done": 1, "total": 2, "resumed": 0}
 *      {"event": "file", "name": ..., "architecture": ..., "bytes": ..., "cached": false}
 *      {"event": "note", "text": ...}
 *      {"event": "lock", "change": "-kubectl ..."}
 *      {"event": "error", "text": ...}
 *      {"event": "done", "binaries": 7, "fetched": 5, "bytes": 355922831}
 */
typedef struct FetchRow {
        char *label; /* "kube-apiserver arm64" */
        size_t row;
        uint64_t told_usec;
        bool started, finished;
} FetchRow;

typedef struct FetchDisplay {
        VerbContext *v;
        Progress *progress;
        FetchRow *rows;
        size_t n_rows, n_cached, n_fetched;
        size_t total; /* the row of the total */
        bool totalled;
        uint64_t bytes;
} FetchDisplay;

void fetch_display_init(FetchDisplay *d, VerbContext *v);
void fetch_display_progress(void *userdata, const FetchProgress *p);
void fetch_display_note(void *userdata, const char *text);
void fetch_display_end(FetchDisplay *d); /* the lines stay; nothing may be added to them */
void fetch_display_event(const FetchDisplay *d, json_t *object); /* with --json only; takes the object */
void fetch_display_done(FetchDisplay *d);

/* cli/fetch-list.c */
int fetch_list(const VerbContext *v, const FetchRequest *requests, size_t n_requests);
