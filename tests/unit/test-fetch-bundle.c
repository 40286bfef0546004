/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A bundle and who vouches for what is in it: it has the signatures with it, and its own word is not enough.
 */

#include "tests/fetch/fixture.h"

#include "fetch/bundle.h"
#include "fetch/kept.h"
#include "fetch/unpack.h"
#include "tests/fetch/signer.h"

static const FetchRequest wanted[] = {
        { "kube-apiserver", ORIGIN_KUBERNETES, VERSION, "arm64" },
        { "etcd", ORIGIN_ETCD, ETCD, "arm64" },
};

static Signer signer;
static char *bundle, *there; /* there: the cache of the other side */

static void put_signed(unsigned seed) {
        static const char path[] = "release/" VERSION "/bin/linux/arm64/kube-apiserver";
        _cleanup_buffer_ Buffer program = BUFFER_NULL;
        _cleanup_free_ char *text = NULL;

        make_program(&program, EM_AARCH64, seed, SIZE);
        text = signer_sign(&signer, &program);
        server_put(&server, "release/" VERSION "/bin/linux/arm64/kube-apiserver.sig", text, strlen(text));
        server_put(&server, "release/" VERSION "/bin/linux/arm64/kube-apiserver.cert", signer.leaf_pem,
                   strlen(signer.leaf_pem));
        put_kubernetes(fs_path_basename(path), "arm64", &program);
}

static int bundle_write(const char *path, const FetchRequest *requests, size_t n, const char *from,
                        const Lock *lock, size_t *ret_n_accept, Error **reterr) {
        const FetchOptions options = { .cache = from, .trust = &signer.trust };

        return fetch_bundle(path, requests, n, &options, lock, ret_n_accept, reterr);
}

/* Fetched here, with its signature, and written into a bundle. */
static size_t bundle_make(Lock *lock) {
        _cleanup_free_ char *url = server_url(&server, "good", "");
        _cleanup_error_ Error *error = NULL;
        size_t n_accept = 99;

        if (run_on(wanted, ARRAY_SIZE(wanted), lock, NULL, url, NULL, &error) < 0 ||
            bundle_write(bundle, wanted, ARRAY_SIZE(wanted), cache, lock, &n_accept, &error) < 0)
                fail_msg("%s", error->message);
        return n_accept;
}

static int bundle_take(Lock *lock, const FetchOptions *more_options, Error **reterr) {
        FetchOptions options = *more_options;

        options.cache = there;
        options.trust = &signer.trust;
        return fetch_from(bundle, wanted, ARRAY_SIZE(wanted), &options, lock, reterr);
}

static const char* proof_of(const Lock *lock, size_t i) {
        return lock_find(lock, wanted[i].name, wanted[i].version, "arm64")->proof;
}

static void there_clear(void) {
        assert_int_equal(fs_remove_tree(AT_FDCWD, there, NULL), 0);
}

static void assert_refused(const FetchOptions *options, int errnum, const char *words) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *shelves = xasprintf("%s/sha256", there);

        there_clear();
        assert_int_equal(bundle_take(lock, options, &error), -errnum);
        assert_int_equal(error->kind, ERROR_VERIFY);
        if (!strstr(error->message, words))
                fail_msg("%s", error->message);
        assert_int_equal(lock_count(lock), 0);
        assert_int_equal(n_files(shelves), 0);
}

static void test_signed(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *theirs = lock_empty();
        _cleanup_free_ char *again = xasprintf("%s.again", bundle);
        _cleanup_buffer_ Buffer first = BUFFER_NULL, second = BUFFER_NULL;
        size_t n_accept = 99;

        cache_clear();
        there_clear();
        put_signed(1);
        assert_int_equal(bundle_make(lock), 0);
        assert_int_equal(bundle_take(theirs, &(FetchOptions) {}, NULL), 0);
        assert_string_equal(proof_of(theirs, 0), "signature");
        assert_string_equal(proof_of(theirs, 1), "bundle");

        /* And on from there, with the signature. */
        assert_int_equal(bundle_write(again, wanted, ARRAY_SIZE(wanted), there, theirs, &n_accept, NULL), 0);
        assert_int_equal(n_accept, 0);
        assert_int_equal(fs_read(AT_FDCWD, bundle, 1 << 24, &first, NULL), 0);
        assert_int_equal(fs_read(AT_FDCWD, again, 1 << 24, &second, NULL), 0);
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.data, second.data, first.size);
}

