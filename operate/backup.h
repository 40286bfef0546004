/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"
#include "common/strv.h"

/*
 * The cluster directory as one file under a passphrase
 *
 * The driving machine holds the only copy of the CAs' keys. A backup has all that cannot be made again: the
 * cluster file, pki/, secrets/, hardway.lock, admin.conf, super-admin.conf and .gitignore; not the cache,
 * not etcd's snapshots. It is written whole or not at all, readable by its owner alone.
 *
 * Restoring replaces nothing: files that are there already have to be the same, which they are after a
 * restore that was cut short. The cluster file comes last, so that a directory which has it is complete.
 *
 * Each backup, and each restore, leaves a mark in secrets/backup: when, and a digest of what a later run
 * cannot make again (pki/ without pki/nodes/, and secrets/). While that digest holds, the backup is current.
 */

#define BACKUP_PASSPHRASE_MIN 8 /* characters, for a new backup */
#define BACKUP_PASSPHRASE_MAX 1024

typedef struct BackupResult {
        Strv names;   /* of the files, relative to the cluster directory */
        size_t size;  /* bytes of the backup */
        size_t n_new; /* backup_restore(): how many were not there before */
} BackupResult;

#define BACKUP_RESULT_NULL ((BackupResult) {})

void backup_result_done(BackupResult *r);

typedef enum BackupFlags {
        BACKUP_DRY_RUN = 1 << 0, /* say which files, write nothing */
        BACKUP_REPLACE = 1 << 1, /* backup_write(): an existing file may be replaced */
} BackupFlags;

int backup_write(const char *directory, const char *cluster_file, const char *path, const char *passphrase,
                 int64_t now, BackupFlags flags, BackupResult *ret, Error **reterr);
int backup_restore(const char *path, const char *passphrase, const char *directory, int64_t now,
                   BackupFlags flags, BackupResult *ret, Error **reterr);
int backup_is_current(const char *directory, bool *ret);
