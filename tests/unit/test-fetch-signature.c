/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Signatures without a lasting key: one that was really made by the public service holds, and so do ours, of an
 * authority made for the test; whatever is changed in any of it does not.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "fetch/signature.h"
#include "fetch/sigstore-pem.h"
#include "tests/fetch/signer.h"

/*
 * "hello, world!", signed at the public service on 2022-10-29 and published as a test vector of theirs
 * (github.com/sigstore/sigstore-js).
 */
static const char real_signature[] =
        "MEQCIC59AHp1YEsCzdevfVrPjligHFkH9iA8VmpgsR5Nl1gvAiA2m7s/H6xvZtU74Qmwe12M04xCBhEmseuGNbv4Ecivqw==";
static const char real_certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                       "MIICoTCCAiegAwIBAgIUSFKo3qe+NIIcCxlV4ST3xi04BgswCgYIKoZIzj0EAwMw\n"
                                       "NzEVMBMGA1UEChMMc2lnc3RvcmUuZGV2MR4wHAYDVQQDExVzaWdzdG9yZS1pbnRl\n"
                                       "cm1lZGlhdGUwHhcNMjIxMDI5MjAwOTIzWhcNMjIxMDI5MjAxOTIzWjAAMFkwEwYH\n"
                                       "KoZIzj0CAQYIKoZIzj0DAQcDQgAEB4UFbL4DsSbTWJSZpfY18aFYncCEadUGoPtA\n"
                                       "nUOwf9xpUjr3ZMKgW0dqI9HcITO6YTxmCOx8L3PeRU3hA9oYFKOCAUYwggFCMA4G\n"
                                       "A1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcDAzAdBgNVHQ4EFgQUxM/a\n"
                                       "1LX5zJT7UzfElZn/BExx3t0wHwYDVR0jBBgwFoAU39Ppz1YkEZb5qNjpKFWixi4Y\n"
                                       "ZD8wHwYDVR0RAQH/BBUwE4ERYnJpYW5AZGVoYW1lci5jb20wLAYKKwYBBAGDvzAB\n"
                                       "AQQeaHR0cHM6Ly9naXRodWIuY29tL2xvZ2luL29hdXRoMIGLBgorBgEEAdZ5AgQC\n"
                                       "BH0EewB5AHcACGCS8ChS/2hF0dFrJ4ScRWcYrBY9wzjSbea8IgY2b3IAAAGEJV0E\n"
                                       "jAAABAMASDBGAiEAkhFxAlQnVP3VqvdAOlIZaEcL06DVzMf262lbgXfgbYECIQCp\n"
                                       "0EhupvEyWnvRKJTBPSM6BmCM69EzK11BJ0mhYvjmZjAKBggqhkjOPQQDAwNoADBl\n"
                                       "AjAOoaelWFKbJAmhtblMsn/Y4Qu69nm+o1OXAsz1Yjv0Quhd2sg3unfcR+yOrVYa\n"
                                       "jr8CMQDrPBdPv6gPLVYqvJaq77ecpI0Q+62naoe2psVrHtfmzJ29WX4BumsVyWeb\n"
                                       "9VLjduo=\n"
                                       "-----END CERTIFICATE-----\n";

static const SignatureTrust real_trust = { EMBED_SIGSTORE_PEM, "brian@dehamer.com",
                                           "https://github.com/login/oauth" };

static int check(const SignatureTrust *trust, const char *file, const char *signature,
                 const char *certificate, Error **reterr) {
        _cleanup_buffer_ Buffer s = BUFFER_NULL, c = BUFFER_NULL;
        char digest[SHA256_HEX_SIZE];

        sha256_hex(file, strlen(file), digest);
        buffer_add_str(&s, signature);
        buffer_add_str(&c, certificate);
        return signature_check(trust, digest, &s, &c, reterr);
}

