/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include "common/buffer.h"
#include "common/error.h"

/*
 * Files of the driving machine
 *
 * fs_write() is the only writer of a single file: it compares with what is there and returns 0 when nothing
 * has to change; else it writes a temporary file in the same directory (O_CREAT|O_EXCL|O_NOFOLLOW, born with
 * its final mode, so that a secret never is readable for others), syncs it, renames it over the name, syncs
 * the directory and returns 1. A file appears complete or not at all. What killed runs have left under
 * temporary names of this file is removed whenever it is written.
 *
 * A set of files that belongs together goes through FsBatch: all are staged as temporary names, one
 * syncfs(2) makes them durable, then they are renamed in the order in which they were added and their
 * directories synced. fs_batch_free() without a commit removes what was staged.
 *
 * All paths are relative to dir_fd (AT_FDCWD for the working directory). Errors name the path.
 */

typedef enum FsFlags {
        FS_EXCLUSIVE = 1 << 0, /* never replace: -EEXIST if the name is taken */
        FS_NO_SYNC = 1 << 1,   /* for caches that can be made again */
} FsFlags;

int fs_write(int dir_fd, const char *path, const void *data, size_t size, mode_t mode, FsFlags flags,
             Error **reterr);
int fs_read(int dir_fd, const char *path, size_t limit, Buffer *ret, Error **reterr);
int fd_write_all(int fd, const char *data, size_t size);                                       /* -errno */
int fs_read_optional(int dir_fd, const char *path, size_t limit, Buffer *ret, Error **reterr); /* 0: none */
/* The same, of a file that nobody but us can have written. */
int fs_read_own(int dir_fd, const char *path, size_t limit, Buffer *ret, Error **reterr);
int fs_mkdir_parents(int dir_fd, const char *path, mode_t mode, Error **reterr); /* and itself */
/* The same; without sync a batch that is committed later makes them durable. */
int fs_mkdir_all(int dir_fd, const char *path, mode_t mode, bool sync, Error **reterr);
int fs_open_dir(int dir_fd, const char *path, Error **reterr);    /* >= 0: the caller closes */
int fs_remove_file(int dir_fd, const char *path, Error **reterr); /* absent is success; it is durable */
int fs_remove_tree(int dir_fd, const char *path, Error **reterr); /* absent is success */
int fs_replace_tree(int dir_fd, const char *from, const char *to, Error **reterr); /* a directory */
int fs_sync_dir_of(int dir_fd, const char *path, Error **reterr);
char* fs_path_dirname(const char *path); /* "." for a bare name */
const char* fs_path_basename(const char *path);
void fs_closedirp(DIR **d);
#define _cleanup_dir_ _cleanup_(fs_closedirp)

typedef struct FsBatch FsBatch;

FsBatch* fs_batch_new(int dir_fd);
int fs_batch_add(FsBatch *b, const char *path, const void *data, size_t size, mode_t mode, FsFlags flags,
                 Error **reterr); /* 0: already so, 1: staged */
int fs_batch_mkdir(FsBatch *b, const char *path, mode_t mode,
                   Error **reterr);     /* and its parents; durable with the commit */
size_t fs_batch_size(const FsBatch *b); /* how many are staged */
int fs_batch_commit(FsBatch *b, Error **reterr);
FsBatch* fs_batch_free(FsBatch *b);
DEFINE_CLEANUP(FsBatch*, fs_batch_free)

/*
 * An advisory lock on a file that also says who holds it. Released when the descriptor is closed, so by the
 * kernel when the process dies. -EBUSY (ERROR_TEMPORARY) names the holder; else the result is the
 * descriptor.
 */
int fs_lock(int dir_fd, const char *path, const char *holder, bool wait, Error **reterr);
