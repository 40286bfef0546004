/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What goes: files, and directories with all in them
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/fs.h"

/**
 * fs_remove_file() - remove a file for good
 * @dir_fd:     what @path is relative to
 * @path:       the file
 * @reterr:     names the path
 *
 * Return: 0, also if there is none; or a negative errno.
 */
int fs_remove_file(int dir_fd, const char *path, Error **reterr) {
        if (unlinkat(dir_fd, path, 0) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, errno, "%s: cannot be removed", path);
        return fs_sync_dir_of(dir_fd, path, reterr);
}

void fs_closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
        *d = NULL;
}

static int remove_tree(int dir_fd, const char *name);

static int remove_content(int dir_fd, const char *name) {
        _cleanup_dir_ DIR *d = NULL;
        int fd;

        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d) {
                safe_close(fd);
                return -errno;
        }

        for (;;) {
                struct dirent *entry;
                int r;

                errno = 0;
                entry = readdir(d);
                if (!entry)
                        return -errno;
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = remove_tree(dirfd(d), entry->d_name);
                if (r < 0)
                        return r;
        }
}

/* Never follows a symbolic link. */
static int remove_tree(int dir_fd, const char *name) {
        int r;

        if (unlinkat(dir_fd, name, 0) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return -errno;

        r = remove_content(dir_fd, name);
        if (r < 0 && r != -ENOENT)
                return r == -ENOTDIR ? -EPERM : r;
        if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

/**
 * fs_remove_tree() - remove a file, or a directory with all in it
 * @dir_fd:     what @path is relative to
 * @path:       the file or directory; a symbolic link is removed itself
 * @reterr:     names the path
 *
 * Return: 0, also if there is nothing; or a negative errno.
 */
int fs_remove_tree(int dir_fd, const char *path, Error **reterr) {
        const char *name = fs_path_basename(path);
        int r;

        /* Nothing in hardway means these; a path that was put together wrongly might. */
        if (!*name || streq(name, ".") || streq(name, ".."))
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "will not remove \"%s\"", path);

        r = remove_tree(dir_fd, path);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot remove %s", path);
        return 0;
}

static int replace_tree(int dir_fd, const char *from, const char *to) {
        if (renameat2(dir_fd, from, dir_fd, to, RENAME_EXCHANGE) >= 0)
                return 0;
        /* this file system does not know the flag; or (overlay) not for a directory of another layer */
        if (errno == EINVAL || errno == ENOSYS || errno == EXDEV) {
                int r = remove_tree(dir_fd, to);

                if (r < 0)
                        return r;
        } else if (errno != ENOENT)
                return -errno;
        return renameat(dir_fd, from, dir_fd, to) < 0 ? -errno : 0;
}

/**
 * fs_replace_tree() - give a directory the name of another one, which goes
 * @dir_fd:     what the paths are relative to
 * @from:       the directory
 * @to:         its new name; what has it, if anything, is removed with all in it
 * @reterr:     names @to
 *
 * There is no moment without the one or the other, where the file system can do that. Killed before the old one is
 * gone, it is left as @from. Nothing is synced.
 *
 * Return: 0, or a negative errno.
 */
int fs_replace_tree(int dir_fd, const char *from, const char *to, Error **reterr) {
        int r = replace_tree(dir_fd, from, to);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot rename to %s", to);
        r = remove_tree(dir_fd, from);
        return r < 0 ? error_set_errno(reterr, r, "cannot remove %s", from) : 0;
}
