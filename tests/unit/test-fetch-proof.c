/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What vouches for a file: its publisher's checksums and signature, what the program knows of a release, what the
 * caller says by hand, and the lock, which only changes when that was asked for.
 */

#include "tests/fetch/fixture.h"

#include "fetch/item.h"
#include "fetch/kept.h"
#include "fetch/known.h"
#include "fetch/signature.h"
#include "tests/fetch/signer.h"

#define BINARY "release/" VERSION "/bin/linux/arm64/kube-apiserver"

static int run_good(Lock *lock, Error **reterr) {
        return run_path("good", "", lock, NULL, reterr);
}

static const LockEntry* pinned(const Lock *lock) {
        return lock_find(lock, "kube-apiserver", VERSION, "arm64");
}

static void program(unsigned seed, Buffer *ret) {
        make_program(ret, EM_AARCH64, seed, SIZE);
}

static void put_paper(const char *ending, const char *text) {
        _cleanup_free_ char *path = xasprintf(BINARY "%s", ending);

        server_put(&server, path, text, strlen(text));
}

static void remove_papers(void) {
        static const char *const endings[] = { ".sha512", ".sig", ".cert" };

        for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
                _cleanup_free_ char *path = xasprintf("%s/root/" BINARY "%s", server.directory, endings[i]);

                (void) unlink(path);
        }
}

/* --- SHA-512 --- */

static char* sha512_of(const Buffer *data) {
        Digest *d = digest_new("SHA512");
        char *hex;

        digest_add(d, data->data, data->size);
        hex = digest_hex(d);
        digest_free(d);
        return hex;
}

static void test_sha512(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *wrong = lock_empty();
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        _cleanup_free_ char *right = NULL, *other = NULL;
        _cleanup_error_ Error *error = NULL, *locked = NULL;

        program(1, &data);
        right = sha512_of(&data);
        cache_clear();
        put_paper(".sha512", right);
        assert_int_equal(run_good(lock, NULL), 0);
        assert_string_equal(pinned(lock)->sha512, right);
        assert_string_equal(pinned(lock)->proof, "accepted");

        /* One of the two is wrong: the publisher does not know what it publishes. */
        other = xstrdup(right);
        other[5] = other[5] == '0' ? '1' : '0';
        put_paper(".sha512", other);
        cache_clear();
        assert_int_equal(run_good(wrong, &error), -EBADMSG);
        assert_non_null(strstr(error->message, "the file's SHA-512 is not the one that is published"));
        assert_int_equal(lock_count(wrong), 0);
        assert_int_equal(n_in(""), 0);

        /* In the lock, it is that one that counts. */
        cache_clear();
        assert_int_equal(run_good(lock, NULL), 0);
        {
                LockEntry entry = *pinned(lock);
                _cleanup_(lock_freep) Lock *bad = lock_empty();

                entry.sha512 = other;
                lock_put(bad, &entry);
                cache_clear();
                assert_int_equal(run_good(bad, &locked), -EBADMSG);
                assert_non_null(strstr(locked->message, "SHA-512 is not the one in hardway.lock"));
        }
        put_paper(".sha512", "<html>");
        cache_clear();
        {
                _cleanup_(lock_freep) Lock *empty = lock_empty();
                _cleanup_error_ Error *page = NULL;

                assert_int_equal(run_good(empty, &page), -EBADMSG);
                assert_non_null(strstr(page->message, ".sha512: line 1 is not a SHA-512 checksum"));
        }
        remove_papers();
}

/* --- signatures --- */

static void sign(const Signer *s, const Buffer *data) {
        _cleanup_free_ char *text = signer_sign(s, data);

        put_paper(".sig", text);
        put_paper(".cert", s->leaf_pem);
}

/* Until signer_end(): only what this one has signed holds, or what is known or locked. */
static void signer_begin(Signer *s) {
        signer_new(s);
        more.trust = &s->trust;
        more.accept_mirror = false;
}

static void signer_end(Signer *s) {
        remove_papers();
        more.papers = false;
        more.trust = NULL;
        more.accept_mirror = true;
        signer_done(s);
}

