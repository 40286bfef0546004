/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include "cluster/write.h"

/*
 * Corpus: tests/golden/errors
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(cluster_freep) Cluster *c = NULL;
        ErrorList errors = ERROR_LIST_NULL;

        (void) cluster_load_text("hardway.yaml", data, size, &c, &errors);
        error_list_done(&errors);
        return 0;
}
