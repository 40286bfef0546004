/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A restore's journal, its scripts, and when a database is worth defragmenting.
 */

#include "tests/unit/unit.h"

#include "operate/defrag.h"
#include "operate/restore-internal.h"
#include "tests/unit/plan-fixture.h"

static void test_journal(void **state) {
        const UnitDir *d = *state;
        _cleanup_(journal_done) RestoreJournal first = {}, again = {}, other = {};
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path), *path = NULL;
        _cleanup_error_ Error *error = NULL;

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, &error) >= 0);
        assert_success(journal_read(d->path, &first, &error), error, 0);
        assert_success(journal_open(d->path, "a.db", "aa", &first, &error), error, 0);
        assert_true(first.fresh);
        assert_int_equal(strlen(first.token), 32);

        /* the same bytes under another name are the same restore */
        assert_success(journal_open(d->path, "copy.db", "aa", &again, &error), error, 0);
        assert_false(again.fresh);
        assert_string_equal(again.token, first.token);
        assert_string_equal(again.snapshot, "a.db");

        assert_success(journal_open(d->path, "b.db", "bb", &other, &error), error, 0);
        assert_true(other.fresh);
        assert_string_not_equal(other.token, first.token);

        path = xasprintf("%s/etcd-restore", secrets);
        assert_true(fs_write(AT_FDCWD, path, "{}", 2, 0600, 0, NULL) >= 0);
        journal_done(&again);
        assert_failure(journal_read(d->path, &again, &error), error, ERROR_CONFIG, EBADMSG);
        assert_success(journal_end(d->path, &error), error, 0);
        assert_success(journal_end(d->path, &error), error, 0);
        assert_success(journal_read(d->path, &again, &error), error, 0);
}

static void test_token(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path), *identity = NULL, *token = NULL,
                            *later = NULL, *one = NULL, *two = NULL;
        RestoreJournal journal = { .token = (char*) "00112233445566778899aabbccddeeff" };
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_error_ Error *error = NULL;

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, &error) >= 0);
        identity = xasprintf("%s/identity", secrets);
        assert_true(fs_write(AT_FDCWD, identity, "abcd\n", 5, 0600, 0, NULL) >= 0);
        assert_success(store_open(d->path, &store, &error), error, 0);
        token = etcd_token(store);
        assert_string_equal(token, "abcd");
        assert_success(journal_commit(d->path, &journal, &error), error, 0);
        later = etcd_token(store);
        assert_string_equal(later, journal.token);
        one = etcd_mark_text("abcd", token);
        two = etcd_mark_text("abcd", later);
        assert_string_equal(one, "abcd\n");
        assert_string_equal(two, "abcd\n00112233445566778899aabbccddeeff\n");
}

static void test_scripts(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        RestoreNode members[] = { { .node = nodes }, { .node = nodes + 1 } };
        Restore s = {
                .cluster = &c,
                .identity = (char*) "abcd",
                .journal = { .token = (char*) "ef01" },
                .nodes = members,
                .n_nodes = 2,
        };
        _cleanup_buffer_ Buffer unpack = BUFFER_NULL, swap = BUFFER_NULL;

        restore_script_unpack(&s, nodes + 1, &unpack);
        assert_contains(buffer_str(&unpack),
                        "--initial-cluster=c0=https://10.77.0.20:2380,c1=https://10.77.0.21:2380 ");
        assert_contains(buffer_str(&unpack), "--initial-cluster-token=ef01 ");
        assert_contains(buffer_str(&unpack), "--name=c1 ");
        assert_contains(buffer_str(&unpack), "--mark-compacted --skip-hash-check");
        assert_contains(buffer_str(&unpack), "/opt/hardway/etcd-v3.6.16/etcdutl snapshot restore");
        restore_script_swap(&s, &swap);
        assert_contains(buffer_str(&swap), "mv -T restored-ef01/member member\n");
        assert_contains(buffer_str(&swap), "'abcd\nef01\n'");
}

static void test_pays(void **state) {
        static const struct {
                uint64_t size, used;
                bool pays;
        } rows[] = {
                { 0, 0, false },
                { 20 << 20, 1 << 20, false }, /* too little comes back */
                { 40 << 20, 8 << 20, true },
                { 200 << 20, 160 << 20, false }, /* a fifth */
                { 200 << 20, 150 << 20, true },
                { 10 << 20, 20 << 20, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                EtcdStatus status = { .db_size = rows[i].size, .db_size_in_use = rows[i].used };

                assert_int_equal(defrag_pays(&status), rows[i].pays);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_journal),
                unit_test_in_dir(test_token),
                cmocka_unit_test(test_scripts),
                cmocka_unit_test(test_pays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