/* As hardway has made them before, or of builds of somebody's own. */
static void test_without(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *accepted = lock_empty(), *by_hand = lock_empty(),
                                   *locked = NULL;
        _cleanup_free_ char *papers = xasprintf("%s/" KEPT_PAPERS, cache);
        size_t n_accept = 0;

        cache_clear();
        put_signed(1);
        (void) bundle_make(lock);
        locked = lock_copy(lock);
        assert_int_equal(fs_remove_tree(AT_FDCWD, papers, NULL), 0);
        assert_int_equal(bundle_write(bundle, wanted, ARRAY_SIZE(wanted), cache, lock, &n_accept, NULL), 0);
        assert_int_equal(n_accept, 1);
        assert_refused(&(FetchOptions) {}, EKEYREJECTED, "nobody but the bundle vouches for it");

        assert_int_equal(bundle_take(accepted, &(FetchOptions) { .accept_mirror = true }, NULL), 0);
        assert_string_equal(proof_of(accepted, 0), "accepted");
        there_clear();
        {
                const FetchPin pin = { "kube-apiserver", NULL,
                                       lock_find(lock, "kube-apiserver", VERSION, "arm64")->sha256 };

                assert_int_equal(bundle_take(by_hand, &(FetchOptions) { .pins = &pin, .n_pins = 1 }, NULL),
                                 0);
                assert_string_equal(proof_of(by_hand, 0), "hand");
        }
        there_clear();
        assert_int_equal(bundle_take(locked, &(FetchOptions) {}, NULL), 0);
}

/* A program of somebody's own beside the papers of the release, or the other way round. */
static void test_exchanged(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *accepted = lock_empty();
        _cleanup_free_ char *text = NULL;
        _cleanup_buffer_ Buffer program = BUFFER_NULL, data = BUFFER_NULL;
        KeptPapers papers = {};
        char *place;

        cache_clear();
        put_signed(1);
        (void) bundle_make(lock);
        assert_true(kept_read(cache, lock_find(lock, "kube-apiserver", VERSION, "arm64")->sha256,
                              &signer.trust, &papers));
        make_program(&program, EM_AARCH64, 7, SIZE);
        do { /* nearly all of them are as long as each other */
                free(text);
                text = signer_sign(&signer, &program);
        } while (strlen(text) != papers.signature.size);
        assert_int_equal(fs_read(AT_FDCWD, bundle, 1 << 24, &data, NULL), 0);
        place = memmem(data.data, data.size, papers.signature.data, papers.signature.size);
        assert_non_null(place);
        memcpy(place, text, papers.signature.size);
        kept_done(&papers);
        assert_int_equal(fs_write(AT_FDCWD, bundle, data.data, data.size, 0644, 0, NULL), 1);

        assert_refused(&(FetchOptions) {}, EKEYREJECTED, "wrong signature: it is not one of this file");
        there_clear();
        assert_int_equal(bundle_take(accepted, &(FetchOptions) { .accept_mirror = true }, NULL), 0);
        assert_string_equal(proof_of(accepted, 0), "accepted");
}

static void assert_no_papers(const Lock *lock, const char *what) {
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        size_t n_accept = 0;

        assert_int_equal(bundle_write(bundle, wanted, ARRAY_SIZE(wanted), cache, lock, &n_accept, NULL), 0);
        if (n_accept != 1)
                fail_msg("%s: %zu", what, n_accept);
        assert_int_equal(fs_read(AT_FDCWD, bundle, 1 << 24, &data, NULL), 0);
        assert_null(memmem(data.data, data.size, KEPT_CERTIFICATE, strlen(KEPT_CERTIFICATE)));
}

