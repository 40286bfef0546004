/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hardway.lock: sorted, stable, strictly read, and only written when it says something new. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "fetch/lock.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define KUBECTL                                                                                                   \
        "{\"name\":\"kubectl\",\"version\":\"v1.36.3\",\"architecture\":\"arm64\",\"url\":\"https://x/kubectl\"," \
        "\"sha256\":\"" A "\",\"size\":1}"

static LockEntry entry(const char *name, const char *architecture, const char *archive) {
        return (LockEntry) {
                .name = (char*) name,
                .version = (char*) "v1.36.3",
                .architecture = (char*) architecture,
                .url = (char*) "https://example.test/x",
                .archive = (char*) archive,
                .sha256 = (char*) A,
                .size = 12345678901,
        };
}

static void test_round_trip(void **state) {
        char directory[] = "/tmp/hardway-lock-XXXXXX";
        _cleanup_free_ char *path = xasprintf("%s/hardway.lock", mkdtemp(directory));
        _cleanup_(lock_freep) Lock *l = NULL, *again = NULL;
        _cleanup_buffer_ Buffer first = BUFFER_NULL, second = BUFFER_NULL;
        const LockEntry etcd = entry("etcd", "arm64", B), kubectl = entry("kubectl", "arm64", NULL),
                        amd64 = entry("kubectl", "amd64", NULL);
        const LockEntry *found;
        struct stat st;

        assert_int_equal(lock_load(path, &l, NULL), 0);
        assert_int_equal(lock_count(l), 0);
        assert_int_equal(lock_save(l, NULL), 0);
        assert_int_equal(access(path, F_OK), -1); /* nothing to say, no file */

        lock_put(l, &kubectl);
        lock_put(l, &etcd);
        lock_put(l, &amd64);
        assert_true(lock_changed(l));
        assert_int_equal(lock_save(l, NULL), 1);
        assert_false(lock_changed(l));
        assert_int_equal(lock_save(l, NULL), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0644);

        assert_int_equal(lock_load(path, &again, NULL), 0);
        assert_int_equal(lock_count(again), 3);
        assert_string_equal(lock_nth(again, 0)->name, "etcd");
        assert_string_equal(lock_nth(again, 1)->architecture, "amd64");
        found = lock_find(again, "etcd", "v1.36.3", "arm64");
        assert_string_equal(found->archive, B);
        assert_int_equal(found->size, 12345678901);
        assert_null(lock_find(again, "etcd", "v1.36.3", "amd64"));
        lock_write(l, &first);
        lock_write(again, &second);
        assert_string_equal(buffer_str(&first), buffer_str(&second));

        /* The same once more is no change. */
        lock_put(again, &etcd);
        assert_false(lock_changed(again));
        lock_put(again, &(LockEntry) { .name = etcd.name,
                                      .version = etcd.version,
                                      .architecture = etcd.architecture,
                                      .url = etcd.url,
                                      .sha256 = etcd.sha256,
                                      .size = 1 });
        assert_true(lock_changed(again));
        assert_int_equal(lock_count(again), 3);
        assert_null(lock_find(again, "etcd", "v1.36.3", "arm64")->archive);
        assert_int_equal(fs_remove_tree(AT_FDCWD, directory, NULL), 0);
}

static void test_bad(void **state) {
        static const struct {
                const char *text, *words;
        } rows[] = {
                { "", "hardway.lock: line 1" },
                { "{", "hardway.lock: line 1" },
                { "[]", "not a lock file" },
                { "{\"format\":2,\"artifacts\":[]}", "format 2 is not known" },
                { "{\"format\":1}", "must hold" },
                { "{\"format\":1,\"artifacts\":[],\"more\":1}", "must hold" },
                { "{\"format\":1,\"artifacts\":[1]}", "artifact 1 is no object" },
                { "{\"format\":1,\"artifacts\":[{}]}", "artifact 1: not a name for 'name'" },
                { "{\"format\":1,\"artifacts\":[" KUBECTL "," KUBECTL "]}",
                  "artifact 2: kubectl v1.36.3 arm64 is there twice" },
                { "{\"format\":1,\"artifacts\":[{\"nmae\":\"x\"}]}", "unknown key 'nmae'" },
                { "{\"format\":1,\"artifacts\":[{\"name\":\"../x\"}]}", "not a name" },
                { "{\"format\":1,\"artifacts\":[{\"name\":\"x\",\"name\":\"x\"}]}", "duplicate" },
                { "{\"format\":1,\"artifacts\":[{\"name\":\"x\",\"version\":\"v1\",\"architecture\":\"a\",\"url\":\"u\"}]}",
                  "not an URL for 'url'" },
                { "{\"format\":1,\"artifacts\":[{\"name\":\"x\",\"version\":\"v1\",\"architecture\":\"a\",\"url\":\"u://\","
                  "\"sha256\":\"AAAA\"}]}",
                  "64 small hex digits for 'sha256'" },
                { "{\"format\":1,\"artifacts\":[{\"name\":\"x\",\"version\":\"v1\",\"architecture\":\"a\",\"url\":\"u://\","
                  "\"archive\":1,\"sha256\":\"" A "\"}]}",
                  "64 small hex digits for 'archive'" },
                { "{\"format\":1,\"artifacts\":[{\"name\":\"x\",\"version\":\"v1\",\"architecture\":\"a\",\"url\":\"u://\","
                  "\"sha256\":\"" A "\",\"size\":-1}]}",
                  "not a number of bytes for 'size'" },
                { "{\"format\":1,\"artifacts\":[{\"name\":\"x\",\"version\":\"v1\",\"architecture\":\"a\",\"url\":\"u://\","
                  "\"sha256\":\"" A "\",\"size\":1.5}]}",
                  "not a number of bytes for 'size'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(lock_freep) Lock *l = NULL;
                _cleanup_error_ Error *error = NULL;

                assert_true(lock_parse("hardway.lock", rows[i].text, strlen(rows[i].text), &l, &error) < 0);
                assert_null(l);
                assert_int_equal(error->kind, ERROR_CONFIG);
                if (!strstr(error->message, rows[i].words))
                        fail_msg("%s: %s", rows[i].text, error->message);
        }
}

static void test_good(void **state) {
        static const char text[] = "{\"format\":1,\"artifacts\":[" KUBECTL "]}";
        _cleanup_(lock_freep) Lock *l = NULL;

        assert_int_equal(lock_parse("hardway.lock", text, strlen(text), &l, NULL), 0);
        assert_int_equal(lock_find(l, "kubectl", "v1.36.3", "arm64")->size, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_good),
        };

        return cmocka_run_group_tests_name("fetch-lock", tests, NULL, NULL);
}
