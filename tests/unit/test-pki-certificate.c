/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/pki-fixture.h"

#include <openssl/x509v3.h>

#include "common/inet.h"

/* Issuing, reading back and judging certificates. What other implementations make of them: test-pki-interop.c. */

#define HOUR INT64_C(3600)

typedef struct Issued {
        EVP_PKEY *key;
        X509 *x;
} Issued;

static void issued_done(Issued *i) {
        EVP_PKEY_free(i->key);
        X509_free(i->x);
}
#define _issued_ _cleanup_(issued_done)
#define _profile_ _cleanup_(certificate_profile_done)

static Issued issue(const char *key_type, const CertificateProfile *p, const Issued *ca, int64_t now) {
        Issued i = {};
        Error *e = NULL;

        assert_success(key_generate(key_type, &i.key, &e), e, 0);
        assert_success(certificate_issue(p, i.key, ca ? ca->x : NULL, ca ? ca->key : NULL, now, &i.x, &e), e,
                       0);
        return i;
}

static Issued issue_ca(const char *key_type) {
        _profile_ CertificateProfile p = profile_new("kubernetes", USAGE_CA, 3650);

        certificate_profile_add_dns(&p, "kubernetes");
        return issue(key_type, &p, NULL, pki_now());
}

static CertificateProfile server_profile(void) {
        CertificateProfile p = profile_new("kube-apiserver", USAGE_SERVER, 365);

        certificate_profile_add_dns(&p, "kubernetes.default.svc");
        certificate_profile_add_dns(&p, "k8s.home.lan");
        profile_add_ip(&p, "10.77.0.10");
        profile_add_ip(&p, "fd00::10");
        return p;
}

static bool is_critical(X509 *x, int nid) {
        int i = X509_get_ext_by_NID(x, nid, -1);

        assert_true(i >= 0);
        return X509_EXTENSION_get_critical(X509_get_ext(x, i)) == 1;
}

static void test_ca(void **state) {
        _issued_ Issued ca = issue_ca("ec:p256");
        _cleanup_free_ char *subject = certificate_subject(ca.x), *issuer = certificate_issuer(ca.x);

        assert_int_equal(certificate_usage(ca.x), USAGE_CA);
        assert_int_equal(X509_get_pathlen(ca.x), 0);
        assert_int_equal(X509_get_key_usage(ca.x), KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE);
        assert_true(is_critical(ca.x, NID_basic_constraints));
        assert_true(is_critical(ca.x, NID_key_usage));
        assert_int_equal(X509_get_ext_by_NID(ca.x, NID_ext_key_usage, -1), -1);
        assert_non_null(X509_get0_subject_key_id(ca.x));
        assert_string_equal(subject, "CN=kubernetes");
        assert_string_equal(issuer, subject);
        assert_int_equal(X509_check_host(ca.x, "kubernetes", 0, 0, NULL), 1);
        assert_int_equal(X509_self_signed(ca.x, /* verify_signature= */ 1), 1);
        assert_int_equal(certificate_not_before(ca.x), pki_now() - HOUR);
        assert_int_equal(certificate_not_after(ca.x), pki_now() + 3650 * SEC_PER_DAY);
        assert_int_equal(X509_get_version(ca.x), X509_VERSION_3);
}

static void check_leaf(const char *key_type, uint32_t key_usage, int signature) {
        _issued_ Issued ca = issue_ca(key_type);
        _profile_ CertificateProfile p = server_profile();
        _issued_ Issued leaf = {};

        p.organization = xstrdup("system:masters");
        p.usage = USAGE_SERVER | USAGE_CLIENT;
        leaf = issue(key_type, &p, &ca, pki_now());
        assert_int_equal(X509_get_key_usage(leaf.x), key_usage);
        assert_int_equal(X509_get_extended_key_usage(leaf.x), XKU_SSL_SERVER | XKU_SSL_CLIENT);
        assert_int_equal(X509_get_signature_nid(leaf.x), signature);
        assert_int_equal(X509_check_purpose(leaf.x, X509_PURPOSE_SSL_SERVER, 0), 1);
        assert_int_equal(X509_check_purpose(leaf.x, X509_PURPOSE_SSL_CLIENT, 0), 1);
        assert_int_equal(X509_check_ca(leaf.x), 0);
        assert_true(is_critical(leaf.x, NID_basic_constraints));
        assert_int_equal(
                ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf.x), X509_get0_subject_key_id(ca.x)),
                0);
        assert_int_equal(X509_verify(leaf.x, ca.key), 1);
        assert_true(certificate_has_key(leaf.x, leaf.key));
        assert_false(certificate_has_key(leaf.x, ca.key));
}