/* Papers that do not hold look like an attack on the other side: they stay here, and are made good. */
static void test_damaged_papers(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_free_ char *certificate = NULL, *signature = NULL;
        _cleanup_buffer_ Buffer right = BUFFER_NULL;
        Signer later = {};
        const char *sha256;

        signer_new(&later);
        cache_clear();
        put_signed(1);
        (void) bundle_make(lock);
        sha256 = lock_find(lock, "kube-apiserver", VERSION, "arm64")->sha256;
        signature = xasprintf("%s/" KEPT_PAPERS "/%s" KEPT_SIGNATURE, cache, sha256);
        certificate = xasprintf("%s/" KEPT_PAPERS "/%s" KEPT_CERTIFICATE, cache, sha256);
        assert_int_equal(fs_read(AT_FDCWD, certificate, 1 << 16, &right, NULL), 0);

        more.papers = true;
        for (size_t i = 0; i < 3; i++) {
                const char *const bad[] = { "", "-----BEGIN", later.leaf_pem };
                _cleanup_buffer_ Buffer now = BUFFER_NULL;

                assert_int_equal(fs_write(AT_FDCWD, certificate, bad[i], strlen(bad[i]), 0644, 0, NULL), 1);
                assert_no_papers(lock, bad[i]);
                assert_int_equal(bundle_make(lock), 0);
                assert_int_equal(fs_read(AT_FDCWD, certificate, 1 << 16, &now, NULL), 0);
                assert_int_equal(now.size, right.size);
                assert_memory_equal(now.data, right.data, right.size);
        }
        more.papers = false;
        assert_int_equal(fs_write(AT_FDCWD, signature, "AAAA", 4, 0644, 0, NULL), 1);
        assert_no_papers(lock, "signature");
        signer_done(&later);
}

/*
 * What another version or processor has is given out for this one's, with its genuine signature. It is found in the
 * cache of the other side no less than in the bundle.
 */
static void test_of_another_name(void **state) {
        static const FetchRequest newer = { "kube-apiserver", ORIGIN_KUBERNETES, "v1.36.31", "arm64" },
                                  other = { "kube-apiserver", ORIGIN_KUBERNETES, VERSION, "amd64" };
        const FetchRequest *const false_names[] = { &newer, &other };
        const char *const words[] = { "kube-apiserver is a program of another version",
                                      "is a program for arm64, not for amd64" };
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        const LockEntry *genuine;
        size_t n_accept;

        cache_clear();
        put_signed(1);
        (void) bundle_make(lock);
        genuine = lock_find(lock, "kube-apiserver", VERSION, "arm64");
        for (size_t i = 0; i < ARRAY_SIZE(false_names); i++) {
                const FetchRequest both[] = { apiserver, *false_names[i] };
                _cleanup_free_ char *shelves = xasprintf("%s/sha256", there);
                LockEntry entry = *genuine;

                entry.version = (char*) false_names[i]->version;
                entry.architecture = (char*) false_names[i]->architecture;
                lock_put(lock, &entry);
                genuine = lock_find(lock, "kube-apiserver", VERSION, "arm64");
                assert_int_equal(bundle_write(bundle, both, 2, cache, lock, &n_accept, NULL), 0);
                there_clear();
                /* Alone into an empty cache, with the other into one, with the other in the cache, alone then. */
                for (size_t k = 0; k < 4; k++) {
                        const FetchOptions options = { .cache = there,
                                                       .trust = &signer.trust,
                                                       .accept_mirror = k % 2 };
                        _cleanup_(lock_freep) Lock *theirs = lock_empty();
                        _cleanup_error_ Error *error = NULL;
                        bool alone = k == 0 || k == 3;

                        if (k == 2)
                                assert_int_equal(fetch_from(bundle, both, 1, &options, theirs, NULL), 0);
                        lock_free(theirs);
                        theirs = lock_empty();
                        assert_int_equal(
                                fetch_from(bundle, both + alone, alone ? 1 : 2, &options, theirs, &error),
                                -ENOEXEC);
                        assert_int_equal(error->kind, ERROR_VERIFY);
                        if (!strstr(error->message, words[i]) || !strstr(error->message, "bundle.tar: "))
                                fail_msg("%s", error->message);
                        assert_int_equal(lock_count(theirs), 0);
                        assert_int_equal(n_files(shelves), k >= 2);
                }
        }
}

/* What the lock of a bundle says is put there by whoever likes. */
static void test_two_sizes(void **state) {
        const FetchRequest both[] = { apiserver,
                                      { "kube-apiserver", ORIGIN_KUBERNETES, "v1.36.31", "arm64" } };
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *theirs = lock_empty();
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        size_t n_accept;
        LockEntry entry;
        char *size;

        cache_clear();
        there_clear();
        put_signed(1);
        (void) bundle_make(lock);
        assert_int_equal(bundle_take(theirs, &(FetchOptions) {}, NULL), 0);
        entry = *lock_find(lock, "kube-apiserver", VERSION, "arm64");
        entry.version = (char*) both[1].version;
        lock_put(lock, &entry);
        assert_int_equal(bundle_write(bundle, both, 2, cache, lock, &n_accept, NULL), 0);
        assert_int_equal(fs_read(AT_FDCWD, bundle, 1 << 24, &data, NULL), 0);
        size = strstr(data.data + 512, "200000"); /* behind the header, the lock comes first */
        assert_non_null(size);
        size = strstr(size + 1, "200000");
        assert_non_null(size);
        *size = '3';
        assert_int_equal(fs_write(AT_FDCWD, bundle, data.data, data.size, 0644, 0, NULL), 1);
        assert_int_equal(fetch_from(bundle, both, 2,
                                    &(FetchOptions) { .cache = there, .trust = &signer.trust }, theirs,
                                    &error),
                         -EBADMSG);
        assert_non_null(strstr(error->message, "it says two sizes of "));
        assert_null(lock_find(theirs, "kube-apiserver", "v1.36.31", "arm64"));
}

