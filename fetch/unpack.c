/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fetch/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"

#define READ_SIZE (128U * 1024)

typedef struct archive Archive;

static inline void archive_read_freep(Archive **a) {
        (void) archive_read_free(*a);
}

typedef struct Unpack {
        Archive *archive;
        UnpackMember *members;
        size_t n_members;
        uint64_t size_max;
        UnpackWrite write;
        Buffer last; /* the member that was read last: where it broke off is there */
} Unpack;

static int unpack_failure(const Unpack *u, Error **reterr) {
        const char *text = archive_error_string(u->archive) ?: "it cannot be read";

        if (u->last.size == 0)
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s", text);
        return error_set(reterr, ERROR_VERIFY, EBADMSG, "member '%s': %s", buffer_str(&u->last), text);
}

static int entry_refuse(const char *name, const char *why, Error **reterr) {
        return error_set(reterr, ERROR_VERIFY, EBADMSG, "member '%s' %s", name, why);
}

static bool name_has_dotdot(const char *name) {
        for (const char *p = name; *p;) {
                size_t n = strcspn(p, "/");

                if (n == 2 && p[0] == '.' && p[1] == '.')
                        return true;
                p += n;
                p += strspn(p, "/");
        }
        return false;
}

static int entry_check(Unpack *u, struct archive_entry *entry, const char *name, Error **reterr) {
        int64_t size = archive_entry_size(entry), before = archive_filter_bytes(u->archive, 0);
        mode_t type = archive_entry_filetype(entry);

        if (*name == '/')
                return entry_refuse(name, "has an absolute name", reterr);
        if (name_has_dotdot(name))
                return entry_refuse(name, "has '..' in its name", reterr);
        if (archive_entry_hardlink(entry) || archive_entry_symlink(entry) || type == AE_IFLNK)
                return entry_refuse(name, "is a link", reterr);
        if (type != AE_IFREG && type != AE_IFDIR)
                return entry_refuse(name, "is neither a file nor a directory", reterr);
        /* What is declared is looked at before anything is skipped; what is read, while it is read. */
        if (size < 0 || before < 0 || (uint64_t) size > u->size_max ||
            (uint64_t) before > u->size_max - (uint64_t) size)
                return error_set(reterr, ERROR_VERIFY, EFBIG,
                                 "member '%s': more than %" PRIu64 " MiB unpacked", name, u->size_max >> 20);
        return 0;
}

static UnpackMember* unpack_find(Unpack *u, const char *name) {
        while (name[0] == '.' && name[1] == '/')
                name += 2;
        for (size_t i = 0; i < u->n_members; i++)
                if (streq(u->members[i].name, name))
                        return u->members + i;
        return NULL;
}

/* Sparse files come with holes; a release has none, and we would have to write them out. */
static int member_read(Unpack *u, UnpackMember *m, Error **reterr) {
        int64_t expected = 0, offset;
        const void *data;
        size_t size;
        int r;

        for (;;) {
                r = archive_read_data_block(u->archive, &data, &size, &offset);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK)
                        return unpack_failure(u, reterr);
                if (offset != expected)
                        return entry_refuse(m->name, "has holes", reterr);
                expected += (int64_t) size;
                if ((uint64_t) expected > u->size_max)
                        return error_set(reterr, ERROR_VERIFY, EFBIG,
                                         "member '%s': more than %" PRIu64 " MiB unpacked", m->name,
                                         u->size_max >> 20);
                r = u->write(m->userdata, data, size, reterr);
                if (r < 0)
                        return r;
        }
}

static int entry_take(Unpack *u, struct archive_entry *entry, Error **reterr) {
        const char *name = archive_entry_pathname(entry);
        UnpackMember *m;
        int r;

        if (!name || !*name)
                return entry_refuse("", "has no name that can be read", reterr);
        r = entry_check(u, entry, name, reterr);
        if (r < 0)
                return r;
        buffer_clear(&u->last);
        buffer_add_str(&u->last, name);

        m = unpack_find(u, name);
        if (!m)
                return 0;
        if (m->found)
                return entry_refuse(name, "is there twice", reterr);
        if (archive_entry_filetype(entry) != AE_IFREG)
                return entry_refuse(name, "is not a file", reterr);
        m->found = true;
        return member_read(u, m, reterr);
}

static int unpack_all(Unpack *u, Error **reterr) {
        struct archive_entry *entry;
        int r;

        for (unsigned n = 0;; n++) {
                r = archive_read_next_header(u->archive, &entry);
                if (r == ARCHIVE_EOF)
                        break;
                if (r != ARCHIVE_OK &&
                    r != ARCHIVE_WARN) /* warnings are about owners, times, character sets */
                        return unpack_failure(u, reterr);
                if (n >= UNPACK_ENTRIES_MAX)
                        return error_set(reterr, ERROR_VERIFY, EFBIG, "more than %u members",
                                         UNPACK_ENTRIES_MAX);
                r = entry_take(u, entry, reterr);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < u->n_members; i++)
                if (!u->members[i].found && !u->members[i].optional)
                        return error_set(reterr, ERROR_VERIFY, ENOENT, "it has no member '%s'",
                                         u->members[i].name);
        return 0;
}

/**
 * unpack() - take members out of an archive
 * @fd:         the archive, read from where it stands
 * @members:    what is wanted
 * @n_members:  how many
 * @size_max:   of everything in it unpacked; at most UNPACK_SIZE_MAX
 * @write:      takes the bytes of a member; its failure ends the reading
 * @reterr:     names the member and what is wrong with it
 *
 * Return: 0 or a negative errno: -EBADMSG refused, -EFBIG too large, -ENOENT a member is missing.
 */
int unpack(int fd, UnpackMember *members, size_t n_members, uint64_t size_max, UnpackWrite write,
           Error **reterr) {
        _cleanup_(archive_read_freep) Archive *a = archive_read_new();
        Unpack u = {
                .archive = a,
                .members = members,
                .n_members = n_members,
                .size_max = size_max < UNPACK_SIZE_MAX ? size_max : UNPACK_SIZE_MAX,
                .write = write,
        };
        int r;

        if (!a)
                abort();
        /* Nothing but what releases are made of: every further format is a parser more. */
        if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
            archive_read_support_filter_gzip(a) != ARCHIVE_OK)
                return unpack_failure(&u, reterr);
        if (archive_read_open_fd(a, fd, READ_SIZE) != ARCHIVE_OK)
                return unpack_failure(&u, reterr);
        r = unpack_all(&u, reterr);
        buffer_done(&u.last);
        return r;
}
