/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/store-fixture.h"

/* What is read from a store: files, credentials, nodes, and where they were */

static void test_file(void **state) {
        Fixture *f = *state;
        const Buffer *first = NULL, *again = NULL;
        _cleanup_buffer_secret_ Buffer copy = BUFFER_NULL;
        const char *a = NULL, *b = NULL;
        Error *e = NULL;

        assert_failure(store_file(f->store, "ca.crt", &first, &e), e, ERROR_CONFIG, ENOENT);
        generate(f, 1);
        assert_success(store_file(f->store, "nodes/c0/pki/apiserver.key", &first, &e), e, 0);
        assert_success(store_file(f->store, "nodes/c0/pki/apiserver.key", &again, &e), e, 0);
        assert_ptr_equal(first, again);
        buffer_add(&copy, first->data, first->size);

        /* What was lent keeps its bytes when the file is replaced. */
        remove_file(f, "nodes/c0/pki/apiserver.crt");
        generate(f, 1);
        assert_string_equal(buffer_str(first), copy.data);
        assert_success(store_file(f->store, "nodes/c0/pki/apiserver.key", &again, &e), e, 0);
        assert_string_not_equal(buffer_str(again), copy.data);

        /* Fingerprints say the same as the file, and nothing about the secret in it. */
        assert_success(store_fingerprint(f->store, "secrets/identity", &a, &e), e, 0);
        assert_success(store_fingerprint(f->store, "secrets/encryption-key", &b, &e), e, 0);
        assert_string_not_equal(a, b);
        assert_success(store_fingerprint(f->store, "ca.crt", &a, &e), e, 0);
        assert_success(store_fingerprint(f->store, "admin.conf", &a, &e), e, 0);
        assert_failure(store_fingerprint(f->store, "none.conf", &a, &e), e, ERROR_CONFIG, ENOENT);
        write_file(f, "nodes/c2/pki/apiserver.key", "x", 1);
        assert_failure(store_fingerprint(f->store, "nodes/c2/pki/apiserver.key", &a, &e), e, ERROR_CONFIG,
                       EBADMSG);
}

static void test_credential(void **state) {
        static const char *const names[] = { "nodes/c0/pki/etcd/healthcheck-client", "super-admin",
                                             "nodes/c1/scheduler" };
        Fixture *f = *state;
        const Buffer *certificate = NULL, *key = NULL, *again = NULL;
        Error *e = NULL;

        generate(f, 1);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(X509_freep) X509 *x = NULL;
                _cleanup_(EVP_PKEY_freep) EVP_PKEY *k = NULL;

                assert_success(store_credential(f->store, names[i], &certificate, &key, &e), e, 0);
                assert_success(certificate_from_pem("c", certificate->data, certificate->size, &x, &e), e,
                               0);
                assert_success(key_from_pem("k", key->data, key->size, &k, &e), e, 0);
                assert_true(certificate_has_key(x, k));
                assert_success(store_credential(f->store, names[i], &again, &key, &e), e, 0);
                assert_ptr_equal(certificate, again);
        }

        assert_int_equal(store_credential(f->store, "none", &certificate, &key, &e), -ENOENT);
        assert_contains(e->message, "none.conf is missing");
        e = error_free(e);
        assert_int_equal(store_credential(f->store, "nodes/c9/pki/apiserver", &certificate, &key, &e),
                         -ENOENT);
        assert_contains(e->message, "apiserver.crt is missing");
        e = error_free(e);
        swap_files(f, "nodes/c2/pki/apiserver.key", "nodes/c1/pki/apiserver.key");
        assert_failure(store_credential(f->store, "nodes/c2/pki/apiserver", &certificate, &key, &e), e,
                       ERROR_CONFIG, EBADMSG);
}

/* Where the CA is an intermediate one, its certificate follows, and is part of what is shown. */
static void test_credential_chain(void **state) {
        Fixture *f = *state;
        _cleanup_buffer_ Buffer ca = BUFFER_NULL, leaf = BUFFER_NULL;
        const Buffer *certificate = NULL, *key = NULL;
        Error *e = NULL;

        generate(f, 1);
        assert_int_equal(fs_read(f->dir->fd, "pki/nodes/c0/pki/apiserver.crt", KEY_SIZE_MAX, &leaf, NULL),
                         0);
        assert_int_equal(fs_read(f->dir->fd, "pki/ca.crt", KEY_SIZE_MAX, &ca, NULL), 0);
        buffer_add(&leaf, ca.data, ca.size);
        assert_int_equal(fs_write(f->dir->fd, "pki/nodes/c0/pki/apiserver.crt", leaf.data, leaf.size, 0644,
                                  FS_NO_SYNC, NULL),
                         1);
        f->store = store_free(f->store);
        assert_success(store_open(f->dir->path, &f->store, &e), e, 0);
        assert_success(store_credential(f->store, "nodes/c0/pki/apiserver", &certificate, &key, &e), e, 0);
        assert_string_equal(buffer_str(certificate), buffer_str(&leaf));
}

