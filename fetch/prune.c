/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/strv.h"
#include "fetch/cache.h"
#include "fetch/claim.h"
#include "fetch/fetch.h"
#include "fetch/kept.h"

/*
 * What may go from the cache
 *
 * One cache serves all clusters of a user. CACHE/users holds the paths of the lock files that ever had something
 * in it, a small file for each; what any of those that still exist names is kept. CACHE/busy is locked, shared by
 * who fetches, alone by who prunes.
 */

#define USERS "users"
#define BUSY "busy"
#define PATH_SIZE_MAX 4096U

static int cache_lock(const char *cache, int operation, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s/" BUSY, cache);
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = fs_mkdir_parents(AT_FDCWD, cache, 0755, reterr);
        if (r < 0)
                return r;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return error_set_errno(reterr, errno, "%s", path);
        (void) fchmod(fd, 0600); /* whoever can read it can lock it, see flock(2) */
        if (flock(fd, operation) >= 0)
                return TAKE_FD(fd);
        if (errno == EWOULDBLOCK)
                return error_set(reterr, ERROR_TEMPORARY, EBUSY,
                                 "%s: in use by another hardway; --wait waits for it", cache);
        if (errno == EINTR)
                return error_set(reterr, ERROR_TEMPORARY, ECANCELED,
                                 "%s: stopped while waiting for another hardway", cache);
        return error_set_errno(reterr, errno, "%s", path);
}

static int cache_remember(const char *cache, const char *lock_path, Error **reterr) {
        _cleanup_free_ char *absolute = realpath(lock_path, NULL), *name = NULL, *parent = NULL;
        char sha256[SHA256_HEX_SIZE];
        int r;

        /* A lock that is not there yet will be, in a directory that is. */
        if (!absolute) {
                _cleanup_free_ char *directory = fs_path_dirname(lock_path),
                                    *real = realpath(directory, NULL);

                if (!real)
                        return error_set_errno(reterr, errno, "%s", directory);
                absolute = xasprintf("%s/%s", real, fs_path_basename(lock_path));
        }
        sha256_hex(absolute, strlen(absolute), sha256);
        name = xasprintf("%s/" USERS "/%.16s", cache, sha256);
        parent = fs_path_dirname(name);
        r = fs_mkdir_parents(AT_FDCWD, parent, 0755, reterr);
        if (r < 0)
                return r;
        r = fs_write(AT_FDCWD, name, absolute, strlen(absolute), 0644, 0, reterr);
        return r < 0 ? r : 0;
}

/**
 * fetch_cache_share() - keep what is fetched from being pruned
 * @cache:      the cache's directory, or NULL for the default
 * @lock_path:  the lock file that will name it
 * @reterr:     names the path
 *
 * Waits while somebody prunes: that does not take long.
 *
 * Return: a descriptor; what was fetched is safe while it is open, and then by its name in the lock file. Or a
 * negative errno.
 */
int fetch_cache_share(const char *cache, const char *lock_path, Error **reterr) {
        _cleanup_free_ char *standard = cache ? NULL : fetch_cache_default();
        _cleanup_close_ int fd = -EBADF;
        int r;

        cache = cache ?: standard;
        fd = cache_lock(cache, LOCK_SH, reterr);
        if (fd < 0)
                return fd;
        r = cache_remember(cache, lock_path, reterr);
        return r < 0 ? r : TAKE_FD(fd);
}

typedef int (*EachFile)(const char *path, const char *name, void *userdata, Error **reterr);

/* Files only, of the directory itself; one that is not there has none. */
static int each_file(const char *directory, EachFile each, void *userdata, Error **reterr) {
        DIR *d = opendir(directory);
        int r = 0;

        if (!d)
                return errno == ENOENT ? 0 : error_set_errno(reterr, errno, "%s", directory);
        for (const struct dirent *e = readdir(d); e && r >= 0; e = readdir(d)) {
                _cleanup_free_ char *path = xasprintf("%s/%s", directory, e->d_name);

                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = each(path, e->d_name, userdata, reterr);
        }
        (void) closedir(d);
        return r;
}

