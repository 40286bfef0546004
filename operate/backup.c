/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/backup.h"

#include <errno.h>
#include <fcntl.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "operate/backup-internal.h"

/**
 * backup_result_done() - free what a result holds
 * @r:          the result, empty afterwards
 */
void backup_result_done(BackupResult *r) {
        strv_free(r->names);
        *r = BACKUP_RESULT_NULL;
}

static BackupResult result_of(const BackupSet *set, size_t size) {
        BackupResult result = { .size = size };

        for (size_t i = 0; i < set->n_files; i++)
                strv_add(&result.names, set->files[i].name);
        return result;
}

static int check_passphrase(const char *passphrase, Error **reterr) {
        if (strlen(passphrase) < BACKUP_PASSPHRASE_MIN)
                return error_set(reterr, ERROR_USAGE, EINVAL, "the passphrase is shorter than %d characters",
                                 BACKUP_PASSPHRASE_MIN);
        if (strlen(passphrase) > BACKUP_PASSPHRASE_MAX)
                return error_set(reterr, ERROR_USAGE, EINVAL, "the passphrase is longer than %d characters",
                                 BACKUP_PASSPHRASE_MAX);
        return 0;
}

/* Without these it would look like a backup and be none. */
static int check_complete(const char *directory, const BackupSet *set, Error **reterr) {
        bool has_key = false, has_cluster = false;

        for (size_t i = 0; i < set->n_files; i++) {
                has_key = has_key || streq(set->files[i].name, "pki/ca.key");
                has_cluster = has_cluster || endswith(set->files[i].name, ".yaml") ||
                              endswith(set->files[i].name, ".yml");
        }
        if (!has_cluster)
                return error_set(
                        reterr, ERROR_CONFIG, ENOENT,
                        "%s: there is no cluster file; change into the cluster's directory, or name "
                        "the file with -c",
                        directory);
        if (!has_key)
                return error_set(reterr, ERROR_CONFIG, ENOENT,
                                 "%s: there is no pki/ca.key yet: nothing to lose", directory);
        return 0;
}

static int seal_set(const BackupSet *set, const char *passphrase, Buffer *ret, Error **reterr) {
        _cleanup_buffer_secret_ Buffer archive = BUFFER_NULL;
        int r;

        r = backup_pack(set, &archive, reterr);
        if (r < 0)
                return r;
        return backup_seal(passphrase, &archive, ret, reterr);
}

/**
 * backup_write() - put the cluster directory into one file
 * @directory:  the cluster directory
 * @cluster_file: name of the cluster file in it
 * @path:       the file to write, mode 0600
 * @passphrase: BACKUP_PASSPHRASE_MIN to BACKUP_PASSPHRASE_MAX bytes; not looked at in a dry run
 * @now:        seconds since 1970
 * @flags:      BACKUP_DRY_RUN, BACKUP_REPLACE
 * @ret:        what is in it; backup_result_done()
 * @reterr:     names the file
 *
 * Return: 0; -EEXIST (ERROR_CREATE) if @path exists; -EINVAL (ERROR_USAGE) for a passphrase that does not
 * do; -ENOENT (ERROR_CONFIG) if there is no cluster file or no CA; another negative errno.
 */
int backup_write(const char *directory, const char *cluster_file, const char *path, const char *passphrase,
                 int64_t now, BackupFlags flags, BackupResult *ret, Error **reterr) {
        _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL;
        _cleanup_buffer_ Buffer sealed = BUFFER_NULL;
        int r;

        r = backup_collect(directory, cluster_file, &set, reterr);
        if (r < 0)
                return r;
        r = check_complete(directory, &set, reterr);
        if (r < 0)
                return r;

        if (!(flags & BACKUP_DRY_RUN)) {
                r = check_passphrase(passphrase, reterr);
                if (r < 0)
                        return r;
                r = seal_set(&set, passphrase, &sealed, reterr);
                if (r < 0)
                        return r;
                r = fs_write(AT_FDCWD, path, sealed.data, sealed.size, 0600,
                             flags & BACKUP_REPLACE ? 0 : FS_EXCLUSIVE, reterr);
                if (r < 0)
                        return r;
                r = backup_mark(directory, now, reterr);
                if (r < 0)
                        return r;
        }
        *ret = result_of(&set, sealed.size);
        return 0;
}

/**
 * backup_restore() - make a cluster directory of a backup
 * @path:       the backup
 * @passphrase: what it was made with
 * @directory:  where to; made if need be
 * @now:        seconds since 1970
 * @flags:      BACKUP_DRY_RUN
 * @ret:        what was in it; backup_result_done()
 * @reterr:     names the file
 *
 * Return: 0; -EACCES (ERROR_PERMISSION) for another passphrase; -EBADMSG (ERROR_CONFIG) if the backup is
 * damaged, or was not made by us; -EEXIST (ERROR_CREATE) if a file is there and differs, and then nothing
 * was written; another negative errno.
 */
int backup_restore(const char *path, const char *passphrase, const char *directory, int64_t now,
                   BackupFlags flags, BackupResult *ret, Error **reterr) {
        _cleanup_buffer_secret_ Buffer archive = BUFFER_NULL;
        _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL;
        _cleanup_buffer_ Buffer sealed = BUFFER_NULL;
        size_t n_new = 0;
        int r;

        r = fs_read(AT_FDCWD, path, 3 * BACKUP_SIZE_MAX, &sealed, reterr);
        if (r < 0)
                return r;
        r = backup_unseal(path, sealed.data, sealed.size, passphrase, &archive, reterr);
        if (r < 0)
                return r;
        r = backup_unpack(path, archive.data, archive.size, &set, reterr);
        if (r < 0)
                return r;
        r = backup_place(directory, &set, flags & BACKUP_DRY_RUN, &n_new, reterr);
        if (r < 0)
                return r;
        if (!(flags & BACKUP_DRY_RUN)) {
                r = backup_mark(directory, now, reterr);
                if (r < 0)
                        return r;
        }
        *ret = result_of(&set, sealed.size);
        ret->n_new = n_new;
        return 0;
}
