/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/digest.h"
#include "fetch/cache.h"
#include "fetch/download.h"
#include "fetch/fetch.h"
#include "fetch/layout.h"

/*
 * A run of fetch, and the downloads it is made of
 *
 * An Item is one download: of each source in turn first the checksum file, then the file itself, then the
 * verdict, and only then a name in the cache and a pin in the lock. A source that cannot be reached or does
 * not have the file gives way to the next; one whose bytes are not those of the lock ends the item.
 */
typedef struct Item Item;

typedef struct Run {
        const FetchOptions *options;
        Lock *lock;
        char *cache;
        Strv mirrors; /* checked; NULL: the official addresses */
        Downloads *downloads;
        Item *items;
        size_t n_items;
        size_t n_active;
        uint64_t told_usec; /* when the total was last reported */
        bool stop;          /* a failure that every other item would meet as well */
} Run;

typedef enum ItemState {
        ITEM_WAITING,
        ITEM_ACTIVE,
        ITEM_DONE,
        ITEM_FAILED,
} ItemState;

struct Item {
        Run *run;
        const FetchRequest **requests; /* members of one archive, or one binary; lent */
        size_t n_requests;
        ItemState state;
        Error *error; /* if failed */

        char locked[SHA256_HEX_SIZE]; /* of the file, archive or binary; "" if it is not in the lock */
        uint64_t locked_size;         /* of a binary; 0 if it is not known */

        size_t source; /* which mirror */
        Layout layout; /* there */
        char *url, *checksums_url;
        Buffer checksums;
        char published[SHA256_HEX_SIZE]; /* "" if none is */
        Buffer reasons;                  /* why earlier sources were given up */

        CacheFile *file;
        uint64_t done, total;
        uint64_t told_usec;
};

void item_init(Item *item, Run *run, const FetchRequest *first);
void item_add(Item *item, const FetchRequest *request);
bool item_cached(Item *item); /* all of it is locked and in the cache */
void item_start(
        Item *item); /* ends in ITEM_DONE or ITEM_FAILED, at once or in the course of downloads_step() */
void item_done(Item *item);
void item_progress(Item *item, bool cached);

/* The file is complete: verify it, give it (or its members) a name in the cache and a pin in the lock. */
int item_finish(Item *item, Error **reterr);

/* Do lock, publisher and file agree? Empty strings are digests that are not known. */
typedef struct Verdict {
        const char *locked, *published, *file;
        const char *url, *checksums_url;
} Verdict;

int verdict_check(const Verdict *v, Error **reterr);