/* The name in the cache is not believed: what is damaged there is taken out of the bundle. */
static void test_damaged_there(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *theirs = lock_empty(), *again = lock_empty();
        _cleanup_free_ char *path = NULL;
        struct stat st;

        cache_clear();
        there_clear();
        put_signed(1);
        (void) bundle_make(lock);
        assert_int_equal(bundle_take(theirs, &(FetchOptions) {}, NULL), 0);
        path = fetch_cache_path(there, lock_nth(theirs, 0));
        assert_int_equal(stat(path, &st), 0);
        {
                _cleanup_free_ char *zeroes = xmalloc((size_t) st.st_size);

                memset(zeroes, 0, (size_t) st.st_size);
                assert_int_equal(fs_write(AT_FDCWD, path, zeroes, (size_t) st.st_size, 0755, 0, NULL), 1);
        }
        assert_int_equal(fetch_verify_cached(there, lock_nth(theirs, 0), NULL), -EBADMSG);
        assert_int_equal(bundle_take(again, &(FetchOptions) {}, NULL), 0);
        assert_int_equal(fetch_verify_cached(there, lock_nth(again, 0), NULL), 0);
}

/* What the archive of etcd was is the bundle's word: it may say that it was the release. */
static void test_etcd_is_not_known(void **state) {
        static const FetchRequest known[] = { { "etcd", ORIGIN_ETCD, "v3.6.14", "arm64" } };
        static const char text[] = "fa1b80565ee6fc2df1ae6f57a508b221f3ecc7d591c317c581cd8281b0842b3e";
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *theirs = lock_empty();
        _cleanup_buffer_ Buffer program = BUFFER_NULL;
        _cleanup_free_ char *path = NULL, *directory = NULL;
        char hex[SHA256_HEX_SIZE];
        size_t n_accept;

        make_program(&program, EM_AARCH64, 9, SIZE);
        buffer_add_str(&program, "constants3.6.14run");
        sha256_hex(program.data, program.size, hex);
        path = xasprintf("%s/sha256/%.2s/%s", cache, hex, hex);
        directory = fs_path_dirname(path);
        assert_true(fs_mkdir_parents(AT_FDCWD, directory, 0755, NULL) >= 0);
        assert_int_equal(fs_write(AT_FDCWD, path, program.data, program.size, 0755, 0, NULL), 1);
        lock_put(lock, &(LockEntry) { .name = (char*) "etcd",
                                     .version = (char*) "v3.6.14",
                                     .architecture = (char*) "arm64",
                                     .url = (char*) "https://a/b",
                                     .archive = (char*) text,
                                     .sha256 = hex,
                                     .size = program.size });
        assert_int_equal(bundle_write(bundle, known, 1, cache, lock, &n_accept, NULL), 0);
        there_clear();
        assert_int_equal(fetch_from(bundle, known, 1, &(FetchOptions) { .cache = there }, theirs, NULL), 0);
        assert_string_equal(lock_nth(theirs, 0)->proof, "bundle");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_signed),          cmocka_unit_test(test_without),
                cmocka_unit_test(test_exchanged),       cmocka_unit_test(test_damaged_papers),
                cmocka_unit_test(test_of_another_name), cmocka_unit_test(test_two_sizes),
                cmocka_unit_test(test_damaged_there),   cmocka_unit_test(test_etcd_is_not_known),
        };
        int r;

        (void) fixture_start(NULL);
        signer_new(&signer);
        more.trust = &signer.trust;
        more.accept_mirror = false;
        bundle = server_path(&server, "bundle.tar");
        there = server_path(&server, "there");
        r = cmocka_run_group_tests_name("fetch-bundle", tests, NULL, NULL);
        free(bundle);
        free(there);
        signer_done(&signer);
        (void) fixture_stop(NULL);
        return r;
}
