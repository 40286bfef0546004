/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A snapshot that has not arrived as a whole yet: FILE.part
 *
 * A name with a time in it is never written again, so what a run that was killed has left of it would stay for
 * good, with all secrets of the cluster. Whoever writes one shares the lock of the directory; who gets that alone
 * knows that all others there are nobody's, as fs_write() does it. The file itself is not locked: etcdutl, which
 * looks into it before it gets its name, waits for a lock of its own on it (bbolt, flock(2)).
 */

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "etcd/snapshot.h"

#define TWO "[0-9][0-9]"
#define TIME "-" TWO TWO "-" TWO "-" TWO "T" TWO TWO TWO "Z.db"
#define TIME_LENGTH (sizeof("-2026-11-28T221600Z.db") - 1)

/* stem: what all have before the time, and its length */
static void sweep(int directory, const char *stem, size_t length) {
        int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        if (!d) {
                safe_close(fd);
                return;
        }
        for (const struct dirent *e = readdir(d); e; e = readdir(d))
                if (strlen(e->d_name) > length && strncmp(e->d_name, stem, length) == 0 &&
                    fnmatch(TIME ".part", e->d_name + length, 0) == 0)
                        (void) unlinkat(fd, e->d_name, 0);
        (void) closedir(d);
}

/* Return: the directory, whose lock is shared until it is closed; or a negative errno: then nothing is swept. */
static int open_shared(int dir_fd, const char *path) {
        _cleanup_free_ char *directory = fs_path_dirname(path);
        const char *name = fs_path_basename(path);
        size_t length = strlen(name);
        int fd = openat(dir_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        if (length > TIME_LENGTH && fnmatch(TIME, name + length - TIME_LENGTH, 0) == 0 &&
            flock(fd, LOCK_EX | LOCK_NB) >= 0)
                sweep(fd, name, length - TIME_LENGTH);
        (void) flock(fd, LOCK_SH); /* at most until another one has swept */
        return fd;
}

/**
 * etcd_snapshot_part() - begin a file that gets its name when it is complete
 * @dir_fd:     what the paths are relative to
 * @path:       its name later on
 * @part:       its name until then; what is there is removed, and so is what killed runs have left beside it, of names that
 *              differ in their time only
 * @ret_lock:   to be closed once it has its name: until then nobody takes it for a left-over
 *
 * Return: a descriptor for writing, or a negative errno. The caller closes both.
 */
int etcd_snapshot_part(int dir_fd, const char *path, const char *part, int *ret_lock) {
        _cleanup_close_ int lock = open_shared(dir_fd, path);
        int fd;

        (void) unlinkat(dir_fd, part, 0);
        fd = openat(dir_fd, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        *ret_lock = TAKE_FD(lock);
        return fd;
}
