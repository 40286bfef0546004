/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Looking at a snapshot that lies on disk: is it one, is it whole, whose is it, with which keys can its secrets be read
 *
 * The file is read once, in pieces: it may be larger than the memory.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/parse.h"
#include "etcd/snapshot-stream.h"
#include "etcd/snapshot.h"
#include "pki/secret.h"
#include "plan/names.h"

#define PIECE (256 * 1024)
#define PAGE_UNIT 512          /* bbolt's pages are multiples of it */
#define BOLT_MAGIC 0xED0CDAEDu /* go.etcd.io/bbolt internal/common/types.go, behind a page header of 16 */
#define BOLT_MAGIC_OFFSET 16
#define IDENTITY_DIGITS 32
#define MARK_SIZE (sizeof(NAME_MARK) - 1 + IDENTITY_DIGITS)
#define MARKS_MAX 256 /* invented ones must not keep ours from being found */
_Static_assert(sizeof(NAME_ENCRYPTED) + 8 < MARK_SIZE, "the name of a key is no longer than a mark");

static void take_mark(MarkScan *s, const char *p) {
        char identity[IDENTITY_DIGITS + 1] = {};

        p += strlen(NAME_MARK);
        if (strspn(memcpy(identity, p, IDENTITY_DIGITS), "0123456789abcdef") == IDENTITY_DIGITS &&
            strv_length(s->marks) < MARKS_MAX && !strv_contains(s->marks, identity))
                strv_add(&s->marks, identity);
}

/* The number, and the colon behind it. */
static void take_key(MarkScan *s, const char *p) {
        char text[MARK_SIZE + 1] = {}, *digits = text + strlen(NAME_ENCRYPTED);
        unsigned number;
        size_t n;
        bool whole;

        memcpy(text, p, MARK_SIZE);
        n = strspn(digits, "0123456789");
        whole = digits[n] == ':';
        digits[n] = '\0';
        if (whole && parse_unsigned(digits, 1, SECRET_NUMBER_MAX, &number) >= 0)
                s->keys[number] = true;
}

/* What is found has MARK_SIZE bytes at least to be read, in which the name of a key has its end, too. */
static void scan(MarkScan *s, const char *word, void (*take)(MarkScan*, const char *), const char *data,
                 size_t size) {
        const char *end = data + size, *p = data;

        while ((size_t) (end - p) >= MARK_SIZE && (p = memmem(p, (size_t) (end - p), word, strlen(word)))) {
                if ((size_t) (end - p) < MARK_SIZE)
                        return;
                take(s, p);
                p++;
        }
}

static void scan_both(MarkScan *s, const char *data, size_t size) {
        scan(s, NAME_MARK, take_mark, data, size);
        scan(s, NAME_ENCRYPTED, take_key, data, size);
}

/**
 * mark_scan_add() - look at the next bytes
 * @s:          the scan; begins as {}
 * @data:       the bytes, cut anywhere
 * @size:       how many
 */
void mark_scan_add(MarkScan *s, const void *data, size_t size) {
        char seam[2 * MARK_SIZE];
        size_t n = size < MARK_SIZE ? size : MARK_SIZE;

        /* what lies across the seam between the last piece and this one */
        memcpy(seam, s->window, s->n_window);
        memcpy(seam + s->n_window, data, n);
        scan_both(s, seam, s->n_window + n);
        scan_both(s, data, size);

        if (size >= MARK_SIZE - 1) {
                memcpy(s->window, (const char*) data + size - (MARK_SIZE - 1), MARK_SIZE - 1);
                s->n_window = MARK_SIZE - 1;
                return;
        }
        n += s->n_window;
        s->n_window = n < MARK_SIZE - 1 ? n : MARK_SIZE - 1;
        memcpy(s->window, seam + n - s->n_window, s->n_window);
}

typedef struct Reading {
        const char *path;
        int fd;
        uint64_t size, done;
        uint64_t digested; /* bytes that are the database */
        Digest *digest;
        unsigned char tail[SNAPSHOT_DIGEST_SIZE];
        MarkScan scan;
} Reading;

