/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/fetch.h"

#include <fcntl.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "fetch/item.h"
#include "fetch/pins.h"

#define PARALLEL_DEFAULT 4U
#define RETRIES_DEFAULT 3U
#define BACKOFF_USEC_DEFAULT (500 * USEC_PER_MSEC)
#define CONNECT_TIMEOUT_USEC_DEFAULT (15 * USEC_PER_SEC)
#define STALL_USEC_DEFAULT (30 * USEC_PER_SEC)

/**
 * fetch_cache_default() - where downloads are kept
 *
 * Return: $XDG_CACHE_HOME/hardway, or ~/.cache/hardway; the caller frees.
 */
char* fetch_cache_default(void) {
        const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

        /* The base directory specification: a relative path is to be ignored. */
        if (cache && *cache == '/')
                return xasprintf("%s/hardway", cache);
        return xasprintf("%s/.cache/hardway", home && *home == '/' ? home : "");
}

/**
 * fetch_cache_path() - where a binary lies
 * @cache:      the cache's directory, or NULL for the default
 * @entry:      the binary
 *
 * Return: the path, also if it is not there; the caller frees.
 */
char* fetch_cache_path(const char *cache, const LockEntry *entry) {
        _cleanup_free_ char *standard = cache ? NULL : fetch_cache_default();

        return cache_path(cache ?: standard, entry->sha256);
}

/**
 * fetch_open_cached() - open a binary in the cache, and hash it
 * @cache:      the cache's directory, or NULL for the default
 * @entry:      the binary
 * @reterr:     names the path
 *
 * Return: a descriptor, which the caller closes; -ENOENT if it is not there, -EBADMSG if it is damaged, or another negative
 * errno.
 */
int fetch_open_cached(const char *cache, const LockEntry *entry, Error **reterr) {
        _cleanup_free_ char *path = fetch_cache_path(cache, entry);
        char sha256[SHA256_HEX_SIZE];
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return error_set_errno(reterr, errno, "%s", path);
        r = sha256_hex_file(fd, sha256);
        if (r < 0)
                return error_set_errno(reterr, r, "%s", path);
        if (!streq(sha256, entry->sha256))
                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                 "%s: damaged, it no longer is what its name says (is the disk all right?)",
                                 path);
        return TAKE_FD(fd);
}

/**
 * fetch_verify_cached() - hash a binary in the cache
 * @cache:      the cache's directory, or NULL for the default
 * @entry:      the binary
 * @reterr:     names the path
 *
 * Return: 0, -ENOENT if it is not there, -EBADMSG if it is damaged, or another negative errno.
 */
int fetch_verify_cached(const char *cache, const LockEntry *entry, Error **reterr) {
        _cleanup_close_ int fd = fetch_open_cached(cache, entry, reterr);

        return fd < 0 ? fd : 0;
}

static void run_done(Run *run) {
        downloads_free(run->downloads); /* before the items that its callbacks point to */
        for (size_t i = 0; i < run->n_items; i++)
                item_done(run->items + i);
        free(run->items);
        strv_free(run->mirrors);
        free(run->cache);
}

static int run_init(Run *run, Error **reterr) {
        const FetchOptions *o = run->options;
        int r;

        run->cache = o->cache ? xstrdup(o->cache) : fetch_cache_default();
        STRV_FOREACH(mirror, o->mirrors) {
                _cleanup_free_ char *base = NULL;

                r = layout_check_mirror(*mirror, &base, reterr);
                if (r < 0)
                        return r;
                strv_add(&run->mirrors, base);
        }
        if (o->offline)
                return 0;
        return downloads_new(
                &(DownloadOptions) {
                        .ca_bundle = o->ca_bundle,
                        .retries = o->retries ?: RETRIES_DEFAULT,
                        .backoff_usec = o->backoff_usec ?: BACKOFF_USEC_DEFAULT,
                        .connect_timeout_usec = o->connect_timeout_usec ?: CONNECT_TIMEOUT_USEC_DEFAULT,
                        .stall_usec = o->stall_usec ?: STALL_USEC_DEFAULT,
                        .connections = o->parallel ?: PARALLEL_DEFAULT,
                        .cancelled = o->cancelled,
                },
                &run->downloads, reterr);
}

/* Requests for members of one archive become one item. All are checked before anything is done. */
static int run_group(Run *run, const FetchRequest *requests, size_t n_requests, Error **reterr) {
        int r;

        run->items = xnew(Item, n_requests);
        for (size_t i = 0; i < n_requests; i++) {
                Item *same = NULL;

                r = layout_check(requests + i, reterr);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < run->n_items && !same; k++)
                        if (layout_same(run->items[k].requests[0], requests + i))
                                same = run->items + k;
                if (same)
                        item_add(same, requests + i);
                else
                        item_init(run->items + run->n_items++, run, requests + i);
        }
        return 0;
}

