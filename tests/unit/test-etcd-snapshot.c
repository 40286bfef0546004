/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots on disk: whole, cut, damaged, of this cluster or another.
 */

#include "tests/unit/unit.h"

#include <sys/file.h>

#include "common/digest.h"
#include "common/parse.h"
#include "etcd/snapshot.h"
#include "operate/snapshot-facts.h"
#include "plan/names.h"

#define OURS "0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffff"

static char* path_in(const UnitDir *d, const char *name) {
        return xasprintf("%s/%s", d->path, name);
}

/* A database of size bytes with a mark at some place. */
static void make_database(size_t size, const char *identity, size_t offset, Buffer *ret) {
        static const unsigned char magic[] = { 0xed, 0xda, 0x0c, 0xed };

        for (size_t i = 0; i < size; i++)
                buffer_add_char(ret, (char) (i * 31 + i / 997));
        memcpy(ret->data + 16, magic, sizeof(magic));
        if (identity) {
                memcpy(ret->data + offset, NAME_MARK, strlen(NAME_MARK));
                memcpy(ret->data + offset + strlen(NAME_MARK), identity, strlen(identity));
        }
}

static void add_digest(Buffer *b) {
        char hex[SHA256_HEX_SIZE], digest[32];

        sha256_hex(b->data, b->size, hex);
        assert_int_equal(parse_hex(hex, digest, sizeof(digest)), 0);
        buffer_add(b, digest, sizeof(digest));
}

static int inspect(const UnitDir *d, const Buffer *b, EtcdSnapshotFile *ret, Error **reterr) {
        _cleanup_free_ char *path = path_in(d, "a.db");

        assert_true(fs_write(AT_FDCWD, path, b->data, b->size, 0600, 0, NULL) >= 0);
        return etcd_snapshot_inspect(path, ret, reterr);
}

static void test_whole(void **state) {
        /* at the borders of what is read at once, too */
        static const size_t offsets[] = { 64,         262144 - 60, 262144 - 49, 262144 - 48,
                                          262144 - 1, 262144,      524288 - 49 };

        for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
                _cleanup_(etcd_snapshot_file_done) EtcdSnapshotFile f = {};
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                _cleanup_error_ Error *error = NULL;

                make_database(524288, OURS, offsets[i], &b);
                add_digest(&b);
                assert_success(inspect(*state, &b, &f, &error), error, 0);
                assert_true(f.digest);
                assert_int_equal(f.size, 524288 + 32);
                assert_int_equal(strv_length(f.marks), 1);
                assert_string_equal(f.marks[0], OURS);
        }
}

static void test_marks(void **state) {
        _cleanup_(etcd_snapshot_file_done) EtcdSnapshotFile f = {};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;

        make_database(4096, OURS, 100, &b);
        memcpy(b.data + 300, NAME_MARK OTHER, strlen(NAME_MARK OTHER));
        memcpy(b.data + 500, NAME_MARK OURS, strlen(NAME_MARK OURS));
        memcpy(b.data + 700, NAME_MARK "no mark", strlen(NAME_MARK "no mark"));
        assert_success(inspect(*state, &b, &f, &error), error, 0);
        assert_false(f.digest);
        assert_int_equal(strv_length(f.marks), 2);
        assert_true(strv_contains(f.marks, OURS) && strv_contains(f.marks, OTHER));
}

/* Of secrets: each key once, wherever its name lies. */
static void test_keys(void **state) {
        static const char *const none[] = { NAME_ENCRYPTED ":", NAME_ENCRYPTED "0:", NAME_ENCRYPTED "7",
                                            NAME_ENCRYPTED "x1:", NAME_ENCRYPTED "99999999:" };
        _cleanup_(etcd_snapshot_file_done) EtcdSnapshotFile f = {};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;

        make_database(524288, OURS, 100, &b);
        memcpy(b.data + 300, NAME_ENCRYPTED "12:", strlen(NAME_ENCRYPTED "12:"));
        memcpy(b.data + 262144 - 20, NAME_ENCRYPTED "1:", strlen(NAME_ENCRYPTED "1:"));
        memcpy(b.data + 400000, NAME_ENCRYPTED "12:", strlen(NAME_ENCRYPTED "12:"));
        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
                memcpy(b.data + 410000 + 100 * i, none[i], strlen(none[i]));
        memset(b.data + 420000, '1', 1000);
        memcpy(b.data + 420000, NAME_ENCRYPTED, strlen(NAME_ENCRYPTED));
        assert_success(inspect(*state, &b, &f, &error), error, 0);
        for (unsigned i = 0; i <= SECRET_NUMBER_MAX; i++)
                assert_true(f.keys[i] == (i == 1 || i == 12));
}

