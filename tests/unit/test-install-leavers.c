/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/install-fixture.h"

/* What goes in a rollout over fake nodes: members that the cluster file does not have, and units that no plan has. */

/* A healthy instance that is not in the cluster file: it may be an old copy of that file. */
static void test_leaver_that_works(void **state) {
        make_serving();
        world.wanted = "new";
        world.leaver = "c9";
        world.leaver_works = true;
        world.leavers = LEAVERS_REFUSE;
        assert_int_equal(run_all(), -EEXIST);
        assert_error(0, "alpha: c9 is healthy, and not in the cluster file");
        assert_contains(world.errors.errors[0]->detail, "hardway install --yes");
        assert_string_equal(buffer_str(&world.log), "");
        assert_false(world.fakes[0].put == world.wanted);

        /* a part of the nodes takes nobody out, and neither does a run about something else */
        assert_int_equal(run_some(0, 1), 0);
        world.leavers = LEAVERS_STAY;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("prune"), 0);

        world.leavers = LEAVERS_GO;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("prune"), 1);
        assert_true(world.result.changed);
        assert_null(world.leaver);
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);
}

static void test_leaver_is_shown(void **state) {
        make_serving();
        assert_int_equal(run_dry(5), 0);
        assert_false(world.result.changed);
        world.leaver = "c9";
        assert_int_equal(run_dry(4), 0);
        assert_null(world.result.leavers);
        assert_int_equal(run_dry(5), 0);
        assert_true(world.result.changed);
        assert_string_equal(world.result.leavers[0], "alpha: c9, not in the cluster file");
        world.leaver_works = true;
        assert_int_equal(run_dry(5), 0);
        assert_contains(world.result.leavers[0], "with --yes only");
        assert_string_equal(buffer_str(&world.log), "");
        world.leaver_works = false;
        world.leavers = LEAVERS_REFUSE;
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "c0 prune");
}

/* Who finds nothing to change asks once who is in the cluster: that is a good part of what such a run takes. */
static void test_members_are_asked_once(void **state) {
        make_serving();
        world.leavers = LEAVERS_REFUSE;
        assert_int_equal(run_all(), 0);
        assert_int_equal(world.asked_members, 1);
        world.wanted = "new";
        world.asked_members = 0;
        assert_int_equal(run_all(), 0);
        assert_true(world.asked_members > 1);
}

/* One that is lost and not in the cluster file is a voter all the same: it goes before one that works is
 * stopped, not after. */
static void test_leaver_goes_first(void **state) {
        make_serving();
        world.wanted = "two";
        world.leaver = "c9";
        assert_int_equal(run_all(), 0);
        assert_non_null(startswith(buffer_str(&world.log), "c0 prune, c0 gate"));
        assert_int_equal(count_of("prune"), 1);

        world.wanted = "three";
        world.leaver = "c9";
        assert_int_equal(run_some(0, 2), 0);
        assert_int_equal(count_of("prune"), 0);
}

/* What goes from a node for good stops there, too: not beside the gates, the locks and whoever uses it. */
static void test_retires(void **state) {
        make_serving();
        world.nodes[1].roles = ROLE_ETCD; /* which alpha is not for */
        world.fakes[1].retires = "/etc/systemd/system/alpha.service";
        world.retired = "alpha.service";
        world.fakes[2].busy = true;
        assert_int_equal(run_all(), -EBUSY);
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[2].busy = false;
        world.gate_closed = true;
        assert_true(run_all() < 0);
        assert_error(0, "c1: not changed");
        assert_int_equal(count_of("stop"), 0);

        world.gate_closed = false;
        world.leaver = "c1";
        world.leaver_works = true;
        world.leavers = LEAVERS_GO;
        world.irreplaceable = true;
        assert_true(run_all() < 0);
        assert_error(0, "c1: not changed, as the cluster cannot do without beta here: none would be left");
        assert_string_equal(buffer_str(&world.log), "c1 gate");

        world.irreplaceable = false;
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 aside, c0 prune, c1 stop, c1 put, c1 record, c1 back, c1 gate");
}

/* The distribution's unit has no file that would go; but it ran for us. */
static void test_retires_the_distributions(void **state) {
        make_serving();
        world.nodes[1].roles = ROLE_ETCD;
        world.fakes[1].retires = "/etc/systemd/system/haproxy.service.d/50-hardway.conf";
        world.retired = "haproxy.service";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 aside, c1 stop, c1 put, c1 record, c1 back, c1 gate");

        /* what the plan has besides stays */
        world.fakes[2].retires = "/etc/systemd/system/alpha.service.d/50-hardway.conf";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "c2 put, c2 record");
}

/* Somebody was faster, and has purged the package; our drop-in is left. */
static void test_retires_what_was_purged(void **state) {
        make_serving();
        world.nodes[1].roles = ROLE_ETCD;
        world.fakes[1].retires = "/etc/systemd/system/haproxy.service.d/50-hardway.conf";
        world.fakes[1].purged = true;
        world.retired = "haproxy.service";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 aside, c1 put, c1 record, c1 back, c1 gate");
        assert_null(world.fakes[1].retires);
}

/* A timer, and what it starts, is nobody's loss. */
static void test_retires_a_timer(void **state) {
        make_serving();
        world.fakes[1].retires = "/etc/systemd/system/etcd-snapshot.timer";
        world.retired = "etcd-snapshot.timer";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "c1 stop, c1 put, c1 record");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                install_test(test_leaver_that_works),
                install_test(test_leaver_is_shown),
                install_test(test_leaver_goes_first),
                install_test(test_members_are_asked_once),
                install_test(test_retires),
                install_test(test_retires_the_distributions),
                install_test(test_retires_what_was_purged),
                install_test(test_retires_a_timer),
        };

        return cmocka_run_group_tests_name("install-leavers", tests, NULL, NULL);
}
