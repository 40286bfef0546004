/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"

/*
 * Programs and archives for the tests of fetch/: an ELF header with noise behind it, and tar files with
 * anything in them.
 */

/* What the programs are stamped with, each as its releases are; no digest of these is known to anybody. */
#define MAKE_KUBERNETES "v1.36.30"
#define MAKE_ETCD "v3.6.16"
static const char make_stamps[] = "\t" MAKE_KUBERNETES "\0constants3.6.16run together";

static inline void make_program(Buffer *ret, uint16_t machine, unsigned seed, size_t size) {
        Elf64_Ehdr head = {
                .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                .e_type = ET_EXEC,
                .e_machine = machine,
        };
        uint64_t x = seed * UINT64_C(2654435761) + 1;

        buffer_clear(ret);
        buffer_add(ret, &head, sizeof(head));
        buffer_add(ret, make_stamps, sizeof(make_stamps));
        while (ret->size < size) {
                x ^= x << 13, x ^= x >> 7, x ^= x << 17;
                buffer_add(ret, &x, size - ret->size < sizeof(x) ? size - ret->size : sizeof(x));
        }
}

typedef struct MakeEntry {
        const char *name;
        char type; /* '-' file, 'd' directory, 'l' symlink, 'h' hard link, 'c' device, 'p' fifo */
        const void *data;
        size_t size;
} MakeEntry;

static inline la_ssize_t make_archive_write(struct archive *a, void *userdata, const void *data,
                                            size_t size) {
        buffer_add(userdata, data, size);
        return (la_ssize_t) size;
}

static inline void make_archive(Buffer *ret, const MakeEntry *entries, size_t n_entries) {
        struct archive *a = archive_write_new();

        buffer_clear(ret);
        (void) archive_write_add_filter_gzip(a);
        (void) archive_write_set_format_pax_restricted(a);
        (void) archive_write_set_bytes_in_last_block(a, 1);
        (void) archive_write_open2(a, ret, NULL, make_archive_write, NULL, NULL);
        for (size_t i = 0; i < n_entries; i++) {
                const MakeEntry *e = entries + i;
                struct archive_entry *entry = archive_entry_new();

                archive_entry_set_pathname(entry, e->name);
                archive_entry_set_perm(entry, 0755);
                archive_entry_set_uid(entry, 12345); /* as releases have, and nobody must take over */
                archive_entry_set_size(entry, e->type == '-' ? (int64_t) e->size : 0);
                archive_entry_set_filetype(entry, e->type == 'd' ? AE_IFDIR :
                                                  e->type == 'l' ? AE_IFLNK :
                                                  e->type == 'c' ? AE_IFCHR :
                                                  e->type == 'p' ? AE_IFIFO :
                                                                   AE_IFREG);
                if (e->type == 'l')
                        archive_entry_set_symlink(entry, "/etc/passwd");
                if (e->type == 'h')
                        archive_entry_set_hardlink(entry, "/etc/passwd");
                if (archive_write_header(a, entry) != ARCHIVE_OK)
                        abort();
                if (e->type == '-' && e->size > 0)
                        (void) archive_write_data(a, e->data, e->size);
                archive_entry_free(entry);
        }
        (void) archive_write_close(a);
        (void) archive_write_free(a);
}
