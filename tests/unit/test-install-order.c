/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/install-fixture.h"

/* Whose turn it is in a rollout over fake nodes, and what stops it. */

static void test_one_by_one(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[0].leads = true;
        world.fakes[3].leads = true;
        assert_int_equal(run_all(), 0);
        assert_true(world.result.serving);
        assert_string_equal(
                buffer_str(&world.log),
                "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, c1 gate, "
                "c2 gate, c2 put, c2 record, c2 aside, c2 restart, c2 back, c2 gate, "
                "c0 gate, c0 put, c0 record, c0 hands-over, c0 aside, c0 restart, c0 back, c0 gate, "
                "lb1 gate, lb1 put, lb1 record, lb1 restart, lb1 gate, "
                "lb0 gate, lb0 put, lb0 record, lb0 hands-over, lb0 restart, lb0 gate");
}

/* Who came in a run that was killed is as planned, and has no turn: all the same load balancers hear of it before another one stops. */
static void test_load_balancers_hear_of_who_has_joined(void **state) {
        make_serving();
        world.fakes[0].running = world.fakes[0].put = "two";
        world.wanted = "two";
        world.came = true;
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "lb0 gate, lb0 put, lb0 record, lb0 restart, lb0 gate, "
                            "lb1 gate, lb1 put, lb1 record, lb1 restart, lb1 gate, "
                            "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, c1 gate, "
                            "c2 gate, c2 put, c2 record, c2 aside, c2 restart, c2 back, c2 gate");
}

/* Who stood still for a moment when all were asked works, and has the turn of those that do: load balancers come before it here. */
static void test_ill_for_a_moment(void **state) {
        make_serving();
        world.fakes[0].running = world.fakes[0].put = "two";
        world.wanted = "two";
        world.came = true;
        world.fakes[2].stalls = 1;
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "lb0 gate, lb0 put, lb0 record, lb0 restart, lb0 gate, "
                            "lb1 gate, lb1 put, lb1 record, lb1 restart, lb1 gate, "
                            "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, c1 gate, "
                            "c2 gate, c2 put, c2 record, c2 aside, c2 restart, c2 back, c2 gate");
}

/* The others have to have told it that they are there, or it would lead as well. */
static void test_new_load_balancer_is_last(void **state) {
        make_serving();
        world.fakes[3].put = NULL;
        world.fakes[3].running = NULL;
        world.fakes[3].recorded = false;
        world.wanted = "two";
        assert_int_equal(run_some(3, 2), 0);
        assert_string_equal(
                buffer_str(&world.log),
                "lb1 gate, lb1 put, lb1 record, lb1 restart, lb1 gate, lb0 put, lb0 record, lb0 start");
}

/* Where its package was there before, its service runs: nothing of the cluster's, which need not be well for its restart. */
static void test_service_that_was_somebody_elses(void **state) {
        make_serving();
        world.fakes[3].put = NULL;
        world.fakes[3].running = "";
        world.fakes[3].recorded = false;
        world.gate_closed = true;
        assert_int_equal(run_some(3, 1), 0);
        assert_string_equal(buffer_str(&world.log), "lb0 put, lb0 record, lb0 restart");

        /* what was hardway's, and was taken away by hand, serves all the same */
        buffer_done(&world.log);
        world.fakes[3].put = NULL;
        assert_int_equal(run_some(3, 1), -EAGAIN);
}

static void make_new(size_t i) {
        world.fakes[i].put = NULL;
        world.fakes[i].running = NULL;
        world.fakes[i].recorded = false;
}

#define TOLD(n) n " put, " n " reload, " n " record, "

