/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * fetch_run() against a server that misbehaves: after each failure the right message and errno, nothing
 * wrong in the cache, and the next good run completes.
 */

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/fetch/fixture.h"

/* --- tests --- */

static void test_all(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_(seen_done) Seen seen = {}, again = {};
        _cleanup_free_ char *url = server_url(&server, "good", "/");
        _cleanup_error_ Error *error = NULL;
        const LockEntry *e;

        cache_clear();
        if (run_on(all, ARRAY_SIZE(all), lock, &seen, url, NULL, &error) < 0)
                fail_msg("%s", error->message);
        assert_int_equal(lock_count(lock), 5);
        assert_cache_right(lock);
        assert_int_equal(n_in("sha256"), 5);
        assert_true(seen.finished);
        assert_true(seen.total > 3 * SIZE && seen.done == seen.total);
        assert_int_equal(seen.n_cached, 0);
        assert_int_equal(seen.notes.size, 0);
        e = lock_find(lock, "etcdctl", ETCD, "arm64");
        assert_non_null(e->archive);
        assert_non_null(strstr(e->url, "/etcd/" ETCD "/etcd-" ETCD "-linux-arm64.tar.gz"));
        assert_null(lock_find(lock, "kubectl", VERSION, "arm64")->archive);

        /* Once it is there, no server is needed, not even a right one. */
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, &again, "https://127.0.0.1:1", NULL, NULL), 0);
        assert_int_equal(again.n_cached, 4);
        assert_true(again.finished);
}

static void test_file_mirror(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *other = lock_empty();
        _cleanup_free_ char *root = server_path(&server, "root"), *url = xasprintf("file://%s/", root),
                            *nowhere = xasprintf("file://%s/nowhere", root);
        _cleanup_error_ Error *error = NULL;

        cache_clear();
        if (run_on(all, ARRAY_SIZE(all), lock, NULL, url, NULL, &error) < 0)
                fail_msg("%s", error->message);
        assert_int_equal(lock_count(lock), 5);
        assert_cache_right(lock);

        assert_int_equal(run_on(all, 1, other, NULL, nowhere, NULL, &error), -ENOENT);
        assert_non_null(strstr(error->message, "kube-apiserver.sha256: no such file"));
}

static void test_cut(void **state) {
        static const int offsets[] = { 0, 1, 63, 64, 65, 4096, 16383, 16384, SIZE / 5, -1 };
        static const int enough[] = { SIZE / 4 + 1, 100000, SIZE - 1 };

        for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
                _cleanup_free_ char *path = xasprintf("/cut:%d", offsets[i]);

                assert_fails("good", path, ECONNRESET, ERROR_UNAVAILABLE, "cut off after");
        }
        /* Four attempts, each with the rest of it. */
        for (size_t i = 0; i < ARRAY_SIZE(enough); i++) {
                _cleanup_free_ char *path = xasprintf("/cut:%d", enough[i]);
                _cleanup_(lock_freep) Lock *lock = lock_empty();

                cache_clear();
                assert_int_equal(run_path("good", path, lock, NULL, NULL), 0);
                assert_cache_right(lock);
        }
        assert_fails("good", "/unsized/cut:1000", EBADMSG, ERROR_VERIFY, "wrong digest");
        assert_fails("good", "/chunked/cut:9000", ECONNRESET, ERROR_UNAVAILABLE, "cut off after");
        assert_fails("good", "/drop", ECONNRESET, ERROR_UNAVAILABLE, "closed without an answer");
        assert_fails("closing", "", ECONNRESET, ERROR_UNAVAILABLE, "during the TLS handshake");
}