static void test_leaf(void **state) {
        check_leaf("ec:p256", KU_DIGITAL_SIGNATURE, NID_ecdsa_with_SHA256);
        check_leaf("ec:p384", KU_DIGITAL_SIGNATURE, NID_ecdsa_with_SHA384);
        check_leaf("rsa:2048", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, NID_sha256WithRSAEncryption);
}

/* A CA of one kind may sign for keys of another, also if only the public half is there (a signing request). */
static void test_mixed(void **state) {
        _issued_ Issued ca = issue_ca("rsa:2048");
        _profile_ CertificateProfile p = server_profile();
        _issued_ Issued leaf = issue("ec:p384", &p, &ca, pki_now());
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *public = NULL;
        _cleanup_(X509_freep) X509 *again = NULL;
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;
        Error *e = NULL;

        assert_int_equal(X509_get_signature_nid(leaf.x), NID_sha256WithRSAEncryption);
        assert_int_equal(X509_get_key_usage(leaf.x), KU_DIGITAL_SIGNATURE);
        assert_success(key_public_to_pem(leaf.key, &pem, &e), e, 0);
        assert_success(key_public_from_pem("k", pem.data, pem.size, &public, &e), e, 0);
        assert_success(certificate_issue(&p, public, ca.x, ca.key, pki_now(), &again, &e), e, 0);
        assert_true(certificate_has_key(again, leaf.key));
}

static void test_serials(void **state) {
        _issued_ Issued ca = issue_ca("ec:p256");
        _profile_ CertificateProfile p = server_profile();
        _cleanup_strv_ Strv seen = NULL;

        for (unsigned i = 0; i < 64; i++) {
                _issued_ Issued leaf = issue("ec:p256", &p, &ca, pki_now());
                _cleanup_free_ char *serial = certificate_serial(leaf.x);

                assert_int_equal(strlen(serial), 32); /* 128 bits */
                assert_false(ASN1_INTEGER_get(X509_get0_serialNumber(leaf.x)) == 0);
                assert_false(X509_get0_serialNumber(leaf.x)->type & V_ASN1_NEG);
                assert_false(strv_contains(seen, serial));
                strv_add(&seen, serial);
        }
}

static void test_validity(void **state) {
        _issued_ Issued ca = issue_ca("ec:p256");
        _profile_ CertificateProfile p = server_profile();
        int64_t ca_begin = certificate_not_before(ca.x), ca_end = certificate_not_after(ca.x);
        Error *e = NULL;
        X509 *x = NULL;

        /* Never before the CA, though the clock was set back by half an hour meanwhile. */
        {
                _issued_ Issued leaf = issue("ec:p256", &p, &ca, ca_begin + HOUR / 2);

                assert_int_equal(certificate_not_before(leaf.x), ca_begin);
        }
        /* Never behind it. */
        {
                _issued_ Issued leaf = issue("ec:p256", &p, &ca, ca_end - SEC_PER_DAY);

                assert_int_equal(certificate_not_before(leaf.x), ca_end - SEC_PER_DAY - HOUR);
                assert_int_equal(certificate_not_after(leaf.x), ca_end);
        }
        assert_failure(certificate_issue(&p, ca.key, ca.x, ca.key, ca_begin - 1, &x, &e), e, ERROR_TEMPORARY,
                       ETIME);
        assert_failure(certificate_issue(&p, ca.key, ca.x, ca.key, ca_end, &x, &e), e, ERROR_CONFIG,
                       EKEYEXPIRED);
        assert_failure(certificate_issue(&p, ca.key, NULL, NULL, clock_build_date() - 1, &x, &e), e,
                       ERROR_TEMPORARY, ETIME);
        assert_int_equal(certificate_issue(&p, ca.key, NULL, NULL, 0, &x, &e), -ETIME);
        assert_contains(e->message, "clock says 1970-01-01T00:00:00Z");
        error_free(e);
        assert_null(x);
}

