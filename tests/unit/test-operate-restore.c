/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A restore's journal, its scripts, and when a database is worth defragmenting.
 */

#include "tests/unit/unit.h"

#include "common/process.h"
#include "operate/defrag.h"
#include "operate/left-out.h"
#include "operate/restore-internal.h"
#include "tests/unit/plan-fixture.h"

static void test_journal(void **state) {
        const UnitDir *d = *state;
        _cleanup_(journal_done) RestoreJournal first = {}, again = {}, other = {};
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path), *path = NULL;
        _cleanup_error_ Error *error = NULL;

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, &error) >= 0);
        assert_success(journal_read(d->path, &again, &error), error, 0);
        assert_success(journal_new("", "c0,c1", &first, &error), error, 0);
        assert_success(journal_new("c0", "c0", &other, &error), error, 0);
        assert_int_equal(strlen(first.token), 32);
        assert_string_not_equal(other.token, first.token);
        first.snapshot = xstrdup("/a.db");
        first.digest = xstrdup("aa");
        assert_success(journal_write(d->path, &first, &error), error, 0);
        assert_success(journal_read(d->path, &again, &error), error, 1);
        assert_string_equal(again.token, first.token);
        assert_string_equal(again.members, "c0,c1");
        assert_string_equal(again.survivor, "");
        assert_string_equal(again.begun, first.begun);
        assert_false(again.served);

        path = xasprintf("%s/etcd-restore", secrets);
        assert_true(fs_write(AT_FDCWD, path, "{}", 2, 0600, 0, NULL) >= 0);
        journal_done(&again);
        assert_failure(journal_read(d->path, &again, &error), error, ERROR_CONFIG, EBADMSG);
        assert_success(journal_end(d->path, &error), error, 0);
        assert_success(journal_end(d->path, &error), error, 0);
        assert_success(journal_read(d->path, &again, &error), error, 0);
}

/* What etcdutl 3.6.16 has made of these. */
static void test_id(void **state) {
        char *const urls[] = { (char*) "https://10.77.0.20:2380", (char*) "https://10.77.0.21:2380",
                               (char*) "https://10.77.0.22:2380", NULL };

        assert_true(etcd_id_of("00112233445566778899aabbccddeeff", urls) == UINT64_C(0x615fbeae1945dfae));
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
        assert_true(etcd_restored_id(store) == 0);
        assert_success(journal_commit(d->path, &journal, 0xfedcba9876543210, NULL, &error), error, 0);
        assert_true(etcd_restored_id(store) == 0xfedcba9876543210);
        later = etcd_token(store);
        assert_string_equal(later, journal.token);
        one = etcd_mark_text("abcd", token);
        two = etcd_mark_text("abcd", later);
        assert_string_equal(one, "abcd\n");
        assert_string_equal(two, "abcd\n00112233445566778899aabbccddeeff\n");
}

static void open_store(const UnitDir *d, Store **ret) {
        store_free(*ret);
        assert_true(store_open(d->path, ret, NULL) >= 0);
}

/* Nodes are left out with the new token, come back one by one, and a run that is killed meanwhile is known by it. */
static void test_left_out(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *file = xasprintf("%s/hardway.yaml", d->path),
                            *path = xasprintf("%s/" PLAN_LEFT_OUT, d->path);
        RestoreJournal journal = { .token = (char*) "00112233445566778899aabbccddeeff" };
        _cleanup_(left_out_return_done) LeftOutReturn back = {};
        _cleanup_(store_freep) Store *store = NULL;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const Node *const all[] = { nodes, nodes + 1, nodes + 2 };
        const InstallRequest request = { .cluster = &c, .nodes = all, .n_nodes = 3 };
        char *const names[] = { nodes[0].name, nodes[1].name, NULL };

        c.path = file;
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_false(plan_left_out(NULL, nodes));
        open_store(d, &store);
        assert_false(plan_left_out(store, nodes) || left_out_knows(store, nodes));
        assert_int_equal(journal_commit(d->path, &journal, 1, names, NULL), 0);
        open_store(d, &store);
        assert_true(plan_left_out(store, nodes) && plan_left_out(store, nodes + 1));
        assert_false(plan_left_out(store, nodes + 2));

        assert_int_equal(left_out_return(&request, nodes, &back, NULL), 0);
        assert_int_equal(back.n_nodes, 2);
        assert_ptr_equal(back.nodes[0], nodes);
        assert_ptr_equal(back.nodes[1], nodes + 2);
        assert_false(plan_left_out(back.store, nodes));
        assert_true(left_out_knows(back.store, nodes) && plan_left_out(back.store, nodes + 1));

        assert_int_equal(left_out_forget(d->path, nodes, NULL), 0);
        open_store(d, &store);
        assert_false(left_out_knows(store, nodes));
        assert_true(plan_left_out(store, nodes + 1));
        assert_int_equal(left_out_forget(d->path, nodes + 1, NULL), 0);
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(left_out_forget(d->path, nodes + 1, NULL), 0);
}

