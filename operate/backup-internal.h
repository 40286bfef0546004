/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "operate/backup.h"

#define BACKUP_SIZE_MAX (16 * 1024 * 1024) /* of all files together */
#define BACKUP_FILE_SIZE_MAX (1024 * 1024)
#define BACKUP_FILES_MAX 4096
#define BACKUP_MARK "secrets/backup"

typedef struct BackupFile {
        char *name; /* relative to the cluster directory */
        Buffer data;
} BackupFile;

/* Files, in the order in which they are written when restored: the cluster file last. */
typedef struct BackupSet {
        BackupFile *files;
        size_t n_files;
        size_t size;
} BackupSet;

#define BACKUP_SET_NULL ((BackupSet) {})

void backup_set_done(BackupSet *set);                                               /* wipes */
int backup_set_add(BackupSet *set, const char *name, Buffer *data, Error **reterr); /* takes the data */
void backup_set_sort(BackupSet *set);

/* backup-files.c: between the set and the cluster directory */
bool backup_name_is_sane(const char *name);
int backup_collect(const char *directory, const char *cluster_file, BackupSet *ret, Error **reterr);
int backup_place(const char *directory, const BackupSet *set, bool dry_run, size_t *ret_n_new,
                 Error **reterr);

/* backup-mark.c */
int backup_mark(const char *directory, int64_t now, Error **reterr);

/* backup-archive.c: between the set and a tar archive in memory */
int backup_pack(const BackupSet *set, Buffer *ret, Error **reterr);
int backup_unpack(const char *what, const void *data, size_t size, BackupSet *ret, Error **reterr);

/* backup-seal.c: between the archive and what lies on disk */
typedef struct BackupHeader {
        unsigned log_n, r, p;
        size_t size; /* of the archive */
        unsigned char salt[16];
        unsigned char nonce[12];
} BackupHeader;

#define BACKUP_HEADER_SIZE 96
#define BACKUP_TAG_SIZE 16

int backup_header_parse(const char *what, const void *data, size_t size, BackupHeader *ret, Error **reterr);
int backup_seal(const char *passphrase, const Buffer *archive, Buffer *ret, Error **reterr);
int backup_unseal(const char *what, const void *data, size_t size, const char *passphrase, Buffer *ret,
                  Error **reterr);