static void test_wrong_bytes(void **state) {
        static const int offsets[] = { 0, 18, 65536, SIZE - 1 };

        for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
                _cleanup_free_ char *path = xasprintf("/flip:%d", offsets[i]);

                assert_fails("good", path, EBADMSG, ERROR_VERIFY,
                             "wrong digest: the file is not what its publisher says");
        }
        assert_fails("good", "/longer:1", EBADMSG, ERROR_VERIFY, "wrong digest");
        assert_fails("good", "/claims:10", ECONNRESET, ERROR_UNAVAILABLE, "cut off after");
        assert_fails("good", "/claims:2000000000", EFBIG, ERROR_VERIFY, "too large");
        assert_fails("good", "/gzip", EBADMSG, ERROR_VERIFY, "sent compressed (Content-Encoding: gzip)");
        assert_fails("good", "/headers", EFBIG, ERROR_VERIFY, "headers without an end");
}

static void test_bad_checksums(void **state) {
        assert_fails("good", "/sum-flip:3", EBADMSG, ERROR_VERIFY, "wrong digest");
        assert_fails("good", "/sum-longer:70000", EFBIG, ERROR_VERIFY, ".sha256: larger than 65536 bytes");
        assert_fails("good", "/sum-longer:1", EBADMSG, ERROR_VERIFY,
                     ".sha256: line 1 is not a SHA-256 checksum");
        assert_fails("good", "/sum-status:404", ENOENT, ERROR_UNAVAILABLE,
                     ".sha256: HTTP status 404 (not found)");
        assert_fails("good", "/sum-cut:10", ECONNRESET, ERROR_UNAVAILABLE, "cut off after 10 of 64 bytes");
}

static void test_status(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_(seen_done) Seen seen = {};

        assert_fails("good", "/status:404", ENOENT, ERROR_UNAVAILABLE,
                     "/kube-apiserver: HTTP status 404 (not found)");
        assert_fails("good", "/status:403", EACCES, ERROR_PERMISSION, "HTTP status 403 (not allowed)");
        assert_fails("good", "/status:500", EIO, ERROR_UNAVAILABLE, "HTTP status 500");
        assert_fails("good", "/status:206", EIO, ERROR_UNAVAILABLE,
                     "HTTP status 206"); /* nobody asked for a part */
        assert_fails("good", "/flaky:4:503", EAGAIN, ERROR_UNAVAILABLE,
                     "HTTP status 503 (not available now)");
        assert_fails("good", "/retry-after:1:3600", EAGAIN, ERROR_UNAVAILABLE, "HTTP status 429");

        /* What passes is waited for, and said. */
        cache_clear();
        assert_int_equal(run_path("good", "/flaky:2:503", lock, &seen, NULL), 0);
        assert_cache_right(lock);
        assert_non_null(strstr(buffer_str(&seen.notes), "503 (not available now); trying again in"));
        cache_clear();
        assert_int_equal(run_path("good", "/flakycut:3:12345", lock, NULL, NULL), 0);
        assert_cache_right(lock);
        cache_clear();
        assert_int_equal(run_path("good", "/retry-after:1:1", lock, NULL, NULL), 0);
        assert_cache_right(lock);
        cache_clear();
        assert_int_equal(run_path("good", "/sum-flaky:2:503", lock, NULL, NULL), 0);
        assert_cache_right(lock);
}

static void test_redirects(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();

        assert_fails("good", "/to-http", EPROTONOSUPPORT, ERROR_VERIFY, "(redirected to http://127.0.0.1:");
        assert_fails("good", "/loop", ELOOP, ERROR_UNAVAILABLE, "redirected too often");
        assert_fails("good", "/hop:11", ELOOP, ERROR_UNAVAILABLE, "redirected too often");
        cache_clear();
        assert_int_equal(run_path("good", "/hop:10", lock, NULL, NULL), 0);
        assert_cache_right(lock);
}

static void test_tls(void **state) {
        assert_fails("expired", "", EKEYEXPIRED, ERROR_VERIFY, "has expired");
        assert_fails("future", "", EKEYEXPIRED, ERROR_VERIFY, "not valid yet");
        assert_fails("wrong-name", "", EKEYREJECTED, ERROR_VERIFY, "not for this name");
        assert_fails("unknown-ca", "", EKEYREJECTED, ERROR_VERIFY, "not of a CA that is trusted here");
}

