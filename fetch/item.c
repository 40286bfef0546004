/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/item.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "fetch/checksums.h"

#define PROGRESS_USEC (100 * USEC_PER_MSEC)
#define FILE_SIZE_MAX (UINT64_C(1) << 30) /* of what no lock knows the size of; today's largest has 110 MB */

static void item_try(Item *item);

/**
 * item_init() - make an item
 * @item:       where
 * @run:        what it belongs to, lent
 * @first:      the first request that it serves, lent
 */
void item_init(Item *item, Run *run, const FetchRequest *first) {
        *item = (Item) { .run = run };
        layout_init(first, run->mirrors != NULL, &item->layout);
        item_add(item, first);
}

/**
 * item_add() - let an item serve a further request
 * @item:       the item
 * @request:    one for which layout_same() holds, lent
 */
void item_add(Item *item, const FetchRequest *request) {
        const LockEntry *e =
                lock_find(item->run->lock, request->name, request->version, request->architecture);

        for (size_t i = 0; i < item->n_requests; i++)
                if (streq(item->requests[i]->name, request->name))
                        return;
        item->requests = xrealloc(item->requests, item->n_requests + 1, sizeof(FetchRequest*));
        item->requests[item->n_requests++] = request;

        /* Of an archive, any member that was locked before pins the whole. */
        if (e && item->layout.folder && e->archive)
                memcpy(item->locked, e->archive, SHA256_HEX_SIZE);
        if (e && !item->layout.folder) {
                memcpy(item->locked, e->sha256, SHA256_HEX_SIZE);
                item->locked_size = e->size;
        }
}

/**
 * item_done() - free what an item holds
 * @item:       the item
 */
void item_done(Item *item) {
        free(item->requests);
        error_free(item->error);
        layout_done(&item->layout);
        free(item->url);
        free(item->checksums_url);
        buffer_done(&item->checksums);
        buffer_done(&item->reasons);
        cache_file_free(item->file);
}

/**
 * item_cached() - whether there is nothing to download
 * @item:       the item
 *
 * Return: true if all of it is in the lock and in the cache.
 */
bool item_cached(Item *item) {
        Run *run = item->run;
        uint64_t sum = 0;

        for (size_t i = 0; i < item->n_requests; i++) {
                const FetchRequest *q = item->requests[i];
                const LockEntry *e = lock_find(run->lock, q->name, q->version, q->architecture);

                if (!e || !cache_has(run->cache, e->sha256, e->size, NULL))
                        return false;
                if (run->options->deep && fetch_verify_cached(run->cache, e, NULL) < 0)
                        return false;
                sum += e->size;
        }
        item->done = item->total = sum;
        return true;
}

static void run_progress(Run *run) {
        FetchProgress p = { .finished = true };
        bool known = true;

        for (size_t i = 0; i < run->n_items; i++) {
                const Item *item = run->items + i;
                uint64_t total = item->total ?: item->locked_size;

                known = known && (total > 0 || item->state == ITEM_DONE);
                p.done += item->done;
                p.total += total;
                p.finished = p.finished && item->state == ITEM_DONE;
        }
        if (!known)
                p.total = 0;
        run->options->progress(run->options->userdata, &p);
}

/**
 * item_progress() - tell how far an item is
 * @item:       the item
 * @cached:     it was there already
 */
void item_progress(Item *item, bool cached) {
        Run *run = item->run;
        uint64_t now = clock_usec();
        bool finished = item->state == ITEM_DONE;

        if (!run->options->progress)
                return;
        if (finished || now - item->told_usec >= PROGRESS_USEC) {
                item->told_usec = now;
                run->options->progress(run->options->userdata,
                                       &(FetchProgress) {
                                               .name = item->layout.label,
                                               .architecture = item->requests[0]->architecture,
                                               .done = item->done,
                                               .total = item->total,
                                               .finished = finished,
                                               .cached = cached,
                                       });
        }
        if (finished || now - run->told_usec >= PROGRESS_USEC) {
                run->told_usec = now;
                run_progress(run);
        }
}

