/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs-internal.h"

/*
 * A set of files that is published together
 *
 * One syncfs(2) for each file system instead of one fsync(2) for each file: a cluster directory has some
 * hundred files. There is no way to rename them all at once, hence the order: the caller adds last what
 * makes the others count.
 */

typedef struct BatchDir {
        char *path;
        int fd;
        dev_t device;
        bool touched; /* a name in it has changed */
} BatchDir;

typedef struct BatchFile {
        char *path;
        char *temporary; /* NULL once it has its name */
        size_t dir;      /* index: the array moves as it grows */
        mode_t mode;
        FsFlags flags;
} BatchFile;

struct FsBatch {
        int dir_fd;
        BatchDir *dirs;
        size_t n_dirs;
        BatchFile *files;
        size_t n_files;
};

/**
 * fs_batch_new() - begin a set
 * @dir_fd:     what its paths are relative to; lent until the batch is freed
 *
 * Return: the batch; the caller frees.
 */
FsBatch* fs_batch_new(int dir_fd) {
        FsBatch *b = xnew(FsBatch, 1);

        b->dir_fd = dir_fd;
        return b;
}

/* Gives the index of the directory of a file, opened once for the whole set. */
static int fs_batch_find_dir(FsBatch *b, const char *path, size_t *ret, Error **reterr) {
        _cleanup_free_ char *dir = fs_path_dirname(path);
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        for (size_t i = 0; i < b->n_dirs; i++)
                if (streq(b->dirs[i].path, dir)) {
                        *ret = i;
                        return 0;
                }

        fd = fs_open_dir(b->dir_fd, dir, reterr);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return error_set_errno(reterr, errno, "cannot stat %s", dir);

        b->dirs = xrealloc(b->dirs, b->n_dirs + 1, sizeof(BatchDir));
        b->dirs[b->n_dirs] = (BatchDir) { .path = TAKE_PTR(dir), .fd = TAKE_FD(fd), .device = st.st_dev };
        *ret = b->n_dirs++;
        return 0;
}

static FsTarget fs_batch_target(const FsBatch *b, const BatchFile *file) {
        return (FsTarget) {
                .dir_fd = b->dirs[file->dir].fd,
                .path = file->path,
                .name = fs_path_basename(file->path),
                .mode = file->mode,
                .flags = file->flags,
        };
}

/**
 * fs_batch_add() - stage a file
 * @b:          the batch
 * @path:       the file, once in a batch; its directory exists
 * @data:       what it shall hold, may be NULL if @size is 0; not used after the call
 * @size:       how many bytes
 * @mode:       its permissions, independent of the umask
 * @flags:      FS_EXCLUSIVE, FS_NO_SYNC
 * @reterr:     names the path
 *
 * Return: 0 if the file is so already, 1 if it is staged, or a negative errno; after which the batch may
 * still be committed, without this file.
 */
int fs_batch_add(FsBatch *b, const char *path, const void *data, size_t size, mode_t mode, FsFlags flags,
                 Error **reterr) {
        _cleanup_free_ char *temporary = NULL;
        BatchFile file = { .path = (char*) path, .mode = mode, .flags = flags };
        FsTarget t;
        int r;

        r = fs_target_check(path, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < b->n_files; i++)
                if (streq(b->files[i].path, path))
                        return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s: written twice", path);
        r = fs_batch_find_dir(b, path, &file.dir, reterr);
        if (r < 0)
                return r;

        t = fs_batch_target(b, &file);
        r = fs_target_compare(&t, data, size, reterr);
        if (r <= 0)
                return r;
        r = fs_target_stage(&t, data, size, /* sync= */ false, &temporary, reterr);
        if (r < 0)
                return r;

        file.path = xstrdup(path);
        file.temporary = TAKE_PTR(temporary);
        b->files = xrealloc(b->files, b->n_files + 1, sizeof(BatchFile));
        b->files[b->n_files++] = file;
        return 1;
}

/**
 * fs_batch_mkdir() - make a directory for files to come
 * @b:          the batch
 * @path:       the directory; it and those above it may exist
 * @mode:       permissions of those that are made, independent of the umask
 * @reterr:     names the directory that could not be made
 *
 * It is there at once, and stays if nothing is committed; the commit makes it durable.
 *
 * Return: 0 if all were there, 1 if at least one was made, or a negative errno.
 */
int fs_batch_mkdir(FsBatch *b, const char *path, mode_t mode, Error **reterr) {
        for (size_t i = 0; i < b->n_dirs; i++)
                if (streq(b->dirs[i].path, path))
                        return 0; /* it holds files of this batch */

        return fs_mkdir_all(b->dir_fd, path, mode, /* sync= */ false, reterr);
}