static void assert_refused(const SignatureTrust *trust, const char *file, const char *signature,
                           const char *certificate, const char *words) {
        _cleanup_error_ Error *error = NULL;

        assert_int_equal(check(trust, file, signature, certificate, &error), -EKEYREJECTED);
        assert_int_equal(error->kind, ERROR_VERIFY);
        if (!strstr(error->message, words))
                fail_msg("%s", error->message);
}

static void test_real(void **state) {
        SignatureTrust other = real_trust;
        _cleanup_free_ char *packed = signed_base64(real_certificate, strlen(real_certificate));

        assert_int_equal(check(&real_trust, "hello, world!", real_signature, real_certificate, NULL), 0);
        assert_int_equal(check(&real_trust, "hello, world!", real_signature, packed, NULL), 0);
        assert_refused(&real_trust, "hello, world?", real_signature, real_certificate,
                       "not one of this file");
        assert_refused(&signature_trust_kubernetes, "hello, world!", real_signature, real_certificate,
                       "not that of krel-staging@");
        other.issuer = "https://accounts.google.com";
        assert_refused(&other, "hello, world!", real_signature, real_certificate, "accounts.google.com");
}

/* --- of an authority of our own --- */

typedef struct Leaf {
        const char *names, *usage, *raw_issuer, *issuer;
        bool ca, rsa;
        time_t from;
} Leaf;

static const Leaf right = { .names = "critical,email:releaser@example.test",
                            .usage = "codeSigning",
                            .raw_issuer = "https://issuer.test",
                            .issuer = "\x0c\x13https://issuer.test",
                            .from = THEN };

/* A certificate for ten minutes, and a signature over the file. */
static void leaf_sign(const Authority *a, const Leaf *l, const char *file, char **ret_certificate,
                      char **ret_signature) {
        EVP_PKEY *key = l->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
        X509 *x = certificate_new(key, NULL, l->from, l->from + LEAF_SECONDS);

        (void) X509_set_issuer_name(x, X509_get_subject_name(a->certificate));
        if (l->ca)
                set_extension(x, NID_basic_constraints, "critical,CA:TRUE");
        if (l->names)
                set_extension(x, NID_subject_alt_name, l->names);
        if (l->usage)
                set_extension(x, NID_ext_key_usage, l->usage);
        if (l->raw_issuer)
                set_raw(x, OID_ISSUER, l->raw_issuer, strlen(l->raw_issuer));
        if (l->issuer)
                set_raw(x, "1.3.6.1.4.1.57264.1.8", l->issuer, strlen(l->issuer));
        assert_true(X509_sign(x, a->key, EVP_sha384()) > 0);
        *ret_certificate = certificate_pem(x);
        *ret_signature = key_sign(key, file, strlen(file));
        X509_free(x);
        EVP_PKEY_free(key);
}

