/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/etcd-fixture.h"

/* Does an etcd of this cluster serve, and where? Also where this machine cannot ask it. */

static void test_serving(void **state) {
        bool serving = true;
        FIXTURE;

        members[0].up = members[1].up = false;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_false(serving);
        members[1].up = true;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_true(serving);
        members[1].leader = 0;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_false(serving);
}

/* A member that is away has the others not wait for it in turn. */
static void test_serving_at_once(void **state) {
        bool serving = false;
        FIXTURE;

        n_asked = 0;
        together = true;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        together = false;
        assert_true(serving);
        assert_int_equal(n_alone, 0);
}

/* The cluster lives where an edit of the cluster file has nothing of it any more. */
static void test_serving_elsewhere(void **state) {
        _cleanup_error_ Error *error = NULL;
        bool serving = false;
        FIXTURE;

        context.store = (Store*) members;
        members[0].up = false;
        former = "old";

        /* it is in the cluster file, under whatever name */
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_true(serving);

        (void) inet_address_parse("10.77.0.20", &nodes[1].address);
        serving = false;
        assert_int_equal(component_etcd.serving(&context, &serving, &error), -EEXIST);
        assert_false(serving);
        assert_int_equal(error->kind, ERROR_UNAVAILABLE);
        assert_contains(error->message, "etcd of this cluster serves on old (10.77.0.21:2379)");
        assert_contains(error->detail, "hardway etcd restore FILE");
        error = error_free(error);

        /* a member of the cluster file that has another address by it than where it serves */
        former = "c1";
        assert_int_equal(component_etcd.serving(&context, &serving, &error), -EEXIST);
        assert_false(serving);
        assert_contains(error->message,
                        "etcd of this cluster serves on c1 at 10.77.0.21:2379, which is not its "
                        "address by the cluster file");
        assert_contains(error->detail, "put today's addresses back into the cluster file");
        assert_contains(error->detail, "hardway etcd replace NAME");
        former = "old";

        /* without a leader it has its data all the same; switched off it has not */
        members[1].leader = 0;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), -EEXIST);
        members[1].up = false;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_false(serving);
        former = NULL;
        context.store = NULL;
}

/* etcd went to hosts of its own, and on a controller of today's file a member serves. */
static void test_serving_on_a_controller(void **state) {
        _cleanup_error_ Error *error = NULL;
        bool serving = false;
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "of 0125ab\netcd_server_has_leader 1\n";
        nodes[0].roles = ROLE_CONTROLLER;
        nodes[1].roles = ROLE_ETCD;
        members[1].up = false;
        assert_int_equal(component_etcd.serving(&context, &serving, &error), -EEXIST);
        assert_contains(error->message, "etcd of this cluster serves on c0");
        members[0].up = false;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), -EHOSTUNREACH);
        assert_false(serving);
        context.store = NULL;
}

/* Nobody answers this machine: what do the nodes themselves say? */
static void test_serving_unseen(void **state) {
        static const struct {
                const char *told;
                int result;
        } rows[] = {
                { "of 0125ab\netcd_server_has_leader 1\n", -EHOSTUNREACH },
                { "of 0125ab\n", 0 },
                { "of 77\netcd_server_has_leader 1\n",
                  0 }, /* another cluster's: that is refused elsewhere */
                { "of \netcd_server_has_leader 1\n", 0 },
                { "", 0 },
        };
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        members[0].up = members[1].up = false;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_error_ Error *error = NULL;
                bool serving = false;

                told = rows[i].told;
                assert_int_equal(component_etcd.serving(&context, &serving, &error), rows[i].result);
                assert_false(serving);
                if (error)
                        assert_contains(error->message, "etcd serves on c0, and this machine cannot ask it");
        }
        context.store = NULL;
}

/* What has expired everywhere is changed everywhere at once: not so where one member only is not to be asked for that. */
static void test_expired_unseen(void **state) {
        static const struct {
                int refusals[2], result;
        } rows[] = {
                { { EKEYEXPIRED, EKEYEXPIRED }, -EKEYEXPIRED },
                { { EKEYEXPIRED, EACCES }, -EHOSTUNREACH },
                { { ECONNREFUSED, EKEYEXPIRED }, -EHOSTUNREACH },
        };
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "of 0125ab\netcd_server_has_leader 1\n";
        members[0].up = members[1].up = false;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                bool serving = false;

                members[0].refusal = rows[i].refusals[0];
                members[1].refusal = rows[i].refusals[1];
                assert_int_equal(component_etcd.serving(&context, &serving, NULL), rows[i].result);
                assert_false(serving);
        }
        members[0].refusal = members[1].refusal = 0;
        context.store = NULL;
}

/* Between two leaders: that takes its time, and is over then. Where no quorum runs nobody waits. */
static void test_election_is_serving(void **state) {
        bool serving = false;
        uint64_t begin;
        FIXTURE;

        c.timings.etcd_election_msec = 5000;
        members[0].leader = members[1].leader = 0;
        elected = 101;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_true(serving);

        elected = 0;
        members[1].leader = 0;
        begin = fake_now;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_false(serving);
        assert_in_range(fake_now - begin, 10 * USEC_PER_SEC, 11 * USEC_PER_SEC);

        members[0].up = false;
        begin = fake_now;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_int_equal(fake_now, begin);

        /* the same, where only the nodes can tell */
        context.store = (Store*) members;
        context.exec = tell;
        members[1].up = false;
        told = "of 0125ab\netcd_server_has_leader 0\n";
        told_later = "of 0125ab\netcd_server_has_leader 1\n";
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), -EHOSTUNREACH);
        told_later = NULL;
        context.store = NULL;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_serving),
                cmocka_unit_test(test_serving_unseen),
                cmocka_unit_test(test_expired_unseen),
                cmocka_unit_test(test_serving_elsewhere),
                cmocka_unit_test(test_election_is_serving),
                cmocka_unit_test(test_serving_on_a_controller),
                cmocka_unit_test(test_serving_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
