/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/alloc.h"
#include "common/fs.h"

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

/**
 * cache_check_room() - whether the disk has room
 * @cache:      the cache's directory, made if it does not exist
 * @size:       how many bytes are to come
 * @reterr:     says how many there are
 *
 * Return: 0, -ENOSPC if there is not, or another negative errno.
 */
int cache_check_room(const char *cache, uint64_t size, Error **reterr) {
        struct statvfs st;
        uint64_t room;
        int r;

        r = fs_mkdir_parents(AT_FDCWD, cache, 0755, reterr);
        if (r < 0)
                return r;
        if (statvfs(cache, &st) < 0)
                return error_set_errno(reterr, errno, "%s", cache);
        room = (uint64_t) st.f_bavail * st.f_frsize;
        if (room >= size)
                return 0;

        r = error_set(reterr, ERROR_IO, ENOSPC,
                      "%s: the disk is full: %" PRIu64 " MB are to come, and there is room for %" PRIu64
                      " MB",
                      cache, size / 1000000, room / 1000000);
        error_detail(
                reterr,
                "Downloads are kept there; XDG_CACHE_HOME in the environment moves that to another disk, "
                "and hardway fetch --prune removes what no lock file names.");
        return r;
}