/* Beyond 2049 the time is written another way (RFC 5280 section 4.1.2.5). */
static void test_far_future(void **state) {
        _profile_ CertificateProfile p = profile_new("kubernetes", USAGE_CA, CERTIFICATE_DAYS_MAX);
        _issued_ Issued ca = issue("ec:p256", &p, NULL, pki_now());

        assert_int_equal(certificate_not_after(ca.x), pki_now() + CERTIFICATE_DAYS_MAX * SEC_PER_DAY);
}

static void test_refused(void **state) {
        static const char *const bad_names[] = {
                "no name",     "",    ".",
                "a..b",        "a.",  ".a",
                "*",           "a.*", "*.",
                "k\303\266ln", "a/b", "0123456789012345678901234567890123456789012345678901234567890123",
        };
        _issued_ Issued ca = issue_ca("ec:p256"), other = issue_ca("ec:p256");
        _profile_ CertificateProfile p = server_profile();
        _issued_ Issued leaf = issue("ec:p256", &p, &ca, pki_now());
        Error *e = NULL;
        X509 *x = NULL;

        assert_failure(certificate_issue(&p, leaf.key, ca.x, other.key, pki_now(), &x, &e), e, ERROR_CONFIG,
                       EINVAL);
        assert_failure(certificate_issue(&p, leaf.key, leaf.x, leaf.key, pki_now(), &x, &e), e, ERROR_CONFIG,
                       EINVAL);
        p.days = 0;
        assert_failure(certificate_issue(&p, leaf.key, ca.x, ca.key, pki_now(), &x, &e), e, ERROR_CONFIG,
                       EINVAL);
        p.days = CERTIFICATE_DAYS_MAX + 1;
        assert_failure(certificate_issue(&p, leaf.key, ca.x, ca.key, pki_now(), &x, &e), e, ERROR_CONFIG,
                       EINVAL);
        p.days = 1;

        for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
                p.dns_names = strv_free(p.dns_names);
                certificate_profile_add_dns(&p, bad_names[i]);
                assert_failure(certificate_issue(&p, leaf.key, ca.x, ca.key, pki_now(), &x, &e), e,
                               ERROR_CONFIG, EINVAL);
        }
        p.dns_names = strv_free(p.dns_names);

        freep(&p.common_name);
        p.common_name = xasprintf("%065d", 0); /* RFC 5280 allows 64 characters */
        assert_failure(certificate_issue(&p, leaf.key, ca.x, ca.key, pki_now(), &x, &e), e, ERROR_CONFIG,
                       EBADMSG);
        p.common_name[0] = '\0';
        assert_failure(certificate_issue(&p, leaf.key, ca.x, ca.key, pki_now(), &x, &e), e, ERROR_INTERNAL,
                       EINVAL);
        assert_null(x);
}

static void test_wildcard(void **state) {
        _issued_ Issued ca = issue_ca("ec:p256");
        _profile_ CertificateProfile p = server_profile();
        _issued_ Issued leaf = {};

        certificate_profile_add_dns(&p, "*.k8s.home.lan");
        leaf = issue("ec:p256", &p, &ca, pki_now());
        assert_int_equal(X509_check_host(leaf.x, "a.k8s.home.lan", 0, 0, NULL), 1);
        assert_int_equal(X509_check_host(leaf.x, "a.b.k8s.home.lan", 0, 0, NULL), 0);
}

static void refuse_pem(const void *data, size_t size, const char *why) {
        Error *e = NULL;
        X509 *x = NULL;

        assert_int_equal(certificate_from_pem("pki/ca.crt", data, size, &x, &e), -EBADMSG);
        assert_int_equal(e->kind, ERROR_CONFIG);
        assert_contains(e->message, "pki/ca.crt: ");
        assert_contains(e->message, why);
        assert_null(x);
        error_free(e);
}

