/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/install-fixture.h"

/* Whose locks a rollout over fake nodes takes, and whom it finds at work. */

static void test_unreachable(void **state) {
        world.fakes[1].unreachable = world.fakes[4].unreachable = true;
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 2);
        assert_error(0, "c1: ssh: no route");
        assert_error(1, "lb1: ssh: no route");
        assert_string_equal(buffer_str(&world.log), "");
}

static void set_unlocked(void) {
        for (size_t i = 0; i < 5; i++)
                world.fakes[i].locked = false;
}

static void test_busy(void **state) {
        world.fakes[1].busy = true;
        assert_int_equal(run_all(), -EBUSY);
        assert_error(0, "c1: in use by somebody");
        assert_string_equal(buffer_str(&world.log), "");

        /* before it serves, others may install other nodes */
        set_unlocked();
        assert_int_equal(run_some(2, 1), 0);
        assert_false(world.fakes[0].locked);

        /* a record is not worth a wait */
        make_serving();
        world.fakes[1].recorded = false;
        assert_int_equal(run_all(), 0);
}

/* Who lends his connections has his reasons for the locks that are on them. */
static void test_lent_locks_are_kept(void **state) {
        make_serving();
        world.fakes[1].recorded = false;
        assert_int_equal(run_all(), 0);
        assert_false(world.fakes[1].locked);

        world.lends = true;
        world.fakes[1].recorded = false;
        assert_int_equal(run_all(), 0);
        assert_true(world.fakes[1].recorded && world.fakes[1].locked);
}

/* What stops on one node counts on all others: nobody else may be at work there. */
static void test_busy_elsewhere(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[1].busy = true;
        assert_int_equal(run_some(3, 1), -EBUSY);
        assert_error(0, "c1: in use by somebody");
        assert_contains(world.errors.errors[0]->detail, "--wait");
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[1].busy = false;
        world.fakes[2].unreachable = true; /* nobody is at work there */
        set_unlocked();
        assert_int_equal(run_some(3, 1), 0);
        assert_true(world.fakes[0].locked && world.fakes[1].locked && world.fakes[3].locked);
        assert_true(world.fakes[4].locked && !world.fakes[2].locked);
        assert_int_equal(world.fakes[2].n_missed, 0); /* it has cost its time when all were connected to */

        /* one that is there, and lets only others in, may have one of them at work */
        world.wanted = "three";
        world.fakes[2].unreachable = false;
        world.fakes[2].refuses = true;
        buffer_done(&world.log);
        assert_int_equal(run_some(3, 1), -EACCES);
        assert_error(0, "c2: does not let us in");
        assert_contains(world.errors.errors[0]->detail, "So each is locked");
        assert_string_equal(buffer_str(&world.log), "");
        world.fakes[2].refuses = false;
        world.fakes[2].starved = true;
        assert_int_equal(run_some(3, 1), -EREMOTEIO);
        assert_error(0, "c2: Cannot fork");
        assert_string_equal(buffer_str(&world.log), "");
        world.fakes[2].starved = false;
        assert_int_equal(run_some(3, 1), 0);

        /* nor does anybody get in the way of a run that has nothing to do */
        set_unlocked();
        world.fakes[0].busy = true;
        assert_int_equal(run_some(3, 1), 0);
        assert_false(world.fakes[1].locked || world.fakes[3].locked);
}

/* Files that nothing has to be restarted for are nobody else's business. */
static void test_busy_elsewhere_is_no_matter(void **state) {
        make_serving();
        world.fakes[3].loose = true;
        world.fakes[1].busy = true;
        assert_int_equal(run_some(3, 1), 0);
        assert_string_equal(buffer_str(&world.log), "lb0 put, lb0 record");
        assert_false(world.fakes[0].locked);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                install_test(test_unreachable),
                install_test(test_busy),
                install_test(test_lent_locks_are_kept),
                install_test(test_busy_elsewhere),
                install_test(test_busy_elsewhere_is_no_matter),
        };

        return cmocka_run_group_tests_name("install-locks", tests, NULL, NULL);
}