static void test_signature(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *none = lock_empty(), *accepted = lock_empty();
        _cleanup_buffer_ Buffer data = BUFFER_NULL, other = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL, *stranger = NULL;
        Signer s = {}, another = {};

        signer_begin(&s);
        signer_new(&another);
        program(1, &data);
        program(2, &other);

        sign(&s, &data);
        cache_clear();
        assert_int_equal(run_good(lock, NULL), 0);
        assert_string_equal(pinned(lock)->proof, "signature");
        /* In the cache, and pinned anew: the signature is looked at all the same. */
        {
                _cleanup_(lock_freep) Lock *again = lock_empty();

                assert_int_equal(run_good(again, NULL), 0);
                assert_string_equal(pinned(again)->proof, "signature");
        }

        /* One that is there and does not hold is no trifle. */
        sign(&s, &other);
        cache_clear();
        assert_int_equal(run_good(none, &error), -EKEYREJECTED);
        assert_int_equal(error->kind, ERROR_VERIFY);
        assert_non_null(strstr(error->message, "wrong signature: it is not one of this file"));
        assert_non_null(strstr(error->detail, "kube-apiserver.sig"));
        assert_int_equal(n_in(""), 0);
        sign(&another, &data);
        assert_int_equal(run_good(none, &stranger), -EKEYREJECTED);
        assert_int_equal(lock_count(none), 0);

        /* Unless it is another build that is wanted. */
        more.accept_mirror = true;
        assert_int_equal(run_good(accepted, NULL), 0);
        assert_string_equal(pinned(accepted)->proof, "accepted");
        more.accept_mirror = false;

        signer_end(&s);
        signer_done(&another);
}

static void assert_unvouched(const char *port, const char *path) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_error_ Error *error = NULL;

        cache_clear();
        assert_int_equal(run_path(port, path, lock, NULL, &error), -EKEYREJECTED);
        assert_int_equal(error->kind, ERROR_VERIFY);
        assert_non_null(strstr(error->message, "nobody but the mirror vouches for it"));
        assert_non_null(strstr(error->detail, "hardway fetch --accept-mirror"));
        assert_non_null(strstr(error->detail, "--sha256 kube-apiserver=HEX"));
        assert_int_equal(lock_count(lock), 0);
        assert_int_equal(n_in(""), 0); /* it was not even begun */
}

/* A mirror that leaves the signature out, whole or in part, is not better off than one that has a wrong one. */
static void test_withheld(void **state) {
        const FetchRequest etcd = { "etcd", ORIGIN_ETCD, ETCD, "arm64" };
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *unsigned_etcd = lock_empty(), *next = lock_empty();
        _cleanup_free_ char *url = server_url(&server, "good", ""),
                            *empty = server_url(&server, "good", "/only=kube-apiserver.sig,all-status:403");
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        _cleanup_(seen_done) Seen seen = {};
        Signer s = {};

        signer_begin(&s);
        program(1, &data);
        remove_papers();
        assert_unvouched("good", "");
        put_paper(".cert", s.leaf_pem);
        assert_unvouched("good", "");
        sign(&s, &data);
        assert_unvouched("good", "/only=kube-apiserver.sig,all-status:404");
        assert_unvouched("good", "/only=kube-apiserver.sig,all-status:403");

        /* What is locked is vouched for; nobody signs etcd; and another mirror may have what the first has not. */
        cache_clear();
        assert_int_equal(run_good(lock, NULL), 0);
        remove_papers();
        cache_clear();
        assert_int_equal(run_good(lock, NULL), 0);
        assert_int_equal(run_on(&etcd, 1, unsigned_etcd, NULL, url, NULL, NULL), 0);
        assert_string_equal(lock_find(unsigned_etcd, "etcd", ETCD, "arm64")->proof, "mirror");
        sign(&s, &data);
        cache_clear();
        assert_int_equal(run_on(&apiserver, 1, next, &seen, empty, url, NULL), 0);
        assert_non_null(strstr(buffer_str(&seen.notes), "trying the next mirror"));
        assert_string_equal(pinned(next)->proof, "signature");

        signer_end(&s);
}