static void test_mirror_addresses(void **state) {
        static const char *const bad[] = { "http://x/",    "https://", "https:///x",
                                           "file://x",     "/x",       "ftp://x",
                                           "https://x/?a", "",         "https://me:secret@x/" };
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_error_ Error *error = NULL, *refused = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_error_ Error *e = NULL;

                assert_int_equal(run_on(&apiserver, 1, lock, NULL, bad[i], NULL, &e), -EINVAL);
                assert_int_equal(e->kind, ERROR_USAGE);
        }
        assert_int_equal(run_on(&apiserver, 1, lock, NULL, "https://a..b/", NULL, &error), -EADDRNOTAVAIL);
        assert_non_null(strstr(error->message, "cannot be resolved"));
        assert_int_equal(run_on(&apiserver, 1, lock, NULL, "https://127.0.0.1:1", NULL, &refused),
                         -ECONNREFUSED);

        {
                const FetchRequest odd[] = { { "../x", ORIGIN_KUBERNETES, VERSION, "arm64" },
                                             { "x", ORIGIN_KUBERNETES, "1.36", "arm64" },
                                             { "x", ORIGIN_ETCD, "v1/../..", "arm64" },
                                             { "x", ORIGIN_KUBERNETES, VERSION, "riscv64" } };

                for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
                        assert_int_equal(run_on(odd + i, 1, lock, NULL, "https://127.0.0.1:1", NULL, NULL),
                                         -EINVAL);
        }
}

static void test_mirrors(void **state) {
        static const char *const worse[] = { "https://127.0.0.1:1", "/status:404",
                                             "/all-status:404",     "/cut:5",
                                             "/sum-status:503",     "/flip:7" };
        _cleanup_free_ char *good = server_url(&server, "good", ""),
                            *gone = server_url(&server, "good", "/all-status:410");
        _cleanup_error_ Error *error = NULL;
        _cleanup_(lock_freep) Lock *empty = lock_empty();

        for (size_t i = 0; i < ARRAY_SIZE(worse); i++) {
                _cleanup_(lock_freep) Lock *lock = lock_empty();
                _cleanup_free_ char *first =
                        *worse[i] == '/' ? server_url(&server, "good", worse[i]) : xstrdup(worse[i]);
                _cleanup_(seen_done) Seen seen = {};
                bool flip = streq(worse[i], "/flip:7");

                cache_clear();
                /* A mirror that has the wrong bytes is not passed over in silence. */
                assert_int_equal(run_on(&apiserver, 1, lock, &seen, first, good, NULL), flip ? -EBADMSG : 0);
                if (flip)
                        continue;
                assert_cache_right(lock);
                assert_non_null(strstr(buffer_str(&seen.notes), "; trying the next mirror"));
                assert_non_null(strstr(lock_nth(lock, 0)->url, good));
        }

        cache_clear();
        assert_int_equal(run_on(&apiserver, 1, empty, NULL, "https://127.0.0.1:1", gone, &error), -ENOENT);
        assert_non_null(strstr(error->message, "HTTP status 410 (gone)"));
        assert_non_null(strstr(error->detail, "https://127.0.0.1:1/release/" VERSION
                                              "/bin/linux/arm64/kube-apiserver.sha256: "
                                              "connection refused"));
}

/* A lock with the digest of what put_all(seed) serves. */
static Lock* lock_of(unsigned seed) {
        Lock *lock = lock_empty();
        _cleanup_free_ char *url = server_url(&server, "good", "");

        put_all(seed);
        cache_clear();
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, NULL, url, NULL, NULL), 0);
        cache_clear();
        return lock;
}

static void assert_disagree(Lock *lock, const FetchRequest *q, const char *path, const char *words) {
        _cleanup_free_ char *url = server_url(&server, "good", path),
                            *good = server_url(&server, "good", "");
        _cleanup_error_ Error *error = NULL;

        cache_clear();
        /* Not even if there is another mirror that might be right. */
        assert_int_equal(run_on(q, 1, lock, NULL, url, good, &error), -EBADMSG);
        assert_int_equal(error->kind, ERROR_VERIFY);
        if (!strstr(error->message, words) || !strstr(error->detail, "hardway.lock: ") ||
            !strstr(error->detail, "\npublished:    ") || !strstr(error->detail, "\nthe file:     "))
                fail_msg("%s\n%s", error->message, error->detail);
        assert_false(lock_changed(lock) && lock_count(lock) == 0);
        assert_int_equal(n_in("sha256"), 0);
        assert_int_equal(n_in("partial"), 0);
}

