/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/claim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/alloc.h"

#define PRIVATE_DIGITS 16U

/**
 * claim_open() - open a file and lock it
 * @path:       the file, made if it does not exist
 * @ret_fd:     its descriptor; the caller closes, which ends the lock
 *
 * Return: 1; 0 if somebody else has it; -ESTALE if it was renamed or removed by its former owner meanwhile (what
 * we would have is no longer what the name says, and may by now be an entry of the cache); another negative
 * errno.
 */
int claim_open(const char *path, int *ret_fd) {
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

/**
 * claim_sweep() - remove the private names of runs that were killed
 * @cache:      the cache's directory
 * @key:        of which file
 *
 * What can be locked has no owner. The plain name is not touched: its next owner is this run or a later one.
 */
void claim_sweep(const char *cache, const char *key) {
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
                if (claim_open(path, &fd) > 0)
                        (void) unlink(path);
        }
        (void) closedir(d);
}

/**
 * claim_sweep_staged() - remove what runs that were killed had staged beside a file
 * @cache:      the cache's directory
 * @name:       the file in its directory of partial files, only ever written by the owner of a claim: by us
 *
 * ".#NAME.XXXXXXXX", see common/fs-write.c.
 */
void claim_sweep_staged(const char *cache, const char *name) {
        _cleanup_free_ char *directory = xasprintf("%s/partial", cache), *head = xasprintf(".#%s.", name);
        size_t n = strlen(head);
        DIR *d = opendir(directory);

        if (!d)
                return;
        for (const struct dirent *e = readdir(d); e; e = readdir(d))
                if (strncmp(e->d_name, head, n) == 0 && strspn(e->d_name + n, "0123456789abcdef") == 8 &&
                    !e->d_name[n + 8])
                        (void) unlinkat(dirfd(d), e->d_name, 0);
        (void) closedir(d);
}
