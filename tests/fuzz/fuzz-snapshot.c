/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "etcd/snapshot-stream.h"
#include "etcd/snapshot.h"

/* A mark is found or not, wherever the bytes are cut. */
static void scan(const uint8_t *data, size_t size, size_t piece, Strv *ret,
                 bool ret_keys[static SECRET_NUMBER_MAX + 1]) {
        MarkScan s = {};

        for (size_t i = 0; i < size; i += piece)
                mark_scan_add(&s, data + i, size - i < piece ? size - i : piece);
        *ret = s.marks;
        memcpy(ret_keys, s.keys, sizeof(s.keys));
}

/*
 * What a member answers when it is asked for a snapshot, and the search for marks in what comes of it. The pieces
 * in which bytes arrive do not matter.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const size_t pieces[] = { 1, 7, 48, 49, 50, 1 << 20 };
        _cleanup_strv_ Strv whole = NULL;
        bool all[SECRET_NUMBER_MAX + 1], keys[SECRET_NUMBER_MAX + 1];
        int first = 0;

        scan(data, size, 1 << 20, &whole, all);
        for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
                _cleanup_(snapshot_stream_done) SnapshotStream s;
                _cleanup_strv_ Strv marks = NULL;
                int r = 0;

                snapshot_stream_init(&s, "snapshot");
                for (size_t k = 0; k < size && r >= 0; k += pieces[i])
                        r = snapshot_stream_take(&s, data + k, size - k < pieces[i] ? size - k : pieces[i],
                                                 NULL);
                if (r >= 0)
                        r = snapshot_stream_end(&s, NULL);
                if (i == 0)
                        first = r;
                scan(data, size, pieces[i], &marks, keys);
                if ((r < 0) != (first < 0) || strv_length(marks) != strv_length(whole) ||
                    memcmp(keys, all, sizeof(all)) != 0)
                        abort();
        }
        return 0;
}
