/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "fetch/bundle.h"
#include "fetch/cache.h"
#include "fetch/elf.h"
#include "fetch/item.h"
#include "fetch/kept.h"
#include "fetch/known.h"
#include "fetch/pins.h"
#include "fetch/signature.h"
#include "fetch/unpack.h"
#include "fetch/vouch.h"

/* Taking a bundle in: see fetch/bundle.c. */

#define LOCK_SIZE_MAX (1024U * 1024)

static int lock_member_write(void *userdata, const void *data, size_t size, Error **reterr) {
        Buffer *text = userdata;

        if (text->size + size > LOCK_SIZE_MAX)
                return error_set(reterr, ERROR_VERIFY, EFBIG, "member '" BUNDLE_LOCK "': larger than %u KiB",
                                 LOCK_SIZE_MAX / 1024);
        buffer_add(text, data, size);
        return 0;
}

static int bundle_read_lock(int fd, const char *path, Lock **ret, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_free_ char *name = xasprintf("%s: " BUNDLE_LOCK, path);
        UnpackMember member = { .name = BUNDLE_LOCK, .userdata = &text };
        int r;

        r = unpack(fd, &member, 1, UNPACK_SIZE_MAX, lock_member_write, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", path);
        return lock_parse(name, text.data, text.size, ret, reterr);
}

/* The bundle's word for a digest against ours, the caller's, and what is known of the release. */
static int bundle_verdict(const char *path, const FetchRequest *q, const LockEntry *e, const LockEntry *ours,
                          const FetchOptions *o, Error **reterr) {
        const char *pin = pins_find(o, q), *known = known_digest(q);
        const char *digest = q->origin == ORIGIN_ETCD ? e->archive ?: "" : e->sha256;
        bool same = ours && streq(ours->sha256, e->sha256);
        int r;

        if ((pin && !streq(pin, e->sha256)) || (!pin && ours && !same && !o->update_lock)) {
                r = error_set(reterr, ERROR_VERIFY, EBADMSG,
                              "wrong digest: %s and the bundle say different things of it",
                              pin ? "--sha256" : "hardway.lock");
                error_detail(reterr, "%-13s %s", pin ? "--sha256:" : "hardway.lock:", pin ?: ours->sha256);
                error_detail(reterr, "the bundle:   %s (%s)", e->sha256, path);
                return r;
        }
        if (!known || streq(digest, known) || pin || same || o->accept_mirror)
                return 0;
        r = error_set(
                reterr, ERROR_VERIFY, EBADMSG,
                "wrong digest: what is in the bundle is not the official release, whose digest hardway knows, but "
                "another build");
        error_detail(reterr, "known:        %s (the official release)", known);
        error_detail(reterr, "the bundle:   %s (%s)", *digest ? digest : e->sha256, path);
        error_detail(
                reterr,
                "If it is a build of your own, and you trust it: hardway fetch --from FILE --accept-mirror");
        return r;
}

/* Of etcd the digest of the archive is known, which is not in the bundle: what it was is the bundle's word. */
static const char* bundle_proof(const FetchOptions *o, const FetchRequest *q, const LockEntry *e,
                                bool is_signed) {
        const char *known = q->origin == ORIGIN_ETCD ? NULL : known_digest(q);

        if (pins_find(o, q))
                return "hand";
        if (is_signed)
                return "signature";
        return known && streq(e->sha256, known) ? "known" : o->accept_mirror ? "accepted" : "bundle";
}

/* Where a member goes: a program into the cache, a paper into memory. */
typedef struct Place {
        CacheFile *file;
        Buffer *text;
        size_t limit; /* of the text */
        size_t first; /* the request that it is for */
} Place;

typedef struct Taking {
        const char *path;
        const FetchRequest *requests;
        const LockEntry **entries; /* of the bundle's lock, one for each request */
        KeptPapers *papers;        /* the same; of a digest that is there twice, the first has them */
        bool *is_signed;           /* the same */
        size_t n_requests;
        UnpackMember *members; /* each digest once, with its papers */
        Place *places;         /* one for each member */
        size_t n_members;
} Taking;

static void taking_done(Taking *t) {
        for (size_t i = 0; i < t->n_members; i++) {
                free((char*) t->members[i].name);
                cache_file_free(t->places[i].file);
        }
        for (size_t i = 0; i < t->n_requests; i++)
                kept_done(t->papers + i);
        free(t->members);
        free(t->places);
        free(t->is_signed);
        free(t->papers);
        free(t->entries);
}

/* The first request with the same digest. */
static size_t taking_first(const Taking *t, size_t i) {
        size_t k = 0;

        while (!streq(t->entries[k]->sha256, t->entries[i]->sha256))
                k++;
        return k;
}

static int taking_choose(Taking *t, const Lock *bundle, const Lock *lock, const FetchOptions *o,
                         Error **reterr) {
        for (size_t i = 0; i < t->n_requests; i++) {
                const FetchRequest *q = t->requests + i;
                int r;

                t->entries[i] = lock_find(bundle, q->name, q->version, q->architecture);
                if (!t->entries[i])
                        return error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "%s: %s %s %s is not in it",
                                         t->path, q->name, q->version, q->architecture);
                r = bundle_verdict(t->path, q, t->entries[i],
                                   lock_find(lock, q->name, q->version, q->architecture), o, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s %s %s", q->name, q->version, q->architecture);
                if (t->entries[i]->size != t->entries[taking_first(t, i)]->size)
                        return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: it says two sizes of %s",
                                         t->path, t->entries[i]->sha256);
        }
        return 0;
}

