/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/fs.h"

/*
 * The three steps of writing a file, shared by fs_write() and FsBatch: compare, stage under a temporary name
 * in the same directory, publish by renaming. Used by common/fs*.c only.
 *
 * The directory is opened once and used for all steps, so that a directory replaced meanwhile cannot make
 * them meet different files. As long as it is open, nobody takes what is staged there for a left-over.
 */
typedef struct FsTarget {
        int dir_fd;       /* the directory of the file; lent */
        const char *path; /* as the caller named it, for messages; lent */
        const char *name; /* its last part; lent */
        mode_t mode;
        FsFlags flags;
} FsTarget;

int fs_target_check(const char *path, Error **reterr);
int fs_target_compare(const FsTarget *t, const void *data, size_t size, Error **reterr); /* 0: the same */
int fs_target_stage(const FsTarget *t, const void *data, size_t size, bool sync, char **ret_temporary,
                    Error **reterr);
int fs_target_publish(const FsTarget *t, const char *temporary, Error **reterr);