static void run_check_cache(Run *run) {
        for (size_t i = 0; i < run->n_items; i++) {
                Item *item = run->items + i;
                const FetchRequest *q = item->requests[0];

                if (item_cached(item)) {
                        item->state = ITEM_DONE;
                        item_progress(item, /* cached= */ true);
                } else if (run->options->offline) {
                        item->state = ITEM_FAILED;
                        (void) error_set(&item->error, ERROR_UNAVAILABLE, ENOENT,
                                         "%s %s %s: not in the cache, and not to be downloaded (offline)",
                                         item->layout.label, q->version, q->architecture);
                        /* Once is enough: it is the same for all. */
                        if (i == 0 || run->items[i - 1].state != ITEM_FAILED)
                                error_detail(
                                        &item->error,
                                        "Run hardway fetch where there is a network, or take a bundle that "
                                        "was made elsewhere: hardway fetch --from FILE.");
                }
        }
}

/* As far as the lock knows sizes, all of it has to fit before anything is begun; of the rest, each file has to. */
static int run_check_room(Run *run, Error **reterr) {
        uint64_t sum = 0;

        for (size_t i = 0; i < run->n_items; i++)
                if (run->items[i].state == ITEM_WAITING)
                        sum += item_missing(run->items + i);
        return sum > 0 ? cache_check_room(run->cache, sum, reterr) : 0;
}

static int run_too_late(const Run *run, Error **reterr) {
        _cleanup_free_ char *span = clock_format_span(run->options->deadline_usec);

        return error_set(
                reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                "not done within %s (the deadline); what has arrived is kept, and the next run goes on with it",
                span);
}

static int run_download(Run *run, Error **reterr) {
        size_t parallel = run->options->parallel ?: PARALLEL_DEFAULT;
        int r;

        for (;;) {
                for (size_t i = 0; i < run->n_items && run->n_active < parallel && !run->stop; i++)
                        if (run->items[i].state == ITEM_WAITING)
                                item_start(run->items + i);
                if (run->n_active == 0 || run->stop)
                        return 0;
                if (run->until_usec > 0 && clock_usec() >= run->until_usec)
                        return run_too_late(run, reterr);
                r = downloads_step(run->downloads, reterr);
                if (r < 0)
                        return r;
        }
}

/* A wrong file weighs more than one that cannot be had, or the exit status would hide it. */
static Item* run_worst(Run *run) {
        Item *worst = NULL;

        for (size_t i = 0; i < run->n_items; i++) {
                Item *item = run->items + i;

                if (item->error &&
                    (!worst || (item->error->kind == ERROR_VERIFY && worst->error->kind != ERROR_VERIFY)))
                        worst = item;
        }
        return worst;
}

/* One failure is the error, the others are its detail. */
static int run_result(Run *run, Error **reterr) {
        Item *worst = run_worst(run);
        Error *error;

        if (!worst)
                return 0;

        error = TAKE_PTR(worst->error);
        for (size_t i = 0; i < run->n_items; i++) {
                const Item *item = run->items + i;

                if (!item->error)
                        continue;
                error_detail(&error, "%s", item->error->message);
                if (item->error->detail)
                        error_detail(&error, "%s", item->error->detail);
        }
        return error_propagate(reterr, error);
}

/**
 * fetch_run() - get binaries into the cache
 * @requests:   which
 * @n_requests: how many
 * @options:    from where, and how
 * @lock:       what is pinned; gets a pin for everything that was not
 * @reterr:     a wrong file if there is one, else the first failure; the others in its detail
 *
 * What is locked and in the cache is not asked for again, so a second run works without a network.
 *
 * Return: 0 or a negative errno.
 */
int fetch_run(const FetchRequest *requests, size_t n_requests, const FetchOptions *options, Lock *lock,
              Error **reterr) {
        _cleanup_(run_done) Run run = {
                .options = options,
                .lock = lock,
                .until_usec = options->deadline_usec > 0 ? clock_usec() + options->deadline_usec : 0,
        };
        int r;

        r = run_init(&run, reterr);
        if (r < 0)
                return r;
        r = run_group(&run, requests, n_requests, reterr);
        if (r < 0)
                return r;
        r = pins_check(options, requests, n_requests, lock, reterr);
        if (r < 0)
                return r;

        run_check_cache(&run);
        if (!options->offline) {
                r = run_check_room(&run, reterr);
                if (r >= 0)
                        r = run_download(&run, reterr);
                if (r < 0)
                        return r;
        }
        return run_result(&run, reterr);
}
