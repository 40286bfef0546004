/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/restore-fixture.h"

/* A restore that fails: what was stopped is started again, unless there may be new data */

/* Nobody has new data: what was stopped is started again, on both, and so it is by the next run that fails. */
static void test_undone_before_the_swap(void **state) {
        static const char *const steps[] = {
                "c1:# nothing runs, and nothing starts by itself",
                "c1:send",
                "c1:# the new data, beside the old",
        };

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                world->fails = steps[i];
                assert_int_equal(restore("a.db", 2, false), -ENOSPC);
                assert_true(happened("c0:# as it was;") && happened("c1:# as it was;"));
                assert_contains(advice(),
                                "No data was replaced. What was stopped is started again on c0, c1.\n"
                                "Once the cause is gone: hardway etcd restore /");
                assert_false(happened("takes the place of the old"));
        }
        /* an earlier run was killed when all was stopped */
        world->stopped[0] = true;
        world->fails = "c1:# is there room for the new data beside the old?";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_contains(advice(), "is started again on c0.\n");
        world->stops = "c1:# nothing runs, and nothing starts by itself";
        world->fails = NULL;
        assert_int_equal(restore("a.db", 2, false), -ECANCELED);
        assert_contains(advice(), "is started again on c0, c1.\n");
        assert_false(happened("takes the place of the old"));
}

/* What a restore of long ago has left aside does not keep anything stopped. */
static void test_undone_beside_what_is_aside(void **state) {
        world->aside[0] = "0011";
        world->fails = "c1:# the new data, beside the old";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_true(happened("c0:# as it was;") && happened("c1:# as it was;"));
        assert_contains(advice(), "No data was replaced.");

        /* but half of a restore that was given up does */
        world->mark[0] = "0011";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("as it was"));
        assert_contains(advice(), "There may be new data already");
}

/* Who says no has changed nothing, and gets nothing changed. */
static void test_not_undone_after_a_no(void **state) {
        world->stopped[0] = true;
        world->no = true;
        assert_int_equal(restore("a.db", 2, false), -ECANCELED);
        assert_false(happened("as it was"));
}

static void test_undo_that_fails(void **state) {
        world->states[1] = ETCD_AWAY;
        world->fails = "c0:# the new data, beside the old";
        world->fails_too = "c0:# as it was";
        assert_int_equal(restore("a.db", 1, false), -ENOSPC);
        assert_contains(advice(), "What was stopped may not run again: c0: ");
        assert_contains(advice(), "hardway install\n");
        assert_null(strstr(advice(), "is started again on"));
}

/* Once data may have been swapped nothing of before is started: there is one way, and it is named. */
static void test_not_undone_after_a_swap(void **state) {
        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("as it was"));
        assert_contains(advice(), "This goes on with: hardway etcd restore /");
        assert_contains(advice(), "/a.db\n");
        /* another one, which does not come so far, over what that one has left */
        world->aside[0] = "0011";
        world->fails = "c1:# the new data, beside the old";
        assert_int_equal(restore("b.db", 2, false), -ENOSPC);
        assert_false(happened("as it was"));
        assert_contains(advice(), "/b.db\n");
}

static void test_failure_at_the_end(void **state) {
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->fails = "all:install";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_contains(advice(), "This goes on with: hardway etcd restore /");
        assert_true(is_begun());
        world->starts = true; /* etcd does; what fails is something else */
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_contains(advice(),
                        "The data is restored, and serves. What is left is done by: hardway install\n");
        assert_false(is_begun());
        assert_true(happened("c0:# what was kept until the new data was seen to work;"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                restore_test(test_undone_before_the_swap),  restore_test(test_not_undone_after_a_no),
                restore_test(test_undo_that_fails),         restore_test(test_undone_beside_what_is_aside),
                restore_test(test_not_undone_after_a_swap), restore_test(test_failure_at_the_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