static void test_pem(void **state) {
        _issued_ Issued ca = issue_ca("ec:p256");
        _cleanup_(X509_freep) X509 *read = NULL;
        _cleanup_buffer_ Buffer pem = BUFFER_NULL, other = BUFFER_NULL;
        _cleanup_free_ char *before = certificate_fingerprint(ca.x), *after = NULL;
        unsigned char *der = NULL;
        Error *e = NULL;
        int n;

        assert_success(certificate_to_pem(ca.x, &pem, &e), e, 0);
        assert_success(certificate_from_pem("c", pem.data, pem.size, &read, &e), e, 0);
        after = certificate_fingerprint(read);
        assert_string_equal(before, after);

        n = i2d_X509(ca.x, &der);
        refuse_pem(der, (size_t) n, "is DER, not PEM");
        OPENSSL_free(der);
        refuse_pem("", 0, "is empty");
        refuse_pem(pem.data, 100, "is cut off");
        buffer_add(&other, pem.data, 100);
        buffer_add_str(&other, "\n-----END CERTIFICATE-----\n");
        refuse_pem(other.data, other.size, "is damaged");
        buffer_clear(&other);
        buffer_add(&other, pem.data, pem.size);
        buffer_add(&other, pem.data, pem.size);
        refuse_pem(other.data, other.size, "one PEM block and nothing else");
        buffer_clear(&other);
        assert_int_equal(key_to_pem(ca.key, &other, NULL), 0);
        refuse_pem(other.data, other.size, "holds a PRIVATE KEY where a CERTIFICATE is expected");
}

/* Every reason for which a certificate has to be issued again. */
static void expect(X509 *x, const CertificateProfile *p, EVP_PKEY *key, X509 *ca, int64_t now,
                   const char *wanted) {
        _cleanup_free_ char *why = NULL;
        int r = certificate_check(x, p, key, ca, now, 30 * SEC_PER_DAY, &why);

        if (!wanted) {
                if (why)
                        print_error("unexpected: %s\n", why);
                assert_int_equal(r, 0);
                assert_null(why);
        } else {
                assert_true(r > 0);
                assert_string_equal(why, wanted);
        }
}

static void test_check(void **state) {
        _issued_ Issued ca = issue_ca("ec:p256"), other_ca = issue_ca("ec:p256");
        _profile_ CertificateProfile p = server_profile(), etcd = profile_new("etcd-ca", USAGE_CA, 100);
        _issued_ Issued leaf = issue("ec:p256", &p, &ca, pki_now()),
                        etcd_ca = issue("ec:p256", &etcd, NULL, pki_now());
        int64_t now = pki_now();

        expect(leaf.x, &p, leaf.key, ca.x, now, NULL);
        expect(leaf.x, &p, NULL, ca.x, now, NULL);
        expect(ca.x, &etcd, NULL, NULL, now, "names \"kubernetes\", not \"etcd-ca\"");
        expect(leaf.x, &p, ca.key, ca.x, now, "its key is another one");
        expect(leaf.x, &p, leaf.key, etcd_ca.x, now, "is not issued by the CA CN=etcd-ca");
        /* Same name, another key: told apart by the key identifier. */
        expect(leaf.x, &p, leaf.key, other_ca.x, now, "is not issued by the CA CN=kubernetes");
        expect(leaf.x, &p, leaf.key, NULL, now, "is not issued by the CA CN=kube-apiserver");
}