static void item_note(const Item *item, const char *text, const Error *error) {
        _cleanup_free_ char *line = NULL;

        if (!item->run->options->note)
                return;
        line = xasprintf("%s %s: %s; %s", item->layout.label, item->requests[0]->architecture,
                         error->message, text);
        item->run->options->note(item->run->options->userdata, line);
}

static void item_end(Item *item, ItemState state, bool cached) {
        item->file = cache_file_free(item->file);
        item->state = state;
        item->run->n_active--;
        item_progress(item, cached);
}

/* Takes the error. */
static void item_fail(Item *item, Error *error) {
        const FetchRequest *q = item->requests[0];

        item->error = error;
        if (item->reasons.size > 0)
                error_detail(&item->error, "Before that:\n%s", buffer_str(&item->reasons));
        (void) error_prefix(&item->error, -error->errnum, "%s %s %s", item->layout.label, q->version,
                            q->architecture);
        item_end(item, ITEM_FAILED, /* cached= */ false);
}

/* Takes the error that ended the present source. */
static void item_next_source(Item *item, Error *error) {
        if (item->source + 1 >= strv_length(item->run->mirrors)) {
                item_fail(item, error);
                return;
        }

        item_note(item, "trying the next mirror", error);
        buffer_addf(&item->reasons, "%s\n", error->message);
        error_free(error);
        item->source++;
        item_try(item);
}

static void item_again(void *userdata, const Error *error, uint64_t wait_usec) {
        _cleanup_free_ char *span = clock_format_span(wait_usec),
                            *text = xasprintf("trying again in %s", span);

        item_note(userdata, text, error);
}

/* The disk and the user's own wish concern the whole run. */
static void item_fail_local(Item *item, Error *error) {
        item->run->stop = true;
        item_fail(item, error);
}

static int file_begin(void *userdata, uint64_t size, Error **reterr) {
        Item *item = userdata;
        int r;

        r = cache_file_rewind(item->file, reterr);
        if (r < 0)
                return r;
        item->done = 0;
        item->total = size ?: item->locked_size;
        return cache_file_reserve(item->file, item->total, reterr);
}

static int file_write(void *userdata, const void *data, size_t size, Error **reterr) {
        Item *item = userdata;
        int r;

        r = cache_file_write(item->file, data, size, reterr);
        if (r < 0)
                return r;
        item->done += size;
        item_progress(item, /* cached= */ false);
        return 0;
}

/* What is larger than it was when it was locked is another file, whatever its digest. */
static void item_refused(Item *item, Error *error) {
        if (!*item->locked) {
                item_next_source(item, error);
                return;
        }
        if (item->locked_size > 0)
                error_detail(&error, "hardway.lock: %s (%" PRIu64 " bytes)", item->locked,
                             item->locked_size);
        else
                error_detail(&error, "hardway.lock: %s", item->locked);
        error_detail(&error, "published:    %s (%s)", *item->published ? item->published : "nothing",
                     item->checksums_url);
        item_fail(item, error);
}

static void file_done(void *userdata, DownloadOutcome outcome, Error *error) {
        Item *item = userdata;

        switch (outcome) {
        case DOWNLOAD_DONE:
                if (item_finish(item, &error) < 0) {
                        /* Anything but a wrong file is the disk's doing. */
                        if (error->kind == ERROR_VERIFY)
                                item_fail(item, error);
                        else
                                item_fail_local(item, error);
                        return;
                }
                item->total = item->done;
                item_end(item, ITEM_DONE, /* cached= */ false);
                return;
        case DOWNLOAD_REFUSED:
                item_refused(item, error);
                return;
        case DOWNLOAD_LOCAL:
                item_fail_local(item, error);
                return;
        default:
                item_next_source(item, error);
                return;
        }
}

