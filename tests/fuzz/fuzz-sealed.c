/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include "pki/key-internal.h"

/*
 * A key under a passphrase, as far as it is looked at without one: what asks for more work than is bearable has to be
 * refused here. What comes out of it when it is opened goes the way of all keys, see fuzz-pem.c.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (key_is_sealed(data, size))
                (void) key_sealed_check("key", data, size, NULL);
        return 0;
}