/* For a bundle: of what is locked and in the cache, the signature is asked for if it was not kept. */
static void test_kept(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_free_ char *papers = xasprintf("%s/" KEPT_PAPERS, cache);
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        _cleanup_(seen_done) Seen seen = {};
        Signer s = {};

        signer_begin(&s);
        program(1, &data);
        sign(&s, &data);
        cache_clear();
        assert_int_equal(run_good(lock, NULL), 0);
        assert_int_equal(n_in(KEPT_PAPERS), 2);
        assert_int_equal(fs_remove_tree(AT_FDCWD, papers, NULL), 0);
        assert_int_equal(run_good(lock, NULL), 0);
        assert_int_equal(n_in(KEPT_PAPERS), 0);
        more.papers = true;
        assert_int_equal(run_path("good", "", lock, &seen, NULL), 0);
        assert_int_equal(seen.n_cached, 1);
        assert_int_equal(n_in(KEPT_PAPERS), 2);
        assert_string_equal(pinned(lock)->proof, "signature");

        /* One that does not hold is none; what is locked is not worse for it. */
        assert_int_equal(fs_remove_tree(AT_FDCWD, papers, NULL), 0);
        program(2, &data);
        sign(&s, &data);
        assert_int_equal(run_good(lock, NULL), 0);
        assert_int_equal(n_in(KEPT_PAPERS), 0);

        signer_end(&s);
}

/* A cache of an older hardway's, that has kept none: a bundle is made of it as ever, wherever the signatures are. */
static void test_kept_nowhere(void **state) {
        static const char *const places[] = { "", "/all-status:500", "/all-drop",
                                              "/only=kube-apiserver.cert,all-drop" };
        _cleanup_(lock_freep) Lock *first = lock_empty(), *lock = NULL;
        _cleanup_free_ char *papers = xasprintf("%s/" KEPT_PAPERS, cache),
                            *good = server_url(&server, "good", "");
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        _cleanup_(seen_done) Seen next = {};
        Signer s = {};

        signer_begin(&s);
        retries = 1;
        program(1, &data);
        sign(&s, &data);
        cache_clear();
        assert_int_equal(run_good(first, NULL), 0);
        lock = lock_copy(first);
        more.papers = true;
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                _cleanup_error_ Error *error = NULL;
                _cleanup_(seen_done) Seen seen = {};

                if (i == 0)
                        remove_papers();
                else
                        sign(&s, &data);
                assert_int_equal(fs_remove_tree(AT_FDCWD, papers, NULL), 0);
                if (run_path("good", places[i], lock, &seen, &error) < 0)
                        fail_msg("%s: %s", places[i], error->message);
                assert_int_equal(seen.n_cached, 1);
                assert_true(seen.finished);
                assert_non_null(strstr(buffer_str(&seen.notes), "the other side needs --accept-mirror"));
                assert_int_equal(n_in(KEPT_PAPERS), 0);
                assert_false(lock_changed(lock));
        }
        {
                _cleanup_free_ char *dropped = server_url(&server, "good", "/all-drop");

                assert_int_equal(run_on(&apiserver, 1, lock, &next, dropped, good, NULL), 0);
                assert_null(strstr(buffer_str(&next.notes), "--accept-mirror"));
                assert_int_equal(n_in(KEPT_PAPERS), 2);
        }

        /* What is published now under this name is of no interest. */
        assert_int_equal(fs_remove_tree(AT_FDCWD, papers, NULL), 0);
        program(2, &data);
        put_kubernetes("kube-apiserver", "arm64", &data);
        assert_int_equal(run_good(lock, NULL), 0);
        assert_int_equal(n_in(KEPT_PAPERS), 2);

        put_all(1);
        retries = 3;
        signer_end(&s);
}