static Place* taking_add(Taking *t, size_t i, const char *ending) {
        Place *place = t->places + t->n_members;

        place->first = i;
        t->members[t->n_members++] =
                (UnpackMember) { .name = xasprintf(BUNDLE_FILES "%s%s", t->entries[i]->sha256, ending),
                                .userdata = place,
                                .optional = *ending };
        return place;
}

static void taking_open_papers(Taking *t, size_t i) {
        Place *signature = taking_add(t, i, KEPT_SIGNATURE),
              *certificate = taking_add(t, i, KEPT_CERTIFICATE);

        signature->text = &t->papers[i].signature;
        signature->limit = SIGNATURE_SIZE_MAX;
        certificate->text = &t->papers[i].certificate;
        certificate->limit = SIGNATURE_CERTIFICATE_SIZE_MAX;
}

static int taking_open_file(Taking *t, size_t i, const char *cache, Error **reterr) {
        const LockEntry *e = t->entries[i];
        _cleanup_free_ char *key = xasprintf("bundle.%s", e->sha256);
        _cleanup_(cache_file_freep) CacheFile *file = NULL;
        Stamp stamp;
        int r;

        r = cache_file_open(cache, key, &file, reterr);
        if (r < 0)
                return r;
        program_stamp(t->requests + i, &stamp);
        cache_file_look_for(file, &stamp);
        r = cache_file_reserve(file, e->size, reterr);
        if (r >= 0)
                taking_add(t, i, "")->file = TAKE_PTR(file);
        return r;
}

/*
 * What is in the cache got its name there as something else, perhaps of another version: so it is looked into. What
 * is damaged is not there.
 */
static int taking_look(const Taking *t, size_t i, const char *cache, Error **reterr) {
        const FetchRequest *q = t->requests + i;
        const LockEntry *e = t->entries[i];
        _cleanup_free_ char *path = cache_path(cache, e->sha256);
        _cleanup_error_ Error *error = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (!cache_has(cache, e->sha256, e->size, NULL))
                return 0;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return error_set_errno(reterr, errno, "%s", path);
        r = program_check(fd, q, e->sha256, q->name, &error);
        if (r == -ENOEXEC)
                return error_propagate(reterr, TAKE_PTR(error));
        return r >= 0;
}

