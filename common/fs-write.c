/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "common/fs-internal.h"

#define TEMPORARY_ATTEMPTS 16
#define TEMPORARY_NAME_MAX 200
#define TEMPORARY_DIGITS 8
#define COMPARE_SIZE (64 * 1024)

/**
 * fs_target_check() - refuse paths that cannot name a file
 * @path:       the path
 * @reterr:     names it
 *
 * Return: 0, or -EINVAL (ERROR_INTERNAL).
 */
int fs_target_check(const char *path, Error **reterr) {
        const char *name = fs_path_basename(path);

        if (!*name || streq(name, ".") || streq(name, ".."))
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "not the name of a file: \"%s\"", path);
        return 0;
}

/* Opens the directory a file is or will be in; the caller closes. */
static int open_parent(int dir_fd, const char *path, Error **reterr) {
        _cleanup_free_ char *dir = fs_path_dirname(path);

        return fs_open_dir(dir_fd, dir, reterr);
}

/* Whether the rest of an open file is these bytes: 1 if so, 0 if not. */
static int fd_has_content(int fd, const char *data, size_t size) {
        _cleanup_free_ char *buffer = xmalloc(COMPARE_SIZE);
        size_t done = 0;
        int r;

        for (;;) {
                ssize_t n = read(fd, buffer, COMPARE_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        r = n < 0 ? -errno : done == size;
                        break;
                }
                if ((size_t) n > size - done || memcmp(buffer, data + done, (size_t) n) != 0) {
                        r = 0;
                        break;
                }
                done += (size_t) n;
        }
        explicit_bzero(buffer, COMPARE_SIZE); /* it may have been a key */
        return r;
}

/* Opens what is there for comparison: 0 if there is nothing, 1 if *ret is a regular file. */
static int fs_target_open_old(const FsTarget *t, int *ret, struct stat *ret_stat, Error **reterr) {
        /* O_NONBLOCK: a FIFO in this place must not stop us, it is refused below. */
        _cleanup_close_ int fd =
                openat(t->dir_fd, t->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 && errno == ELOOP)
                return error_set(reterr, ERROR_CREATE, ELOOP, "%s: is a symbolic link, will not replace it",
                                 t->path);
        if (fd < 0 && errno == ENXIO)
                return error_set(reterr, ERROR_CREATE, ENXIO, "%s: is not a regular file", t->path);
        if (fd < 0)
                return error_set_errno(reterr, errno, "cannot open %s", t->path);
        if (fstat(fd, ret_stat) < 0)
                return error_set_errno(reterr, errno, "cannot stat %s", t->path);
        if (S_ISDIR(ret_stat->st_mode))
                return error_set(reterr, ERROR_CREATE, EISDIR, "%s: is a directory", t->path);
        if (!S_ISREG(ret_stat->st_mode))
                return error_set(reterr, ERROR_CREATE, EEXIST, "%s: is not a regular file", t->path);

        *ret = TAKE_FD(fd);
        return 1;
}

/**
 * fs_target_compare() - whether a file has to be written
 * @t:          the file
 * @data:       what it shall hold
 * @size:       how many bytes
 * @reterr:     names the path
 *
 * Return: 0 if content and mode are so already, 1 if they are not or there is no file; -EEXIST if the name
 * is taken and FS_EXCLUSIVE is set; another negative errno if what is there is not a file we would replace.
 */
int fs_target_compare(const FsTarget *t, const void *data, size_t size, Error **reterr) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        if (t->flags & FS_EXCLUSIVE) {
                if (fstatat(t->dir_fd, t->name, &st, AT_SYMLINK_NOFOLLOW) >= 0)
                        return error_set(reterr, ERROR_CREATE, EEXIST, "%s: exists, will not replace it",
                                         t->path);
                if (errno != ENOENT)
                        return error_set_errno(reterr, errno, "cannot stat %s", t->path);
                return 1;
        }

        r = fs_target_open_old(t, &fd, &st, reterr);
        if (r < 0)
                return r;
        if (r == 0 || (st.st_mode & 07777) != t->mode || (uint64_t) st.st_size != size)
                return 1;

        r = fd_has_content(fd, data, size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read %s", t->path);
        return r == 0;
}

int fd_write_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

static void sweep(int dir_fd, const char *name) {
        _cleanup_free_ char *head = xasprintf(".#%s.", name);
        size_t n = strlen(head);
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        if (!d) {
                safe_close(fd);
                return;
        }
        for (const struct dirent *e = readdir(d); e; e = readdir(d))
                if (strncmp(e->d_name, head, n) == 0 &&
                    strspn(e->d_name + n, "0123456789abcdef") == TEMPORARY_DIGITS &&
                    !e->d_name[n + TEMPORARY_DIGITS])
                        (void) unlinkat(dir_fd, e->d_name, 0);
        (void) closedir(d);
}

/*
 * Removes what runs that were killed had staged for this file: it may be a key, and nobody else would.
 *
 * Whoever stages something shares the lock of the directory until that has its name. Who gets the lock alone
 * knows that the temporaries there are nobody's; where directories cannot be locked, they stay.
 */
