/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include "fetch/checksums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char digest[SHA256_HEX_SIZE];
        Error *error = NULL;

        (void) checksums_find(data, size, "kubectl", digest, &error);
        error_free(error);
        return 0;
}
