/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "etcd/snapshot.h"

/* What a node tells of the snapshots that it takes by itself; the file's name becomes part of paths. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = xstrndup((const char*) data, size);
        EtcdScheduled s;

        if (etcd_schedule_parse(text, &s) >= 0 && (strchr(s.file, '/') || strlen(s.file) >= sizeof(s.file)))
                abort();
        return 0;
}
