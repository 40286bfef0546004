/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/lock.h"

/* What is read can be written, and what was written is read as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(lock_freep) Lock *l = NULL, *again = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL, same = BUFFER_NULL;
        Error *error = NULL;

        if (lock_parse("hardway.lock", data, size, &l, &error) < 0) {
                error_free(error);
                return 0;
        }
        lock_write(l, &text);
        if (lock_parse("hardway.lock", text.data, text.size, &again, NULL) < 0)
                abort();
        lock_write(again, &same);
        if (text.size != same.size || memcmp(text.data, same.data, text.size) != 0)
                abort();
        return 0;
}
