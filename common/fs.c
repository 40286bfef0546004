/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "common/alloc.h"
#include "common/fs-internal.h"

#define READ_SIZE (16 * 1024)
#define HOLDER_SIZE_MAX 256

/**
 * fs_path_dirname() - the directory part of a path
 * @path:       the path
 *
 * Return: what is in front of the last slash, "/" if that is nothing, "." for a bare name; the caller frees.
 */
char* fs_path_dirname(const char *path) {
        const char *slash = strrchr(path, '/');

        if (!slash)
                return xstrdup(".");
        while (slash > path && slash[-1] == '/')
                slash--;
        return slash == path ? xstrdup("/") : xstrndup(path, (size_t) (slash - path));
}

/**
 * fs_path_basename() - the last part of a path
 * @path:       the path
 *
 * Return: what is behind the last slash, "" if it is at the end; part of @path.
 */
const char* fs_path_basename(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static int fd_read_all(int fd, size_t limit, Buffer *b) {
        _cleanup_free_ char *piece = xmalloc(READ_SIZE);
        int r = 0;

        for (;;) {
                ssize_t n = read(fd, piece, READ_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        r = -errno;
                if (n <= 0)
                        break;
                if ((size_t) n > limit - b->size) {
                        r = -EFBIG;
                        break;
                }
                buffer_add(b, piece, (size_t) n);
        }
        explicit_bzero(piece, READ_SIZE); /* it may have been a key */
        return r;
}

static int read_open(int fd, const char *path, size_t limit, Buffer *ret, Error **reterr) {
        _cleanup_buffer_secret_ Buffer b = BUFFER_NULL;
        int r;

        r = fd_read_all(fd, limit, &b);
        if (r == -EFBIG)
                return error_set(reterr, ERROR_IO, EFBIG, "%s: larger than %zu bytes", path, limit);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read %s", path);

        *ret = b;
        b = BUFFER_NULL;
        return 1;
}

/**
 * fs_read_optional() - read a file that may be absent
 * @dir_fd:     what @path is relative to
 * @path:       the file; symbolic links are followed
 * @limit:      how many bytes it may have
 * @ret:        the content; whatever it held before is not freed
 * @reterr:     names the path
 *
 * Return: 0 if there is no such file, and @ret is not touched; 1 if it was read; -EFBIG if it is larger than
 * @limit; another negative errno.
 */
int fs_read_optional(int dir_fd, const char *path, size_t limit, Buffer *ret, Error **reterr) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_NOCTTY | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0)
                return error_set_errno(reterr, errno, "cannot open %s", path);
        return read_open(fd, path, limit, ret, reterr);
}

/**
 * fs_read_own() - read a file that may be absent, if nobody else can have written it
 * @dir_fd:     what @path is relative to
 * @path:       the file
 * @limit:      how many bytes it may have
 * @ret:        the content; whatever it held before is not freed
 * @reterr:     names the path
 *
 * Return: as fs_read_optional(); -EPERM if it is a link or no file, is another user's, or others may write it.
 */
int fs_read_own(int dir_fd, const char *path, size_t limit, Buffer *ret, Error **reterr) {
        /* not waiting for whoever holds the other end, should it be a FIFO */
        _cleanup_close_ int fd =
                openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 && errno == ELOOP)
                return error_set(reterr, ERROR_CONFIG, EPERM, "%s is a symbolic link", path);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, errno, "cannot open %s", path);
        if (!S_ISREG(st.st_mode))
                return error_set(reterr, ERROR_CONFIG, EPERM, "%s is no file", path);
        if (st.st_uid != geteuid())
                return error_set(reterr, ERROR_CONFIG, EPERM, "%s belongs to another user", path);
        if (st.st_mode & (S_IWGRP | S_IWOTH))
                return error_set(reterr, ERROR_CONFIG, EPERM, "%s can be written by others", path);
        return read_open(fd, path, limit, ret, reterr);
}

/**
 * fs_read() - read a file
 * @dir_fd:     what @path is relative to
 * @path:       the file; symbolic links are followed
 * @limit:      how many bytes it may have
 * @ret:        the content; whatever it held before is not freed
 * @reterr:     names the path
 *
 * Return: 0; -ENOENT if there is no such file; -EFBIG if it is larger than @limit; another negative errno.
 */
int fs_read(int dir_fd, const char *path, size_t limit, Buffer *ret, Error **reterr) {
        int r;

        r = fs_read_optional(dir_fd, path, limit, ret, reterr);
        if (r < 0)
                return r;
        if (r == 0)
                return error_set_errno(reterr, ENOENT, "cannot open %s", path);
        return 0;
}

/**
 * fs_open_dir() - open a directory
 * @dir_fd:     what @path is relative to
 * @path:       the directory
 * @reterr:     names the path
 *
 * Return: the descriptor, which the caller closes; or a negative errno.
 */
int fs_open_dir(int dir_fd, const char *path, Error **reterr) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(reterr, errno, "cannot open directory %s", path);
        return fd;
}

/**
 * fs_sync_dir_of() - make the name of a file durable
 * @dir_fd:     what @path is relative to
 * @path:       the file
 * @reterr:     names the directory
 *
 * Return: 0, or a negative errno.
 */
