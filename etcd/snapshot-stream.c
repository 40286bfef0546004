/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots: a member's database, streamed through the JSON gateway
 *
 * The answer is lines of JSON, each with up to 32 KiB of the file in base64; the last 32 bytes of all are
 * the SHA-256 of what comes before (etcd server/etcdserver/api/v3rpc/maintenance.go). A failure in the
 * middle of the stream comes as a line with "error", after the status 200. etcd's own client looks at the
 * size alone; here the digest is computed, too.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/parse.h"
#include "etcd/snapshot-stream.h"
#include "pki/pem.h"

#define LINE_SIZE_MAX (256 * 1024) /* a piece of 32 KiB makes a line of 44 KiB */

void snapshot_stream_init(SnapshotStream *s, const char *name) {
        *s = (SnapshotStream) { .fd = -EBADF, .name = name, .digest = digest_new("SHA256") };
}

void snapshot_stream_done(SnapshotStream *s) {
        safe_close(s->fd);
        digest_free(s->digest);
        buffer_wipe(&s->line);
}

/* All but the last 32 bytes of the whole stream go into the digest. */
static void add_digest(SnapshotStream *s, const unsigned char *data, size_t size) {
        size_t old;

        if (size >= SNAPSHOT_DIGEST_SIZE) {
                digest_add(s->digest, s->tail, s->n_tail);
                digest_add(s->digest, data, size - SNAPSHOT_DIGEST_SIZE);
                memcpy(s->tail, data + size - SNAPSHOT_DIGEST_SIZE, SNAPSHOT_DIGEST_SIZE);
                s->n_tail = SNAPSHOT_DIGEST_SIZE;
                return;
        }
        old = s->n_tail + size > SNAPSHOT_DIGEST_SIZE ? s->n_tail + size - SNAPSHOT_DIGEST_SIZE : 0;
        digest_add(s->digest, s->tail, old);
        memmove(s->tail, s->tail + old, s->n_tail - old);
        memcpy(s->tail + s->n_tail - old, data, size);
        s->n_tail += size - old;
}

static int write_all(SnapshotStream *s, const char *data, size_t size, Error **reterr) {
        while (size > 0 && s->fd >= 0) {
                ssize_t n = write(s->fd, data, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(reterr, errno, "%s: cannot be written", s->name);
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

static int take_piece(SnapshotStream *s, const char *text, size_t length, const json_t *result,
                      Error **reterr) {
        _cleanup_buffer_secret_ Buffer piece = BUFFER_NULL;
        int r;

        if (base64_decode(text, length, &piece) < 0)
                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                 "the snapshot holds a piece that is no base64");
        if (piece.size == 0)
                return 0;
        r = write_all(s, piece.data, piece.size, reterr);
        if (r < 0)
                return r;
        add_digest(s, (const unsigned char *) piece.data, piece.size);
        s->size += piece.size;
        if (s->progress)
                s->progress(s->userdata, s->size, s->size + json_uint64(result, "remaining_bytes"));
        return 0;
}

static int take_line(SnapshotStream *s, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        const json_t *result, *blob;
        const char *message;
        int r;

        if (s->line.size == 0)
                return 0;
        r = json_parse("the snapshot", s->line.data, s->line.size, &tree, reterr);
        if (r < 0)
                return r;
        message = json_path_text(tree, "error.message");
        if (message || json_object_get(tree, "error"))
                return error_set(reterr, ERROR_UNAVAILABLE, EIO, "etcd broke the snapshot off: %s",
                                 message ? message : "it does not say why");
        result = json_object_get(tree, "result");
        blob = json_object_get(result, "blob");
        if (!json_is_string(blob))
                return 0;
        return take_piece(s, json_string_value(blob), json_string_length(blob), result, reterr);
}

/**
 * snapshot_stream_take() - take the next bytes of the answer
 * @s:          the stream
 * @data:       the bytes, cut anywhere
 * @size:       how many
 * @reterr:     what is wrong with them, or with writing them
 *
 * Return: 0 or a negative errno.
 */
int snapshot_stream_take(SnapshotStream *s, const void *data, size_t size, Error **reterr) {
        const char *p = data;
        int r;

        while (size > 0) {
                const char *newline = memchr(p, '\n', size);
                size_t n = newline ? (size_t) (newline - p) : size;

                if (s->line.size + n > LINE_SIZE_MAX)
                        return error_set(reterr, ERROR_VERIFY, EFBIG,
                                         "the snapshot holds a line that is too long");
                buffer_add(&s->line, p, n);
                if (!newline)
                        return 0;
                r = take_line(s, reterr);
                if (r < 0)
                        return r;
                buffer_clear(&s->line);
                p += n + 1;
                size -= n + 1;
        }
        return 0;
}

/* bbolt's pages are multiples of 512, so the file with its digest is one, too, plus 32 (etcdutl does this
 * test). */
static int check_whole(SnapshotStream *s, Error **reterr) {
        _cleanup_free_ char *hex = digest_hex(s->digest);
        char expected[2 * SNAPSHOT_DIGEST_SIZE + 1];

        if (s->n_tail < SNAPSHOT_DIGEST_SIZE || s->size % 512 != SNAPSHOT_DIGEST_SIZE)
                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                 "the snapshot is cut short (%" PRIu64 " bytes)", s->size);
        format_hex(s->tail, SNAPSHOT_DIGEST_SIZE, expected);
        if (!streq(hex, expected))
                return error_set(reterr, ERROR_VERIFY, EBADMSG,
                                 "the snapshot's bytes are not those that etcd sent: its digest differs");
        return 0;
}

/**
 * snapshot_stream_end() - was that all of it?
 * @s:          the stream
 * @reterr:     it was cut short, or differs from what etcd sent
 *
 * Return: 0 or a negative errno.
 */
int snapshot_stream_end(SnapshotStream *s, Error **reterr) {
        int r;

        /* the last line may lack its newline */
        r = take_line(s, reterr);
        if (r < 0)
                return r;
        buffer_clear(&s->line);
        return check_whole(s, reterr);
}