/* A script itself, in a directory that stands for the root directory. */
static char* run_script(const UnitDir *d, const char *functions, const Buffer *script) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_strv_ Strv argv = NULL;

        buffer_addf(&text, "set -eu\n%s%s", functions, buffer_str(script));
        argv = strv_new("sh", "-c",
                        "cd \"$1\"; eval \"$(printf '%s' \"$0\" | sed -E \"s,/(opt|var/lib)/,$1&,g\")\"",
                        buffer_str(&text), d->path, NULL);
        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        if (result.status != 0)
                fail_msg("status %d: %s", result.status, buffer_str(&result.err));
        return buffer_take(&result.out);
}

static void write_file(const UnitDir *d, const char *name, const char *text) {
        _cleanup_free_ char *folder = fs_path_dirname(name);

        assert_true(fs_mkdir_parents(d->fd, folder, 0755, NULL) >= 0);
        assert_true(fs_write(d->fd, name, text, strlen(text), 0600, 0, NULL) >= 0);
}

static bool is_there(const UnitDir *d, const char *path) {
        return faccessat(d->fd, path, F_OK, 0) == 0;
}

static void test_unpack(void **state) {
        static const char etcdutl[] = "opt/hardway/etcd-v3.6.16/etcdutl",
                          functions[] = "chown() { echo \"$*\"; }\n";
        const UnitDir *d = *state;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        RestoreNode members[] = { { .node = nodes }, { .node = nodes + 1 } };
        const Restore s = {
                .cluster = &c,
                .journal = { .token = (char*) "ef01" },
                .nodes = members,
                .n_nodes = 2,
        };
        _cleanup_free_ char *owner = NULL,
                            *wanted = xasprintf("-R etcd:etcd %s/var/lib/etcd/restored-ef01\n", d->path),
                            *asked = NULL;
        _cleanup_buffer_ Buffer script = BUFFER_NULL, text = BUFFER_NULL;

        write_file(d, etcdutl, "#!/bin/sh\nmkdir var/lib/etcd/restored-ef01\necho \"$*\" >asked\n");
        assert_int_equal(fchmodat(d->fd, etcdutl, 0755, 0), 0);
        write_file(d, "var/lib/etcd/restored-ef01/half", "");
        write_file(d, "var/lib/hardway/restore.db", "");
        restore_script_unpack(&s, nodes + 1, &script);
        owner = run_script(d, functions, &script);
        assert_string_equal(owner, wanted);
        assert_true(fs_read(d->fd, "asked", 4096, &text, NULL) >= 0);
        asked = xasprintf("snapshot restore %1$s/var/lib/hardway/restore.db --name=c1 "
                          "--data-dir=%1$s/var/lib/etcd/restored-ef01 "
                          "--initial-cluster=c0=https://10.77.0.20:2380,c1=https://10.77.0.21:2380 "
                          "--initial-cluster-token=ef01 "
                          "--initial-advertise-peer-urls=https://10.77.0.21:2380 "
                          "--bump-revision=1000000000 --mark-compacted --skip-hash-check\n",
                          d->path);
        assert_string_equal(buffer_str(&text), asked);
        assert_false(is_there(d, "var/lib/etcd/restored-ef01/half") ||
                     is_there(d, "var/lib/hardway/restore.db"));
}