static void test_lock(void **state) {
        _cleanup_(lock_freep) Lock *old = lock_of(100), *lock = lock_of(1);
        _cleanup_free_ char *nosums = server_url(&server, "good", "/sum-status:404"),
                            *badsums = server_url(&server, "good", "/sum-flip:5/sum-longer:9"),
                            *longer = server_url(&server, "good", "/longer:1");
        _cleanup_error_ Error *error = NULL;

        /* The three of them, in every constellation. */
        assert_disagree(lock, all, "/flip:50", "hardway.lock and publisher agree, but the file is another");
        assert_disagree(lock, all, "/sum-status:404/flip:50",
                        "the file is not what hardway.lock says it is");
        assert_disagree(lock, all, "/all-flip:50", "all have different digests");
        assert_disagree(lock, all, "/sum-flip:7", "its publisher now says something else");
        assert_disagree(old, all, "", "file and publisher agree, but hardway.lock holds another digest");
        assert_disagree(lock, all + 3, "/flip:50",
                        "hardway.lock and publisher agree, but the file is another");
        assert_disagree(old, all + 3, "", "file and publisher agree, but hardway.lock holds another digest");
        /* etcdctl was never asked for here, but its archive is locked by etcd. */
        assert_disagree(old, all + 4, "", "file and publisher agree, but hardway.lock holds another digest");

        assert_int_equal(run_on(all, 1, lock, NULL, longer, NULL, &error), -EFBIG);
        assert_int_equal(error->kind, ERROR_VERIFY);
        assert_non_null(strstr(error->detail, "hardway.lock: "));

        /* The lock is enough if the publisher says nothing, or nonsense. */
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, NULL, nosums, NULL, NULL), 0);
        assert_cache_right(lock);
        cache_clear();
        assert_int_equal(run_on(all, 1, lock, NULL, badsums, NULL, NULL), 0);
}

static void test_lock_is_stable(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_of(1), *again = NULL;
        _cleanup_buffer_ Buffer before = BUFFER_NULL;
        _cleanup_free_ char *root = server_path(&server, "root"), *url = xasprintf("file://%s", root);

        /* The same bytes from elsewhere do not touch a file that is under version control. */
        lock_write(lock, &before);
        assert_int_equal(lock_parse("hardway.lock", before.data, before.size, &again, NULL), 0);
        assert_int_equal(run_on(all, ARRAY_SIZE(all), again, NULL, url, NULL, NULL), 0);
        assert_false(lock_changed(again));
        assert_cache_right(again);
}

static void test_published_and_cached(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_of(1), *fresh = lock_empty();
        _cleanup_free_ char *url = server_url(&server, "good", ""),
                            *only = server_url(&server, "good", "/status:500");
        _cleanup_(seen_done) Seen seen = {};

        /* In the cache, but not in the lock: the checksum alone is fetched. */
        assert_int_equal(run_on(all, 1, lock, NULL, url, NULL, NULL), 0);
        assert_int_equal(run_on(all, 1, fresh, &seen, only, NULL, NULL), 0);
        assert_int_equal(seen.n_cached, 1);
        assert_string_equal(lock_nth(fresh, 0)->sha256,
                            lock_find(lock, "kube-apiserver", VERSION, "arm64")->sha256);
        assert_int_equal(lock_nth(fresh, 0)->size, SIZE);
}

