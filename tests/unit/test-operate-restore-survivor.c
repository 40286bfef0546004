/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/restore-fixture.h"

/* A restore of what a survivor has */

static void test_survivor_is_asked_first(void **state) {
        world->states[0] = ETCD_WAITING;
        world->states[1] = ETCD_AWAY;
        assert_int_equal(restore(NULL, 1, /* dry_run= */ true), 0);
        assert_true(happened("user:asked;"));
        assert_false(happened("what runs") || happened("stop") || happened("lock") || happened("receive"));

        world->no = true;
        assert_int_equal(restore(NULL, 1, false), -ECANCELED);
        assert_true(happened("c0:lock;"));
        assert_false(happened("a clean end") || happened("receive") || is_begun());

        world->no = false;
        assert_int_equal(restore(NULL, 1, false), 0);
        assert_true(strstr(buffer_str(&world->log), "user:asked;") <
                    strstr(buffer_str(&world->log), "c0:# a clean end"));
        assert_contains(world->sent, "snapshots/test-");
        assert_false(is_begun());
}

static void test_survivor_of_another_cluster(void **state) {
        world->states[0] = ETCD_AWAY;
        world->states[1] = ETCD_AWAY;
        world->identity[0] = "ef01";
        assert_int_equal(restore(NULL, 1, false), -EEXIST);
        assert_false(happened("user:asked") || happened("a clean end"));
        world->identity[0] = IDENTITY;
        world->mark[0] = "00112233445566778899aabbccddeeff"; /* of another restore than the last */
        assert_int_equal(restore(NULL, 1, false), -EXDEV);
        assert_false(happened("user:asked") || happened("a clean end"));
}

/* A member that answers is not stopped because there is no room here. */
static void test_survivor_that_answers(void **state) {
        world->states[1] = ETCD_AWAY;
        world->fails = "c0:save";
        assert_int_equal(restore(NULL, 1, false), -ENOSPC);
        assert_false(happened("a clean end") || happened("nothing runs"));
        world->fails = NULL;
        assert_int_equal(restore(NULL, 1, false), 0);
        assert_false(happened("a clean end"));
}

static void test_survivor_is_started_again(void **state) {
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->damaged = true;
        assert_int_equal(restore(NULL, 1, false), -EBADMSG);
        assert_true(happened("c0:# a clean end") && happened("c0:# as it was;"));
        assert_false(happened("nothing runs") || is_begun());
        assert_contains(advice(),
                        "What was stopped is started again on c0.\n"
                        "Once the cause is gone: hardway etcd restore --survivor c0 --without c1\n");
}

/* A restore of a file that stopped half way is not what a survivor has. */
static void test_survivor_after_another_restore(void **state) {
        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_true(is_begun());
        world->fails = NULL;
        world->states[1] = ETCD_AWAY;
        world->aside[0] = "0011";
        assert_int_equal(restore(NULL, 1, false), -EBUSY);
        assert_false(happened("user:asked"));
        world->aside[0] = NULL;
        store_free(world->store);
        assert_true(store_open(world->dir->path, &world->store, NULL) >= 0);
        world->swapped = true; /* the mark is that of the cluster */
        assert_int_equal(restore(NULL, 1, false), 0);
        assert_contains(world->sent, "snapshots/test-");
        assert_contains(world->question, "a.db onto c0,c1 that was begun at ");
}

/* Before the swap it may have been started again since; after it, what it has is no longer its own. */
static void test_survivor_goes_on(void **state) {
        char first[PATH_MAX];

        world->states[0] = world->states[1] = ETCD_AWAY;
        world->fails = "c0:# the new data, beside the old";
        assert_int_equal(restore(NULL, 1, false), -ENOSPC);
        assert_true(is_begun());
        world->fails = "c0:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore(NULL, 1, false), -ENOSPC);
        assert_true(happened("a clean end") && !world->result.resumed);
        (void) snprintf(first, sizeof(first), "%s", world->sent);
        store_free(world->store);
        assert_true(store_open(world->dir->path, &world->store, NULL) >= 0);
        world->fails = NULL;
        assert_int_equal(restore(NULL, 1, false), 0);
        assert_true(world->result.resumed && !happened("a clean end"));
        assert_string_equal(world->sent, first);
}

/* A survivor that was stopped to be read goes on then. */
static void test_survivor_after_a_stop(void **state) {
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->stops = "c0:receive";
        assert_int_equal(restore(NULL, 1, false), -ECANCELED);
        assert_true(happened("c0:# a clean end") && happened("c0:# as it was;"));
        assert_false(happened("nothing runs"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                restore_test(test_survivor_is_asked_first),
                restore_test(test_survivor_of_another_cluster),
                restore_test(test_survivor_that_answers),
                restore_test(test_survivor_is_started_again),
                restore_test(test_survivor_after_another_restore),
                restore_test(test_survivor_goes_on),
                restore_test(test_survivor_after_a_stop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
