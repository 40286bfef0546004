/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "fetch/item.h"
#include "fetch/kept.h"
#include "fetch/signature.h"
#include "fetch/vouch.h"

/* An item's papers: checksums and signature, of one source after the other. */

static int paper_begin(void *userdata, const DownloadBegin *begin, Error **reterr) {
        Paper *paper = userdata;

        buffer_clear(&paper->data);
        return 0;
}

static int paper_write(void *userdata, const void *data, size_t size, Error **reterr) {
        Paper *paper = userdata;

        buffer_add(&paper->data, data, size);
        return 0;
}

static void paper_again(void *userdata, const Error *error, uint64_t wait_usec) {
        const Paper *paper = userdata;

        item_again(paper->item, error, wait_usec);
}

/*
 * A binary that is published as something we have: only the pin is missing, or its papers are. It got its name in
 * the cache as something else, perhaps of another version: so it is looked into.
 */
static bool item_take_cached(Item *item) {
        const FetchRequest *q = item->requests[0];
        const LockEntry *old = lock_find(item->run->lock, q->name, q->version, q->architecture);
        const char *sha256 = *item->published ? item->published : item->locked;
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        LockEntry entry = {
                .name = (char*) q->name,
                .version = (char*) q->version,
                .architecture = (char*) q->architecture,
                .url = item->url,
                .sha256 = (char*) sha256,
                .sha512 = *item->published512 ? item->published512 : NULL,
        };

        if (item->layout.folder || !*sha256 || (*item->locked && !streq(item->locked, sha256)) ||
            !cache_has(item->run->cache, sha256, 0, &entry.size))
                return false;
        path = cache_path(item->run->cache, sha256);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || program_check(fd, q, sha256, path, NULL) < 0 ||
            item_check_signature(item, sha256, NULL) < 0 || item_keep_papers(item, sha256, NULL) < 0)
                return false;

        entry.proof = (char*) item_proof(item, q, sha256);
        if (!*item->locked || !old || !streq(old->sha256, sha256))
                lock_put(item->run->lock, &entry);
        item->done = item->total = entry.size;
        item_end(item, ITEM_DONE, /* cached= */ true);
        return true;
}

/* With update_lock, an archive that is as it was needs not be fetched to see that its members are, too. */
static bool item_take_members(Item *item) {
        uint64_t sum = 0;

        if (!item->layout.folder || *item->locked || !*item->published)
                return false;
        for (size_t i = 0; i < item->n_requests; i++) {
                const FetchRequest *q = item->requests[i];
                const LockEntry *e = lock_find(item->run->lock, q->name, q->version, q->architecture);

                if (!e || !e->archive || !streq(e->archive, item->published) ||
                    !cache_has(item->run->cache, e->sha256, e->size, NULL))
                        return false;
                sum += e->size;
        }
        item->done = item->total = sum;
        item_end(item, ITEM_DONE, /* cached= */ true);
        return true;
}

static int paper_parse(Item *item, Paper *paper, Error **reterr) {
        int r = 0;

        if (paper->error || (paper->data.size == 0 && paper->kind != PAPER_SHA256))
                return 0;
        if (paper->kind == PAPER_SHA256)
                r = checksums_find(paper->data.data, paper->data.size, item->layout.basename,
                                   item->published, reterr);
        else if (paper->kind == PAPER_SHA512)
                r = checksums_find_512(paper->data.data, paper->data.size, item->layout.basename,
                                       item->published512, reterr);
        return r < 0 ? error_prefix(reterr, r, "%s", paper->url) : 0;
}

/*
 * What is locked does not need its publisher's word; but a server that cannot be reached is given up right here.
 * Papers that need not be there may be withheld in any way that a server knows: that is as if they were not there.
 */
static int papers_judge(Item *item, Error **reterr) {
        Paper *sums = item->papers + PAPER_SHA256;
        int r;

        for (size_t i = 0; i < _PAPER_MAX; i++) {
                Paper *paper = item->papers + i;

                if (paper->error && paper->failed &&
                    (paper == sums || paper->error->kind != ERROR_PERMISSION))
                        return error_propagate(reterr, TAKE_PTR(paper->error));
        }
        if (sums->error && !*item->locked)
                return error_propagate(reterr, TAKE_PTR(sums->error));
        for (size_t i = 0; i < _PAPER_MAX; i++) {
                r = paper_parse(item, item->papers + i, *item->locked ? NULL : reterr);
                if (r < 0 && !*item->locked)
                        return r;
        }
        return 0;
}

/* Before a file is fetched that could not be taken. Another mirror may have its signature. */
static int papers_vouch(Item *item, Error **reterr) {
        int r;

        if (*item->locked || item_official(item) || item->run->options->accept_mirror ||
            item_has_papers(item) || !vouch_needed(item->requests[0], item->published))
                return 0;
        r = vouch_refuse("mirror", "hardway fetch --accept-mirror", item->requests[0], item->published,
                         reterr);
        error_detail(reterr, "the signature: %s", item->papers[PAPER_SIGNATURE].url);
        return r;
}

