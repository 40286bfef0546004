/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <openssl/pem.h>
#include <signal.h>
#include <sys/time.h>

#include "common/digest.h"
#include "pki/key-internal.h"

/* Private keys: every type, every form that is taken, and all that is refused. */

static const char *const types[] = { "ec:p256", "ec:p384", "rsa:2048", "rsa:3072" };

DEFINE_CLEANUP_VOID(BIO*, BIO_free)

static EVP_PKEY* generate(const char *type) {
        Error *e = NULL;
        EVP_PKEY *key = NULL;

        assert_success(key_generate(type, &key, &e), e, 0);
        assert_string_equal(key_type_name(key), type);
        return key;
}

/* What another reader of OpenSSL makes of our text. */
static EVP_PKEY* read_by_openssl(const Buffer *pem, int (*password)(char*, int, int, void*)) {
        _cleanup_(BIO_freep) BIO *bio = BIO_new_mem_buf(pem->data, (int) pem->size);

        return PEM_read_bio_PrivateKey(bio, NULL, password, NULL);
}

static void write_by_openssl(BIO *bio, Buffer *ret) {
        char *data;
        long n = BIO_get_mem_data(bio, &data);

        buffer_clear(ret);
        buffer_add(ret, data, (size_t) n);
        (void) BIO_reset(bio);
}

static void test_round_trip(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = generate(types[i]), *ours = NULL, *theirs = NULL;
                _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL, again = BUFFER_NULL;
                Error *e = NULL;

                assert_success(key_to_pem(key, &pem, &e), e, 0);
                assert_ptr_equal(strstr(pem.data, "-----BEGIN PRIVATE KEY-----\n"), pem.data);
                assert_success(key_from_pem("k", pem.data, pem.size, &ours, &e), e, 0);
                theirs = read_by_openssl(&pem, NULL);
                assert_non_null(theirs);
                assert_int_equal(EVP_PKEY_eq(key, ours), 1);
                assert_int_equal(EVP_PKEY_eq(key, theirs), 1);
                assert_success(key_to_pem(theirs, &again, &e), e, 0);
                assert_string_equal(pem.data, again.data);
        }
}

/* Numbers with leading zeros are where encoders go wrong: some hundred keys have met them. */
static void test_many(void **state) {
        for (unsigned i = 0; i < 600; i++) {
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = generate(i % 8 ? "ec:p256" : "ec:p384"),
                                                   *ours = NULL;
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *theirs = NULL;
                _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
                Error *e = NULL;

                assert_success(key_to_pem(key, &pem, &e), e, 0);
                assert_success(key_from_pem("k", pem.data, pem.size, &ours, &e), e, 0);
                theirs = read_by_openssl(&pem, NULL);
                assert_int_equal(EVP_PKEY_eq(ours, theirs), 1);
        }
}

static void test_public(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = generate(types[i]), *public = NULL;
                _cleanup_buffer_ Buffer pem = BUFFER_NULL;
                _cleanup_free_ char *ours = key_fingerprint(key), *of_public = NULL;
                char hex[SHA256_HEX_SIZE];
                unsigned char *der = NULL;
                Error *e = NULL;
                int n;

                assert_success(key_public_to_pem(key, &pem, &e), e, 0);
                assert_success(key_public_from_pem("k", pem.data, pem.size, &public, &e), e, 0);
                assert_int_equal(EVP_PKEY_eq(key, public), 1);
                of_public = key_fingerprint(public);
                assert_string_equal(ours, of_public);

                n = i2d_PUBKEY(key, &der);
                sha256_hex(der, (size_t) n, hex);
                OPENSSL_free(der);
                assert_string_equal(ours, hex);
        }
}

/* Compressed points are rare, and legal; what we write has the whole point, which every reader takes. */
static void test_compressed(void **state) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = generate("ec:p256"), *read = NULL;
        _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
        _cleanup_free_ char *before = key_fingerprint(key), *after = NULL;
        Error *e = NULL;

        assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed"), 1);
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
        write_by_openssl(bio, &pem);
        assert_success(key_from_pem("k", pem.data, pem.size, &read, &e), e, 0);
        after = key_fingerprint(read);
        assert_string_equal(before, after);
}