typedef struct Prune {
        Strv kept; /* digests */
        bool dry_run;
        FetchPruned pruned;
} Prune;

/*
 * A lock that is gone does not count, and is forgotten. One that cannot be read ends it all: better too much in
 * the cache than too little.
 */
static int user_read(const char *path, const char *name, void *userdata, Error **reterr) {
        _cleanup_(lock_freep) Lock *lock = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Prune *p = userdata;
        int r;

        if (name[0] == '.')
                return 0;
        r = fs_read(AT_FDCWD, path, PATH_SIZE_MAX, &text, reterr);
        if (r < 0)
                return r;
        if (access(buffer_str(&text), F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
                if (!p->dry_run)
                        (void) unlink(path);
                return 0;
        }
        r = lock_load(buffer_str(&text), &lock, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < lock_count(lock); i++)
                if (!strv_contains(p->kept, lock_nth(lock, i)->sha256))
                        strv_add(&p->kept, lock_nth(lock, i)->sha256);
        return 0;
}

static int prune_file(Prune *p, const char *path, Error **reterr) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, errno, "%s", path);
        if (!p->dry_run && unlink(path) < 0)
                return error_set_errno(reterr, errno, "%s", path);
        p->pruned.n_files++;
        p->pruned.bytes += (uint64_t) st.st_size;
        return 0;
}

static int entry_prune(const char *path, const char *name, void *userdata, Error **reterr) {
        Prune *p = userdata;

        return strv_contains(p->kept, name) ? 0 : prune_file(p, path, reterr);
}

static int shelf_prune(const char *path, const char *name, void *userdata, Error **reterr) {
        Prune *p = userdata;
        int r;

        r = each_file(path, entry_prune, userdata, reterr);
        if (r >= 0 && !p->dry_run)
                (void) rmdir(path); /* if it is empty */
        return r;
}

static int papers_prune(const char *path, const char *name, void *userdata, Error **reterr) {
        _cleanup_free_ char *sha256 = xstrndup(name, strcspn(name, "."));

        return entry_prune(path, sha256, userdata, reterr);
}

/* Nobody fetches, as we have the cache alone: what is unfinished has no owner. */
static int partial_prune(const char *path, const char *name, void *userdata, Error **reterr) {
        return prune_file(userdata, path, reterr);
}

static int prune_all(Prune *p, const char *cache, Error **reterr) {
        _cleanup_free_ char *users = xasprintf("%s/" USERS, cache),
                            *partial = xasprintf("%s/partial", cache),
                            *papers = xasprintf("%s/" KEPT_PAPERS, cache),
                            *shelves = xasprintf("%s/sha256", cache);
        int r;

        r = each_file(users, user_read, p, reterr);
        if (r >= 0)
                r = each_file(shelves, shelf_prune, p, reterr);
        if (r >= 0)
                r = each_file(papers, papers_prune, p, reterr);
        if (r >= 0)
                r = each_file(partial, partial_prune, p, reterr);
        return r;
}

/**
 * fetch_prune() - remove what is of no use any more
 * @cache:      the cache's directory, or NULL for the default
 * @wait:       wait for who uses the cache now
 * @dry_run:    only count
 * @ret:        how much it was
 * @reterr:     -EBUSY if the cache is in use; a lock file that cannot be read
 *
 * Return: 0 or a negative errno.
 */
int fetch_prune(const char *cache, bool wait, bool dry_run, FetchPruned *ret, Error **reterr) {
        _cleanup_free_ char *standard = cache ? NULL : fetch_cache_default();
        _cleanup_close_ int fd = -EBADF;
        Prune p = { .dry_run = dry_run };
        int r;

        fd = cache_lock(cache ?: standard, wait ? LOCK_EX : LOCK_EX | LOCK_NB, reterr);
        if (fd < 0)
                return fd;
        r = prune_all(&p, cache ?: standard, reterr);
        strv_free(p.kept);
        if (r >= 0)
                *ret = p.pruned;
        return r < 0 ? r : 0;
}