static int papers_check(Item *item, Error **reterr) {
        const FetchOptions *o = item->run->options;
        Paper *signature = item->papers + PAPER_SIGNATURE, *certificate = item->papers + PAPER_CERTIFICATE;
        int r;

        if (signature->error)
                return error_propagate(reterr, TAKE_PTR(signature->error));
        if (certificate->error)
                return error_propagate(reterr, TAKE_PTR(certificate->error));
        r = signature_check(o->trust, item->locked, &signature->data, &certificate->data, reterr);
        item->is_signed = r >= 0;
        return r < 0 ? error_prefix(reterr, r, "%s", signature->url) : 0;
}

/*
 * Of what is here already, and as good as before if they cannot be had: a bundle is made where there is no network,
 * too. But the other side has to be told then.
 */
static void item_take_papers(Item *item) {
        Error *error = NULL;
        int r;

        r = papers_check(item, &error);
        if (r >= 0)
                r = item_keep_papers(item, item->locked, &error);
        if (r < 0 && (item->is_signed || r == -ECANCELED)) {
                item_fail_local(item, error);
                return;
        }
        if (r < 0 && item->source + 1 < strv_length(item->run->mirrors)) {
                item_next_source(item, error);
                return;
        }
        if (r < 0)
                item_note(item,
                          "the bundle goes without a signature of it: the other side needs --accept-mirror",
                          error);
        error_free(error);
        item->done = item->total;
        item_end(item, ITEM_DONE, /* cached= */ true);
}

static void papers_complete(Item *item) {
        Error *error = NULL;

        if (item->for_papers) {
                item_take_papers(item);
                return;
        }
        if (papers_judge(item, &error) < 0) {
                item_next_source(item, error);
                return;
        }
        if (verdict_early(&(Verdict) { .locked = item->locked,
                                      .published = item->published,
                                      .file = "",
                                      .known = item->known,
                                      .url = item->url,
                                      .checksums_url = item->papers[PAPER_SHA256].url,
                                      .by_hand = item->by_hand,
                                      .official = item_official(item),
                                      .accept = item->run->options->accept_mirror },
                          &error) < 0) {
                item_fail(item, error);
                return;
        }
        if (papers_vouch(item, &error) < 0) {
                item_next_source(item, error);
                return;
        }
        if (!item_take_cached(item) && !item_take_members(item))
                item_download(item);
}

static void paper_done(void *userdata, DownloadOutcome outcome, Error *error) {
        Paper *paper = userdata;
        Item *item = paper->item;

        if (outcome != DOWNLOAD_DONE)
                buffer_clear(&paper->data);
        paper->error = error;
        paper->failed = outcome == DOWNLOAD_FAILED || outcome == DOWNLOAD_LOCAL;
        if (--item->n_papers == 0 && item->state == ITEM_ACTIVE)
                papers_complete(item);
}

/* Of what is locked, only whether its publisher still says the same is of interest; and what a bundle needs. */
static bool paper_wanted(const Item *item, PaperKind kind) {
        bool vouches = kind == PAPER_SIGNATURE || kind == PAPER_CERTIFICATE;

        if (!item->layout.papers[kind] || item->for_papers)
                return item->layout.papers[kind] && vouches;
        return kind == PAPER_SHA256 || !*item->locked || (item->run->options->papers && vouches);
}

static void paper_ask(Paper *paper, const char *base) {
        static const uint64_t limits[_PAPER_MAX] = {
                [PAPER_SHA256] = CHECKSUMS_SIZE_MAX,
                [PAPER_SHA512] = CHECKSUMS_SIZE_MAX,
                [PAPER_SIGNATURE] = SIGNATURE_SIZE_MAX,
                [PAPER_CERTIFICATE] = SIGNATURE_CERTIFICATE_SIZE_MAX,
        };
        const DownloadRequest request = {
                .url = paper->url = xasprintf("%s/%s", base, paper->item->layout.papers[paper->kind]),
                .limit = limits[paper->kind],
                .begin = paper_begin,
                .write = paper_write,
                .done = paper_done,
                .again = paper_again,
                .userdata = paper,
        };

        downloads_add(paper->item->run->downloads, &request);
}

static void papers_clear(Item *item) {
        for (size_t i = 0; i < _PAPER_MAX; i++) {
                Paper *paper = item->papers + i;

                free(TAKE_PTR(paper->url));
                paper->error = error_free(paper->error);
                paper->failed = false;
                buffer_clear(&paper->data);
        }
        item->n_papers = 0;
        item->published[0] = item->published512[0] = '\0';
        item->is_signed = false;
}

/**
 * item_try() - begin with the present source
 * @item:       the item
 */
void item_try(Item *item) {
        const FetchRequest *q = item->requests[0];
        const char *base =
                item->run->mirrors ? item->run->mirrors[item->source] : layout_official(q->origin);

        free(item->url);
        item->url = xasprintf("%s/%s", base, item->layout.file);
        item->done = 0;
        papers_clear(item);
        for (unsigned i = 0; i < _PAPER_MAX; i++)
                item->n_papers += paper_wanted(item, i);
        for (unsigned i = 0; i < _PAPER_MAX; i++)
                if (paper_wanted(item, i))
                        paper_ask(item->papers + i, base);
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
