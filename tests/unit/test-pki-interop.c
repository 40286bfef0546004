/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/pki-fixture.h"

#include "common/process.h"

/*
 * What the openssl command makes of our certificates, for profiles that no cluster has yet (IPv6, long names). The whole
 * store of a cluster is given to it in tests/cli/test_pki.py.
 */

typedef struct Chain {
        const UnitDir *dir;
        EVP_PKEY *ca_key, *key;
        X509 *ca, *leaf;
} Chain;

static void write_pem(const Chain *c, X509 *x, const char *name) {
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;

        assert_int_equal(certificate_to_pem(x, &pem, NULL), 0);
        assert_true(fs_write(c->dir->fd, name, pem.data, pem.size, 0644, FS_NO_SYNC, NULL) >= 0);
}

static void chain_make(Chain *c, const char *ca_type, const char *type, const CertificateProfile *p) {
        CertificateProfile ca = profile_new("kubernetes", USAGE_CA, 3650);
        int64_t now = clock_realtime();
        Error *e = NULL;

        assert_success(key_generate(ca_type, &c->ca_key, &e), e, 0);
        assert_success(key_generate(type, &c->key, &e), e, 0);
        assert_success(certificate_issue(&ca, c->ca_key, NULL, NULL, now, &c->ca, &e), e, 0);
        assert_success(certificate_issue(p, c->key, c->ca, c->ca_key, now, &c->leaf, &e), e, 0);
        write_pem(c, c->ca, "ca.crt");
        write_pem(c, c->leaf, "leaf.crt");
        certificate_profile_done(&ca);
}

static void chain_done(Chain *c) {
        EVP_PKEY_free(c->ca_key);
        EVP_PKEY_free(c->key);
        X509_free(c->ca);
        X509_free(c->leaf);
}

static bool verify(const Chain *c, const char *option, const char *value) {
        _cleanup_free_ char *ca = xasprintf("%s/ca.crt", c->dir->path),
                            *leaf = xasprintf("%s/leaf.crt", c->dir->path);
        _cleanup_strv_ Strv argv =
                strv_new("openssl", "verify", "-x509_strict", "-CAfile", ca, option, value, leaf, NULL);
        ProcessResult result = PROCESS_RESULT_NULL;
        Error *e = NULL;
        bool good;

        assert_success(process_run(argv, NULL, 60 * USEC_PER_SEC, &result, &e), e, 0);
        good = result.status == 0;
        process_result_done(&result);
        return good;
}

static void test_addresses(void **state) {
        static const char *const addresses[] = { "10.0.0.1", "255.255.255.255", "::1", "fd00:96::1",
                                                 "2001:db8::ff00:42:8329" };
        _cleanup_(chain_done) Chain c = { .dir = *state };
        _cleanup_(certificate_profile_done) CertificateProfile p = profile_new("c0", USAGE_SERVER, 30);

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
                profile_add_ip(&p, addresses[i]);
        chain_make(&c, "ec:p256", "ec:p256", &p);
        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
                assert_true(verify(&c, "-verify_ip", addresses[i]));
        assert_false(verify(&c, "-verify_ip", "10.0.0.2"));
        assert_false(verify(&c, "-verify_ip", "fd00:96::2"));
        assert_true(verify(&c, "-purpose", "sslserver"));
        assert_false(verify(&c, "-purpose", "sslclient"));
}

static void test_names(void **state) {
        static const char *const names[] = {
                "a",
                "*.k8s.home.lan",
                "kubernetes.default.svc.cluster.local",
                "a123456789b123456789c123456789d123456789e123456789f123456789g12.example.org",
        };
        _cleanup_(chain_done) Chain c = { .dir = *state };
        _cleanup_(certificate_profile_done) CertificateProfile p =
                profile_new("c0", USAGE_SERVER | USAGE_CLIENT, 30);

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                certificate_profile_add_dns(&p, names[i]);
        chain_make(&c, "ec:p384", "rsa:2048", &p);
        assert_true(verify(&c, "-verify_hostname", names[0]));
        assert_true(verify(&c, "-verify_hostname", "api.k8s.home.lan"));
        assert_true(verify(&c, "-verify_hostname", names[2]));
        assert_true(verify(&c, "-verify_hostname", names[3]));
        assert_false(verify(&c, "-verify_hostname", "k8s.home.lan"));
        assert_false(verify(&c, "-verify_hostname", "a.b.k8s.home.lan"));
        assert_false(verify(&c, "-verify_hostname", "c0")); /* the subject is no name of a host */
        assert_true(verify(&c, "-purpose", "sslserver"));
        assert_true(verify(&c, "-purpose", "sslclient"));
}

static void test_key_types(void **state) {
        static const char *const types[] = { "ec:p256", "ec:p384", "rsa:2048" };

        for (size_t a = 0; a < ARRAY_SIZE(types); a++)
                for (size_t b = 0; b < ARRAY_SIZE(types); b++) {
                        _cleanup_(chain_done) Chain c = { .dir = *state };
                        _cleanup_(certificate_profile_done) CertificateProfile p =
                                profile_new("x", USAGE_CLIENT, 30);

                        chain_make(&c, types[a], types[b], &p);
                        assert_true(verify(&c, "-purpose", "sslclient"));
                        assert_false(verify(&c, "-purpose", "sslserver"));
                }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_addresses),
                unit_test_in_dir(test_names),
                unit_test_in_dir(test_key_types),
        };

        return cmocka_run_group_tests_name("pki-interop", tests, NULL, NULL);
}
