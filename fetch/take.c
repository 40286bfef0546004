/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "fetch/bundle.h"
#include "fetch/cache.h"
#include "fetch/elf.h"
#include "fetch/item.h"
#include "fetch/known.h"
#include "fetch/pins.h"
#include "fetch/unpack.h"

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

static const char* bundle_proof(const FetchOptions *o, const FetchRequest *q, const LockEntry *e) {
        const char *known = known_digest(q), *digest = q->origin == ORIGIN_ETCD ? e->archive : e->sha256;

        if (pins_find(o, q))
                return "hand";
        return known && digest && streq(digest, known) ? "known" : o->accept_mirror ? "accepted" : "bundle";
}

typedef struct Taking {
        const char *path;
        const FetchRequest *requests;
        const LockEntry **entries; /* of the bundle's lock, one for each request */
        size_t n_requests;
        UnpackMember *members; /* each digest once */
        CacheFile **files;
        size_t *first; /* the request that a member is for */
        size_t n_members;
} Taking;

static void taking_done(Taking *t) {
        for (size_t i = 0; i < t->n_members; i++) {
                free((char*) t->members[i].name);
                cache_file_free(t->files[i]);
        }
        free(t->members);
        free(t->files);
        free(t->first);
        free(t->entries);
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
        }
        return 0;
}

static int taking_open(Taking *t, const char *cache, bool deep, Error **reterr) {
        for (size_t i = 0; i < t->n_requests; i++) {
                const LockEntry *e = t->entries[i];
                _cleanup_free_ char *name = xasprintf(BUNDLE_FILES "%s", e->sha256),
                                    *key = xasprintf("bundle.%s", e->sha256);
                bool there = !deep && cache_has(cache, e->sha256, e->size, NULL);
                Stamp stamp;
                int r;

                for (size_t k = 0; k < t->n_members && !there; k++)
                        there = streq(t->members[k].name, name);
                if (there)
                        continue;
                r = cache_file_open(cache, key, t->files + t->n_members, reterr);
                if (r < 0)
                        return r;
                t->members[t->n_members] =
                        (UnpackMember) { .name = TAKE_PTR(name), .userdata = t->files[t->n_members] };
                program_stamp(t->requests + i, &stamp);
                cache_file_look_for(t->files[t->n_members], &stamp);
                t->first[t->n_members++] = i;
                r = cache_file_reserve(t->files[t->n_members - 1], e->size, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int file_member_write(void *userdata, const void *data, size_t size, Error **reterr) {
        return cache_file_write(userdata, data, size, reterr);
}

static int taking_check(const Taking *t, size_t i, Error **reterr) {
        const FetchRequest *q = t->requests + t->first[i];
        const LockEntry *e = t->entries[t->first[i]];
        char sha256[SHA256_HEX_SIZE];

        cache_file_digest(t->files[i], sha256);
        if (!streq(sha256, e->sha256) || cache_file_size(t->files[i]) != e->size)
                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                 "wrong digest: member '%s' has %" PRIu64 " bytes with the digest %s",
                                 t->members[i].name, cache_file_size(t->files[i]), sha256);
        if (!cache_file_stamped(t->files[i]))
                return program_not_stamped(q, q->name, reterr);
        return elf_check(cache_file_fd(t->files[i]), q->architecture, q->name, reterr);
}

/* All of them are right, or none gets its name. */
static int taking_commit(Taking *t, const FetchOptions *o, Lock *lock, Error **reterr) {
        int r;

        for (size_t i = 0; i < t->n_members; i++) {
                r = taking_check(t, i, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", t->path);
        }
        for (size_t i = 0; i < t->n_members; i++) {
                r = cache_file_commit(t->files[i], reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < t->n_requests; i++) {
                LockEntry entry = *t->entries[i];
                const LockEntry *old = lock_find(lock, entry.name, entry.version, entry.architecture);

                entry.proof = (char*) bundle_proof(o, t->requests + i, &entry);
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
        r = unpack(fd, t->members, t->n_members, UNPACK_SIZE_MAX, file_member_write, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", t->path);
        return taking_commit(t, o, lock, reterr);
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
                .members = xnew(UnpackMember, n_requests),
                .files = xnew(CacheFile*, n_requests),
                .first = xnew(size_t, n_requests),
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