static void test_check_times(void **state) {
        _issued_ Issued ca = issue_ca("ec:p256");
        _profile_ CertificateProfile p = server_profile();
        _issued_ Issued leaf = issue("ec:p256", &p, &ca, pki_now());
        int64_t now = pki_now(), end = certificate_not_after(leaf.x), ca_end = certificate_not_after(ca.x);
        _cleanup_free_ char *begin_text = clock_format_iso(now - HOUR), *end_text = clock_format_iso(end);
        _cleanup_free_ char *before = xasprintf("is not valid before %s", begin_text);
        _cleanup_free_ char *expired = xasprintf("has expired on %s", end_text);

        expect(leaf.x, &p, leaf.key, ca.x, now - 2 * HOUR, before);
        expect(leaf.x, &p, leaf.key, ca.x, end, expired);
        expect(leaf.x, &p, leaf.key, ca.x, end - 30 * SEC_PER_DAY, NULL);
        expect(leaf.x, &p, leaf.key, ca.x, end - 30 * SEC_PER_DAY + 1, "expires in 29 days");
        expect(leaf.x, &p, leaf.key, ca.x, end - 36 * HOUR, "expires in 1 day");
        expect(leaf.x, &p, leaf.key, ca.x, end - 1, "expires within a day");

        /* A short life: a third of it, not 30 days. */
        p.days = 9;
        {
                _issued_ Issued brief = issue("ec:p256", &p, &ca, now);

                expect(brief.x, &p, NULL, ca.x, now + 5 * SEC_PER_DAY, NULL);
                expect(brief.x, &p, NULL, ca.x, now + 7 * SEC_PER_DAY, "expires in 2 days");
        }
        /* It ends with its CA: nothing is gained by issuing it again. */
        p.days = 365;
        {
                _issued_ Issued last = issue("ec:p256", &p, &ca, ca_end - 10 * SEC_PER_DAY);

                expect(last.x, &p, NULL, ca.x, ca_end - SEC_PER_DAY, NULL);
        }
}

static void test_check_profile(void **state) {
        _issued_ Issued ca = issue_ca("ec:p256");
        _profile_ CertificateProfile p = server_profile(), q = server_profile();
        _issued_ Issued leaf = issue("ec:p256", &p, &ca, pki_now());
        int64_t now = pki_now();

        certificate_profile_add_dns(&q, "lb.home.lan");
        expect(leaf.x, &q, leaf.key, ca.x, now, "lacks the name lb.home.lan");
        q.dns_names = strv_free(q.dns_names);
        certificate_profile_add_dns(&q, "k8s.home.lan");
        expect(leaf.x, &q, leaf.key, ca.x, now, "still has the name kubernetes.default.svc");
        certificate_profile_add_dns(&q, "kubernetes.default.svc"); /* order means nothing */
        expect(leaf.x, &q, leaf.key, ca.x, now, NULL);
        profile_add_ip(&q, "fd00::11");
        expect(leaf.x, &q, leaf.key, ca.x, now, "lacks the name fd00::11");
        q.n_addresses = 1;
        expect(leaf.x, &q, leaf.key, ca.x, now, "still has the name fd00::10");
        q.n_addresses = 2;

        q.usage = USAGE_SERVER | USAGE_CLIENT;
        expect(leaf.x, &q, leaf.key, ca.x, now, "may not be used by clients");
        q.usage = USAGE_CLIENT;
        expect(leaf.x, &q, leaf.key, ca.x, now, "may be used by servers");
        q.usage = USAGE_CA;
        expect(leaf.x, &q, leaf.key, ca.x, now, "is not a CA");
        q.usage = USAGE_SERVER;
        q.organization = xstrdup("system:masters");
        expect(leaf.x, &q, leaf.key, ca.x, now, "is of the group \"\", not \"system:masters\"");
        expect(ca.x, &p, ca.key, NULL, now, "is a CA");
}

/* xorshift: the same clusters each time; a failure names its seed. */
static uint64_t random_state;

static unsigned draw(unsigned n) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        return (unsigned) (random_state % n);
}

static char* draw_label(void) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
        char label[64] = "";
        unsigned n = 1 + draw(draw(4) ? 12 : 63);

        for (unsigned i = 0; i < n; i++)
                label[i] = i > 0 && i + 1 < n && draw(8) == 0 ? '-' : letters[draw(sizeof(letters) - 1)];
        return xstrdup(label);
}