static void test_own(void **state) {
        static const struct {
                const char *what;
                Leaf leaf;
                const char *words; /* NULL: it holds */
        } rows[] = {
                { "right",
                  { .names = "critical,email:releaser@example.test",
                    .usage = "codeSigning",
                    .issuer = "\x0c\x13https://issuer.test",
                    .from = THEN },
                  NULL },
                { "old form of the issuer",
                  { .names = "email:releaser@example.test",
                    .usage = "codeSigning",
                    .raw_issuer = "https://issuer.test",
                    .from = THEN },
                  NULL },
                { "no issuer",
                  { .names = "email:releaser@example.test", .usage = "codeSigning", .from = THEN },
                  "https://issuer.test" },
                { "issuers differ",
                  { .names = "email:releaser@example.test",
                    .usage = "codeSigning",
                    .raw_issuer = "https://issuer.test",
                    .issuer = "\x0c\x13https://another.test",
                    .from = THEN },
                  "https://issuer.test" },
                { "another issuer",
                  { .names = "email:releaser@example.test",
                    .usage = "codeSigning",
                    .raw_issuer = "https://issuer.test.evil",
                    .from = THEN },
                  "https://issuer.test" },
                { "somebody else",
                  { .names = "email:somebody@example.test",
                    .usage = "codeSigning",
                    .raw_issuer = "https://issuer.test",
                    .from = THEN },
                  "releaser@example.test" },
                { "and somebody else",
                  { .names = "email:releaser@example.test,email:somebody@example.test",
                    .usage = "codeSigning",
                    .raw_issuer = "https://issuer.test",
                    .from = THEN },
                  "releaser@example.test" },
                { "a host of that name",
                  { .names = "DNS:releaser.example.test",
                    .usage = "codeSigning",
                    .raw_issuer = "https://issuer.test",
                    .from = THEN },
                  "releaser@example.test" },
                { "nobody",
                  { .usage = "codeSigning", .raw_issuer = "https://issuer.test", .from = THEN },
                  "releaser@example.test" },
                { "a server",
                  { .names = "email:releaser@example.test",
                    .usage = "serverAuth",
                    .raw_issuer = "https://issuer.test",
                    .from = THEN },
                  "sign programs" },
                { "any purpose",
                  { .names = "email:releaser@example.test",
                    .raw_issuer = "https://issuer.test",
                    .from = THEN },
                  "sign programs" },
                { "a CA",
                  { .names = "email:releaser@example.test",
                    .usage = "codeSigning",
                    .ca = true,
                    .raw_issuer = "https://issuer.test",
                    .from = THEN },
                  "sign programs" },
                { "RSA",
                  { .names = "email:releaser@example.test",
                    .usage = "codeSigning",
                    .rsa = true,
                    .raw_issuer = "https://issuer.test",
                    .from = THEN },
                  "no key for ECDSA" },
                { "after the CA",
                  { .names = "email:releaser@example.test",
                    .usage = "codeSigning",
                    .raw_issuer = "https://issuer.test",
                    .from = THEN + 2 * YEAR },
                  "has expired" },
        };
        Authority a = {};

        authority_new(&a);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const SignatureTrust trust = { a.pem, "releaser@example.test", "https://issuer.test" };
                _cleanup_free_ char *certificate = NULL, *signature = NULL;
                _cleanup_error_ Error *error = NULL;

                leaf_sign(&a, &rows[i].leaf, "a file", &certificate, &signature);
                if (rows[i].words) {
                        assert_refused(&trust, "a file", signature, certificate, rows[i].words);
                        continue;
                }
                if (check(&trust, "a file", signature, certificate, &error) < 0)
                        fail_msg("%s: %s", rows[i].what, error->message);
        }
        authority_done(&a);
}

static void test_strangers(void **state) {
        _cleanup_free_ char *certificate = NULL, *signature = NULL, *other_certificate = NULL,
                            *other_signature = NULL;
        Authority a = {}, b = {};

        authority_new(&a);
        authority_new(&b); /* of the same name */
        leaf_sign(&a, &right, "a file", &certificate, &signature);
        leaf_sign(&b, &right, "a file", &other_certificate, &other_signature);
        {
                const SignatureTrust trust = { a.pem, "releaser@example.test", "https://issuer.test" };

                assert_int_equal(check(&trust, "a file", signature, certificate, NULL), 0);
                assert_refused(&trust, "a file", other_signature, other_certificate, "not of the authority");
                assert_refused(&trust, "a file", other_signature, certificate, "not one of this file");
                assert_refused(&trust, "a file", signature, a.pem, "sign programs");
                assert_refused(&trust, "a file", "", certificate, "not in base64");
                assert_refused(&trust, "a file", "====", certificate, "not one of this file");
                assert_refused(&trust, "a file", "<html>", certificate, "not in base64");
                assert_refused(&trust, "a file", "AAAA", certificate, "not one of this file");
                assert_refused(&trust, "a file", signature, "", "cannot be read");
                assert_refused(&trust, "a file", signature, "<html>nothing here</html>", "cannot be read");
                assert_refused(&trust, "a file", signature, "AAAA", "cannot be read");
        }
        authority_done(&a);
        authority_done(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_real),
                cmocka_unit_test(test_own),
                cmocka_unit_test(test_strangers),
        };

        return cmocka_run_group_tests_name("fetch-signature", tests, NULL, NULL);
}
