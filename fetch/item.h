/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/digest.h"
#include "fetch/cache.h"
#include "fetch/checksums.h"
#include "fetch/download.h"
#include "fetch/fetch.h"
#include "fetch/layout.h"

/*
 * A run of fetch, and the downloads it is made of
 *
 * An Item is one download: of each source in turn first the papers (checksums, signature), all at once, then the
 * file itself, then the verdict, and only then a name in the cache and a pin in the lock. A source that cannot be
 * reached or does not have the file gives way to the next; one whose bytes are not those of the lock ends the
 * item.
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
        uint64_t told_usec;  /* when the total was last reported */
        uint64_t until_usec; /* the deadline; 0: none */
        bool stop;           /* a failure that every other item would meet as well */
} Run;

/* One small file that says something of a large one. */
typedef struct Paper {
        Item *item;
        PaperKind kind;
        char *url;
        Buffer data;  /* empty: it is not published there */
        Error *error; /* why not */
        bool failed;  /* for another reason than that it does not exist */
} Paper;

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
        char *locked512;              /* NULL if that is not */
        uint64_t locked_size;         /* of a binary; 0 if it is not known */
        bool by_hand;                 /* it is not the lock that says so, but the caller */
        const char *known;            /* of the official release; NULL if it is not known */
        bool for_papers;              /* it is here and locked; what a bundle is to have with it is not */

        size_t source; /* which mirror */
        Layout layout; /* there */
        char *url;
        Paper papers[_PAPER_MAX];
        unsigned n_papers;               /* that are still to come */
        char published[SHA256_HEX_SIZE]; /* "" if none is */
        char published512[SHA512_HEX_SIZE];
        bool is_signed; /* and the signature is right */
        Buffer reasons; /* why earlier sources were given up */

        CacheFile *file;
        bool continued; /* with bytes that came at another time */
        bool restarted; /* as they did not fit */
        uint64_t done, total, resumed;
        uint64_t told_usec;
};

void item_init(Item *item, Run *run, const FetchRequest *first);
void item_add(Item *item, const FetchRequest *request);
bool item_cached(Item *item);            /* all of it is locked and in the cache */
bool item_official(const Item *item);    /* its source is */
uint64_t item_missing(const Item *item); /* bytes that the lock says are to come, unpacked as well */
void item_done(Item *item);
void item_progress(Item *item, bool cached);
void item_note(const Item *item, const char *text, const Error *error);
void item_end(Item *item, ItemState state, bool cached);
void item_fail(Item *item, Error *error); /* takes the error */

/* fetch/papers.c: ends in ITEM_DONE or ITEM_FAILED, at once or in the course of downloads_step() */
void item_start(Item *item);
void item_try(Item *item);

/* fetch/source.c */
void item_download(Item *item);
void item_next_source(Item *item, Error *error);
void item_fail_local(Item *item, Error *error);
void item_again(void *userdata, const Error *error, uint64_t wait_usec);

/* The file is complete: verify it, give it (or its members) a name in the cache and a pin in the lock. */
int item_finish(Item *item, Error **reterr);
bool item_has_papers(const Item *item); /* signature and certificate; not whether they are right */
int item_check_signature(Item *item, const char *sha256, Error **reterr);
int item_keep_papers(const Item *item, const char *sha256, Error **reterr);
const char* item_proof(const Item *item, const FetchRequest *q, const char *sha256);

/* Is an open file the program that was asked for? Of what it says itself; reads all of it. */
int program_check(int fd, const FetchRequest *q, const char *sha256, const char *what, Error **reterr);
void program_stamp(const FetchRequest *q, Stamp *ret);
int program_not_stamped(const FetchRequest *q, const char *what, Error **reterr);

/* Do lock, publisher and file agree? Empty strings are digests that are not known. */
typedef struct Verdict {
        const char *locked, *published, *file;
        const char *known; /* of the official release; NULL: nothing is */
        const char *url, *checksums_url;
        bool by_hand;  /* locked is what the caller says */
        bool official; /* the source is */
        bool accept;   /* a mirror's own build */
} Verdict;

int verdict_early(const Verdict *v, Error **reterr);
int verdict_check(const Verdict *v, Error **reterr);