/* The other side knows its digest: nobody is asked. */
static void test_kept_not_needed(void **state) {
        static const FetchRequest kubectl = { "kubectl", ORIGIN_KUBERNETES, "v1.36.4", "arm64" };
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_free_ char *url = server_url(&server, "good", "/all-drop"), *path = NULL, *directory = NULL;
        _cleanup_(seen_done) Seen seen = {};
        const LockEntry entry = { .name = (char*) kubectl.name,
                                  .version = (char*) kubectl.version,
                                  .architecture = (char*) kubectl.architecture,
                                  .url = (char*) "https://a/b",
                                  .sha256 = (char*) known_digest(&kubectl),
                                  .size = 3,
                                  .proof = (char*) "signature" };

        cache_clear();
        path = fetch_cache_path(cache, &entry);
        directory = fs_path_dirname(path);
        assert_true(fs_mkdir_parents(AT_FDCWD, directory, 0755, NULL) >= 0);
        assert_int_equal(fs_write(AT_FDCWD, path, "abc", 3, 0755, 0, NULL), 1);
        lock_put(lock, &entry);
        more.papers = true;
        assert_int_equal(run_on(&kubectl, 1, lock, &seen, url, NULL, NULL), 0);
        assert_int_equal(seen.n_cached, 1);
        assert_int_equal(seen.notes.size, 0);
        more.papers = false;
        cache_clear();
}

/* --- what is known --- */

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static void test_known(void **state) {
        const FetchRequest kubectl = { "kubectl", ORIGIN_KUBERNETES, "v1.36.4", "arm64" },
                           etcdctl = { "etcdctl", ORIGIN_ETCD, "v3.6.14", "amd64" },
                           later = { "kubectl", ORIGIN_KUBERNETES, "v1.36.99", "arm64" },
                           scheduler = { "kube-scheduler", ORIGIN_KUBERNETES, "v1.36.4", "arm64" };
        static const struct {
                const char *what, *locked, *published, *file, *known;
                bool by_hand, official, accept;
                const char *words; /* NULL: right */
        } rows[] = {
                { "official", "", A, A, A, false, true, false, NULL },
                { "official, exchanged", "", B, B, A, false, true, false, "is not the release" },
                { "official, exchanged, and accepted", "", B, B, A, false, true, true,
                  "is not the release" },
                { "official, exchanged, locked", B, B, B, A, false, true, false, "is not the release" },
                { "official, by hand", B, B, B, A, true, true, false, NULL },
                { "mirror", "", A, A, A, false, false, false, NULL },
                { "mirror, another build", "", B, B, A, false, false, false, "but another build" },
                { "mirror, accepted", "", B, B, A, false, false, true, NULL },
                { "mirror, accepted long ago", B, B, B, A, false, false, false, NULL },
                { "mirror, locked, and changed again", B, C, C, A, false, false, true,
                  "hardway.lock holds another" },
                { "mirror, damaged", "", B, C, A, false, false, true, "not what its publisher says" },
                { "mirror, by hand", B, B, B, A, true, false, false, NULL },
                { "nothing known", "", B, B, NULL, false, false, false, NULL },
                { "by hand, another", A, B, B, NULL, true, false, false, "not what --sha256 says" },
        };

        assert_string_equal(known_digest(&kubectl),
                            "0ecf44450ee6063bf19dd166a103ee6df4a9034455c2abce626e6eea657d73fb");
        assert_string_equal(known_digest(&etcdctl),
                            "ffe840ff9295808e88cce2794a18a5ac87f12a5203c8314d0bf6aa119b41bac5");
        assert_null(known_digest(&later));
        assert_null(known_digest(&scheduler));

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const Verdict v = { .locked = rows[i].locked,
                                    .published = rows[i].published,
                                    .file = rows[i].file,
                                    .known = rows[i].known,
                                    .url = "https://x/y",
                                    .checksums_url = "https://x/y.sha256",
                                    .by_hand = rows[i].by_hand,
                                    .official = rows[i].official,
                                    .accept = rows[i].accept };
                _cleanup_error_ Error *error = NULL;
                int r = verdict_check(&v, &error);

                if ((r < 0) != (rows[i].words != NULL) || (r < 0 && !strstr(error->message, rows[i].words)))
                        fail_msg("%s: %s", rows[i].what, error ? error->message : "no error");
        }
}

/* --- by hand --- */

