/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/vfs.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "fetch/cache.h"
#include "fetch/claim.h"

/* Files of the cache that do not have their name yet. */

#define OPEN_TRIES 16
#define READ_SIZE (256U * 1024)

struct CacheFile {
        char *cache;
        char *path;      /* NULL once it has been committed */
        char *from_path; /* where the origin lies; NULL: the name is private, and nothing will be left behind */
        int fd;
        Origin origin; /* its url is NULL: there is none */
        uint64_t size;
        Digest *digest, *digest512;
        bool want512;
        Stamp stamp;
};

static int partial_acquire(CacheFile *f, const char *key, Error **reterr) {
        int r;

        f->path = xasprintf("%s/partial/%s", f->cache, key);
        f->from_path = xasprintf("%s.from", f->path);
        for (int i = 0; i < OPEN_TRIES; i++) {
                r = claim_open(f->path, &f->fd);
                if (r > 0)
                        return 0;
                if (r == 0) {
                        uint64_t random = 0;

                        /*
                         * Another run is at it. Only a waste of bandwidth, as it ends under the same name.
                         */
                        if (getrandom(&random, sizeof(random), 0) < 0)
                                random = clock_usec();
                        free(f->path);
                        free(TAKE_PTR(f->from_path));
                        f->path = xasprintf("%s/partial/%s.%016jx", f->cache, key, (uintmax_t) random);
                } else if (r != -ESTALE)
                        break;
        }
        return error_set_errno(reterr, r ?: -EBUSY, "%s", f->path);
}

static int cache_file_error(const CacheFile *f, int errnum, Error **reterr) {
        int r;

        errnum = errnum < 0 ? -errnum : errnum;
        if (errnum != ENOSPC && errnum != EDQUOT)
                return error_set_errno(reterr, errnum, "%s", f->path);
        r = error_set(reterr, ERROR_IO, errnum, "%s: %s", f->path,
                      errnum == ENOSPC ? "the disk is full" : "the disk quota is used up");
        error_detail(
                reterr,
                "Downloads are kept in %s; XDG_CACHE_HOME in the environment moves that to another disk.",
                f->cache);
        return r;
}

/* What an earlier run has left behind is only worth something if it is known what it is. */
static void partial_take_over(CacheFile *f) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        struct stat st;

        if (!f->from_path || fstat(f->fd, &st) < 0 || st.st_size == 0 ||
            fs_read_optional(AT_FDCWD, f->from_path, ORIGIN_SIZE_MAX, &text, NULL) <= 0 ||
            origin_parse(f->from_path, text.data, text.size, &f->origin, NULL) < 0)
                return;
        f->size = (uint64_t) st.st_size;
        if (f->origin.size > 0 && f->size > f->origin.size)
                origin_done(&f->origin);
}

/**
 * cache_file_open() - begin a file, or find what there is of it
 * @cache:      the cache's directory, made if it does not exist
 * @key:        what is being made, a file name; the same thing has the same key in every run
 * @ret:        the file; empty unless it has an origin; the caller frees
 * @reterr:     names the path
 *
 * Return: 0 or a negative errno.
 */
