/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "pki/certificate.h"

/* A signing request that is read back, and a chain of certificates: both come from files that others have had. */

static void fuzz_request(const uint8_t *data, size_t size) {
        static char name[] = "kube-apiserver";
        static const CertificateProfile profile = { .common_name = name, .usage = USAGE_SERVER, .days = 1 };
        static EVP_PKEY *key;

        if (!key && key_generate("ec:p256", &key, NULL) < 0)
                abort();
        (void) certificate_request_asks("request", data, size, &profile, key, NULL);
}

static void fuzz_chain(const uint8_t *data, size_t size) {
        _cleanup_(certificate_chain_done) CertificateChain chain = {};
        CertificateChain above;
        char *why = NULL;

        if (certificate_chain_from_pem("chain", data, size, CERTIFICATE_CHAIN_MAX, &chain, NULL) < 0)
                return;
        if (chain.n_certificates == 0 || chain.n_certificates > CERTIFICATE_CHAIN_MAX)
                abort();
        above = (CertificateChain) { .certificates = chain.certificates + 1,
                                    .n_certificates = chain.n_certificates - 1 };
        (void) certificate_chain_check(chain.certificates[0], &above,
                                       certificate_not_before(chain.certificates[0]), &why);
        free(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        fuzz_request(data, size);
        fuzz_chain(data, size);
        return 0;
}