static int run_pinned(const FetchPin *pins, size_t n, Lock *lock, Error **reterr) {
        _cleanup_free_ char *url = server_url(&server, "good", "");
        int r;

        more.pins = pins;
        more.n_pins = n;
        r = run_on(all, ARRAY_SIZE(all), lock, NULL, url, NULL, reterr);
        more.pins = NULL;
        more.n_pins = 0;
        return r;
}

static void assert_pin_refused(const FetchPin *pin, Lock *lock, int errnum, const char *words) {
        _cleanup_error_ Error *error = NULL;

        assert_int_equal(run_pinned(pin, 1, lock, &error), -errnum);
        if (!strstr(error->message, words))
                fail_msg("%s", error->message);
}

static void test_pins(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *empty = lock_empty(), *bare = lock_empty();
        _cleanup_free_ char *url = server_url(&server, "good", ""),
                            *nosums = server_url(&server, "good", "/sum-status:404");

        cache_clear();
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, NULL, url, NULL, NULL), 0);
        {
                const LockEntry *etcdctl = lock_find(lock, "etcdctl", ETCD, "arm64");
                const FetchPin right[] = { { "kube-apiserver", NULL, pinned(lock)->sha256 },
                                           { "etcdctl", "arm64", etcdctl->sha256 },
                                           { "etcd-" ETCD "-linux-arm64.tar.gz", NULL, etcdctl->archive } };
                const FetchPin only = { "kube-apiserver", NULL, pinned(lock)->sha256 };

                cache_clear();
                assert_int_equal(run_pinned(right, 3, empty, NULL), 0);
                assert_string_equal(pinned(empty)->proof, "hand");
                assert_string_equal(lock_find(empty, "etcdctl", ETCD, "arm64")->proof, "hand");
                assert_string_equal(lock_find(empty, "kubectl", VERSION, "arm64")->proof, "accepted");

                /* Nobody has to publish what one knows. */
                cache_clear();
                more.pins = &only;
                more.n_pins = 1;
                assert_int_equal(run_on(all, 1, bare, NULL, nosums, NULL, NULL), 0);
                more.pins = NULL;
                more.n_pins = 0;
        }
        for (size_t i = 0; i < 3; i++) {
                static const struct {
                        FetchPin pin;
                        const char *words;
                } rows[] = {
                        { { "kube-apiserver", NULL, A }, "the file is not what --sha256 says" },
                        { { "etcd", "arm64", A },
                          "etcd is not the one of --sha256, although its archive is right" },
                        { { "etcd-" ETCD "-linux-arm64.tar.gz", NULL, A },
                          "the file is not what --sha256 says" },
                };
                _cleanup_(lock_freep) Lock *none = lock_empty();

                cache_clear();
                assert_pin_refused(&rows[i].pin, none, EBADMSG, rows[i].words);
        }
        assert_pin_refused(&(FetchPin) { "kubelet", NULL, A }, lock, EINVAL, "no binary 'kubelet' is needed");
        assert_pin_refused(&(FetchPin) { "kube-apiserver", "amd64", A }, lock, EINVAL,
                           "no binary 'kube-apiserver/amd64' is needed");
        assert_pin_refused(&(FetchPin) { "kubectl", NULL, A }, lock, EINVAL,
                           "say which, as in kubectl/arm64=");
        assert_pin_refused(&(FetchPin) { "kube-apiserver", NULL, A }, lock, EBADMSG,
                           "says another than hardway.lock of kube-apiserver");
}

/* --- the lock changes when it is told to, and then it is shown --- */