int cache_file_open(const char *cache, const char *key, CacheFile **ret, Error **reterr) {
        _cleanup_(cache_file_freep) CacheFile *f = NULL;
        _cleanup_free_ char *partial = xasprintf("%s/partial", cache);
        int r;

        r = fs_mkdir_parents(AT_FDCWD, partial, 0755, reterr);
        if (r < 0)
                return r;

        f = xnew(CacheFile, 1);
        f->fd = -EBADF;
        f->cache = xstrdup(cache);
        claim_sweep(cache, key);
        r = partial_acquire(f, key, reterr);
        if (r < 0) {
                free(TAKE_PTR(f->path)); /* not ours to remove */
                return r;
        }
        if (f->from_path)
                claim_sweep_staged(cache, basename(f->from_path));
        partial_take_over(f);
        if (!f->origin.url) {
                r = cache_file_rewind(f, reterr);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(f);
        return 0;
}

/**
 * cache_file_origin() - where the bytes that are there came from
 * @f:          the file
 *
 * Return: the origin, lent until the file is begun or rewound; NULL if there are none.
 */
const Origin* cache_file_origin(const CacheFile *f) {
        return f->origin.url ? &f->origin : NULL;
}

/**
 * cache_file_look_for() - find out whether a program carries its version
 * @f:          the file
 * @stamp:      what to look for, copied
 */
void cache_file_look_for(CacheFile *f, const Stamp *stamp) {
        f->stamp = *stamp;
}

/**
 * cache_file_hash512() - compute the SHA-512 as well
 * @f:          the file
 */
void cache_file_hash512(CacheFile *f) {
        f->want512 = true;
}

static void cache_file_hash_anew(CacheFile *f) {
        digest_free(f->digest);
        digest_free(f->digest512);
        f->digest = digest_new("SHA256");
        f->digest512 = f->want512 ? digest_new("SHA512") : NULL;
        stamp_clear(&f->stamp);
}

static void cache_file_hash(CacheFile *f, const void *data, size_t size) {
        digest_add(f->digest, data, size);
        if (f->digest512)
                digest_add(f->digest512, data, size);
        stamp_add(&f->stamp, data, size);
}

/**
 * cache_file_rewind() - forget what was written
 * @f:          the file
 * @reterr:     names the path
 *
 * Return: 0 or a negative errno.
 */
int cache_file_rewind(CacheFile *f, Error **reterr) {
        if (ftruncate(f->fd, 0) < 0 || lseek(f->fd, 0, SEEK_SET) < 0)
                return cache_file_error(f, errno, reterr);
        if (f->from_path && unlink(f->from_path) < 0 && errno != ENOENT)
                return error_set_errno(reterr, errno, "%s", f->from_path);
        origin_done(&f->origin);
        f->size = 0;
        cache_file_hash_anew(f);
        return 0;
}

/**
 * cache_file_begin() - begin with bytes that another run could go on with
 * @f:          the file; what is in it is void
 * @origin:     where they come from, copied
 * @reterr:     names the path
 *
 * Return: 0 or a negative errno.
 */
int cache_file_begin(CacheFile *f, const Origin *origin, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = cache_file_rewind(f, reterr);
        if (r < 0)
                return r;
        origin_copy(origin, &f->origin);
        if (!f->from_path)
                return 0;
        origin_write(origin, &text);
        r = fs_write(AT_FDCWD, f->from_path, text.data, text.size, 0644, FS_NO_SYNC, NULL);
        return r < 0 ? cache_file_error(f, r, reterr) : 0;
}

/**
 * cache_file_resume() - take in what is there
 * @f:          a file with an origin
 * @reterr:     names the path
 *
 * Return: 0 or a negative errno.
 */
int cache_file_resume(CacheFile *f, Error **reterr) {
        _cleanup_free_ char *buffer = NULL;
        uint64_t left = f->size;

        if (f->digest)
                return 0; /* it was this run that wrote it */
        buffer = xmalloc(READ_SIZE);
        cache_file_hash_anew(f);
        if (lseek(f->fd, 0, SEEK_SET) < 0)
                return cache_file_error(f, errno, reterr);
        while (left > 0) {
                ssize_t n = read(f->fd, buffer, left < READ_SIZE ? (size_t) left : READ_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return cache_file_error(f, n < 0 ? errno : EIO, reterr);
                cache_file_hash(f, buffer, (size_t) n);
                left -= (uint64_t) n;
        }
        return 0;
}

/* There, to reserve is to write zeros: what is to come is then written twice. */
static bool is_in_memory(int fd) {
        struct statfs st;

        return fstatfs(fd, &st) >= 0 && st.f_type == TMPFS_MAGIC;
}

/**
 * cache_file_reserve() - take the room on the disk that a file will need
 * @f:          the file
 * @size:       how large it will be
 * @reterr:     says that the disk is full
 *
 * The file's size stays what was written. On file systems that cannot do it, it is only looked whether there is
 * room.
 *
 * Return: 0 or a negative errno.
 */
int cache_file_reserve(CacheFile *f, uint64_t size, Error **reterr) {
        if (size == 0 || size > INT64_MAX)
                return 0;
        if (!is_in_memory(f->fd)) {
                if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t) size) >= 0)
                        return 0;
                if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
                        return cache_file_error(f, errno, reterr);
        }
        return size > f->size ? cache_check_room(f->cache, size - f->size, reterr) : 0;
}