static int taking_open(Taking *t, const char *cache, bool deep, Error **reterr) {
        for (size_t i = 0; i < t->n_requests; i++) {
                bool first = taking_first(t, i) == i;
                int r;

                if (first && t->requests[i].origin == ORIGIN_KUBERNETES)
                        taking_open_papers(t, i);
                r = deep ? 0 : taking_look(t, i, cache, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", t->path);
                if (r > 0 || !first)
                        continue;
                r = taking_open_file(t, i, cache, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int member_write(void *userdata, const void *data, size_t size, Error **reterr) {
        const Place *place = userdata;

        if (place->file)
                return cache_file_write(place->file, data, size, reterr);
        if (place->text->size + size > place->limit)
                return error_set(reterr, ERROR_VERIFY, EFBIG,
                                 "a signature or certificate in it is larger than %zu bytes", place->limit);
        buffer_add(place->text, data, size);
        return 0;
}

/* The same bytes as another request's are not of its version, or for its processor, because they are of that one's. */
static int taking_check_others(const Taking *t, size_t first, const CacheFile *file, Error **reterr) {
        int r = 0;

        for (size_t i = first + 1; i < t->n_requests && r >= 0; i++)
                if (taking_first(t, i) == first)
                        r = program_check(cache_file_fd(file), t->requests + i, t->entries[i]->sha256,
                                          t->requests[i].name, reterr);
        return r;
}

static int taking_check(const Taking *t, size_t i, Error **reterr) {
        CacheFile *file = t->places[i].file;
        const FetchRequest *q = t->requests + t->places[i].first;
        const LockEntry *e = t->entries[t->places[i].first];
        char sha256[SHA256_HEX_SIZE];
        int r;

        if (!file)
                return 0;
        cache_file_digest(file, sha256);
        if (!streq(sha256, e->sha256) || cache_file_size(file) != e->size)
                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                 "wrong digest: member '%s' has %" PRIu64 " bytes with the digest %s",
                                 t->members[i].name, cache_file_size(file), sha256);
        if (!cache_file_stamped(file))
                return program_not_stamped(q, q->name, reterr);
        r = elf_check(cache_file_fd(file), q->architecture, q->name, reterr);
        return r < 0 ? r : taking_check_others(t, t->places[i].first, file, reterr);
}

/* As papers_vouch() and item_check_signature() have it for mirrors: behind the look into the program itself. */
static int taking_vouch(Taking *t, size_t i, const FetchOptions *o, const Lock *lock, Error **reterr) {
        const FetchRequest *q = t->requests + i;
        const LockEntry *e = t->entries[i], *ours = lock_find(lock, q->name, q->version, q->architecture);
        const KeptPapers *papers = t->papers + taking_first(t, i);
        bool enough = pins_find(o, q) || (ours && streq(ours->sha256, e->sha256)) || o->accept_mirror;
        int r = 0;

        if (kept_have(papers)) {
                r = signature_check(o->trust, e->sha256, &papers->signature, &papers->certificate,
                                    enough ? NULL : reterr);
                t->is_signed[i] = r >= 0;
        } else if (!enough && vouch_needed(q, e->sha256))
                r = vouch_refuse("bundle", "hardway fetch --from FILE --accept-mirror", q, e->sha256,
                                 reterr);
        return r < 0 && !enough ? error_prefix(reterr, r, "%s %s %s", q->name, q->version, q->architecture) :
                                  0;
}

static int taking_judge(Taking *t, const FetchOptions *o, const Lock *lock, Error **reterr) {
        int r = 0;

        for (size_t i = 0; i < t->n_members && r >= 0; i++)
                r = taking_check(t, i, reterr);
        for (size_t i = 0; i < t->n_requests && r >= 0; i++)
                r = taking_vouch(t, i, o, lock, reterr);
        return r < 0 ? error_prefix(reterr, r, "%s", t->path) : 0;
}

/* For a bundle that is made here in turn. */
static int taking_keep(const Taking *t, size_t i, const char *cache, Error **reterr) {
        const KeptPapers *papers = t->papers + taking_first(t, i);

        return t->is_signed[i] ? kept_write(cache, t->entries[i]->sha256, &papers->signature,
                                            &papers->certificate, reterr) :
                                 0;
}

/* All of them are right, or none gets its name. */
static int taking_commit(Taking *t, const char *cache, const FetchOptions *o, Lock *lock, Error **reterr) {
        int r;

        r = taking_judge(t, o, lock, reterr);
        for (size_t i = 0; i < t->n_members && r >= 0; i++)
                if (t->places[i].file)
                        r = cache_file_commit(t->places[i].file, reterr);
        for (size_t i = 0; i < t->n_requests && r >= 0; i++)
                r = taking_keep(t, i, cache, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < t->n_requests; i++) {
                LockEntry entry = *t->entries[i];
                const LockEntry *old = lock_find(lock, entry.name, entry.version, entry.architecture);

                entry.proof = (char*) bundle_proof(o, t->requests + i, &entry, t->is_signed[i]);
                if (!old || !streq(old->sha256, entry.sha256))
                        lock_put(lock, &entry);
        }
        return 0;
}

static int bundle_take(Taking *t, int fd, const char *cache, const FetchOptions *o, Lock *lock,
                       Error **reterr) {
        int r;

        r = taking_open(t, cache, o->deep, reterr);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(reterr, errno, "%s", t->path);
        r = unpack(fd, t->members, t->n_members, UNPACK_SIZE_MAX, member_write, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", t->path);
        return taking_commit(t, cache, o, lock, reterr);
}

/**
 * fetch_from() - take all that is needed out of a bundle
 * @path:       the bundle
 * @requests:   what is needed
 * @n_requests: how many
 * @options:    cache, pins, accept_mirror, update_lock and deep count
 * @lock:       what is pinned; gets the bundle's pin for everything that was not
 * @reterr:     says what is missing, wrong or damaged
 *
 * Return: 0 or a negative errno, and then nothing was taken.
 */
int fetch_from(const char *path, const FetchRequest *requests, size_t n_requests,
               const FetchOptions *options, Lock *lock, Error **reterr) {
        _cleanup_free_ char *standard = options->cache ? NULL : fetch_cache_default();
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        _cleanup_(lock_freep) Lock *bundle = NULL;
        _cleanup_(taking_done) Taking t = {
                .path = path,
                .requests = requests,
                .n_requests = n_requests,
                .entries = xnew(const LockEntry*, n_requests),
                .papers = xnew(KeptPapers, n_requests),
                .is_signed = xnew(bool, n_requests),
                .members = xnew(UnpackMember, 3 * n_requests), /* a program and its papers */
                .places = xnew(Place, 3 * n_requests),
        };
        int r;

        if (fd < 0)
                return error_set_errno(reterr, errno, "%s", path);
        for (size_t i = 0; i < n_requests; i++) {
                r = layout_check(requests + i, reterr);
                if (r < 0)
                        return r;
        }
        r = pins_check(options, requests, n_requests, lock, reterr);
        if (r >= 0)
                r = bundle_read_lock(fd, path, &bundle, reterr);
        if (r >= 0)
                r = taking_choose(&t, bundle, lock, options, reterr);
        if (r >= 0)
                r = bundle_take(&t, fd, options->cache ?: standard, options, lock, reterr);
        return r;
}
