/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "cli/components.h"
#include "cli/progress-line.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "common/parse.h"

enum {
        KEY_MIRROR = VERB_KEY,
        KEY_CA_BUNDLE,
        KEY_PARALLEL,
        KEY_OFFLINE,
};

static Strv arg_mirrors = NULL;
static const char *arg_ca_bundle = NULL;
static unsigned arg_parallel = 0;
static bool arg_offline = false;

static const struct argp_option options[] = {
        { "mirror", KEY_MIRROR, "URL", 0,
          "Where from, https:// or file:// (may be repeated, tried in order)", 1 },
        { "ca-bundle", KEY_CA_BUNDLE, "FILE", 0,
          "CAs that the mirror's certificate may be of (the system's)", 1 },
        { "parallel", KEY_PARALLEL, "N", 0, "Downloads at once (4)", 1 },
        { "offline", KEY_OFFLINE, NULL, 0, "Connect to nobody: check that the cache has everything", 1 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_MIRROR:
                strv_add(&arg_mirrors, arg);
                return 0;
        case KEY_CA_BUNDLE:
                arg_ca_bundle = arg;
                return 0;
        case KEY_PARALLEL:
                if (parse_unsigned(arg, 1, 64, &arg_parallel) < 0)
                        argp_error(state, "--parallel takes a number from 1 to 64, not '%s'", arg);
                return 0;
        case KEY_OFFLINE:
                arg_offline = true;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

/* One line of the display. */
typedef struct Download {
        char *label; /* "kube-apiserver arm64" */
        size_t row;
        bool started, finished;
} Download;

typedef struct Display {
        VerbContext *v;
        Progress *progress;
        Download *downloads;
        size_t n_downloads, n_cached, n_fetched;
        uint64_t bytes;
} Display;

static Download* display_find(Display *d, const char *label) {
        for (size_t i = 0; i < d->n_downloads; i++)
                if (streq(d->downloads[i].label, label))
                        return &d->downloads[i];

        d->downloads = xrealloc(d->downloads, d->n_downloads + 1, sizeof(Download));
        d->downloads[d->n_downloads] = (Download) {
                .label = xstrdup(label),
                .row = progress_add(d->progress, label),
        };
        return &d->downloads[d->n_downloads++];
}

static void on_progress(void *userdata, const FetchProgress *p) {
        _cleanup_free_ char *label = NULL;
        Display *d = userdata;
        Download *download;

        if (!p->name)
                return;

        label = xasprintf("%s %s", p->name, p->architecture);
        download = display_find(d, label);
        if (download->finished)
                return;
        if (p->finished) {
                _cleanup_free_ char *size = format_size(p->total > 0 ? p->total : p->done);

                download->finished = true;
                d->n_cached += p->cached;
                d->n_fetched += !p->cached;
                d->bytes += p->cached ? 0 : p->total > 0 ? p->total : p->done;
                if (p->cached)
                        progress_end(d->progress, download->row, true, "in the cache");
                else
                        progress_end(d->progress, download->row, true, "%s, verified", size);
                return;
        }

        if (!download->started) {
                download->started = true;
                progress_step(d->progress, download->row, "download");
        }
        progress_amount(d->progress, download->row, p->done, p->total);
}

static void on_note(void *userdata, const char *text) {
        const Display *d = userdata;

        progress_note(d->progress, "%s", text);
}

/*
 * The command line's, else the environment's, else the cluster file's; none of them: the official addresses.
 */
static Strv mirrors_for(const Cluster *c) {
        const char *environment = getenv("HARDWAY_MIRROR");

        if (strv_length(arg_mirrors) > 0)
                return strv_copy(arg_mirrors);
        if (environment && *environment)
                return strv_split(environment, " ");
        return strv_copy(c->mirrors);
}

static void display_done(Display *d) {
        d->progress = progress_free(d->progress);
        for (size_t i = 0; i < d->n_downloads; i++)
                free(d->downloads[i].label);
        free(d->downloads);
}

static int fetch_all(VerbContext *v, Display *d, const FetchRequest *requests, size_t n, Error **reterr) {
        _cleanup_strv_ Strv mirrors = mirrors_for(v->cluster);
        FetchOptions fetch = {
                .mirrors = mirrors,
                .ca_bundle = arg_ca_bundle,
                .parallel = arg_parallel,
                .offline = arg_offline,
                .deep = v->deep,
                .progress = on_progress,
                .note = on_note,
                .userdata = d,
                .cancelled = v->cancelled,
        };
        int r, q;

        r = fetch_run(requests, n, &fetch, v->lock, reterr);

        /* What did arrive is pinned, whatever became of the rest. */
        q = lock_changed(v->lock) ? lock_save(v->lock, r < 0 ? NULL : reterr) : 0;
        return r < 0 ? r : q;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        _cleanup_(display_done) Display d = { .v = v, .progress = progress_new(v) };
        _cleanup_free_ char *size = NULL;
        FetchRequest *requests = NULL;
        size_t n = 0;
        int r;

        fetch_requests_for(components, v->cluster, &requests, &n);
        r = fetch_all(v, &d, requests, n, reterr);
        fetch_requests_free(requests, n);
        arg_mirrors = strv_free(arg_mirrors);
        if (r < 0)
                return r;

        d.progress = progress_free(d.progress);
        size = format_size(d.bytes);
        if (d.n_fetched == 0)
                verb_note(v, "%zu binaries: all in the cache and as hardway.lock says.", n);
        else
                verb_note(v, "%zu binaries, %s fetched and verified. Next: hardway install", n, size);
        return 0;
}

const Verb verb_fetch = {
        .name = "fetch",
        .summary = "Download and verify the binaries for the nodes",
        .description = "Each is hashed while it arrives, compared with the published digest and with "
                       "hardway.lock, which pins what was fetched first, and only then appears in the "
                       "cache. Mirrors (--mirror, else HARDWAY_MIRROR, else those of the cluster file) "
                       "take the place of the official addresses and have the same layout.",
        .common = VERB_OPTION_DEEP | VERB_OPTION_WAIT,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_LOCK | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .run = run,
};