/* kubeadm writes "RSA PRIVATE KEY" and "EC PRIVATE KEY", and such CAs are taken over. */
static void test_older_forms(void **state) {
        _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
        Error *e = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = generate(types[i]), *ours = NULL;

                assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL),
                                 1);
                write_by_openssl(bio, &pem);
                assert_non_null(strstr(pem.data, i < 2 ? "EC PRIVATE KEY" : "RSA PRIVATE KEY"));
                assert_success(key_from_pem("k", pem.data, pem.size, &ours, &e), e, 0);
                assert_int_equal(EVP_PKEY_eq(key, ours), 1);
        }
}

static void refuse(const void *data, size_t size, const char *why) {
        Error *e = NULL;
        EVP_PKEY *key = NULL;
        int r = key_from_pem("pki/ca.key", data, size, &key, &e);

        assert_int_equal(r, -EBADMSG);
        assert_non_null(e);
        assert_int_equal(e->kind, ERROR_CONFIG);
        assert_contains(e->message, "pki/ca.key: ");
        assert_contains(e->message, why);
        assert_null(key);
        error_free(e);
}

static void test_refused(void **state) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = generate("ec:p256");
        _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL, twice = BUFFER_NULL, other = BUFFER_NULL;
        unsigned char *der = NULL;
        int n = i2d_PrivateKey(key, &der);

        assert_int_equal(key_to_pem(key, &pem, NULL), 0);
        refuse("", 0, "is empty");
        refuse(der, (size_t) n, "is DER, not PEM");
        refuse("hello\n", 6, "has no BEGIN line");
        refuse("x\0-----BEGIN", 12, "is binary");
        refuse(pem.data, pem.size / 2, "is cut off");
        refuse(pem.data, pem.size - 20, "is cut off");
        refuse(pem.data, pem.size - 4, "is damaged"); /* in the middle of the END line */
        buffer_add(&twice, pem.data, pem.size);
        buffer_add(&twice, pem.data, pem.size);
        refuse(twice.data, twice.size, "one PEM block and nothing else");

        buffer_clear(&twice);
        buffer_add_str(&twice, "Bag Attributes\n");
        buffer_add(&twice, pem.data, pem.size);
        refuse(twice.data, twice.size, "one PEM block and nothing else");
        buffer_clear(&twice);
        for (size_t i = 0; i < pem.size; i++) {
                if (pem.data[i] == '\n')
                        buffer_add_char(&twice, '\r');
                buffer_add_char(&twice, pem.data[i]);
        }
        refuse(twice.data, twice.size, "line ends of Windows");

        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "secret", 6, NULL, NULL),
                         1);
        write_by_openssl(bio, &other);
        refuse(other.data, other.size, "protected by a passphrase");
        assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_256_cbc(),
                                                              (const unsigned char *) "secret", 6, NULL,
                                                              NULL),
                         1);
        write_by_openssl(bio, &other);
        refuse(other.data, other.size, "protected by a passphrase");

        buffer_clear(&other);
        assert_int_equal(key_public_to_pem(key, &other, NULL), 0);
        refuse(other.data, other.size, "holds a PUBLIC KEY where a PRIVATE KEY is expected");
        OPENSSL_free(der);
}

static void test_wrong_types(void **state) {
        _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
        EVP_PKEY *keys[] = {
                EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"),
                EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t) 1024),
        };
        Error *e = NULL;
        EVP_PKEY *key = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                assert_string_equal(key_type_name(keys[i]), "unknown");
                assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, keys[i], NULL, NULL, 0, NULL, NULL), 1);
                write_by_openssl(bio, &pem);
                refuse(pem.data, pem.size, "of a type that is not supported");
                EVP_PKEY_free(keys[i]);
        }
        assert_failure(key_generate("rsa:1024", &key, &e), e, ERROR_CONFIG, EINVAL);
        assert_failure(key_generate("", &key, &e), e, ERROR_CONFIG, EINVAL);
        assert_false(key_type_known("dsa"));
        assert_true(key_type_known("rsa:4096"));
}