/**
 * fs_batch_size() - how many files are staged
 * @b:          the batch
 *
 * Return: the number, which is 0 after a commit.
 */
size_t fs_batch_size(const FsBatch *b) {
        return b->n_files;
}

/* Whether the staged files of a directory have to be on disk before they get their names. */
static bool fs_batch_dir_wants_sync(const FsBatch *b, size_t dir) {
        for (size_t i = 0; i < b->n_files; i++)
                if (b->files[i].dir == dir && !(b->files[i].flags & FS_NO_SYNC))
                        return true;
        return false;
}

static int fs_batch_sync_staged(FsBatch *b, Error **reterr) {
        for (size_t i = 0; i < b->n_dirs; i++) {
                bool done = !fs_batch_dir_wants_sync(b, i);

                for (size_t j = 0; j < i && !done; j++)
                        done = b->dirs[j].device == b->dirs[i].device && fs_batch_dir_wants_sync(b, j);
                if (!done && syncfs(b->dirs[i].fd) < 0)
                        return error_set_errno(reterr, errno, "cannot sync %s", b->dirs[i].path);
        }
        return 0;
}

static int fs_batch_rename(FsBatch *b, Error **reterr) {
        for (size_t i = 0; i < b->n_files; i++) {
                BatchFile *file = b->files + i;
                FsTarget t = fs_batch_target(b, file);
                int r;

                r = fs_target_publish(&t, file->temporary, reterr);
                if (r < 0)
                        return r;

                freep(&file->temporary);
                if (!(file->flags & FS_NO_SYNC))
                        b->dirs[file->dir].touched = true;
        }
        return 0;
}

/*
 * Whether a directory is the first of those on its file system in which a name has changed; how many there
 * are.
 */
static bool fs_batch_leads_device(const FsBatch *b, size_t dir, size_t *ret_n) {
        *ret_n = 0;
        for (size_t i = 0; i < b->n_dirs; i++) {
                if (!b->dirs[i].touched || b->dirs[i].device != b->dirs[dir].device)
                        continue;
                if (i < dir)
                        return false;
                (*ret_n)++;
        }
        return *ret_n > 0 && b->dirs[dir].touched;
}

/*
 * Each fsync(2) costs a flush of the disk, however little is left to write: where there are several, one for
 * all.
 */
static int fs_batch_sync_dirs(FsBatch *b, Error **reterr) {
        int r = 0;

        for (size_t i = 0; i < b->n_dirs; i++) {
                size_t n;

                if (!fs_batch_leads_device(b, i, &n))
                        continue;
                if ((n == 1 ? fsync(b->dirs[i].fd) : syncfs(b->dirs[i].fd)) < 0 && r >= 0)
                        r = error_set_errno(reterr, errno, "cannot sync %s", b->dirs[i].path);
        }
        for (size_t i = 0; i < b->n_dirs; i++)
                b->dirs[i].touched = false;
        return r;
}

/* Removes what is staged and has no name yet. */
static void fs_batch_forget(FsBatch *b) {
        for (size_t i = 0; i < b->n_files; i++) {
                if (b->files[i].temporary)
                        (void) unlinkat(b->dirs[b->files[i].dir].fd, b->files[i].temporary, 0);
                free(b->files[i].temporary);
                free(b->files[i].path);
        }
        free(b->files);
        b->files = NULL;
        b->n_files = 0;
}

/**
 * fs_batch_commit() - make the staged files durable and give them their names
 * @b:          the batch, with nothing staged afterwards, whatever happens; if nothing was, nothing is done
 * @reterr:     names the path
 *
 * If a file in the middle cannot be renamed, those before it have been replaced, it and those behind it have
 * not.
 *
 * Return: 0, or a negative errno.
 */
int fs_batch_commit(FsBatch *b, Error **reterr) {
        int r, q;

        r = fs_batch_sync_staged(b, reterr);
        if (r >= 0)
                r = fs_batch_rename(b, reterr);

        /* Also after a failure: what has its name shall keep it. */
        q = fs_batch_sync_dirs(b, r < 0 ? NULL : reterr);
        fs_batch_forget(b);
        return r < 0 ? r : q;
}

/**
 * fs_batch_free() - free a batch and remove what is staged
 * @b:          the batch, may be NULL
 *
 * Return: NULL.
 */
FsBatch* fs_batch_free(FsBatch *b) {
        if (!b)
                return NULL;

        fs_batch_forget(b);
        for (size_t i = 0; i < b->n_dirs; i++) {
                safe_close(b->dirs[i].fd);
                free(b->dirs[i].path);
        }
        free(b->dirs);
        free(b);
        return NULL;
}
