/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The tar stream of a put, made while it is sent
 *
 * libarchive's writer pushes what it makes into a Buffer, and whoever feeds the channel takes it from there;
 * a piece of a file is read only when the Buffer is empty, so no binary ever stands in memory. Members are
 * DIR/NAME.hw-new, owned by root, with their final mode; the manifest is the last.
 */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "host/host-internal.h"

#define PIECE_SIZE (64 * 1024)
#define MANIFEST "var/lib/hardway/manifest"

struct PutStream {
        const PutOrders *orders;
        const HostPut *progress; /* or NULL */
        const volatile int *cancelled;
        struct archive *archive;
        Buffer out;       /* made and not yet taken */
        size_t taken;     /* of out */
        size_t next;      /* file that comes next; the manifest behind the last; then the end */
        const char *data; /* rest of the current member, from memory ... */
        int fd;           /* ... or from a file */
        uint64_t left;
        Buffer manifest;
        char *piece;
        uint64_t done, total;
};

static la_ssize_t on_write(struct archive *a, void *userdata, const void *data, size_t size) {
        PutStream *s = userdata;

        buffer_add(&s->out, data, size);
        return (la_ssize_t) size;
}

PutStream* put_stream_new(const PutOrders *o, const HostPut *progress, const volatile int *cancelled) {
        PutStream *s = xnew(PutStream, 1);

        *s = (PutStream) { .orders = o, .progress = progress, .cancelled = cancelled, .fd = -EBADF };
        s->archive = archive_write_new();
        /* ustar, with pax headers only where a name is too long for it; in pieces as they come, not in
         * tape blocks */
        if (!s->archive || archive_write_set_format_pax_restricted(s->archive) != ARCHIVE_OK ||
            archive_write_set_bytes_per_block(s->archive, 0) != ARCHIVE_OK ||
            archive_write_open(s->archive, s, NULL, on_write, NULL) != ARCHIVE_OK)
                abort(); /* memory */
        s->piece = xmalloc(PIECE_SIZE);
        for (size_t i = 0; i < o->n_files; i++) {
                s->total += o->files[i].size;
                buffer_addf(&s->manifest, "%s  %s.hw-new\n", o->files[i].sha256, o->files[i].path + 1);
        }
        return s;
}

PutStream* put_stream_free(PutStream *s) {
        if (!s)
                return NULL;
        archive_write_free(s->archive);
        safe_close(s->fd);
        explicit_bzero(s->piece, PIECE_SIZE);
        free(s->piece);
        buffer_wipe(&s->out);
        buffer_done(&s->manifest);
        free(s);
        return NULL;
}

static int add_header(PutStream *s, const char *path, mode_t mode, uint64_t size) {
        struct archive_entry *e = archive_entry_new();
        int r;

        if (!e)
                abort(); /* memory */
        archive_entry_set_pathname(e, path);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, mode & 07777);
        archive_entry_set_size(e, (la_int64_t) size);
        r = archive_write_header(s->archive, e);
        archive_entry_free(e);
        s->left = size;
        return r == ARCHIVE_OK ? 0 : -EIO;
}

static int open_source(PutStream *s, const PutFile *f) {
        struct stat st;

        s->fd = safe_close(s->fd);
        s->fd = open(f->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (s->fd < 0 || fstat(s->fd, &st) < 0)
                return -errno;
        /* somebody has been at the cache; its digest would not be right either */
        return (uint64_t) st.st_size == f->size ? 0 : -ESTALE;
}

/* 1: a member was begun, 0: there are no more */
static int next_member(PutStream *s) {
        const PutFile *f = s->orders->files + s->next;
        _cleanup_free_ char *path = NULL;
        int r;

        s->data = NULL;
        if (s->next > s->orders->n_files)
                return 0;
        if (s->next++ == s->orders->n_files) {
                s->data = buffer_str(&s->manifest);
                r = add_header(s, MANIFEST, 0600, s->manifest.size);
                return r < 0 ? r : 1;
        }
        s->data = f->data;
        if (!f->data) {
                r = open_source(s, f);
                if (r < 0)
                        return r;
        }
        path = xasprintf("%s.hw-new", f->path + 1);
        r = add_header(s, path, f->mode, f->size);
        return r < 0 ? r : 1;
}

static int add_piece(PutStream *s) {
        size_t size = s->left < PIECE_SIZE ? (size_t) s->left : PIECE_SIZE;
        const char *piece = s->data;

        if (s->data)
                s->data += size;
        else {
                ssize_t n = read(s->fd, s->piece, size);

                if (n <= 0)
                        return n < 0 ? -errno : -ESTALE;
                size = (size_t) n;
                piece = s->piece;
        }
        s->left -= size;
        s->done += size;
        return archive_write_data(s->archive, piece, size) == (la_ssize_t) size ? 0 : -EIO;
}

static int fill(PutStream *s) {
        while (s->taken == s->out.size) {
                int r;

                s->taken = 0;
                buffer_clear(&s->out);
                if (s->left > 0) {
                        r = add_piece(s);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (s->next == s->orders->n_files + 2)
                        return 0;
                r = next_member(s);
                if (r < 0)
                        return r;
                if (r == 0) {
                        s->next = s->orders->n_files + 2;
                        if (archive_write_close(s->archive) != ARCHIVE_OK)
                                return -EIO;
                }
        }
        return 1;
}

/**
 * put_stream_feed() - the next bytes of the stream
 * @stream:     the PutStream
 * @buffer:     where to put them
 * @size:       how many fit
 *
 * Return: how many there are, 0 at the end, -ESTALE if a file is not what it was, -ECANCELED, or another
 * negative errno.
 */
ssize_t put_stream_feed(void *stream, void *buffer, size_t size) {
        PutStream *s = stream;
        size_t n;
        int r;

        if (s->cancelled && *s->cancelled)
                return -ECANCELED;
        r = fill(s);
        if (r <= 0)
                return r;
        n = s->out.size - s->taken;
        if (n > size)
                n = size;
        memcpy(buffer, s->out.data + s->taken, n);
        s->taken += n;
        if (s->progress && s->progress->progress)
                s->progress->progress(s->progress->userdata, s->done < s->total ? s->done : s->total,
                                      s->total);
        return (ssize_t) n;
}
