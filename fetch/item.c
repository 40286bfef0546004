/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/item.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "fetch/kept.h"
#include "fetch/known.h"
#include "fetch/pins.h"
#include "fetch/vouch.h"

#define PROGRESS_USEC (100 * USEC_PER_MSEC)

/**
 * item_init() - make an item
 * @item:       where
 * @run:        what it belongs to, lent
 * @first:      the first request that it serves, lent
 */
void item_init(Item *item, Run *run, const FetchRequest *first) {
        *item = (Item) { .run = run };
        layout_init(first, run->mirrors != NULL, &item->layout);
        item->known = known_digest(first);
        for (unsigned i = 0; i < _PAPER_MAX; i++)
                item->papers[i] = (Paper) { .item = item, .kind = i };
        item_add(item, first);
}

static void item_lock(Item *item, const FetchRequest *request) {
        const LockEntry *e =
                lock_find(item->run->lock, request->name, request->version, request->architecture);
        const char *pin = item->layout.folder ? pins_find_archive(item->run->options, &item->layout) :
                                                pins_find(item->run->options, request);

        if (pin) {
                memcpy(item->locked, pin, SHA256_HEX_SIZE);
                item->by_hand = true;
                return;
        }
        if (!e || item->run->options->update_lock)
                return;
        /* Of an archive, any member that was locked before pins the whole. */
        if (item->layout.folder && e->archive)
                memcpy(item->locked, e->archive, SHA256_HEX_SIZE);
        if (!item->layout.folder) {
                memcpy(item->locked, e->sha256, SHA256_HEX_SIZE);
                item->locked512 = xstrdup_null(e->sha512);
                item->locked_size = e->size;
        }
}

/**
 * item_add() - let an item serve a further request
 * @item:       the item
 * @request:    one for which layout_same() holds, lent
 */
void item_add(Item *item, const FetchRequest *request) {
        for (size_t i = 0; i < item->n_requests; i++)
                if (streq(item->requests[i]->name, request->name))
                        return;
        item->requests = xrealloc(item->requests, item->n_requests + 1, sizeof(FetchRequest*));
        item->requests[item->n_requests++] = request;
        item_lock(item, request);
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
        free(item->locked512);
        for (unsigned i = 0; i < _PAPER_MAX; i++) {
                free(item->papers[i].url);
                error_free(item->papers[i].error);
                buffer_done(&item->papers[i].data);
        }
        buffer_done(&item->reasons);
        cache_file_free(item->file);
}

/* A bundle is to have what vouched for it here, unless the other side knows the digest as well. */
static bool lacks_papers(const Run *run, const FetchRequest *q, const LockEntry *e) {
        _cleanup_(kept_done) KeptPapers kept = {};

        return run->options->papers && !run->options->offline && streq_null(e->proof, "signature") &&
               vouch_needed(q, e->sha256) && !kept_read(run->cache, e->sha256, run->options->trust, &kept);
}

/**
 * item_cached() - whether there is nothing to download
 * @item:       the item
 *
 * Return: true if all of it is in the lock and in the cache, with the papers that are wanted; false with for_papers
 * if only those are not.
 */
bool item_cached(Item *item) {
        Run *run = item->run;
        uint64_t sum = 0;
        bool lacks = false;

        for (size_t i = 0; i < item->n_requests; i++) {
                const FetchRequest *q = item->requests[i];
                const LockEntry *e = lock_find(run->lock, q->name, q->version, q->architecture);

                if (!e || run->options->update_lock || !cache_has(run->cache, e->sha256, e->size, NULL))
                        return false;
                if (run->options->deep && fetch_verify_cached(run->cache, e, NULL) < 0)
                        return false;
                lacks = lacks || lacks_papers(run, q, e);
                sum += e->size;
        }
        item->done = item->total = sum;
        item->for_papers = lacks;
        return !lacks;
}

/**
 * item_official() - whether its bytes come from the official site
 * @item:       the item
 *
 * Return: false if they come from a mirror.
 */
bool item_official(const Item *item) {
        return !item->run->mirrors;
}

/**
 * item_missing() - how much room it will take
 * @item:       the item, not cached
 *
 * Return: bytes, as far as the lock knows.
 */
uint64_t item_missing(const Item *item) {
        uint64_t sum = 0;

        if (item->for_papers)
                return 0;
        for (size_t i = 0; i < item->n_requests; i++) {
                const FetchRequest *q = item->requests[i];
                const LockEntry *e = lock_find(item->run->lock, q->name, q->version, q->architecture);

                sum += e ? e->size : 0;
        }
        return sum;
}

static void run_progress(Run *run) {
        FetchProgress p = { .finished = true };
        bool known = true;

        for (size_t i = 0; i < run->n_items; i++) {
                const Item *item = run->items + i;
                uint64_t total = item->total ?: item->locked_size;

                known = known && (total > 0 || item->state == ITEM_DONE);
                p.done += item->done;
                p.resumed += item->resumed;
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
                                               .resumed = item->resumed,
                                               .finished = finished,
                                               .cached = cached,
                                       });
        }
        if (finished || now - run->told_usec >= PROGRESS_USEC) {
                run->told_usec = now;
                run_progress(run);
        }
}

/**
 * item_note() - tell what is tried again, or elsewhere
 * @item:       the item
 * @text:       what is done about it
 * @error:      why
 */
void item_note(const Item *item, const char *text, const Error *error) {
        _cleanup_free_ char *line = NULL;

        if (!item->run->options->note)
                return;
        line = xasprintf("%s %s: %s; %s", item->layout.label, item->requests[0]->architecture,
                         error->message, text);
        item->run->options->note(item->run->options->userdata, line);
}

/**
 * item_end() - it is over
 * @item:       the item
 * @state:      how it ended
 * @cached:     it was there already
 */
void item_end(Item *item, ItemState state, bool cached) {
        item->file = cache_file_free(item->file);
        item->state = state;
        item->run->n_active--;
        item_progress(item, cached);
}

/**
 * item_fail() - it is over, in vain
 * @item:       the item
 * @error:      why; taken
 */
void item_fail(Item *item, Error *error) {
        const FetchRequest *q = item->requests[0];

        item->error = error;
        if (item->reasons.size > 0)
                error_detail(&item->error, "Before that:\n%s", buffer_str(&item->reasons));
        (void) error_prefix(&item->error, -error->errnum, "%s %s %s", item->layout.label, q->version,
                            q->architecture);
        item_end(item, ITEM_FAILED, /* cached= */ false);
}
