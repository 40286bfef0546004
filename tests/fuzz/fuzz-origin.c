/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "fetch/origin.h"

/* What is read can be written, and what was written is read as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(origin_done) Origin o = ORIGIN_NULL, again = ORIGIN_NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Error *error = NULL;

        if (origin_parse("x.from", data, size, &o, &error) < 0) {
                error_free(error);
                return 0;
        }
        origin_write(&o, &text);
        if (text.size > ORIGIN_SIZE_MAX)
                return 0;
        if (origin_parse("x.from", text.data, text.size, &again, NULL) < 0 || !streq(o.url, again.url) ||
            !streq_null(o.validator, again.validator) || !streq_null(o.sha256, again.sha256) ||
            o.size != again.size)
                abort();
        return 0;
}