/* A controller that is a load balancer as well joins before others have their turn; and those that run know it by then. */
static void test_peers_are_told_of_who_comes(void **state) {
        for (size_t i = 0; i < 3; i++)
                world.nodes[i].roles |= ROLE_LOADBALANCER;
        world.peers = true;
        make_serving();
        make_new(2);
        world.wanted = "two";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            TOLD("c0") TOLD("c1") TOLD("lb0") TOLD("lb1") "c2 put, c2 record, c2 start");
        assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_CHANGED);
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);

        /* interrupted when some are told: those that are not, before anything else */
        make_new(2);
        world.wanted = "three";
        world.cancel_at = "reload";
        assert_int_equal(run_all(), -ECANCELED);
        assert_null(world.fakes[2].put);
        world.cancel_at = NULL;
        world.cancelled = 0;
        assert_int_equal(run_all(), 0);
        assert_non_null(strstr(buffer_str(&world.log), TOLD("lb1") "c2 put, c2 record, c2 start"));
        assert_string_equal(world.fakes[0].running, "three");

        /* or when the file was there, and not taken in yet */
        make_new(2);
        world.fakes[0].running = "two";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "c0 reload, c0 record, c2 put, c2 record, c2 start");
}

/* It is told, too, but not waited for before its turn. */
static void test_peer_that_is_ill(void **state) {
        world.peers = true;
        make_serving();
        make_new(4);
        world.wanted = "two";
        world.fakes[3].broken = true;
        assert_true(run_some(3, 2) < 0);
        assert_string_equal(buffer_str(&world.log), "lb0 put, lb0 reload, lb0 put, lb0 record, lb0 reload");
        assert_error(0, "lb0: alpha did not become ready");
}

/* One that still runs is known to the others until it has stopped: also where another one comes. */
static void test_peers_forget_who_has_left(void **state) {
        world.peers = true;
        make_serving();
        world.nodes[1].roles = ROLE_ETCD; /* which alpha is not for */
        world.fakes[1].retires = "/etc/systemd/system/alpha.service";
        world.retired = "alpha.service";
        world.nodes[4].roles = ROLE_CONTROLLER | ROLE_LOADBALANCER;
        make_new(4);
        world.wanted = "two";
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 aside, c1 stop, c1 put, c1 record, c1 back, c1 gate, " TOLD("c0")
                                    TOLD("c2") TOLD("lb0") "lb1 put, lb1 record, lb1 start");
}

/* Also where the one that is about to forget it is ill, and would come first: two would hold the VIP. */
static void test_ill_peer_forgets_who_has_left(void **state) {
        for (size_t i = 0; i < 2; i++) {
                make_serving();
                world.peers = true;
                world.nodes[1].roles = ROLE_ETCD; /* which alpha is not for */
                world.fakes[1].retires = "/etc/systemd/system/alpha.service";
                world.retired = "alpha.service";
                world.nodes[4].roles = ROLE_CONTROLLER | ROLE_LOADBALANCER;
                world.fakes[0].broken = true;
                if (i == 1)
                        world.fakes[0].running = NULL;
                world.wanted = i == 0 ? "two" : "three";
                assert_true(run_all() < 0);
                assert_error(0, "c0: alpha did not become ready");
                assert_non_null(startswith(buffer_str(&world.log), "c1 gate, c1 aside, c1 stop, "));
                assert_non_null(strstr(buffer_str(&world.log), i == 0 ? "c0 reload" : "c0 start"));
        }
}

static void test_stops_at_the_first(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[0].broken = true; /* it was ill before: so it comes first, and its gate is not asked */
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_BROKEN, INSTALL_UNTOUCHED, INSTALL_UNTOUCHED);
        assert_string_equal(buffer_str(&world.log), "c0 put, c0 record, c0 aside, c0 restart, c0 back");
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c0: alpha did not become ready in 60 s: not up");
        assert_contains(world.errors.errors[0]->detail, "alpha.service: its last words");
        assert_contains(world.errors.errors[0]->detail, "not touched: c1, c2, lb0, lb1");
        assert_int_equal(error_exit_code(world.errors.errors[0]), 69);
        /* each question costs the node a login: they become fewer and fewer */
        assert_in_range(world.fakes[0].n_asked, 60, 120);
}

/* A run was ended when the first one had been started and had not joined yet: nothing differs there any more, and the gate of the
 * others waits for it. */