static void test_damaged_cache(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_of(1);
        _cleanup_free_ char *url = server_url(&server, "good", ""), *path = NULL;
        char *mirrors[] = { url, NULL };
        FetchOptions options = { .mirrors = mirrors, .cache = cache, .ca_bundle = ca };
        const LockEntry *e = lock_find(lock, "kube-apiserver", VERSION, "arm64");
        int fd;

        path = fetch_cache_path(cache, e);
        assert_int_equal(fetch_run(all, 1, &options, lock, NULL), 0);

        /* Another size is seen at once. */
        assert_int_equal(truncate(path, SIZE - 1), 0);
        assert_int_equal(fetch_run(all, 1, &options, lock, NULL), 0);
        assert_int_equal(fetch_verify_cached(cache, e, NULL), 0);

        /* A byte only when asked to look. */
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, "x", 1, 1000), 1);
        (void) close(fd);
        assert_int_equal(fetch_verify_cached(cache, e, NULL), -EBADMSG);
        assert_int_equal(fetch_run(all, 1, &options, lock, NULL), 0);
        assert_int_equal(fetch_verify_cached(cache, e, NULL), -EBADMSG);
        options.deep = true;
        assert_int_equal(fetch_run(all, 1, &options, lock, NULL), 0);
        assert_int_equal(fetch_verify_cached(cache, e, NULL), 0);
}

static void test_offline(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_of(1);
        _cleanup_free_ char *url = server_url(&server, "good", "");
        char *mirrors[] = { url, NULL };
        const FetchOptions options = {
                .mirrors = mirrors, .cache = cache, .ca_bundle = ca, .offline = true
        };
        _cleanup_error_ Error *error = NULL;

        assert_int_equal(run_on(all, 2, lock, NULL, url, NULL, NULL), 0);
        assert_int_equal(fetch_run(all, 2, &options, lock, NULL), 0);
        assert_int_equal(fetch_run(all, ARRAY_SIZE(all), &options, lock, &error), -ENOENT);
        assert_non_null(strstr(error->message, "kubectl " VERSION " amd64: not in the cache"));
        assert_non_null(strstr(error->detail, "etcd " ETCD " arm64: not in the cache"));
}

static void test_architecture(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_buffer_ Buffer program = BUFFER_NULL;
        _cleanup_free_ char *url = server_url(&server, "good", "");
        _cleanup_error_ Error *error = NULL, *member = NULL;

        put_all(1);
        cache_clear();
        make_program(&program, EM_X86_64, 9, SIZE);
        put_kubernetes("kube-apiserver", "arm64", &program);
        assert_int_equal(run_on(all, 1, lock, NULL, url, NULL, &error), -ENOEXEC);
        assert_int_equal(error->kind, ERROR_VERIFY);
        assert_non_null(strstr(error->message, "is a program for amd64, not for arm64"));

        put_etcd((MakeEntry[]){ { "etcd-" ETCD "-linux-arm64/etcd", '-', program.data, program.size } }, 1);
        assert_int_equal(run_on(all + 3, 1, lock, NULL, url, NULL, &member), -ENOEXEC);
        assert_int_equal(n_in(""), 0);
        assert_int_equal(lock_count(lock), 0);
        put_all(1);
}

static void test_archives(void **state) {
        static const struct {
                MakeEntry entry;
                int errnum;
                const char *words;
        } rows[] = {
                { { "etcd-" ETCD "-linux-arm64/../../evil", '-', "x", 1 }, EBADMSG, "'..' in its name" },
                { { "/evil", '-', "x", 1 }, EBADMSG, "absolute name" },
                { { "etcd-" ETCD "-linux-arm64/l", 'l', NULL, 0 }, EBADMSG, "is a link" },
                { { "etcd-" ETCD "-linux-arm64/etcd", '-', "x", 1 }, EBADMSG, "is there twice" },
        };
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_buffer_ Buffer program = BUFFER_NULL;
        _cleanup_free_ char *url = server_url(&server, "good", "");
        _cleanup_error_ Error *missing = NULL;

        make_program(&program, EM_AARCH64, 9, SIZE);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_error_ Error *error = NULL;
                const MakeEntry entries[] = {
                        { "etcd-" ETCD "-linux-arm64/etcd", '-', program.data, program.size }, rows[i].entry
                };

                cache_clear();
                put_etcd(entries, 2);
                assert_int_equal(run_on(all + 3, 1, lock, NULL, url, NULL, &error), -rows[i].errnum);
                assert_int_equal(error->kind, ERROR_VERIFY);
                if (!strstr(error->message, rows[i].words) || !strstr(error->message, rows[i].entry.name))
                        fail_msg("%s", error->message);
                assert_int_equal(n_in(""), 0);
        }

        put_etcd((MakeEntry[]){ { "etcd-" ETCD "-linux-arm64/etcd", '-', program.data, program.size } }, 1);
        assert_int_equal(run_on(all + 3, 2, lock, NULL, url, NULL, &missing), -ENOENT);
        assert_non_null(strstr(missing->message, "it has no member 'etcd-" ETCD "-linux-arm64/etcdctl'"));
        assert_int_equal(n_in(""), 0); /* nor the one that was there */
        assert_int_equal(lock_count(lock), 0);
        put_all(1);
}

