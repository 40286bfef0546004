/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The etcdutl that looks at a snapshot here: a stand-in in the cache, as it was fetched, and as somebody else has left it
 */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "common/digest.h"
#include "fetch/fetch.h"
#include "operate/snapshot-facts.h"

static const Cluster cluster = { .etcd = { 3, 6, 16 } };
static const char answer[] =
        "#!/bin/sh\necho '{\"hash\":1,\"revision\":7,\"totalKey\":3,\"totalSize\":9}'\n";

static char* cache_of(const UnitDir *d, const char *program, Lock *lock) {
        char version[VERSION_TEXT_SIZE], sha256[SHA256_HEX_SIZE], sha512[129];
        _cleanup_free_ char *path = NULL, *directory = NULL;
        LockEntry entry = { .name = (char*) "etcdutl",
                            .version = version,
                            .url = (char*) "https://example.com/etcd.tar.gz",
                            .sha256 = sha256,
                            .sha512 = sha512,
                            .size = strlen(program) };
        struct utsname machine;

        assert_int_equal(uname(&machine), 0);
        entry.architecture = (char*) architecture_to_string(architecture_from_string(machine.machine));
        version_format(&cluster.etcd, version);
        sha256_hex(program, strlen(program), sha256);
        memset(sha512, 'a', sizeof(sha512) - 1);
        sha512[sizeof(sha512) - 1] = '\0';
        lock_put(lock, &entry);
        assert_int_equal(setenv("XDG_CACHE_HOME", d->path, 1), 0);
        path = fetch_cache_path(NULL, &entry);
        directory = fs_path_dirname(path);
        assert_true(fs_mkdir_parents(AT_FDCWD, directory, 0700, NULL) >= 0);
        assert_int_equal(fs_write(AT_FDCWD, path, program, strlen(program), 0755, FS_NO_SYNC, NULL), 1);
        return TAKE_PTR(path);
}

static void test_asked(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_new("hardway.lock");
        _cleanup_free_ char *path = NULL;
        SnapshotFacts facts;
        Error *e = NULL;

        assert_success(snapshot_facts(&cluster, NULL, "x.db", &facts, &e), e, 0);
        assert_false(facts.known);
        assert_success(snapshot_facts(&cluster, lock, "x.db", &facts, &e), e, 0);
        assert_false(facts.known);

        path = cache_of(*state, answer, lock);
        assert_success(snapshot_facts(&cluster, lock, "x.db", &facts, &e), e, 0);
        assert_true(facts.known);
        assert_int_equal(facts.revision, 7);

        /* nothing that can be run, as on a file system that runs nothing */
        assert_int_equal(chmod(path, 0644), 0);
        assert_success(snapshot_facts(&cluster, lock, "x.db", &facts, &e), e, 0);
        assert_false(facts.known);

        /* not fetched here */
        assert_int_equal(unlink(path), 0);
        assert_success(snapshot_facts(&cluster, lock, "x.db", &facts, &e), e, 0);
        assert_false(facts.known);
}

/* A cache may be shared with others, or be another user's when hardway is run by sudo. */
static void test_not_what_was_fetched(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_new("hardway.lock");
        _cleanup_free_ char *path = cache_of(*state, answer, lock), *done = NULL, *other = NULL;
        const UnitDir *d = *state;
        SnapshotFacts facts;
        Error *e = NULL;

        done = xasprintf("%s/done", d->path);
        other = xasprintf("#!/bin/sh\ntouch %s\n", done);
        assert_int_equal(fs_write(AT_FDCWD, path, other, strlen(other), 0755, FS_NO_SYNC, NULL), 1);
        assert_failure(snapshot_facts(&cluster, lock, "x.db", &facts, &e), e, ERROR_VERIFY, EBADMSG);
        assert_false(facts.known);
        assert_int_equal(access(done, F_OK), -1);

        assert_int_equal(fs_write(AT_FDCWD, done, answer, strlen(answer), 0755, FS_NO_SYNC, NULL), 1);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink(done, path), 0);
        assert_true(snapshot_facts(&cluster, lock, "x.db", &facts, &e) < 0);
        e = error_free(e);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_asked),
                unit_test_in_dir(test_not_what_was_fetched),
        };

        return cmocka_run_group_tests_name("operate-snapshot-facts", tests, NULL, NULL);
}
