/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/etcd-fixture.h"

/* What speaks against a member's being started: its data, its place in the list, and the directory of its snapshots. */

/* Taken out of the list, and in the cluster file again. */
static void test_taken_out(void **state) {
        CheckList checks = {};
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "member\nmark 0125ab\n";
        members[1].up = false;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_OK);
        removed = true;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_FAILED);
        assert_contains(checks.checks[1].text, "was taken out of etcd's members");
        assert_contains(checks.checks[1].advice, "hardway etcd replace c1; or hardway reset --node c1");

        /* nobody knows, as on a cluster that is off */
        members[0].up = false;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[2].state, CHECK_OK);
        removed = false;
        check_list_done(&checks);
        context.store = NULL;
}

/* Data that nobody says is ours would not go with a reset: so that is no advice. */
static void test_data_of_others(void **state) {
        CheckList checks = {};
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "member\n";
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_FAILED);
        assert_contains(checks.checks[0].advice, "a reset leaves it");
        assert_null(strstr(checks.checks[0].advice, "hardway reset"));
        told = "member\nmark fedcba98\n";
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_contains(checks.checks[1].text, "belongs to another cluster");
        assert_contains(checks.checks[1].advice, "hardway reset --force --node c1");
        check_list_done(&checks);
        context.store = NULL;
}

/* A member that lost its data is out of the list as a quorum has it; one that is behind still knows it as started. */
static void test_taken_out_a_moment_ago(void **state) {
        CheckList checks = {};
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "mark 0125ab\n";
        members[1].up = false;
        behind = removed = true;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_OK);

        /* without a quorum what one knows is all there is */
        members[0].leader = 0;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_FAILED);
        assert_contains(checks.checks[1].text, "was a member of this etcd cluster, but its data is gone");
        behind = removed = false;
        check_list_done(&checks);
        context.store = NULL;
}

#define ENTRY(url, name) "member \"peerURLs\":[\"https://" url ":2380\"],\"name\":\"" name "\"\n"

static const char *entries[2]; /* in the data of each; NULL: it cannot be read */

static int tell_of_data(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (!strstr(script, "at which address") && !strstr(script, "how far has"))
                return tell(userdata, node, script, ret, reterr);
        if (strstr(script, "how far has"))
                n_alone += !fixture_meet(&n_asked, 2);
        if (!entries[node->index])
                return error_set(reterr, ERROR_IO, EIO, "%s: the database cannot be read", node->name);
        buffer_add_str(ret, entries[node->index]);
        return 0;
}

/* All hosts got other addresses, with their data: no member would find another. */
static void test_renumbered(void **state) {
        CheckList checks = {};
        const Check *check;
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell_of_data;
        told = "member\nmark 0125ab\n";
        entries[0] = ENTRY("10.77.9.20", "c0") "revision 50\n";
        entries[1] = ENTRY("10.77.9.21", "c1") "revision 51\n";
        n_asked = n_alone = 0;
        members[0].up = members[1].up = false;
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        check = checks.checks;
        assert_int_equal(check->state, CHECK_FAILED);
        assert_string_equal(check->subject, "etcd-data");
        assert_contains(check->text,
                        "is of a member at https://10.77.9.20:2380, by the cluster file it is at "
                        "https://10.77.0.20:2380");
        assert_contains(check->advice, "hardway etcd restore --survivor c1, whose data has got furthest");
        assert_int_equal(n_alone, 0); /* both at once */
        check_list_done(&checks);

        /* what it was before may be in there beside what it is; and where it says nothing of it nothing is said */
        entries[0] = ENTRY("10.77.9.20", "c0") ENTRY("10.77.0.20", "c0") "revision 50\n";
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_OK);
        entries[1] = "";
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_OK);
        check_list_done(&checks);
        context.store = NULL;
}

/* A database that cannot be read is not one that says nothing: it may be of another address. */
static void test_unread(void **state) {
        CheckList checks = {};
        const Check *check;
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell_of_data;
        told = "member\nmark 0125ab\n";
        entries[0] = ENTRY("10.77.0.20", "c0");
        entries[1] = NULL;
        members[0].up = members[1].up = false;
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_OK);
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        check = checks.checks + 1;
        assert_int_equal(check->state, CHECK_FAILED);
        assert_string_equal(check->id, "etcd-data/c1");
        assert_string_equal(
                check->text,
                "no member answers, and at which address the etcd data in /var/lib/etcd has this one "
                "cannot be told: the database cannot be read");
        assert_contains(check->advice, "--ignore etcd-data/c1");

        /* nobody needs to know while others do */
        members[0].up = true;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[2].state, CHECK_OK);
        check_list_done(&checks);
        context.store = NULL;
}

/* One of them did, and the others go on without it. */
static void test_renumbered_alone(void **state) {
        CheckList checks = {};
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "member\nmark 0125ab\n";
        members[1].up = false;
        peer = "https://10.77.9.21:2380";
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_FAILED);
        assert_contains(checks.checks[0].text, "the members have it at https://10.77.9.21:2380");
        assert_contains(checks.checks[0].advice, "hardway etcd replace c1");
        peer = "https://10.77.0.21:2380";
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_OK);
        peer = NULL;
        check_list_done(&checks);
        context.store = NULL;
}

/* The directory for snapshots becomes etcd's: not if it is somebody's. */
static void test_place(void **state) {
        static const struct {
                const char *told, *text;
                CheckState state;
        } rows[] = {
                { "free\n", "/srv/etcd is free", CHECK_OK },
                { "ours\n", "/srv/etcd is ours", CHECK_OK },
                { "foreign 2019-photos.db\n",
                  "/srv/etcd is in use: 2019-photos.db is there, which is no snapshot", CHECK_FAILED },
                { "foreign \033[2J\nb\n", "/srv/etcd is in use: ?[2J is there, which is no snapshot",
                  CHECK_FAILED },
        };
        CheckList checks = {};
        FIXTURE;

        context.exec = tell;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const Check *check;

                c.snapshots =
                        (SnapshotPolicy) { .every_hours = 6, .keep = 3, .directory = (char*) "/srv/etcd" };
                told = rows[i].told;
                assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
                check = checks.checks;
                assert_string_equal(check->id, "snapshots-directory/c1");
                assert_string_equal(check->subject, "snapshots-directory");
                assert_int_equal(check->state, rows[i].state);
                assert_string_equal(check->text, rows[i].text);
                if (check->state == CHECK_FAILED)
                        assert_contains(check->advice, "snapshots.directory in hardway.yaml");
                check_list_done(&checks);
        }
        /* where none are taken there is no place for them */
        c.snapshots.every_hours = 0;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.n_checks, 1);
        assert_string_equal(checks.checks[0].id, "etcd-data/c1");
        check_list_done(&checks);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_taken_out),  cmocka_unit_test(test_taken_out_a_moment_ago),
                cmocka_unit_test(test_renumbered), cmocka_unit_test(test_renumbered_alone),
                cmocka_unit_test(test_place),      cmocka_unit_test(test_data_of_others),
                cmocka_unit_test(test_unread),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
