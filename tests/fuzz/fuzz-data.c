/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "etcd/data.h"

/* What a node tells of etcd's data, which decides whether it may go. A token is there if an identity is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = xstrndup((const char*) data, size);
        EtcdData d = {};

        if (etcd_data_parse(text, &d) >= 0 && (!d.identity != !d.token))
                abort();
        etcd_data_done(&d);
        return 0;
}