static void reading_done(Reading *r) {
        safe_close(r->fd);
        digest_free(r->digest);
        strv_free(r->scan.marks);
}

static bool has_magic(const char *data, size_t size) {
        uint32_t magic;

        if (size < BOLT_MAGIC_OFFSET + sizeof(magic))
                return false;
        memcpy(&magic, data + BOLT_MAGIC_OFFSET, sizeof(magic));
        return le32toh(magic) == BOLT_MAGIC || be32toh(magic) == BOLT_MAGIC;
}

static void take(Reading *q, const char *data, size_t size) {
        size_t n = q->done >= q->digested       ? 0 :
                   q->digested - q->done < size ? (size_t) (q->digested - q->done) :
                                                  size;

        digest_add(q->digest, data, n);
        mark_scan_add(&q->scan, data, n);
        for (size_t i = n; i < size && q->done + i - q->digested < sizeof(q->tail); i++)
                q->tail[q->done + i - q->digested] = (unsigned char) data[i];
        q->done += size;
}

static int read_all(Reading *q, Error **reterr) {
        _cleanup_free_ char *piece = xmalloc(PIECE);

        for (;;) {
                ssize_t n = read(q->fd, piece, PIECE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(reterr, errno, "%s: cannot be read", q->path);
                if (n == 0)
                        break;
                if (q->done == 0 && !has_magic(piece, (size_t) n))
                        return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: is no snapshot of etcd",
                                         q->path);
                take(q, piece, (size_t) n);
        }
        if (q->done != q->size)
                return error_set(reterr, ERROR_IO, EIO, "%s: has changed while it was read", q->path);
        return 0;
}

static int reading_open(const char *path, Reading *q, Error **reterr) {
        struct stat st;

        q->path = path;
        q->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (q->fd < 0)
                return error_set_errno(reterr, errno, "%s: cannot be opened", path);
        if (fstat(q->fd, &st) < 0)
                return error_set_errno(reterr, errno, "%s: cannot be examined", path);
        if (!S_ISREG(st.st_mode))
                return error_set(reterr, ERROR_CONFIG, EINVAL, "%s: is no file", path);
        q->size = (uint64_t) st.st_size;
        if (q->size == 0 || (q->size % PAGE_UNIT != 0 && q->size % PAGE_UNIT != SNAPSHOT_DIGEST_SIZE))
                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                 "%s: is no snapshot of etcd, or one that is cut short", path);
        q->digested = q->size - q->size % PAGE_UNIT;
        q->digest = digest_new("SHA256");
        return 0;
}

/**
 * etcd_snapshot_inspect() - look at a snapshot
 * @path:       the file
 * @ret:        what it is; to be released with etcd_snapshot_file_done()
 * @reterr:     it cannot be read, is none, or its digest differs
 *
 * Return: 0 or a negative errno.
 */
int etcd_snapshot_inspect(const char *path, EtcdSnapshotFile *ret, Error **reterr) {
        _cleanup_(reading_done) Reading q = { .fd = -EBADF };
        _cleanup_free_ char *hex = NULL;
        char expected[2 * SNAPSHOT_DIGEST_SIZE + 1];
        int r;

        r = reading_open(path, &q, reterr);
        if (r >= 0)
                r = read_all(&q, reterr);
        if (r < 0)
                return r;
        if (q.size > q.digested) {
                hex = digest_hex(q.digest);
                format_hex(q.tail, sizeof(q.tail), expected);
                if (!streq(hex, expected))
                        return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                         "%s: is damaged: the digest at its end is that of other bytes",
                                         path);
        }
        *ret = (EtcdSnapshotFile) {
                .size = q.size,
                .digest = q.size > q.digested,
                .marks = TAKE_PTR(q.scan.marks),
        };
        memcpy(ret->keys, q.scan.keys, sizeof(ret->keys));
        return 0;
}

void etcd_snapshot_file_done(EtcdSnapshotFile *f) {
        strv_free(f->marks);
        *f = (EtcdSnapshotFile) {};
}