static void swap(const UnitDir *d) {
        const Restore s = { .identity = (char*) "abcd", .journal = { .token = (char*) "ef01" } };
        _cleanup_buffer_ Buffer script = BUFFER_NULL, mark = BUFFER_NULL;
        _cleanup_free_ char *out = NULL;

        write_file(d, "var/lib/etcd/restored-ef01/member/new", "");
        restore_script_swap(&s, &script);
        out = run_script(d, "", &script);
        assert_true(is_there(d, "var/lib/etcd/member/new"));
        assert_false(is_there(d, "var/lib/etcd/restored-ef01"));
        assert_true(fs_read(d->fd, "var/lib/hardway/etcd-identity", 4096, &mark, NULL) >= 0);
        assert_string_equal(buffer_str(&mark), "abcd\nef01\n");
}

/* The old data goes aside once: a run that was killed after that has put new data in its place. */
static void test_swap(void **state) {
        const UnitDir *d = *state;

        write_file(d, "var/lib/hardway/etcd-identity", "abcd\n");
        write_file(d, "var/lib/etcd/member/old", "");
        swap(d);
        assert_true(is_there(d, "var/lib/etcd/before-ef01/old"));
        assert_false(is_there(d, "var/lib/etcd/member/old"));
        write_file(d, "var/lib/etcd/member/half", "");
        swap(d);
        assert_true(is_there(d, "var/lib/etcd/before-ef01/old"));
        assert_false(is_there(d, "var/lib/etcd/before-ef01/half") ||
                     is_there(d, "var/lib/etcd/member/half"));
}

static void test_swap_without_data(void **state) {
        write_file(*state, "var/lib/hardway/etcd-identity", "abcd\n");
        swap(*state);
        assert_true(is_there(*state, "var/lib/etcd/before-ef01"));
}

/* What was put aside by a restore that was never seen to serve may be the only copy. */
static void test_clean(void **state) {
        const UnitDir *d = *state;
        Restore s = { .journal = { .token = (char*) "ef01" }, .earlier = { .token = (char*) "ab02" } };
        _cleanup_buffer_ Buffer one = BUFFER_NULL, two = BUFFER_NULL;
        _cleanup_free_ char *both = NULL, *last = NULL;

        write_file(d, "var/lib/etcd/member/db", "");
        write_file(d, "var/lib/etcd/before-ef01/db", "");
        write_file(d, "var/lib/etcd/before-ab02/db", "");
        write_file(d, "var/lib/etcd/before-cd03/db", "");
        write_file(d, "var/lib/etcd/restored-cd03/db", "");
        write_file(d, "var/lib/hardway/restore.db", "");
        write_file(d, "var/lib/hardway/restore-stopped", "");
        restore_script_clean(&s, &one);
        both = run_script(d, "", &one);
        assert_string_equal(both, "ab02\ncd03\n");
        assert_true(is_there(d, "var/lib/etcd/member/db") && is_there(d, "var/lib/etcd/before-ab02/db"));
        assert_false(is_there(d, "var/lib/etcd/before-ef01") || is_there(d, "var/lib/etcd/restored-cd03"));
        assert_false(is_there(d, "var/lib/hardway/restore.db") ||
                     is_there(d, "var/lib/hardway/restore-stopped"));
        s.finished = true;
        restore_script_clean(&s, &two);
        last = run_script(d, "", &two);
        assert_string_equal(last, "cd03\n");
}

/* The script itself, with a df that has so much. */
static int run_room(const UnitDir *d, uint64_t size, char **ret) {
        const Restore s = { .size = size };
        _cleanup_buffer_ Buffer script = BUFFER_NULL, text = BUFFER_NULL;
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_strv_ Strv argv = NULL;

        restore_script_room(&s, &script);
        buffer_add_str(&text, "set -eu\nfail() { echo \"$2\"; exit 1; }\nmkdir() { :; }\nrm() { :; }\n"
                              "stat() { echo 1; }\n"
                              "df() { echo header; echo \"disk 1000000 1 512000 1% /\"; }\n");
        buffer_add_str(&text, buffer_str(&script));
        argv = strv_new("sh", "-c", buffer_str(&text), NULL);
        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        *ret = buffer_take(&result.out);
        return result.status;
}

static void test_room(void **state) {
        _cleanup_free_ char *one = NULL, *two = NULL;

        assert_int_equal(run_room(*state, 100 << 20, &one), 0);
        assert_string_equal(one, "");
        assert_int_equal(run_room(*state, 300 << 20, &two), 1);
        assert_contains(two, "/var/lib/etcd: 792 MiB are needed for the new data, 500 MiB are free");
}

