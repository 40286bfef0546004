/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/digest.h"
#include "etcd/client.h"

/*
 * The stream of a snapshot, as it arrives: lines of JSON in, the file out. Private to etcd/ and its tests.
 *
 * snapshot_stream_take() is given the bytes as they come, snapshot_stream_end() says whether that was all of
 * it. After a failure the stream is good for nothing but snapshot_stream_done().
 */
#define SNAPSHOT_DIGEST_SIZE 32

typedef struct SnapshotStream {
        int fd; /* where the file goes; the stream owns it. Negative: nowhere */
        const char *name;
        Digest *digest;
        Buffer line;                              /* of JSON, not ended yet */
        unsigned char tail[SNAPSHOT_DIGEST_SIZE]; /* the last bytes so far, which may be the digest: written,
                                                   * not digested */
        size_t n_tail;
        uint64_t size; /* of the file so far */
        EtcdSnapshotProgress progress;
        void *userdata;
} SnapshotStream;

void snapshot_stream_init(SnapshotStream *s, const char *name);
int snapshot_stream_take(SnapshotStream *s, const void *data, size_t size, Error **reterr);
int snapshot_stream_end(SnapshotStream *s, Error **reterr);
void snapshot_stream_done(SnapshotStream *s);