int fs_sync_dir_of(int dir_fd, const char *path, Error **reterr) {
        _cleanup_free_ char *dir = fs_path_dirname(path);
        _cleanup_close_ int fd = fs_open_dir(dir_fd, dir, reterr);

        if (fd < 0)
                return fd;
        if (fsync(fd) < 0)
                return error_set_errno(reterr, errno, "cannot sync %s", dir);
        return 0;
}

/* The new directory gets its mode, whatever the umask has left of it. */
static int mkdir_finish(int dir_fd, const char *path, mode_t mode, bool sync, Error **reterr) {
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || fchmod(fd, mode) < 0)
                return error_set_errno(reterr, errno, "cannot set the mode of %s", path);
        return sync ? fs_sync_dir_of(dir_fd, path, reterr) : 0;
}

/* 0 if something is there already, 1 if it is new. The last one first: those above are there, mostly. */
static int mkdir_with_parents(int dir_fd, const char *path, mode_t mode, bool sync, Error **reterr) {
        _cleanup_free_ char *above = NULL;
        int r;

        r = mkdirat(dir_fd, path, mode) < 0 ? -errno : 0;
        if (r == -ENOENT) {
                above = fs_path_dirname(path);
                r = mkdir_with_parents(dir_fd, above, mode, sync, reterr);
                if (r < 0)
                        return r;
                r = mkdirat(dir_fd, path, mode) < 0 ? -errno : 0;
        }
        if (r == -EEXIST)
                return 0;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot create directory %s", path);
        r = mkdir_finish(dir_fd, path, mode, sync, reterr);
        return r < 0 ? r : 1;
}

/**
 * fs_mkdir_all() - make a directory and those above it
 * @dir_fd:     what @path is relative to
 * @path:       the directory; it may exist, and be a symbolic link to one
 * @mode:       permissions of those that are made, independent of the umask; those that exist keep theirs
 * @sync:       whether to make them durable at once; else what follows has to
 * @reterr:     names the directory that could not be made
 *
 * Return: 0 if all were there, 1 if at least one was made, or a negative errno.
 */
int fs_mkdir_all(int dir_fd, const char *path, mode_t mode, bool sync, Error **reterr) {
        _cleanup_free_ char *name = xstrdup(path);
        struct stat st;
        int made;

        for (size_t n = strlen(name); n > 1 && name[n - 1] == '/'; n--)
                name[n - 1] = '\0';
        made = mkdir_with_parents(dir_fd, name, mode, sync, reterr);
        if (made < 0)
                return made;
        if (fstatat(dir_fd, path, &st, 0) < 0)
                return error_set_errno(reterr, errno, "cannot stat %s", path);
        if (!S_ISDIR(st.st_mode))
                return error_set_errno(reterr, ENOTDIR, "cannot create directory %s", path);
        return made;
}

/**
 * fs_mkdir_parents() - make a directory and those above it, durably
 * @dir_fd:     as for fs_mkdir_all()
 * @path:       as there
 * @mode:       as there
 * @reterr:     as there
 *
 * Return: as there.
 */
int fs_mkdir_parents(int dir_fd, const char *path, mode_t mode, Error **reterr) {
        return fs_mkdir_all(dir_fd, path, mode, /* sync= */ true, reterr);
}

/* Says who has the lock, as far as they have written it down already. */
static int lock_is_held(int fd, const char *path, Error **reterr) {
        char holder[HOLDER_SIZE_MAX + 1];
        ssize_t n = pread(fd, holder, HOLDER_SIZE_MAX, 0);

        holder[n > 0 ? n : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        return error_set(reterr, ERROR_TEMPORARY, EBUSY, "%s is locked by %s", path,
                         *holder ? holder : "somebody else");
}

/**
 * fs_lock() - take a lock
 * @dir_fd:     what @path is relative to
 * @path:       the lock file; made if need be, and never removed, as that would let two hold it
 * @holder:     who we are, one line, for those who find it locked
 * @wait:       whether to wait until it is free
 * @reterr:     names the path and the holder
 *
 * Return: a descriptor, to be closed to release the lock; -EBUSY (ERROR_TEMPORARY) if somebody has it;
 * -EINTR if a signal came while waiting; another negative errno.
 */
int fs_lock(int dir_fd, const char *path, const char *holder, bool wait, Error **reterr) {
        _cleanup_close_ int fd =
                openat(dir_fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
        _cleanup_free_ char *line = xasprintf("%s\n", holder);

        if (fd < 0)
                return error_set_errno(reterr, errno, "cannot open %s", path);
        /* whoever can read it can lock it, see flock(2) */
        (void) fchmod(fd, 0600);
        if (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
                if (errno == EWOULDBLOCK)
                        return lock_is_held(fd, path, reterr);
                return error_set_errno(reterr, errno, "cannot lock %s", path);
        }

        if (ftruncate(fd, 0) < 0 || pwrite(fd, line, strlen(line), 0) != (ssize_t) strlen(line))
                return error_set_errno(reterr, errno, "cannot write %s", path);
        return TAKE_FD(fd);
}