static void test_look(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const Restore s = { .cluster = &c };
        _cleanup_buffer_ Buffer script = BUFFER_NULL;
        _cleanup_free_ char *bare = NULL, *full = NULL;

        restore_script_look(&s, &script);
        bare = run_script(*state, "getent() { :; }\n", &script);
        assert_string_equal(bare, "no\n");
        write_file(*state, "opt/hardway/etcd-v3.6.16/etcdutl", "");
        assert_int_equal(
                fchmodat(((const UnitDir*) *state)->fd, "opt/hardway/etcd-v3.6.16/etcdutl", 0755, 0), 0);
        full = run_script(*state, "getent() { :; }\n", &script);
        assert_string_equal(full, "yes\n");
}

/* The scripts themselves, over units that are files: NAME.enabled, and NAME.state with what is-active says. */
static char* run_units(const UnitDir *d, void (*add)(Buffer *out)) {
        static const char functions[] =
                "sync() { :; }\n"
                "systemctl() {\n"
                "        case $1 in\n"
                "        is-enabled) [ -e \"$3.enabled\" ] ;;\n"
                "        cat) [ -e \"$2.state\" ] ;;\n"
                "        is-active) cat \"$2.state\"; grep -q -x active \"$2.state\" ;;\n"
                "        *) echo \"$*\" ;;\n"
                "        esac\n"
                "}\n";
        _cleanup_buffer_ Buffer script = BUFFER_NULL;

        add(&script);
        return run_script(d, functions, &script);
}

static void add_note(Buffer *out) {
        restore_script_note("a.service b.service c.service", out);
}

/* What ran is started again, what was enabled is enabled, and a second note adds to the first. */
static void test_undo(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *one = NULL, *two = NULL, *three = NULL, *four = NULL;

        write_file(d, "a.service.state", "activating\n");
        write_file(d, "a.service.enabled", "");
        write_file(d, "b.service.state", "active\n");
        write_file(d, "c.service.state", "failed\n");
        one = run_units(d, add_note);
        assert_string_equal(one, "");
        write_file(d, "a.service.state", "inactive\n");
        write_file(d, "b.service.state", "inactive\n");
        two = run_units(d, add_note);
        three = run_units(d, restore_script_start);
        assert_string_equal(three, "enable --quiet a.service\n"
                                   "start --no-block a.service\n"
                                   "start --no-block b.service\n"
                                   "started\n");
        four = run_units(d, restore_script_start);
        assert_string_equal(four, "");
}

static const Component member = { .unit = "a.service", .roles = ROLE_ETCD },
                       server = { .unit = "b.service", .roles = ROLE_CONTROLLER },
                       other = { .unit = "c.service", .roles = ROLE_LOADBALANCER };

static void add_stop(Buffer *out) {
        static const Component *const components[] = { &member, &server, &other, NULL };

        restore_script_stop(components, out);
}

/* Also what the cluster file does not have on this node any more; and what was never there hinders nobody. */
static void test_stop(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *text = NULL;

        write_file(d, "a.service.state", "inactive\n");
        text = run_units(d, add_stop);
        assert_contains(text, "disable --quiet a.service\nstop a.service\n");
        assert_null(strstr(text, "c.service"));
}

/* The note of a restore that was killed long ago, on a node that has lost its apiserver since. */
static void test_undo_of_long_ago(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *out = NULL;

        write_file(d, "b.service.state", "inactive\n");
        write_file(d, "var/lib/hardway/restore-stopped",
                   "enable a.service\nstart a.service\nenable b.service\nstart b.service\n");
        out = run_units(d, restore_script_start);
        assert_string_equal(out, "enable --quiet b.service\n"
                                 "start --no-block b.service\n"
                                 "started\n");
        assert_false(is_there(d, "var/lib/hardway/restore-stopped"));
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
                cmocka_unit_test(test_id),
                unit_test_in_dir(test_left_out),
                unit_test_in_dir(test_unpack),
                unit_test_in_dir(test_swap),
                unit_test_in_dir(test_swap_without_data),
                unit_test_in_dir(test_clean),
                unit_test_in_dir(test_room),
                unit_test_in_dir(test_look),
                unit_test_in_dir(test_undo),
                unit_test_in_dir(test_stop),
                unit_test_in_dir(test_undo_of_long_ago),
                cmocka_unit_test(test_pays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