static CertificateProfile draw_profile(void) {
        _cleanup_free_ char *name = draw_label();
        CertificateProfile p = profile_new(name, 0, 1 + draw(3650));

        p.usage = (const unsigned[]){ USAGE_SERVER, USAGE_CLIENT, USAGE_SERVER | USAGE_CLIENT }[draw(3)];
        if (draw(2))
                p.organization = xasprintf("system:%u", draw(1000));
        for (unsigned i = draw(12); i > 0; i--) {
                _cleanup_free_ char *a = draw_label(), *b = draw_label(),
                                    *dns = draw(2) ? xasprintf("%s.%s", a, b) : xstrdup(a);

                certificate_profile_add_dns(&p, dns);
        }
        for (unsigned i = draw(12); i > 0; i--) {
                InetAddress a = { .family = draw(2) ? AF_INET : AF_INET6 };

                for (size_t k = 0; k < inet_address_size(&a); k++)
                        a.bytes[k] = (uint8_t) draw(256);
                certificate_profile_add_address(&p, &a);
        }
        return p;
}

static void check_chain(const Issued *leaf, const Issued *ca, unsigned usage, int64_t now) {
        X509_STORE *store = X509_STORE_new();
        X509_STORE_CTX *context = X509_STORE_CTX_new();

        assert_int_equal(X509_STORE_add_cert(store, ca->x), 1);
        for (unsigned k = 0; k < 2; k++) {
                X509_VERIFY_PARAM *param;
                bool allowed = usage & (k ? USAGE_CLIENT : USAGE_SERVER);

                assert_int_equal(X509_STORE_CTX_init(context, store, leaf->x, NULL), 1);
                param = X509_STORE_CTX_get0_param(context);
                X509_VERIFY_PARAM_set_time(param, (time_t) now);
                X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
                X509_VERIFY_PARAM_set_purpose(param, k ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER);
                assert_int_equal(X509_verify_cert(context) == 1, allowed);
                X509_STORE_CTX_cleanup(context);
        }
        X509_STORE_CTX_free(context);
        X509_STORE_free(store);
}

/* Whatever the profile: what comes out is accepted for exactly what it asked for. */
static void test_property(void **state) {
        const char *tier = getenv("HARDWAY_TEST_TIER");
        unsigned rounds = tier && streq(tier, "long") ? 2000 : 200;
        _issued_ Issued p256 = issue_ca("ec:p256"), p384 = issue_ca("ec:p384"), rsa = issue_ca("rsa:2048");
        const Issued *cas[] = { &p256, &p384, &rsa };
        static const char *const types[] = { "ec:p256", "ec:p384", "ec:p256", "ec:p256" };

        for (unsigned round = 1; round <= rounds; round++) {
                _profile_ CertificateProfile p = {}, q = {};
                _issued_ Issued leaf = {};
                const Issued *ca;
                int64_t now = pki_now() + round * HOUR;

                random_state = round * UINT64_C(0x9e3779b97f4a7c15);
                ca = cas[draw(3)];
                p = draw_profile();
                leaf = issue(round % 50 ? types[draw(4)] : "rsa:2048", &p, ca, now);
                expect(leaf.x, &p, leaf.key, ca->x, now, NULL);
                check_chain(&leaf, ca, p.usage, now);

                STRV_FOREACH(name, p.dns_names)
                        assert_int_equal(
                                X509_check_host(leaf.x, *name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL),
                                1);
                for (size_t i = 0; i < p.n_addresses; i++)
                        assert_int_equal(X509_check_ip(leaf.x, p.addresses[i].bytes,
                                                       inet_address_size(p.addresses + i), 0),
                                         1);
                q = draw_profile();
                STRV_FOREACH(name, q.dns_names)
                        assert_int_equal(X509_check_host(leaf.x, *name, 0,
                                                         X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1,
                                         strv_contains(p.dns_names, *name));
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ca),          cmocka_unit_test(test_leaf),
                cmocka_unit_test(test_mixed),       cmocka_unit_test(test_serials),
                cmocka_unit_test(test_validity),    cmocka_unit_test(test_far_future),
                cmocka_unit_test(test_refused),     cmocka_unit_test(test_wildcard),
                cmocka_unit_test(test_pem),         cmocka_unit_test(test_check),
                cmocka_unit_test(test_check_times), cmocka_unit_test(test_check_profile),
                cmocka_unit_test(test_property),
        };

        return cmocka_run_group_tests_name("pki-certificate", tests, NULL, NULL);
}