static void test_broken(void **state) {
        EtcdSnapshotFile f;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;

        make_database(4096, NULL, 0, &b);
        add_digest(&b);
        b.data[2000] ^= 1;
        assert_failure(inspect(*state, &b, &f, &error), error, ERROR_VERIFY, EBADMSG);
        b.data[2000] ^= 1;
        b.data[b.size - 1] ^= 1;
        assert_failure(inspect(*state, &b, &f, &error), error, ERROR_VERIFY, EBADMSG);
        b.data[b.size - 1] ^= 1;
        b.data[16] ^= 1;
        assert_failure(inspect(*state, &b, &f, &error), error, ERROR_VERIFY, EBADMSG);
        b.data[16] ^= 1;
        b.size -= 10;
        assert_failure(inspect(*state, &b, &f, &error), error, ERROR_VERIFY, EBADMSG);
        b.size = 0;
        assert_failure(inspect(*state, &b, &f, &error), error, ERROR_VERIFY, EBADMSG);
        assert_failure(etcd_snapshot_inspect("/nonexistent", &f, &error), error, ERROR_IO, ENOENT);
        assert_failure(etcd_snapshot_inspect("/dev/null", &f, &error), error, ERROR_CONFIG, EINVAL);
}

static void test_facts(void **state) {
        static const char text[] =
                "{\"hash\":3568423563,\"revision\":812,\"totalKey\":402,\"totalSize\":1552384,\"version\":\"3.6.0\"}\n";
        _cleanup_error_ Error *error = NULL;
        SnapshotFacts facts;

        assert_success(snapshot_facts_parse("a.db", text, strlen(text), &facts, &error), error, 0);
        assert_true(facts.known);
        assert_int_equal(facts.revision, 812);
        assert_int_equal(facts.keys, 402);
        assert_int_equal(facts.size, 1552384);
        assert_string_equal(facts.hash, "d4b1d28b");
        assert_string_equal(facts.version, "3.6.0");
        assert_success(snapshot_facts_fit("a.db", &facts, &(Version) { 3, 6, 16 }, &error), error, 0);
        assert_success(snapshot_facts_fit("a.db", &facts, &(Version) { 3, 7, 3 }, &error), error, 0);
        assert_failure(snapshot_facts_fit("a.db", &facts, &(Version) { 3, 5, 30 }, &error), error,
                       ERROR_CONFIG, EPROTO);
        facts.version[0] = '\0'; /* of 3.5 and before */
        assert_success(snapshot_facts_fit("a.db", &facts, &(Version) { 3, 6, 16 }, &error), error, 0);
        assert_failure(snapshot_facts_parse("a.db", "{}", 2, &facts, &error), error, ERROR_VERIFY, EBADMSG);
}

#define OLD "a-2026-11-28T221600Z.db.part"
#define NEW "a-2026-11-28T221800Z.db"

static void make(const UnitDir *d, const char *name) {
        assert_int_equal(fs_write(d->fd, name, "x", 1, 0600, FS_NO_SYNC, NULL), 1);
}

static bool is_there(const UnitDir *d, const char *name) {
        return faccessat(d->fd, name, F_OK, 0) == 0;
}

static void begin(const UnitDir *d, const char *path, int ret[static 2]) {
        _cleanup_free_ char *part = xasprintf("%s.part", path);

        ret[0] = etcd_snapshot_part(d->fd, path, part, &ret[1]);
        assert_true(ret[0] >= 0 && is_there(d, part));
}

static void end(const int fds[static 2]) {
        close(fds[0]);
        close(fds[1]);
}

/* What a killed run has left goes with the next one, although that has another name. */
static void test_parts(void **state) {
        static const char *const stay[] = { "b-2026-11-28T221600Z.db.part", "a-2026-11-28T221600Z.db",
                                            "a-notes.db.part", "a-2026-11-28T221600Z.db.part.txt" };
        UnitDir *d = *state;
        int fds[2], others[2], looks;

        for (size_t i = 0; i < ARRAY_SIZE(stay); i++)
                make(d, stay[i]);
        make(d, OLD);

        /* a name without a time says nothing of others; and while anybody is at work, whose the rest is is not known */
        begin(d, "a.db", others);
        assert_true(is_there(d, OLD));
        begin(d, NEW, fds);
        assert_true(is_there(d, OLD) && is_there(d, "a.db.part"));
        end(others);
        begin(d, "a-2026-11-28T221900Z.db", others);
        assert_true(is_there(d, NEW ".part"));
        end(others);

        /* etcdutl takes a lock of the file itself, and would wait for ours */
        looks = openat(d->fd, NEW ".part", O_RDONLY | O_CLOEXEC);
        assert_int_equal(flock(looks, LOCK_EX | LOCK_NB), 0);
        close(looks);
        end(fds);

        begin(d, "a-2026-11-28T222000Z.db", fds);
        assert_false(is_there(d, OLD) || is_there(d, NEW ".part"));
        for (size_t i = 0; i < ARRAY_SIZE(stay); i++)
                assert_true(is_there(d, stay[i]));
        end(fds);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_whole),  unit_test_in_dir(test_marks), unit_test_in_dir(test_keys),
                unit_test_in_dir(test_broken), unit_test_in_dir(test_parts), cmocka_unit_test(test_facts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