static void test_several_failures(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_free_ char *url = server_url(&server, "good", "/only=kubectl,status:404");
        _cleanup_free_ char *wrong = server_url(
                &server, "good", "/only=kubectl,status:404/only=etcd-" ETCD "-linux-arm64.tar.gz,flip:9");
        _cleanup_error_ Error *error = NULL, *worst = NULL;

        cache_clear();
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, NULL, url, NULL, &error), -ENOENT);
        assert_non_null(strstr(error->message, "kubectl " VERSION " arm64: https://"));
        assert_non_null(strstr(error->detail, "kubectl " VERSION " amd64: https://"));
        /* What could be had is there, and pinned. */
        assert_int_equal(lock_count(lock), 3);
        assert_cache_right(lock);

        /* A wrong file is the worse news, whichever came first. */
        cache_clear();
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, NULL, wrong, NULL, &worst), -EBADMSG);
        assert_int_equal(worst->kind, ERROR_VERIFY);
        assert_non_null(strstr(worst->detail, "HTTP status 404"));
}

static void cancel_at_once(void *userdata, const FetchProgress *p) {
        volatile int *cancelled = userdata;

        if (!p->name && p->done > SIZE / 4)
                *cancelled = 1;
}

static void test_cancel(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_free_ char *url = server_url(&server, "good", "/rate:100000");
        volatile int cancelled = 0;
        char *mirrors[] = { url, NULL };
        const FetchOptions options = {
                .mirrors = mirrors,
                .cache = cache,
                .ca_bundle = ca,
                .progress = cancel_at_once,
                .userdata = (void*) &cancelled,
                .cancelled = &cancelled,
                .accept_mirror = true,
        };
        uint64_t begin = clock_usec();
        _cleanup_error_ Error *error = NULL;

        cache_clear();
        assert_int_equal(fetch_run(all, 1, &options, lock, &error), -ECANCELED);
        assert_int_equal(error->kind, ERROR_TEMPORARY);
        assert_true(clock_usec() - begin < 1500 * USEC_PER_MSEC); /* all of it would take 2 s */
        assert_int_equal(n_in("sha256"), 0);
        assert_int_equal(n_in("partial"), 2); /* what there is of it, and where it is from */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all),
                cmocka_unit_test(test_file_mirror),
                cmocka_unit_test(test_cut),
                cmocka_unit_test(test_wrong_bytes),
                cmocka_unit_test(test_bad_checksums),
                cmocka_unit_test(test_status),
                cmocka_unit_test(test_redirects),
                cmocka_unit_test(test_tls),
                cmocka_unit_test(test_mirror_addresses),
                cmocka_unit_test(test_mirrors),
                cmocka_unit_test(test_lock),
                cmocka_unit_test(test_lock_is_stable),
                cmocka_unit_test(test_published_and_cached),
                cmocka_unit_test(test_damaged_cache),
                cmocka_unit_test(test_offline),
                cmocka_unit_test(test_architecture),
                cmocka_unit_test(test_archives),
                cmocka_unit_test(test_several_failures),
                cmocka_unit_test(test_cancel),
        };

        return cmocka_run_group_tests_name("fetch-run", tests, fixture_start, fixture_stop);
}