static void item_download(Item *item) {
        const FetchRequest *q = item->requests[0];
        _cleanup_free_ char *key = item->layout.folder ?
                                           xstrdup(item->layout.basename) :
                                           xasprintf("%s-%s-%s", q->name, q->version, q->architecture);
        const DownloadRequest request = {
                .url = item->url,
                .limit = item->locked_size ?: FILE_SIZE_MAX,
                .begin = file_begin,
                .write = file_write,
                .done = file_done,
                .again = item_again,
                .userdata = item,
        };
        Error *error = NULL;

        if ((!item->file && cache_file_open(item->run->cache, key, &item->file, &error) < 0) ||
            downloads_add(item->run->downloads, &request, &error) < 0)
                item_fail_local(item, error);
}

static int checksums_begin(void *userdata, uint64_t size, Error **reterr) {
        Item *item = userdata;

        buffer_clear(&item->checksums);
        return 0;
}

static int checksums_write(void *userdata, const void *data, size_t size, Error **reterr) {
        Item *item = userdata;

        buffer_add(&item->checksums, data, size);
        return 0;
}

/* A binary that is published as something we have: only the pin is missing. */
static bool item_take_cached(Item *item) {
        const FetchRequest *q = item->requests[0];
        LockEntry entry = {
                .name = (char*) q->name,
                .version = (char*) q->version,
                .architecture = (char*) q->architecture,
                .url = item->url,
                .sha256 = item->published,
        };

        if (item->layout.folder || *item->locked || !*item->published ||
            !cache_has(item->run->cache, item->published, 0, &entry.size))
                return false;
        if (item->run->options->deep && fetch_verify_cached(item->run->cache, &entry, NULL) < 0)
                return false;

        lock_put(item->run->lock, &entry);
        item->done = item->total = entry.size;
        item_end(item, ITEM_DONE, /* cached= */ true);
        return true;
}

static void checksums_done(void *userdata, DownloadOutcome outcome, Error *error) {
        Item *item = userdata;

        if (outcome == DOWNLOAD_LOCAL) {
                item_fail_local(item, error);
                return;
        }
        if (outcome == DOWNLOAD_DONE && checksums_find(item->checksums.data, item->checksums.size,
                                                       item->layout.basename, item->published, &error) < 0)
                (void) error_prefix(&error, -error->errnum, "%s", item->checksums_url);

        /*
         * What is locked does not need its publisher's word; but a server that cannot be reached is given up
         * right here.
         */
        if (error && (outcome == DOWNLOAD_FAILED || !*item->locked)) {
                item_next_source(item, error);
                return;
        }
        error_free(error);
        if (!item_take_cached(item))
                item_download(item);
}

/* Begins with the present source. */
static void item_try(Item *item) {
        const FetchRequest *q = item->requests[0];
        const char *base =
                item->run->mirrors ? item->run->mirrors[item->source] : layout_official(q->origin);
        Error *error = NULL;

        free(item->url);
        free(item->checksums_url);
        item->url = xasprintf("%s/%s", base, item->layout.file);
        item->checksums_url = xasprintf("%s/%s", base, item->layout.checksums);
        item->published[0] = '\0';
        item->done = 0;
        buffer_clear(&item->checksums);

        if (downloads_add(item->run->downloads,
                          &(DownloadRequest) {
                                  .url = item->checksums_url,
                                  .limit = CHECKSUMS_SIZE_MAX,
                                  .begin = checksums_begin,
                                  .write = checksums_write,
                                  .done = checksums_done,
                                  .again = item_again,
                                  .userdata = item,
                          },
                          &error) < 0)
                item_fail_local(item, error);
}

/**
 * item_start() - begin an item
 * @item:       the item, not cached
 */
void item_start(Item *item) {
        item->state = ITEM_ACTIVE;
        item->run->n_active++;
        item_try(item);
}