static void test_update_lock(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *before = NULL, *same = NULL;
        _cleanup_free_ char *url = server_url(&server, "good", "");
        _cleanup_buffer_ Buffer diff = BUFFER_NULL, none = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        _cleanup_(seen_done) Seen seen = {};

        put_all(1);
        cache_clear();
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, NULL, url, NULL, NULL), 0);
        before = lock_copy(lock);

        put_all(50);
        cache_clear();
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, NULL, url, NULL, &error), -EBADMSG);
        assert_non_null(strstr(error->detail, "hardway fetch --update-lock changes hardway.lock:\n-"));
        assert_int_equal(lock_diff(before, lock, &none), 0);
        assert_int_equal(none.size, 0);

        more.update_lock = true;
        assert_int_equal(run_on(all, ARRAY_SIZE(all), lock, NULL, url, NULL, NULL), 0);
        assert_int_equal(lock_diff(before, lock, &diff), 5);
        assert_non_null(strstr(buffer_str(&diff), "-etcdctl " ETCD " arm64: sha256 "));
        assert_non_null(strstr(buffer_str(&diff), "\n+etcdctl " ETCD " arm64: sha256 "));
        assert_cache_right(lock);

        /* Once it is so, only the papers are asked for. */
        same = lock_copy(lock);
        assert_int_equal(run_on(all, ARRAY_SIZE(all), same, &seen, url, NULL, NULL), 0);
        assert_int_equal(seen.n_cached, 4);
        assert_false(lock_changed(same));
        more.update_lock = false;
        put_all(1);
}

/* --- the version that stands in a program --- */

static void put_stamped(const char *stamp, size_t size) {
        _cleanup_buffer_ Buffer data = BUFFER_NULL;

        program(1, &data);
        memcpy(memmem(data.data, data.size, MAKE_KUBERNETES, strlen(MAKE_KUBERNETES)), stamp, size);
        put_kubernetes("kube-apiserver", "arm64", &data);
}

static void test_version(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_buffer_ Buffer etcd = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL, *member = NULL;
        _cleanup_free_ char *url = server_url(&server, "good", "");

        cache_clear();
        put_stamped("v1.36.29", 8);
        assert_int_equal(run_good(lock, &error), -ENOEXEC);
        assert_int_equal(error->kind, ERROR_VERIFY);
        assert_non_null(
                strstr(error->message, "is a program of another version: it does not carry " VERSION));
        assert_int_equal(n_in(""), 0);
        assert_int_equal(lock_count(lock), 0);

        make_program(&etcd, EM_AARCH64, 3, SIZE);
        memcpy(memmem(etcd.data, etcd.size, "3.6.16", 6), "3.6.15", 6);
        put_etcd((MakeEntry[]){ { "etcd-" ETCD "-linux-arm64/etcd", '-', etcd.data, etcd.size } }, 1);
        assert_int_equal(run_on(all + 3, 1, lock, NULL, url, NULL, &member), -ENOEXEC);
        assert_non_null(strstr(member->message, "etcd is a program of another version"));
        assert_int_equal(n_in(""), 0);
        put_all(1);
}

/* A binary of another version is published under this one's name, and in the cache already. */
static void test_cached_under_another_name(void **state) {
        const FetchRequest newer = { "kube-apiserver", ORIGIN_KUBERNETES, "v1.36.31", "arm64" };
        _cleanup_(lock_freep) Lock *lock = lock_empty(), *fresh = lock_empty();
        _cleanup_free_ char *url = server_url(&server, "good", "");
        _cleanup_buffer_ Buffer data = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        char hex[SHA256_HEX_SIZE];

        cache_clear();
        assert_int_equal(run_good(lock, NULL), 0);
        program(1, &data);
        sha256_hex(data.data, data.size, hex);
        server_put(&server, "release/v1.36.31/bin/linux/arm64/kube-apiserver", data.data, data.size);
        server_put(&server, "release/v1.36.31/bin/linux/arm64/kube-apiserver.sha256", hex, strlen(hex));
        assert_int_equal(run_on(&newer, 1, fresh, NULL, url, NULL, &error), -ENOEXEC);
        assert_non_null(strstr(error->message, "it does not carry v1.36.31"));
        assert_int_equal(lock_count(fresh), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sha512),
                cmocka_unit_test(test_signature),
                cmocka_unit_test(test_withheld),
                cmocka_unit_test(test_kept),
                cmocka_unit_test(test_kept_nowhere),
                cmocka_unit_test(test_kept_not_needed),
                cmocka_unit_test(test_known),
                cmocka_unit_test(test_pins),
                cmocka_unit_test(test_update_lock),
                cmocka_unit_test(test_version),
                cmocka_unit_test(test_cached_under_another_name),
        };

        return cmocka_run_group_tests_name("fetch-proof", tests, fixture_start, fixture_stop);
}