/* Nodes stay, whatever is asked for later; also where their certificates say that they are. */
static void test_nodes(void **state) {
        Fixture *f = *state;
        _cleanup_strv_ Strv names = NULL;
        _cleanup_(certificate_profile_done) CertificateProfile p = CERTIFICATE_PROFILE_NULL;
        _cleanup_free_ char *joined = NULL, *address = NULL;
        Error *e = NULL;

        assert_null(store_nodes(f->store));
        generate(f, 1);
        requests_done(&f->requests);
        f->requests = requests_for(1, "ec:p256");
        generate(f, 1);
        names = store_nodes(f->store);
        joined = strv_join(names, " ");
        assert_string_equal(joined, "c0 c1 c2");

        assert_success(store_addresses(f->store, "nodes/c2/pki/etcd/server.crt", &p, &e), e, 0);
        assert_int_equal(p.n_addresses, 3);
        address = inet_address_to_string(p.addresses);
        assert_string_equal(address, "10.77.0.22");
        assert_failure(store_addresses(f->store, "nodes/c3/pki/etcd/server.crt", &p, &e), e, ERROR_CONFIG,
                       ENOENT);
}

static char* addresses_of(Fixture *f, const char *path) {
        _cleanup_(certificate_profile_done) CertificateProfile p = CERTIFICATE_PROFILE_NULL;
        _cleanup_strv_ Strv words = NULL;
        Error *e = NULL;

        assert_success(store_addresses(f->store, path, &p, &e), e, 0);
        for (size_t i = 0; i < p.n_addresses; i++) {
                _cleanup_free_ char *word = inet_address_to_string(p.addresses + i);

                strv_add(&words, word);
        }
        return strv_join(words, " ");
}

/* Where somebody was is known after it is given another address, and however often. One that got more has given up
 * none. */
static void test_former_addresses(void **state) {
        static const char name[] = "nodes/c1/pki/etcd/server", path[] = "nodes/c1/pki/etcd/server.crt";
        Fixture *f = *state;
        _cleanup_free_ char *moved = NULL, *again = NULL, *often = NULL;
        Error *e = NULL;
        struct stat st;

        generate(f, 1);
        certificate_profile_add_dns(&request_of(f, name)->profile, "more");
        generate(f, 1);
        assert_int_equal(faccessat(f->dir->fd, "pki/former", F_OK, 0), -1);

        (void) inet_address_parse("10.77.0.31", request_of(f, name)->profile.addresses);
        generate(f, 1);
        assert_int_equal(f->seen.reissued, 1);
        moved = addresses_of(f, path);
        assert_string_equal(moved, "10.77.0.31 127.0.0.1 ::1 10.77.0.21");
        assert_int_equal(fstatat(f->dir->fd, "pki/former/nodes/c1/pki/etcd/server.crt", &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0644);

        (void) inet_address_parse("10.77.0.41", request_of(f, name)->profile.addresses);
        generate(f, 1);
        generate(f, 0);
        again = addresses_of(f, path);
        assert_string_equal(again, "10.77.0.41 127.0.0.1 ::1 10.77.0.31 10.77.0.21");

        /* nothing is there any more */
        assert_success(store_forget_former(f->store, path, &e), e, 0);
        assert_success(store_forget_former(f->store, path, &e), e, 0);
        assert_int_equal(faccessat(f->dir->fd, "pki/former/nodes/c1/pki/etcd/server.crt", F_OK, 0), -1);

        /* the oldest are forgotten */
        for (unsigned i = 51; i < 60; i++) {
                _cleanup_free_ char *address = xasprintf("10.77.0.%u", i);

                (void) inet_address_parse(address, request_of(f, name)->profile.addresses);
                generate(f, 1);
        }
        often = addresses_of(f, path);
        assert_string_equal(often, "10.77.0.59 127.0.0.1 ::1 10.77.0.58 10.77.0.57 10.77.0.56 10.77.0.55 "
                                   "10.77.0.54 10.77.0.53 10.77.0.52 10.77.0.51");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                test(test_file),  test(test_credential),       test(test_credential_chain),
                test(test_nodes), test(test_former_addresses),
        };

        return cmocka_run_group_tests_name("pki-store-read", tests, NULL, NULL);
}