static void test_settles_what_joined_before(void **state) {
        make_serving();
        world.wanted = "two";
        assert_int_equal(run_some(0, 1), 0);
        buffer_clear(&world.log);
        world.joined = world.nodes;
        world.gate_closed = true;
        assert_int_equal(run_all(), 0);
        assert_non_null(startswith(buffer_str(&world.log), "c0 settled, c1 gate, c1 put"));
}

/* The first of those that are to be mended does not wait for the others to be well. */
static void test_ill_are_not_waited_for(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[3].stalls = world.fakes[4].stalls = 2; /* also when their turn comes */
        assert_int_equal(run_all(), 0);
        assert_int_equal(world.n_ill[0], 2);
        assert_int_equal(world.n_ill[3], 1);
        assert_int_equal(world.n_ill[4], 0);
}

static void test_failed_job(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[0].job_fails = true;
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_BROKEN, INSTALL_UNTOUCHED, INSTALL_UNTOUCHED);
        assert_error(0, "c0: restart of alpha.service: it failed");
        assert_contains(world.errors.errors[0]->detail, "alpha.service: its last words");
}

/* Whatever a run that was killed has set aside is brought back before the first gate; also by one that is
 * about other nodes. */
static void test_brings_back(void **state) {
        make_serving();
        world.wanted = "two";
        world.aside = world.nodes + 2;
        assert_int_equal(run_some(3, 1), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c2 back, lb0 gate, lb0 put, lb0 record, lb0 restart, lb0 gate");

        /* the next node is not touched while this one gets no work */
        world.bring_back_fails = true;
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_BROKEN, INSTALL_UNTOUCHED, INSTALL_UNTOUCHED);
        assert_error(0, "c0: alpha: lb0: it does not answer");
        assert_string_equal(buffer_str(&world.log), "c0 gate, c0 put, c0 record, c0 aside, c0 restart");

        /* nor is any by the next run */
        assert_true(run_all() < 0);
        assert_string_equal(buffer_str(&world.log), "");
}

static void test_mends_the_ill_first(void **state) {
        make_serving();
        world.wanted = "two";
        world.fakes[2].running = NULL;
        assert_int_equal(run_all(), 0);
        assert_int_equal(strncmp(buffer_str(&world.log), "c2 put, c2 record, c2 start, c1 gate", 20), 0);
        assert_in_range(world.fakes[2].n_asked, 1, 5); /* systemd has said that it does not run */
}

/* A disk that stalls, or a packet that is lost, when another one is lost already: this one is part of the quorum. */
static void test_slow_is_not_ill(void **state) {
        make_serving();
        world.wanted = "two";
        world.gate_closed = true;
        world.fakes[0].stalls = 4;
        assert_true(run_some(0, 1) < 0);
        assert_error(0, "c0: not changed");
        assert_int_equal(count_of("restart"), 0);
        assert_string_equal(world.fakes[0].put, "one");
}

static void test_closed_gate(void **state) {
        make_serving();
        world.wanted = "two";
        world.gate_closed = true;
        assert_true(run_all() < 0);
        assert_error(0, "c0: not changed");
        assert_error(0, "a member is away");
        assert_int_equal(count_of("put"), 0);
        assert_int_equal(count_of("restart"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                install_test(test_one_by_one),
                install_test(test_new_load_balancer_is_last),
                install_test(test_service_that_was_somebody_elses),
                install_test(test_peers_are_told_of_who_comes),
                install_test(test_peer_that_is_ill),
                install_test(test_peers_forget_who_has_left),
                install_test(test_ill_peer_forgets_who_has_left),
                install_test(test_stops_at_the_first),
                install_test(test_ill_are_not_waited_for),
                install_test(test_settles_what_joined_before),
                install_test(test_failed_job),
                install_test(test_mends_the_ill_first),
                install_test(test_slow_is_not_ill),
                install_test(test_brings_back),
                install_test(test_closed_gate),
                install_test(test_load_balancers_hear_of_who_has_joined),
                install_test(test_ill_for_a_moment),
        };

        return cmocka_run_group_tests_name("install-order", tests, NULL, NULL);
}