/* A flipped bit anywhere: refused, or (in the few bits that ASN.1 lets vary) the same key. */
static void test_flipped(void **state) {
        for (size_t t = 0; t < 3; t++) {
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = generate(types[t]);
                _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
                size_t step;

                assert_int_equal(key_to_pem(key, &pem, NULL), 0);
                step = t == 0 ? 1 : 37;
                for (size_t i = 28; i < pem.size; i += step) {
                        _cleanup_(EVP_PKEY_freep) EVP_PKEY *read = NULL;
                        char old = pem.data[i];

                        pem.data[i] = old == 'A' ? 'B' : 'A';
                        if (key_from_pem("k", pem.data, pem.size, &read, NULL) >= 0)
                                assert_int_equal(EVP_PKEY_eq(key, read), 1);
                        pem.data[i] = old;
                }
        }
}

static void test_swapped_halves(void **state) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *a = generate("ec:p256"), *b = generate("ec:p256");
        _cleanup_buffer_secret_ Buffer pem = BUFFER_NULL;
        PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(a);
        unsigned char *der = NULL, point_a[KEY_POINT_SIZE_MAX], point_b[KEY_POINT_SIZE_MAX], *where;
        _cleanup_(BIO_freep) BIO *bio = BIO_new(BIO_s_mem());
        size_t size = 0;
        int n;

        assert_int_equal(key_read_public_point(a, point_a, &size, NULL), 0);
        assert_int_equal(key_read_public_point(b, point_b, &size, NULL), 0);
        n = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
        where = memmem(der, (size_t) n, point_a, size);
        assert_non_null(where);
        memcpy(where, point_b, size);
        PEM_write_bio(bio, "PRIVATE KEY", "", der, n);
        write_by_openssl(bio, &pem);
        refuse(pem.data, pem.size, "its private and public half differ");
        OPENSSL_free(der);
        PKCS8_PRIV_KEY_INFO_free(p8);
}

static volatile int cancelled = 0;

static void on_time(int signal_number) {
        cancelled = signal_number;
}

/* One key of RSA may take minutes on a small machine. */
static void test_cancelled(void **state) {
        _cleanup_(key_maker_done) KeyMaker maker = { .cancelled = &cancelled };
        /* of our own processor time, so that it is not over before it begins; the key takes a hundred times as much */
        const struct itimerval soon = { .it_value.tv_usec = 4000 };
        Error *e = NULL;
        EVP_PKEY *key = NULL;

        cancelled = 0;
        (void) signal(SIGPROF, on_time);
        assert_int_equal(setitimer(ITIMER_PROF, &soon, NULL), 0);
        assert_failure(key_maker_generate(&maker, "rsa:4096", &key, &e), e, ERROR_TEMPORARY, ECANCELED);
        assert_null(key);
        assert_int_equal(cancelled, SIGPROF);

        /* and none is begun with, of whatever type */
        assert_failure(key_maker_generate(&maker, "ec:p256", &key, &e), e, ERROR_TEMPORARY, ECANCELED);
        cancelled = 0;
        assert_success(key_maker_generate(&maker, "rsa:2048", &key, &e), e, 0);
        EVP_PKEY_free(key);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip), cmocka_unit_test(test_many),
                cmocka_unit_test(test_public),     cmocka_unit_test(test_older_forms),
                cmocka_unit_test(test_refused),    cmocka_unit_test(test_wrong_types),
                cmocka_unit_test(test_flipped),    cmocka_unit_test(test_swapped_halves),
                cmocka_unit_test(test_compressed), cmocka_unit_test(test_cancelled),
        };

        return cmocka_run_group_tests_name("pki-key", tests, NULL, NULL);
}
