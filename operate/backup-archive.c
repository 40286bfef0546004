/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "operate/backup-internal.h"

/*
 * The set as a tar archive (pax), in memory. libarchive is used without buffers of its own, which it would
 * not wipe: unblocked writing hands each piece on at once, and reading from one block of memory copies
 * nothing.
 */

typedef struct archive Archive;

static void archive_write_freep(Archive **a) {
        (void) archive_write_free(*a);
}

static void archive_read_freep(Archive **a) {
        (void) archive_read_free(*a);
}

static void archive_entry_freep(struct archive_entry **entry) {
        archive_entry_free(*entry);
}

static la_ssize_t write_piece(Archive *a, void *userdata, const void *data, size_t size) {
        buffer_add(userdata, data, size);
        return (la_ssize_t) size;
}

static int pack_failed(Archive *a, Error **reterr) {
        return error_set(reterr, ERROR_INTERNAL, EIO, "cannot write an archive: %s",
                         archive_error_string(a) ?: "?");
}

static int pack_file(Archive *a, const BackupFile *file, Error **reterr) {
        _cleanup_(archive_entry_freep) struct archive_entry *entry = archive_entry_new();

        archive_entry_set_pathname(entry, file->name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0600);
        archive_entry_set_mtime(entry, 0, 0);
        archive_entry_set_size(entry, (la_int64_t) file->data.size);
        if (archive_write_header(a, entry) != ARCHIVE_OK)
                return pack_failed(a, reterr);
        if (file->data.size > 0 &&
            archive_write_data(a, file->data.data, file->data.size) != (la_ssize_t) file->data.size)
                return pack_failed(a, reterr);
        return 0;
}

int backup_pack(const BackupSet *set, Buffer *ret, Error **reterr) {
        _cleanup_(archive_write_freep) Archive *a = archive_write_new();
        _cleanup_buffer_secret_ Buffer out = BUFFER_NULL;
        int r;

        if (!a || archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
            archive_write_set_bytes_per_block(a, 0) != ARCHIVE_OK ||
            archive_write_open2(a, &out, NULL, write_piece, NULL, NULL) != ARCHIVE_OK)
                return pack_failed(a, reterr);
        for (size_t i = 0; i < set->n_files; i++) {
                r = pack_file(a, set->files + i, reterr);
                if (r < 0)
                        return r;
        }
        if (archive_write_close(a) != ARCHIVE_OK)
                return pack_failed(a, reterr);

        *ret = out;
        out = BUFFER_NULL;
        return 0;
}

static int unpack_failed(Archive *a, const char *what, Error **reterr) {
        return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: its archive cannot be read: %s", what,
                         archive_error_string(a) ?: "?");
}

/*
 * Only what backup_pack() writes: files under names that we would give. Sizes are limited before anything is
 * copied.
 */
static int unpack_check(const char *what, struct archive_entry *entry, Error **reterr) {
        const char *name = archive_entry_pathname(entry);

        if (!name || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
            archive_entry_symlink(entry))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: holds something that is not a file: %s",
                                 what, name ?: "?");
        if (!backup_name_is_sane(name))
                return error_set(reterr, ERROR_CONFIG, EBADMSG,
                                 "%s: holds a file that is none of hardway's: %s", what, name);
        if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0 ||
            archive_entry_size(entry) > BACKUP_FILE_SIZE_MAX)
                return error_set(reterr, ERROR_CONFIG, EFBIG, "%s: holds a file that is too large: %s", what,
                                 name);
        return 0;
}

static int unpack_file(Archive *a, const char *what, struct archive_entry *entry, BackupSet *set,
                       Error **reterr) {
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;
        size_t size = (size_t) archive_entry_size(entry);
        const void *piece;
        la_int64_t offset;
        size_t n;
        int r;

        for (;;) {
                r = archive_read_data_block(a, &piece, &n, &offset);
                if (r == ARCHIVE_EOF)
                        break;
                if (r != ARCHIVE_OK)
                        return unpack_failed(a, what, reterr);
                /* A sparse file would have holes, which we never write. */
                if (offset != (la_int64_t) data.size || n > size - data.size)
                        return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: holds a file with holes", what);
                buffer_add(&data, piece, n);
        }
        if (data.size != size)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: holds a file that is cut off", what);
        r = backup_set_add(set, archive_entry_pathname(entry), &data, reterr);
        return r < 0 ? error_prefix(reterr, r, "%s", what) : 0;
}

static int unpack_all(Archive *a, const char *what, BackupSet *set, Error **reterr) {
        struct archive_entry *entry;
        int r;

        for (;;) {
                r = archive_read_next_header(a, &entry);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK)
                        return unpack_failed(a, what, reterr);
                r = unpack_check(what, entry, reterr);
                if (r < 0)
                        return r;
                r = unpack_file(a, what, entry, set, reterr);
                if (r < 0)
                        return r;
        }
}

int backup_unpack(const char *what, const void *data, size_t size, BackupSet *ret, Error **reterr) {
        _cleanup_(archive_read_freep) Archive *a = archive_read_new();
        _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL;
        int r;

        if (!a || archive_read_support_format_tar(a) != ARCHIVE_OK ||
            archive_read_open_memory(a, data, size) != ARCHIVE_OK)
                return unpack_failed(a, what, reterr);
        r = unpack_all(a, what, &set, reterr);
        if (r < 0)
                return r;

        backup_set_sort(&set);
        *ret = set;
        set = BACKUP_SET_NULL;
        return 0;
}
