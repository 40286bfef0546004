/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fetch-run.h"

#include <stdlib.h>

#include "cli/components.h"
#include "cli/fetch-display.h"
#include "cli/progress-line.h"
#include "common/alloc.h"

/*
 * The command line's, else the environment's, else the cluster file's; none of them: the official addresses.
 */
static Strv mirrors_for(const FetchArguments *a, const Cluster *c) {
        const char *environment = getenv("HARDWAY_MIRROR");

        if (strv_length(a->mirrors) > 0)
                return strv_copy(a->mirrors);
        if (environment && *environment)
                return strv_split(environment, " ");
        return strv_copy(c->mirrors);
}

static int fetch_all(VerbContext *v, const FetchArguments *a, FetchDisplay *d, const FetchRequest *requests,
                     size_t n, Error **reterr) {
        _cleanup_strv_ Strv mirrors = mirrors_for(a, v->cluster);
        FetchOptions o = a->options;

        o.mirrors = mirrors;
        o.deep = v->deep;
        o.papers = a->bundle;
        o.progress = fetch_display_progress;
        o.note = fetch_display_note;
        o.userdata = d;
        o.cancelled = v->cancelled;
        return a->from ? fetch_from(a->from, requests, n, &o, v->lock, reterr) :
                         fetch_run(requests, n, &o, v->lock, reterr);
}

/* What did arrive is pinned, whatever became of the rest. Pins that change are shown, each as it was and is. */
static int save_lock(VerbContext *v, const FetchDisplay *d, const Lock *before, Error **reterr) {
        _cleanup_buffer_ Buffer diff = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;

        if (!lock_changed(v->lock))
                return 0;
        if (lock_diff(before, v->lock, &diff) > 0) {
                lines = strv_split(buffer_str(&diff), "\n");
                verb_note(v, "hardway.lock changes:");
                STRV_FOREACH(line, lines) {
                        verb_note(v, "%s", *line);
                        fetch_display_event(d, json_pack("{s:s, s:s}", "event", "lock", "change", *line));
                }
        }
        return lock_save(v->lock, reterr);
}

/* How many of them the lock has by this word. */
static size_t count_proof(const VerbContext *v, const FetchRequest *requests, size_t n, const char *proof) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++) {
                const LockEntry *e =
                        lock_find(v->lock, requests[i].name, requests[i].version, requests[i].architecture);

                count += e && streq_null(e->proof, proof);
        }
        return count;
}

static void tell_end(VerbContext *v, const FetchArguments *a, const FetchDisplay *d,
                     const FetchRequest *requests, size_t n, size_t n_accept) {
        _cleanup_free_ char *size = format_size(d->bytes);
        size_t n_mirror = count_proof(v, requests, n, "mirror");
        size_t n_bundle = count_proof(v, requests, n, "bundle");

        if (n_mirror > 0)
                verb_note(v, "%zu of them were checked against a mirror's own checksums only.", n_mirror);
        if (n_bundle > 0)
                verb_note(
                        v,
                        "%zu of them were checked against the bundle's own list only: it is as good as where it comes "
                        "from.",
                        n_bundle);
        if (a->from)
                verb_note(v, "%zu binaries from %s, verified. Next: hardway install", n, a->from);
        else if (d->n_fetched == 0)
                verb_note(v, "%zu binaries: all in the cache and as hardway.lock says.", n);
        else
                verb_note(v, "%zu binaries, %s fetched and verified. Next: hardway install", n, size);
        if (a->bundle)
                verb_note(v, "%s holds all of it; on the other side: hardway fetch --from %s%s", a->bundle,
                          a->bundle, n_accept > 0 ? " --accept-mirror" : "");
        fetch_display_event(d,
                            json_pack("{s:s, s:I, s:I, s:I}", "event", "done", "binaries", (json_int_t) n,
                                      "fetched", (json_int_t) d->n_fetched, "bytes", (json_int_t) d->bytes));
}

static int fetch(VerbContext *v, const FetchArguments *a, const FetchRequest *requests, size_t n,
                 Error **reterr) {
        _cleanup_free_ char *lock_path = verb_path(v, VERB_LOCK_FILE);
        _cleanup_(lock_freep) Lock *before = lock_copy(v->lock);
        _cleanup_(fetch_display_done) FetchDisplay d = {};
        _cleanup_close_ int share = -EBADF;
        size_t n_accept = 0;
        int r, q;

        share = fetch_cache_share(NULL, lock_path, reterr);
        if (share < 0)
                return share;
        fetch_display_init(&d, v);
        r = fetch_all(v, a, &d, requests, n, reterr);
        fetch_display_end(&d);
        q = save_lock(v, &d, before, r < 0 ? NULL : reterr);
        r = r < 0 ? r : q;
        if (r >= 0 && a->bundle)
                r = fetch_bundle(a->bundle, requests, n, &a->options, v->lock, &n_accept, reterr);
        if (r >= 0)
                tell_end(v, a, &d, requests, n, n_accept);
        return r < 0 ? r : 0;
}

static int prune(const VerbContext *v, Error **reterr) {
        _cleanup_free_ char *size = NULL, *lock_path = verb_path(v, VERB_LOCK_FILE);
        FetchPruned pruned = {};
        int r;

        /* This cluster's lock counts, also if it came from elsewhere and never had anything fetched. */
        r = fetch_cache_share(NULL, lock_path, reterr);
        if (r < 0)
                return r;
        safe_close(r);
        r = fetch_prune(NULL, v->wait, v->dry_run, &pruned, reterr);
        if (r < 0)
                return r;
        size = format_size(pruned.bytes);
        verb_note(v, "%zu files, %s: %s", pruned.n_files, size, v->dry_run ? "would be removed" : "removed");
        return 0;
}

/**
 * fetch_run_verb() - what hardway fetch does
 * @v:          the context
 * @a:          the command line
 * @reterr:     why it did not
 *
 * Return: 0 or a negative errno.
 */
int fetch_run_verb(VerbContext *v, const FetchArguments *a, Error **reterr) {
        FetchRequest *requests = NULL;
        size_t n = 0;
        int r;

        if (a->list && a->prune)
                return error_set(reterr, ERROR_USAGE, EINVAL, "fetch: either --list or --prune");
        if (a->options.update_lock && a->options.offline)
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "fetch: --update-lock asks what is published, and --offline asks nobody");
        if (v->dry_run && !a->prune)
                return error_set(reterr, ERROR_USAGE, EINVAL, "fetch: --dry-run goes with --prune only");
        if (a->prune)
                return prune(v, reterr);

        r = a->list ? 0 : verb_lock_exclusive(v, reterr);
        if (r >= 0)
                r = verb_load_lock(v, reterr);
        if (r < 0)
                return r;
        fetch_requests_for(components, v->cluster, &requests, &n);
        r = a->list ? fetch_list(v, requests, n) : fetch(v, a, requests, n, reterr);
        fetch_requests_free(requests, n);
        return r;
}
