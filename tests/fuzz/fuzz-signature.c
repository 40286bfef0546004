/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "fetch/signature.h"

/* The signature, an empty line, the certificate. Nothing that can be made up here is a signature of this digest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        _cleanup_buffer_ Buffer signature = BUFFER_NULL, certificate = BUFFER_NULL;
        const char *p = (const char*) data, *middle = memmem(p, size, "\n\n", 2);
        Error *error = NULL;

        if (!middle)
                return 0;
        buffer_add(&signature, p, (size_t) (middle - p));
        buffer_add(&certificate, middle + 2, size - (size_t) (middle + 2 - p));
        if (signature_check(&signature_trust_kubernetes, digest, &signature, &certificate, &error) >= 0)
                abort();
        error_free(error);
        return 0;
}