static void fs_target_sweep(const FsTarget *t) {
        if (flock(t->dir_fd, LOCK_EX | LOCK_NB) >= 0 && strlen(t->name) <= TEMPORARY_NAME_MAX)
                sweep(t->dir_fd, t->name);
        (void) flock(t->dir_fd, LOCK_SH); /* at most until another one has swept */
}

/* Creates ".#NAME.XXXXXXXX" beside the file; the name is cut to what a directory entry may hold. */
static int fs_target_create(const FsTarget *t, char **ret_temporary) {
        for (unsigned i = 0; i < TEMPORARY_ATTEMPTS; i++) {
                _cleanup_free_ char *temporary = NULL;
                uint32_t random;
                int fd;

                if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                        return -EIO;
                temporary = xasprintf(".#%.*s.%0*x", TEMPORARY_NAME_MAX, t->name, TEMPORARY_DIGITS, random);

                /*
                 * The umask can only take bits of the mode away: nobody may ever read more than in the end.
                 */
                fd = openat(t->dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                            t->mode);
                if (fd >= 0) {
                        *ret_temporary = TAKE_PTR(temporary);
                        return fd;
                }
                if (errno != EEXIST)
                        return -errno;
        }
        return -EEXIST;
}

/**
 * fs_target_stage() - write a file under a temporary name
 * @t:          the file
 * @data:       what it shall hold
 * @size:       how many bytes
 * @sync:       whether to make it durable at once
 * @ret_temporary: the name, in the same directory; the caller frees
 * @reterr:     names the path
 *
 * What killed runs have left of that is removed. The lock of the directory is shared until its descriptor is closed.
 *
 * Return: 0, or a negative errno, and then nothing is left behind.
 */
int fs_target_stage(const FsTarget *t, const void *data, size_t size, bool sync, char **ret_temporary,
                    Error **reterr) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r = 0;

        fs_target_sweep(t);
        fd = fs_target_create(t, &temporary);
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot create %s", t->path);

        /* The mode before the first byte, whatever the umask is. */
        if (fchmod(fd, t->mode) < 0)
                r = -errno;
        if (r >= 0)
                r = fd_write_all(fd, data, size);
        if (r >= 0 && sync && fsync(fd) < 0)
                r = -errno;
        if (r < 0) {
                (void) unlinkat(t->dir_fd, temporary, 0);
                return error_set_errno(reterr, r, "cannot write %s", t->path);
        }

        *ret_temporary = TAKE_PTR(temporary);
        return 0;
}

static int rename_exclusive(int dir_fd, const char *from, const char *to) {
        if (renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE) >= 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;

        /* This file system does not know the flag. A hard link does not replace either. */
        if (linkat(dir_fd, from, dir_fd, to, 0) < 0)
                return -errno;
        (void) unlinkat(dir_fd, from, 0);
        return 0;
}

/**
 * fs_target_publish() - give a staged file its name
 * @t:          the file
 * @temporary:  its temporary name
 * @reterr:     names the path
 *
 * Return: 0; or a negative errno, and then the temporary is still there.
 */
int fs_target_publish(const FsTarget *t, const char *temporary, Error **reterr) {
        int r = 0;

        if (t->flags & FS_EXCLUSIVE)
                r = rename_exclusive(t->dir_fd, temporary, t->name);
        else if (renameat(t->dir_fd, temporary, t->dir_fd, t->name) < 0)
                r = -errno;

        if (r == -EEXIST)
                return error_set(reterr, ERROR_CREATE, EEXIST, "%s: exists, will not replace it", t->path);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot rename to %s", t->path);
        return 0;
}

/**
 * fs_write() - make a file have this content and mode
 * @dir_fd:     what @path is relative to
 * @path:       the file; a symbolic link or anything but a regular file there is refused
 * @data:       what it shall hold, may be NULL if @size is 0
 * @size:       how many bytes
 * @mode:       its permissions, independent of the umask
 * @flags:      FS_EXCLUSIVE, FS_NO_SYNC
 * @reterr:     names the path
 *
 * Return: 0 if it was so already, 1 if it was written; a negative errno, and then the file is what it was.
 * Only if the directory cannot be synced after the renaming, the new file is in place and an error is
 * returned.
 */
int fs_write(int dir_fd, const char *path, const void *data, size_t size, mode_t mode, FsFlags flags,
             Error **reterr) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int parent_fd = -EBADF;
        FsTarget t;
        int r;

        r = fs_target_check(path, reterr);
        if (r < 0)
                return r;
        parent_fd = open_parent(dir_fd, path, reterr);
        if (parent_fd < 0)
                return parent_fd;

        t = (FsTarget) { parent_fd, path, fs_path_basename(path), mode, flags };
        r = fs_target_compare(&t, data, size, reterr);
        if (r <= 0)
                return r;
        r = fs_target_stage(&t, data, size, /* sync= */ !(flags & FS_NO_SYNC), &temporary, reterr);
        if (r < 0)
                return r;
        r = fs_target_publish(&t, temporary, reterr);
        if (r < 0) {
                (void) unlinkat(parent_fd, temporary, 0);
                return r;
        }
        if (!(flags & FS_NO_SYNC) && fsync(parent_fd) < 0)
                return error_set_errno(reterr, errno, "cannot sync the directory of %s", path);
        return 1;
}
