/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "pki/certificate.h"
#include "pki/pem.h"

static void fuzz_key(const uint8_t *data, size_t size) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL, *again = NULL;
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;

        if (key_from_pem("key", data, size, &key, NULL) < 0)
                return;
        if (key_to_pem(key, &pem, NULL) < 0 || key_from_pem("key", pem.data, pem.size, &again, NULL) < 0 ||
            EVP_PKEY_eq(key, again) != 1)
                abort();
}

/* All that is asked of a certificate which came from elsewhere. */
static void fuzz_certificate(const uint8_t *data, size_t size) {
        _cleanup_(certificate_profile_done) CertificateProfile names = CERTIFICATE_PROFILE_NULL;
        _cleanup_(X509_freep) X509 *x = NULL;
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;
        char *why = NULL;

        if (certificate_from_pem("certificate", data, size, &x, NULL) < 0)
                return;
        free(certificate_subject(x));
        free(certificate_issuer(x));
        free(certificate_serial(x));
        free(certificate_fingerprint(x));
        certificate_names(x, &names);
        (void) certificate_check(x, &names, NULL, NULL, certificate_not_before(x), 0, &why);
        free(why);
        (void) certificate_to_pem(x, &pem, NULL);
}

/* A PEM text is a key, a public key or a certificate, or refused as each of them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        EVP_PKEY *public = NULL;
        Buffer bytes = BUFFER_NULL;

        fuzz_key(data, size);
        fuzz_certificate(data, size);
        if (key_public_from_pem("public", data, size, &public, NULL) >= 0)
                EVP_PKEY_free(public);
        if (base64_decode((const char*) data, size, &bytes) >= 0)
                buffer_wipe(&bytes);
        return 0;
}
