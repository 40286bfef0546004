/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/strv.h"
#include "fetch/bundle.h"
#include "fetch/cache.h"
#include "fetch/fetch.h"
#include "fetch/kept.h"
#include "fetch/known.h"
#include "fetch/layout.h"
#include "fetch/vouch.h"

/*
 * A bundle: all that a cluster needs, for hosts that reach nobody
 *
 *      hardway.lock            what it holds, and nothing else
 *      sha256/ABCDEF...        each of that, in the order of the digests
 *      sha256/ABCDEF....cert   the certificate of its signature, and that: of what is signed
 *      sha256/ABCDEF....sig
 *
 * A plain tar file (ustar): owner, times and modes are the same in all of them, and nothing is compressed, as
 * another zlib would compress it differently. Taking one in (fetch/take.c) trusts none of it: each member has to
 * have the digest that its name and the bundle's lock say, our own lock and what is known of the release come
 * first, the signature has to hold (fetch/vouch.h), and processor and version are looked for in the program, as if
 * it had been downloaded.
 */

#define READ_SIZE (256U * 1024)

/* Where all of it lies. */
typedef struct Source {
        const char *cache;
        const SignatureTrust *trust; /* NULL: signature_trust_kubernetes */
} Source;

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
        _cleanup_free_ char *source = cache_path(cache, sha256),
                            *name = xasprintf(BUNDLE_FILES "%s", sha256), *buffer = xmalloc(READ_SIZE),
                            *hex = NULL;
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

static int bundle_add_text(struct archive *a, const char *path, const char *sha256, const char *ending,
                           const Buffer *text, Error **reterr) {
        _cleanup_free_ char *name = xasprintf(BUNDLE_FILES "%s%s", sha256, ending);
        int r;

        r = bundle_header(a, path, name, text->size, reterr);
        if (r >= 0 && archive_write_data(a, text->data, text->size) != (la_ssize_t) text->size)
                r = bundle_failure(a, path, reterr);
        return r;
}

static int bundle_add_papers(struct archive *a, const char *path, const char *sha256, const Source *from,
                             Error **reterr) {
        _cleanup_(kept_done) KeptPapers papers = {};
        int r;

        if (!kept_read(from->cache, sha256, from->trust, &papers))
                return 0;
        r = bundle_add_text(a, path, sha256, KEPT_CERTIFICATE, &papers.certificate, reterr);
        if (r >= 0)
                r = bundle_add_text(a, path, sha256, KEPT_SIGNATURE, &papers.signature, reterr);
        return r;
}

static int bundle_write(int fd, const char *path, const Source *from, const Lock *lock, char *const *digests,
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
                r = bundle_header(a, path, BUNDLE_LOCK, text.size, reterr);
        if (r >= 0 && archive_write_data(a, text.data, text.size) != (la_ssize_t) text.size)
                r = bundle_failure(a, path, reterr);
        STRV_FOREACH(sha256, digests) {
                if (r >= 0)
                        r = bundle_add_file(a, path, from->cache, *sha256, reterr);
                if (r >= 0)
                        r = bundle_add_papers(a, path, *sha256, from, reterr);
        }
        if (r >= 0 && archive_write_close(a) != ARCHIVE_OK)
                r = bundle_failure(a, path, reterr);
        (void) archive_write_free(a); /* what it still writes of a file that is given up does no harm */
        return r;
}

/* Under another name until it is whole and on the disk. */
static int bundle_place(const char *path, const Source *from, const Lock *lock, char *const *digests,
                        Error **reterr) {
        _cleanup_free_ char *temporary = xasprintf("%s.part", path);
        _cleanup_close_ int fd =
                open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        int r;

        if (fd < 0)
                return error_set_errno(reterr, errno, "%s", temporary);
        r = bundle_write(fd, path, from, lock, digests, reterr);
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

/* What the other side does not take without being told to, see fetch/take.c. */
static bool bundle_needs_accept(const FetchRequest *q, const LockEntry *e, const Source *from) {
        const char *known = known_digest(q), *digest = q->origin == ORIGIN_ETCD ? e->archive : e->sha256;
        _cleanup_(kept_done) KeptPapers papers = {};

        if (known && !streq_null(known, digest))
                return true;
        return vouch_needed(q, e->sha256) && !kept_read(from->cache, e->sha256, from->trust, &papers);
}

/**
 * fetch_bundle() - write all that is needed into one file
 * @path:       the file, replaced if it is there
 * @requests:   what is needed; all of it in the lock and in the cache
 * @n_requests: how many
 * @options:    cache and trust count
 * @lock:       what is pinned
 * @ret_n_accept: how much of it goes without anybody's word but the bundle's, and has to be accepted
 * @reterr:     what is missing or damaged, or why it cannot be written
 *
 * Return: 0 or a negative errno.
 */
int fetch_bundle(const char *path, const FetchRequest *requests, size_t n_requests,
                 const FetchOptions *options, const Lock *lock, size_t *ret_n_accept, Error **reterr) {
        _cleanup_free_ char *standard = options->cache ? NULL : fetch_cache_default();
        const Source from = { .cache = options->cache ?: standard, .trust = options->trust };
        _cleanup_(lock_freep) Lock *chosen = lock_new(BUNDLE_LOCK);
        _cleanup_strv_ Strv digests = NULL;
        size_t n_accept = 0;
        int r;

        r = bundle_select(requests, n_requests, from.cache, lock, chosen, &digests, reterr);
        if (r >= 0)
                r = bundle_place(path, &from, chosen, digests, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_requests; i++) {
                const FetchRequest *q = requests + i;

                n_accept += bundle_needs_accept(q, lock_find(chosen, q->name, q->version, q->architecture),
                                                &from);
        }
        *ret_n_accept = n_accept;
        return 0;
}
