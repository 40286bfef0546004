/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include "common/alloc.h"
#include "watch/internal.h"

/* What a node says of its watch. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = xstrndup((const char*) data, size);
        _cleanup_(check_list_done) CheckList checks = {};
        char name[] = "h0";
        Node node = { .name = name };

        watch_judge(&node, text, &checks);
        return 0;
}
