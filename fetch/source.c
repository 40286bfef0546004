/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "fetch/item.h"

/* An item's file: what there is of it, the rest, and the verdict. */

#define FILE_SIZE_MAX (UINT64_C(1) << 30) /* of what no lock knows the size of; today's largest has 110 MB */

/**
 * item_next_source() - give up on this one
 * @item:       the item
 * @error:      what ended it; taken
 */
void item_next_source(Item *item, Error *error) {
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

/**
 * item_again() - tell that something is tried again
 * @userdata:   the item
 * @error:      why
 * @wait_usec:  when
 */
void item_again(void *userdata, const Error *error, uint64_t wait_usec) {
        _cleanup_free_ char *span = clock_format_span(wait_usec),
                            *text = xasprintf("trying again in %s", span);

        item_note(userdata, text, error);
}

/**
 * item_fail_local() - it is over, and all others with it
 * @item:       the item
 * @error:      something of the disk, or the user's own wish; taken
 */
void item_fail_local(Item *item, Error *error) {
        item->run->stop = true;
        item_fail(item, error);
}

/* What is known to be wrong is not worth going on with. */
static void item_discard(Item *item) {
        if (item->file)
                (void) cache_file_rewind(item->file, NULL);
}

static const char* item_expected(const Item *item) {
        return *item->locked ? item->locked : *item->published ? item->published : NULL;
}

/*
 * Bytes that are there are gone on with if the server can say that they are of the same file; or if they were
 * meant to become a file of the same digest, wherever they came from: then the end will tell.
 */
static bool item_continues(const Item *item, const Origin *o) {
        const char *expected = item_expected(item);

        if (!o || cache_file_size(item->file) == 0)
                return false;
        if (o->sha256 && expected)
                return streq(o->sha256, expected);
        return o->validator && streq(o->url, item->url);
}

static void file_have(void *userdata, DownloadPart *ret) {
        const Item *item = userdata;
        const Origin *o = cache_file_origin(item->file);

        if (!item_continues(item, o))
                return;
        ret->size = cache_file_size(item->file);
        ret->validator = streq(o->url, item->url) ? o->validator : NULL;
}

static int file_continue(Item *item, Error **reterr) {
        int r;

        r = cache_file_resume(item->file, reterr);
        if (r < 0)
                return r;
        item->continued = true;
        item->done = cache_file_size(item->file);
        return 0;
}

static int file_begin(void *userdata, const DownloadBegin *begin, Error **reterr) {
        Item *item = userdata;
        int r;

        item->total = begin->size ?: item->locked_size;
        if (begin->offset > 0) {
                r = file_continue(item, reterr);
        } else {
                item->done = item->resumed = 0;
                item->continued = false;
                r = cache_file_begin(item->file,
                                     &(Origin) { .url = item->url,
                                                .validator = (char*) begin->validator,
                                                .sha256 = (char*) item_expected(item),
                                                .size = begin->size },
                                     reterr);
        }
        if (r < 0)
                return r;
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
        item_discard(item);
        if (!*item->locked) {
                item_next_source(item, error);
                return;
        }
        if (item->locked_size > 0)
                error_detail(&error, "hardway.lock: %s (%" PRIu64 " bytes)", item->locked,
                             item->locked_size);
        else
                error_detail(&error, "%-13s %s",
                             item->by_hand ? "--sha256:" : "hardway.lock:", item->locked);
        error_detail(&error, "published:    %s (%s)", *item->published ? item->published : "nothing",
                     item->papers[PAPER_SHA256].url);
        item_fail(item, error);
}

/*
 * A wrong digest of bytes that came at different times says little: the disk may have lost some of them when the
 * power went, or a mirror changed its mind. Once, it is begun anew.
 */
static bool item_restart(Item *item, Error *error) {
        if (!item->continued || item->restarted || error->kind != ERROR_VERIFY)
                return false;
        item_note(item, "it was put together from two times, so it is begun anew", error);
        item_discard(item);
        item->restarted = true;
        item->done = item->resumed = 0;
        error_free(error);
        item_download(item);
        return true;
}

static void file_complete(Item *item) {
        Error *error = NULL;

        if (item_finish(item, &error) >= 0) {
                item->total = item->done;
                item_end(item, ITEM_DONE, /* cached= */ false);
                return;
        }
        if (item_restart(item, error))
                return;
        /* Anything but a wrong file is the disk's doing. */
        if (error->kind == ERROR_VERIFY) {
                item_discard(item);
                item_fail(item, error);
        } else
                item_fail_local(item, error);
}

static void file_done(void *userdata, DownloadOutcome outcome, Error *error) {
        Item *item = userdata;

        switch (outcome) {
        case DOWNLOAD_DONE:
                file_complete(item);
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

static int item_open(Item *item, Error **reterr) {
        const FetchRequest *q = item->requests[0];
        _cleanup_free_ char *key = item->layout.folder ?
                                           xstrdup(item->layout.basename) :
                                           xasprintf("%s-%s-%s", q->name, q->version, q->architecture);
        Stamp stamp = {};
        int r;

        if (!item->file) {
                r = cache_file_open(item->run->cache, key, &item->file, reterr);
                if (r < 0)
                        return r;
        }
        if (!item->layout.folder)
                program_stamp(q, &stamp);
        cache_file_look_for(item->file, &stamp);
        if (item->locked512 || *item->published512)
                cache_file_hash512(item->file);
        return 0;
}

/* A run that was killed after the last byte has left nothing to be downloaded. */
static int item_whole(Item *item, Error **reterr) {
        const Origin *o = cache_file_origin(item->file);
        int r;

        if (!item_continues(item, o) || !item_expected(item) || o->size == 0 ||
            cache_file_size(item->file) != o->size)
                return 0;
        r = file_continue(item, reterr);
        return r < 0 ? r : 1;
}

/**
 * item_download() - get the file itself
 * @item:       the item, whose papers have come
 */
void item_download(Item *item) {
        const DownloadRequest request = {
                .url = item->url,
                .limit = item->locked_size ?: FILE_SIZE_MAX,
                .have = file_have,
                .begin = file_begin,
                .write = file_write,
                .done = file_done,
                .again = item_again,
                .userdata = item,
        };
        Error *error = NULL;
        int r;

        r = item_open(item, &error);
        if (r >= 0 && item_continues(item, cache_file_origin(item->file)))
                item->resumed = cache_file_size(item->file);
        if (r >= 0)
                r = item_whole(item, &error);
        if (r < 0)
                item_fail_local(item, error);
        else if (r > 0)
                file_complete(item);
        else
                downloads_add(item->run->downloads, &request);
}
