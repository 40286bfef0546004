/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/strv.h"
#include "fetch/cache.h"
#include "fetch/elf.h"
#include "fetch/fetch.h"
#include "fetch/item.h"
#include "fetch/known.h"
#include "fetch/layout.h"
#include "fetch/pins.h"
#include "fetch/unpack.h"

/*
 * A bundle: all that a cluster needs, for hosts that reach nobody
 *
 *      hardway.lock            what it holds, and nothing else
 *      sha256/ABCDEF...        each of that, in the order of the digests
 *
 * A plain tar file (ustar): owner, times and modes are the same in all of them, and nothing is compressed, as
 * another zlib would compress it differently. Taking one in trusts none of it: each member has to have the digest
 * that its name and the bundle's lock say, our own lock and what is known of the release come first, and processor
 * and version are looked for in the program, as if it had been downloaded.
 */

#define LOCK_MEMBER "hardway.lock"
#define LOCK_SIZE_MAX (1024U * 1024)
#define READ_SIZE (256U * 1024)

/* --- writing --- */

/*
 * Where somebody got the bytes from, and what vouched for them there, is no concern of the other side; and the same
 * bytes make the same bundle, from whichever mirror they came.
 */
static void bundle_pin(const FetchRequest *q, const LockEntry *e, Lock *ret) {
        Layout layout = LAYOUT_NULL;
        _cleanup_free_ char *url = NULL;
        LockEntry entry = *e;

        layout_init(q, /* mirror= */ false, &layout);
        url = xasprintf("%s/%s", layout_official(q->origin), layout.file);
        layout_done(&layout);
        entry.url = url;
        entry.proof = entry.sha512 = NULL;
        lock_put(ret, &entry);
}

static int bundle_select(const FetchRequest *requests, size_t n_requests, const char *cache,
                         const Lock *lock, Lock *ret, Strv *ret_digests, Error **reterr) {
        for (size_t i = 0; i < n_requests; i++) {
                const FetchRequest *q = requests + i;
                const LockEntry *e = lock_find(lock, q->name, q->version, q->architecture);

                if (!e || !cache_has(cache, e->sha256, e->size, NULL))
                        return error_set(reterr, ERROR_UNAVAILABLE, ENOENT,
                                         "%s %s %s: not in the cache, run first: hardway fetch", q->name,
                                         q->version, q->architecture);
                bundle_pin(q, e, ret);
                if (!strv_contains(*ret_digests, e->sha256))
                        strv_add(ret_digests, e->sha256);
        }
        strv_sort(*ret_digests);
        return 0;
}

static int bundle_failure(struct archive *a, const char *path, Error **reterr) {
        const char *text = archive_error_string(a);

        return error_set_errno(reterr, archive_errno(a) > 0 ? archive_errno(a) : EIO, "%s: %s", path,
                               text ?: "cannot be written");
}

static int bundle_header(struct archive *a, const char *path, const char *name, uint64_t size,
                         Error **reterr) {
        struct archive_entry *entry = archive_entry_new();
        int r;

        if (!entry)
                abort();
        archive_entry_set_pathname(entry, name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_uid(entry, 0);
        archive_entry_set_gid(entry, 0);
        archive_entry_set_mtime(entry, 0, 0);
        archive_entry_set_size(entry, (int64_t) size);
        r = archive_write_header(a, entry);
        archive_entry_free(entry);
        return r == ARCHIVE_OK ? 0 : bundle_failure(a, path, reterr);
}

static int bundle_add_file(struct archive *a, const char *path, const char *cache, const char *sha256,
                           Error **reterr) {
        _cleanup_free_ char *source = cache_path(cache, sha256), *name = xasprintf("sha256/%s", sha256),
                            *buffer = xmalloc(READ_SIZE), *hex = NULL;
        _cleanup_(digest_freep) Digest *digest = digest_new("SHA256");
        _cleanup_close_ int fd = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct stat st;
        ssize_t n;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, errno, "%s", source);
        r = bundle_header(a, path, name, (uint64_t) st.st_size, reterr);
        if (r < 0)
                return r;
        while ((n = read(fd, buffer, READ_SIZE)) != 0) {
                if (n < 0)
                        return error_set_errno(reterr, errno, "%s", source);
                digest_add(digest, buffer, (size_t) n);
                if (archive_write_data(a, buffer, (size_t) n) != n)
                        return bundle_failure(a, path, reterr);
        }
        hex = digest_hex(digest);
        if (!streq(hex, sha256))
                return error_set(
                        reterr, ERROR_VERIFY, EBADMSG,
                        "%s: damaged, it no longer is what its name says; fetch it again with: hardway "
                        "fetch --deep",
                        source);
        return 0;
}

