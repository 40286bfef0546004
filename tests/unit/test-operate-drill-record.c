/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/drill-fixture.h"

/* What drills aim at, how they are judged, and what is kept of them */

static void test_table(void **state) {
        DrillAim aim;
        Timings *t = &f.cluster.timings;

        for (const Drill *d = drills; d->name; d++) {
                assert_ptr_equal(drill_find(d->name), d);
                assert_true(d->what && d->component && d->aim.read_gap > 0);
        }
        assert_null(drill_find("nothing"));

        drill_aim(drill_find("keepalived"), &f.cluster, false, &aim);
        assert_int_equal(aim.read_gap, 400);
        t->vrrp_advert_msec = 300;
        drill_aim(drill_find("keepalived"), &f.cluster, false, &aim);
        assert_int_equal(aim.read_gap, 1200);
        drill_aim(drill_find("controller-power"), &f.cluster, true, &aim);
        assert_int_equal(aim.read_gap, 1200);
        assert_int_equal(aim.read_failing, 1900);
        t->etcd_election_msec = 5000;
        drill_aim(drill_find("etcd-leader"), &f.cluster, false, &aim);
        assert_int_equal(aim.write_gap, 10000);
        assert_int_equal(aim.read_gap, 150);
        t->lease_duration_sec = 60;
        drill_aim(drill_find("scheduler"), &f.cluster, false, &aim);
        assert_int_equal(aim.takeover, 80000);
        t->haproxy_check_msec = 3000;
        drill_aim(drill_find("follower-power"), &f.cluster, false, &aim);
        assert_int_equal(aim.read_failing, 2100);
        assert_int_equal(aim.write_gap, 2100);

        /* what somebody else's load balancer does is not ours to judge */
        f.cluster.endpoint.kind = ENDPOINT_FOREIGN;
        drill_aim(drill_find("etcd-leader"), &f.cluster, false, &aim);
        assert_int_equal(aim.read_gap + aim.read_failing + aim.write_gap, 0);
        assert_int_equal(aim.takeover, 10000);
}

static void test_judged(void **state) {
        DrillResult r = { .drill = drill_find("etcd-leader"),
                          .reads = { .gap_usec = 100000, .failing_usec = 700000 },
                          .writes = { .gap_usec = 1999000 } };
        _cleanup_free_ char *well = NULL, *why = NULL;

        drill_aim(r.drill, &f.cluster, false, &r.aim);
        assert_true(drill_met(&r, &well));
        assert_null(well);
        r.reads.gap_usec = 310000;
        r.writes.gap_usec = 2100000;
        assert_false(drill_met(&r, &why));
        assert_string_equal(why, "gap in reads 0.31 s (aim: 0.15 s); gap in writes 2.10 s (aim: 2.00 s)");
}

static void test_record(void **state) {
        _cleanup_json_ json_t *tree = NULL,
                              *other = json_pack("{s:s, s:[i, {}, s]}", "begun", "x", "drills", 1, "a");
        _cleanup_free_ char *text = NULL;
        const json_t *first;

        assert_int_equal(run_with("haproxy", NULL, NULL), 0);
        report.begun = 1795260425;
        tree = drill_report_to_json(&f.cluster, &report);
        first = json_array_get(json_object_get(tree, "drills"), 0);
        assert_string_equal(json_text(first, "drill"), "haproxy");
        assert_string_equal(json_text(first, "node"), "lb0");
        assert_true(json_is_true(json_object_get(first, "met")));
        assert_true(json_number_value(json_object_get(json_object_get(first, "reads"), "gap")) == 0.12);
        text = drill_record_text(tree);
        assert_string_equal(text,
                            "1 drill on 2026-11-21: longest gap in reads 0.12 s (haproxy), in writes 0.12 s "
                            "(haproxy)");
        assert_null(drill_record_text(other));
        assert_null(drill_record_text(NULL));
}

static json_t* record(const char *begun, const char *drill, double gap, double healthy) {
        return json_pack("{s:s, s:s, s:[{s:s, s:{s:f}, s:{s:f}, s:f}, {s:s, s:b}]}", "cluster", "x", "begun",
                         begun, "drills", "drill", drill, "reads", "gap", gap, "writes", "gap", gap,
                         "healthy", healthy, "drill", "etcd-leader", "skipped", 1);
}

/* What a later run has not looked at, or not to its end, stays as it was. */
static void test_record_merged(void **state) {
        _cleanup_json_ json_t *known = NULL, *seen = record("2026-11-21T10:00:00Z", "haproxy", 0.5, 3),
                              *other = record("2026-11-28T10:00:00Z", "keepalived", 0.25, 2), *both = NULL,
                              *broken = record("2026-11-29T10:00:00Z", "haproxy", 9, 0), *again = NULL;
        _cleanup_free_ char *text = NULL;

        known = drill_record_merge(NULL, seen, false);
        both = drill_record_merge(known, other, false);
        text = drill_record_text(both);
        assert_string_equal(text,
                            "2 drills from 2026-11-21 to 2026-11-28: longest gap in reads 0.50 s (haproxy), "
                            "in writes 0.50 s (haproxy)");
        assert_null(drill_record_merge(both, broken, true));
        again = drill_record_merge(both, broken, false);
        assert_int_equal(json_array_size(json_object_get(again, "drills")), 2);
        freep(&text);
        text = drill_record_text(again);
        assert_contains(text, "longest gap in reads 9.00 s (haproxy)");

        json_object_set_new(both, "cluster", json_string("y"));
        json_decref(again);
        again = drill_record_merge(both, seen, false);
        assert_int_equal(json_array_size(json_object_get(again, "drills")), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                drill_test(test_table),
                drill_test(test_judged),
                drill_test(test_record),
                drill_test(test_record_merged),
        };
        int r;

        if (drill_directory() < 0)
                return 1;
        r = cmocka_run_group_tests_name("drill records", tests, NULL, NULL);
        drill_directory_done();
        return r;
}
