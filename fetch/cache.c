/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"

#define OPEN_TRIES 16
#define PRIVATE_DIGITS 16U

struct CacheFile {
        char *cache;
        char *path; /* NULL once it has been committed */
        int fd;
        uint64_t size;
        Digest *digest;
};

/**
 * cache_path() - where a file lies in the cache, if it does
 * @cache:      the cache's directory
 * @sha256:     its digest
 *
 * Return: the path; the caller frees.
 */
char* cache_path(const char *cache, const char *sha256) {
        return xasprintf("%s/sha256/%.2s/%s", cache, sha256, sha256);
}

/**
 * cache_has() - whether a file is in the cache
 * @cache:      the cache's directory
 * @sha256:     its digest
 * @size:       its size, or 0 if that is not known
 * @ret_size:   set to its size if it is there; may be NULL
 *
 * The name is believed (see cache_file_commit()); a size that is not the one expected is damage, and the
 * file not there.
 *
 * Return: true if it is there.
 */
bool cache_has(const char *cache, const char *sha256, uint64_t size, uint64_t *ret_size) {
        _cleanup_free_ char *path = cache_path(cache, sha256);
        struct stat st;

        if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
                return false;
        if (size > 0 && (uint64_t) st.st_size != size)
                return false;
        if (ret_size)
                *ret_size = (uint64_t) st.st_size;
        return true;
}

/*
 * Opens and locks; 0 if somebody else has it. The file may have been renamed or removed by its former owner
 * between the two: then what we have locked is no longer what the name says, and may by now be an entry of
 * the cache.
 */
static int partial_open(const char *path, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        struct stat ours, named;

        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? 0 : -errno;
        if (fstat(fd, &ours) < 0)
                return -errno;
        if (lstat(path, &named) < 0)
                return errno == ENOENT ? -ESTALE : -errno;
        if (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev)
                return -ESTALE;
        if (!S_ISREG(ours.st_mode))
                return -ELOOP;

        *ret_fd = TAKE_FD(fd);
        return 1;
}

static int partial_acquire(CacheFile *f, const char *key, Error **reterr) {
        int r;

        f->path = xasprintf("%s/partial/%s", f->cache, key);
        for (int i = 0; i < OPEN_TRIES; i++) {
                r = partial_open(f->path, &f->fd);
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
                        f->path = xasprintf("%s/partial/%s.%016jx", f->cache, key, (uintmax_t) random);
                } else if (r != -ESTALE)
                        break;
        }
        return error_set_errno(reterr, r ?: -EBUSY, "%s", f->path);
}

/*
 * Removes the private names of runs that were killed: what can be locked has no owner. The plain name is not
 * touched, its next owner is this run or a later one.
 */
static void partial_sweep(const char *cache, const char *key) {
        _cleanup_free_ char *directory = xasprintf("%s/partial", cache);
        size_t n = strlen(key);
        DIR *d = opendir(directory);

        if (!d)
                return;
        for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
                _cleanup_free_ char *path = xasprintf("%s/%s", directory, e->d_name);
                _cleanup_close_ int fd = -EBADF;

                if (strncmp(e->d_name, key, n) != 0 || e->d_name[n] != '.' ||
                    strspn(e->d_name + n + 1, "0123456789abcdef") != PRIVATE_DIGITS ||
                    e->d_name[n + 1 + PRIVATE_DIGITS])
                        continue;
                if (partial_open(path, &fd) > 0)
                        (void) unlink(path);
        }
        (void) closedir(d);
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

/**
 * cache_file_open() - begin a file
 * @cache:      the cache's directory, made if it does not exist
 * @key:        what is being made, a file name; the same thing has the same key in every run
 * @ret:        the file, empty; the caller frees
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
        partial_sweep(cache, key);
        r = partial_acquire(f, key, reterr);
        if (r < 0) {
                free(TAKE_PTR(f->path)); /* not ours to remove */
                return r;
        }
        r = cache_file_rewind(f, reterr);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(f);
        return 0;
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
        f->size = 0;
        digest_free(f->digest);
        f->digest = digest_new("SHA256");
        return 0;
}

/**
 * cache_file_reserve() - take the room on the disk that a file will need
 * @f:          the file
 * @size:       how large it will be
 * @reterr:     says that the disk is full
 *
 * The file's size stays what was written. File systems that cannot do it are not an error: writing will
 * tell.
 *
 * Return: 0 or a negative errno.
 */
int cache_file_reserve(CacheFile *f, uint64_t size, Error **reterr) {
        if (size == 0 || size > INT64_MAX || fallocate(f->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t) size) >= 0)
                return 0;
        if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG)
                return 0;
        return cache_file_error(f, errno, reterr);
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
        digest_add(f->digest, data, size);
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
        return fs_sync_dir_of(AT_FDCWD, path, reterr);
}

/**
 * cache_file_free() - close a file, and remove it if it was not committed
 * @f:          the file, may be NULL
 *
 * Return: NULL.
 */
CacheFile* cache_file_free(CacheFile *f) {
        if (!f)
                return NULL;

        if (f->path)
                (void) unlink(f->path); /* before the lock goes */
        safe_close(f->fd);
        digest_free(f->digest);
        free(f->path);
        free(f->cache);
        free(f);
        return NULL;
}