static int bundle_write(int fd, const char *path, const char *cache, const Lock *lock, char *const *digests,
                        Error **reterr) {
        struct archive *a = archive_write_new();
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r = 0;

        if (!a || archive_write_set_format_ustar(a) != ARCHIVE_OK)
                abort();
        lock_write(lock, &text);
        if (archive_write_open_fd(a, fd) != ARCHIVE_OK)
                r = bundle_failure(a, path, reterr);
        if (r >= 0)
                r = bundle_header(a, path, LOCK_MEMBER, text.size, reterr);
        if (r >= 0 && archive_write_data(a, text.data, text.size) != (la_ssize_t) text.size)
                r = bundle_failure(a, path, reterr);
        STRV_FOREACH(sha256, digests)
                if (r >= 0)
                        r = bundle_add_file(a, path, cache, *sha256, reterr);
        if (r >= 0 && archive_write_close(a) != ARCHIVE_OK)
                r = bundle_failure(a, path, reterr);
        if (r < 0)
                (void) archive_write_fail(a);
        (void) archive_write_free(a);
        return r;
}

/* Under another name until it is whole and on the disk. */
static int bundle_place(const char *path, const char *cache, const Lock *lock, char *const *digests,
                        Error **reterr) {
        _cleanup_free_ char *temporary = xasprintf("%s.part", path);
        _cleanup_close_ int fd =
                open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        int r;

        if (fd < 0)
                return error_set_errno(reterr, errno, "%s", temporary);
        r = bundle_write(fd, path, cache, lock, digests, reterr);
        if (r >= 0 && fsync(fd) < 0)
                r = error_set_errno(reterr, errno, "%s", temporary);
        if (r >= 0 && rename(temporary, path) < 0)
                r = error_set_errno(reterr, errno, "%s", path);
        if (r < 0) {
                (void) unlink(temporary);
                return r;
        }
        return fs_sync_dir_of(AT_FDCWD, path, reterr);
}

/**
 * fetch_bundle() - write all that is needed into one file
 * @path:       the file, replaced if it is there
 * @requests:   what is needed; all of it in the lock and in the cache
 * @n_requests: how many
 * @cache:      the cache's directory, or NULL for the default
 * @lock:       what is pinned
 * @reterr:     what is missing or damaged, or why it cannot be written
 *
 * Return: 0 or a negative errno.
 */
int fetch_bundle(const char *path, const FetchRequest *requests, size_t n_requests, const char *cache,
                 const Lock *lock, Error **reterr) {
        _cleanup_free_ char *standard = cache ? NULL : fetch_cache_default();
        _cleanup_(lock_freep) Lock *chosen = lock_new(LOCK_MEMBER);
        _cleanup_strv_ Strv digests = NULL;
        int r;

        r = bundle_select(requests, n_requests, cache ?: standard, lock, chosen, &digests, reterr);
        return r < 0 ? r : bundle_place(path, cache ?: standard, chosen, digests, reterr);
}

/* --- taking in --- */

static int lock_member_write(void *userdata, const void *data, size_t size, Error **reterr) {
        Buffer *text = userdata;

        if (text->size + size > LOCK_SIZE_MAX)
                return error_set(reterr, ERROR_VERIFY, EFBIG, "member '" LOCK_MEMBER "': larger than %u KiB",
                                 LOCK_SIZE_MAX / 1024);
        buffer_add(text, data, size);
        return 0;
}

static int bundle_read_lock(int fd, const char *path, Lock **ret, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_free_ char *name = xasprintf("%s: " LOCK_MEMBER, path);
        UnpackMember member = { .name = LOCK_MEMBER, .userdata = &text };
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

static const char *bundle_proof(const FetchOptions *o, const FetchRequest *q, const LockEntry *e) {
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
                free((char *) t->members[i].name);
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
                _cleanup_free_ char *name = xasprintf("sha256/%s", e->sha256),
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
                        (UnpackMember){ .name = TAKE_PTR(name), .userdata = t->files[t->n_members] };
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

                entry.proof = (char *) bundle_proof(o, t->requests + i, &entry);
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
                .entries = xnew(const LockEntry *, n_requests),
                .members = xnew(UnpackMember, n_requests),
                .files = xnew(CacheFile *, n_requests),
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
