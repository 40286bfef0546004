/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include "common/alloc.h"
#include "etcd/internal.h"

/* What a member of etcd counts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = xstrndup((const char*) data, size);
        double msec;

        (void) etcd_fsync_percentile(text, &msec);
        return 0;
}
