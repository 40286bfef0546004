/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/etcd-fixture.h"

/* What verify says of etcd's members */

static size_t count_led(void) {
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                n += members[i].up && members[i].leader != 0;
        return n;
}

static void test_verify(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        FIXTURE;

        assert_int_equal(component_etcd.verify(&context, &checks), 0);
        for (size_t i = 0; i < checks.n_checks; i++) {
                assert_int_equal(checks.checks[i].state, CHECK_OK);
                for (size_t j = 0; j < i; j++)
                        assert_string_not_equal(checks.checks[i].id, checks.checks[j].id);
        }
        assert_int_equal(json_uint64(find_check(&checks, "etcd.member/c0")->data, "revision"), 50);
}

static void test_verify_finds(void **state) {
        FIXTURE;

        members[1].up = false;
        assert_int_equal(state_of(&context, "etcd.member/c1"), CHECK_FAILED);
        assert_int_equal(state_of(&context, "etcd.quorum"), CHECK_FAILED);
        assert_int_equal(state_of(&context, "etcd.member/c0"), CHECK_OK);
        assert_int_equal(count_led(), 1);

        all_well();
        members[1].cluster = 8;
        assert_int_equal(state_of(&context, "etcd.cluster"), CHECK_FAILED);

        all_well();
        members[1].leader = 101;
        assert_int_equal(state_of(&context, "etcd.leader"), CHECK_FAILED);

        all_well();
        members[0].alarm = "memberID:100 alarm:NOSPACE ";
        assert_int_equal(state_of(&context, "etcd.alarms/c0"), CHECK_FAILED);

        all_well();
        members[1].revision = 49;
        assert_int_equal(state_of(&context, "etcd.revision"), CHECK_FAILED);
        members[1].catches_up = true;
        members[1].revision = 40;
        assert_int_equal(state_of(&context, "etcd.revision"), CHECK_OK);

        all_well();
        c.etcd.patch = 17;
        assert_int_equal(state_of(&context, "etcd.member/c0"), CHECK_WARNING);

        all_well();
        c.nodes[1].name = (char*) "other";
        assert_int_equal(state_of(&context, "etcd.members"), CHECK_FAILED);
}

/* What a member that is away has not said is not said of it. */
static void test_verify_of_whom(void **state) {
        static const char *const ids[] = { "etcd.cluster", "etcd.revision" };
        FIXTURE;

        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                _cleanup_(check_list_done) CheckList well = {}, away = {};

                members[1].up = true;
                assert_int_equal(component_etcd.verify(&context, &well), 0);
                assert_contains(find_check(&well, ids[i])->text, " on all members");
                members[1].up = false;
                assert_int_equal(component_etcd.verify(&context, &away), 0);
                assert_contains(find_check(&away, ids[i])->text,
                                " on 1 of 2 members, those that are healthy");
        }
}

/* It comes first, and is asked nothing that a learner refuses. */
static void test_verify_learner(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        FIXTURE;

        members[0].learner = true;
        members[0].leader = members[1].leader = 101;
        assert_int_equal(component_etcd.verify(&context, &checks), 0);
        assert_contains(find_check(&checks, "etcd.member/c0")->text, "healthy, learner, ");
        assert_int_equal(find_check(&checks, "etcd.members")->state, CHECK_FAILED);
        assert_int_equal(find_check(&checks, "etcd.revision")->state, CHECK_OK);
        members[0].revision = 49;
        assert_int_equal(state_of(&context, "etcd.revision"), CHECK_FAILED);
}

#define HEAD "# TYPE etcd_disk_wal_fsync_duration_seconds histogram\n"
#define LE(bound, count) "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"" bound "\"} " count "\n"

static void test_fsync(void **state) {
        static const struct {
                const char *text;
                int result;
                double msec;
        } cases[] = {
                { HEAD LE("0.001", "0") LE("0.002", "980") LE("0.004", "1000") LE("+Inf", "1000"), 0, 3 },
                { LE("0.001", "1.234567e+06") LE("+Inf", "1.234567e+06"), 0, 0.99 },
                { LE("0.001", "0") LE("8.192", "0") LE("+Inf", "200"), 0, 8192 },
                { LE("0.001", "99") LE("+Inf", "99"), -ENODATA, 0 }, /* too few */
                { LE("0.001", "-5") LE("x", "200") "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"",
                  -ENODATA, 0 },
                { "", -ENODATA, 0 },
        };
        FIXTURE;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                double msec = 0;

                assert_int_equal(etcd_fsync_percentile(cases[i].text, &msec), cases[i].result);
                assert_true(msec > cases[i].msec - 0.001 && msec < cases[i].msec + 0.001);
        }
        c.timings.etcd_heartbeat_msec = 100;
        members[1].metrics = cases[0].text;
        assert_int_equal(state_of(&context, "etcd.fsync/c1"), CHECK_OK);
        members[1].metrics = cases[2].text;
        assert_int_equal(state_of(&context, "etcd.fsync/c1"), CHECK_WARNING);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_verify),         cmocka_unit_test(test_verify_finds),
                cmocka_unit_test(test_verify_of_whom), cmocka_unit_test(test_verify_learner),
                cmocka_unit_test(test_fsync),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