/**
 * cache_file_write() - append bytes, and hash them
 * @f:          the file
 * @data:       the bytes
 * @size:       how many
 * @reterr:     names the path
 *
 * Return: 0 or a negative errno.
 */
int cache_file_write(CacheFile *f, const void *data, size_t size, Error **reterr) {
        const char *p = data;
        size_t left = size;

        while (left > 0) {
                ssize_t n = write(f->fd, p, left);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return cache_file_error(f, errno, reterr);
                p += n;
                left -= (size_t) n;
        }
        cache_file_hash(f, data, size);
        f->size += size;
        return 0;
}

/**
 * cache_file_fd() - the open file
 * @f:          the file
 *
 * Return: its descriptor, lent.
 */
int cache_file_fd(const CacheFile *f) {
        return f->fd;
}

/**
 * cache_file_size() - how much was written
 * @f:          the file
 *
 * Return: bytes.
 */
uint64_t cache_file_size(const CacheFile *f) {
        return f->size;
}

/**
 * cache_file_digest() - the SHA-256 of what was written
 * @f:          the file
 * @ret:        64 small hex digits
 */
void cache_file_digest(const CacheFile *f, char ret[static SHA256_HEX_SIZE]) {
        _cleanup_free_ char *hex = digest_hex(f->digest);

        memcpy(ret, hex, SHA256_HEX_SIZE);
}

/**
 * cache_file_digest512() - the SHA-512 of what was written
 * @f:          the file
 *
 * Return: 128 small hex digits, which the caller frees; NULL without cache_file_hash512().
 */
char* cache_file_digest512(const CacheFile *f) {
        return f->digest512 ? digest_hex(f->digest512) : NULL;
}

/**
 * cache_file_stamped() - whether the version that was looked for is in it
 * @f:          the file, complete
 *
 * Return: true if it is, or if none was looked for.
 */
bool cache_file_stamped(CacheFile *f) {
        return stamp_found(&f->stamp);
}

/**
 * cache_file_commit() - make a file durable and give it its name
 * @f:          the file, whose content the caller has verified; to be freed afterwards as ever
 * @reterr:     names the path
 *
 * Return: 0 or a negative errno.
 */
int cache_file_commit(CacheFile *f, Error **reterr) {
        char sha256[SHA256_HEX_SIZE];
        _cleanup_free_ char *path = NULL, *parent = NULL;
        int r;

        cache_file_digest(f, sha256);
        path = cache_path(f->cache, sha256);
        parent = fs_path_dirname(path);
        r = fs_mkdir_parents(AT_FDCWD, parent, 0755, reterr);
        if (r < 0)
                return r;

        /* What was reserved and not used is given back. */
        if (ftruncate(f->fd, (off_t) f->size) < 0 || fchmod(f->fd, 0755) < 0 || fsync(f->fd) < 0)
                return cache_file_error(f, errno, reterr);
        if (rename(f->path, path) < 0)
                return error_set_errno(reterr, errno, "%s", path);
        free(TAKE_PTR(f->path));
        if (f->from_path)
                (void) unlink(f->from_path);
        return fs_sync_dir_of(AT_FDCWD, path, reterr);
}

/**
 * cache_file_free() - close a file; unless it was committed or has an origin, remove it
 * @f:          the file, may be NULL
 *
 * Return: NULL.
 */
CacheFile* cache_file_free(CacheFile *f) {
        if (!f)
                return NULL;

        /* Before the lock goes. */
        if (f->path && (!f->from_path || !f->origin.url || f->size == 0)) {
                (void) unlink(f->path);
                if (f->from_path)
                        (void) unlink(f->from_path);
        }
        safe_close(f->fd);
        digest_free(f->digest);
        digest_free(f->digest512);
        origin_done(&f->origin);
        free(f->path);
        free(f->from_path);
        free(f->cache);
        free(f);
        return NULL;
}
