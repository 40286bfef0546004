/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/headers.h"

/* What is remembered of an answer is sent back in a request, and must not carry a line of its own. */
static void check(const char *text) {
        for (; text && *text; text++)
                if (*text < ' ' || *text > '~')
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Headers h = HEADERS_NULL;
        const char *p = (const char*) data, *end = p + size;

        while (p < end) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                size_t n = newline ? (size_t) (newline - p) + 1 : (size_t) (end - p);

                headers_add(&h, p, n);
                check(headers_validator(&h));
                if (h.ranged &&
                    (h.range_start > h.range_end || (h.range_total && h.range_end >= h.range_total)))
                        abort();
                p += n;
        }
        if (h.size != size)
                abort();
        headers_done(&h);
        return 0;
}
