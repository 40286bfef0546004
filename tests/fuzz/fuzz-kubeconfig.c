/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "pki/kubeconfig.h"

static bool same(const Buffer *a, const Buffer *b) {
        return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* What is read can be written, and what was written is read as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL, again = KUBECONFIG_NULL;
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        Error *error = NULL;

        if (kubeconfig_parse("admin.conf", data, size, &k, &error) < 0) {
                error_free(error);
                return 0;
        }
        kubeconfig_write(&k, &text);
        if (kubeconfig_parse("admin.conf", text.data, text.size, &again, NULL) < 0)
                abort();
        if (!streq(k.cluster, again.cluster) || !streq(k.server, again.server) ||
            !streq(k.user, again.user) || !same(&k.ca, &again.ca) ||
            !same(&k.certificate, &again.certificate) || !same(&k.key, &again.key))
                abort();
        return 0;
}
