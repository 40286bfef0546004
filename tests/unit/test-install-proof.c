/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/install-fixture.h"

/* A rollout that has to prove itself on each of the fake nodes, and is taken back where it does not. */

static int fake_prove(void *userdata, const ProbeContext *probes, const Node *node, Error **reterr) {
        assert_ptr_equal(userdata, &world);
        assert_ptr_equal(probes->cluster, &world.cluster);
        world_log(node, "prove");
        if (streq_null(world.unproven, node->name))
                return error_set(reterr, ERROR_VERIFY, EKEYREJECTED, "still shows the old one");
        return 0;
}

static int fake_take_back(void *userdata, const Node *node, Error **reterr) {
        assert_ptr_equal(userdata, &world);
        world_log(node, "take-back");
        if (world.keeps)
                return 0;
        world.wanted = "one";
        return 1;
}

static const InstallProof proof = { .prove = fake_prove, .take_back = fake_take_back, .userdata = &world };

static void test_proven_one_by_one(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        assert_int_equal(run_some(0, 2), 0);
        assert_string_equal(buffer_str(&world.log),
                            "c0 gate, c0 put, c0 record, c0 aside, c0 restart, c0 back, c0 gate, c0 prove, "
                            "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, c1 gate, c1 prove");
        assert_true(world.result.nodes[0].touched && world.result.nodes[1].touched);
        assert_false(world.result.nodes[0].taken_back || world.result.nodes[1].taken_back);
}

#define C0_CHANGED "c0 gate, c0 put, c0 record, c0 aside, c0 restart, c0 back, c0 gate, c0 prove, "
#define C1_BACK "c1 take-back, c1 put, c1 record, c1 aside, c1 restart, c1 back"

static void assert_c1_taken_back(void) {
        assert_outcomes(INSTALL_CHANGED, INSTALL_BROKEN, INSTALL_UNTOUCHED);
        assert_true(world.result.nodes[1].touched && world.result.nodes[1].taken_back);
        assert_false(world.result.nodes[2].touched);
        assert_string_equal(world.fakes[0].running, "two");
        assert_string_equal(world.fakes[1].running, "one");
        assert_string_equal(world.fakes[2].running, "one");
        assert_int_equal(n_working(), 3);
        assert_contains(world.errors.errors[0]->detail,
                        "c1 was given back what it had before, and works again");
        assert_contains(world.errors.errors[0]->detail, "not touched: c2");
}

static void test_taken_back_when_not_proven(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.unproven = "c1";
        assert_true(run_some(0, 3) < 0);
        assert_string_equal(
                buffer_str(&world.log), C0_CHANGED
                "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, c1 gate, c1 prove, c1 gate, " C1_BACK);
        assert_error(0, "c1: still shows the old one");
        assert_c1_taken_back();
}

static void test_taken_back_when_not_ready(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.fakes[1].dislikes = "two";
        assert_true(run_some(0, 3) < 0);
        assert_string_equal(buffer_str(&world.log), C0_CHANGED
                            "c1 gate, c1 put, c1 record, c1 aside, c1 restart, c1 back, " C1_BACK);
        assert_error(0, "c1: alpha did not become ready");
        assert_c1_taken_back();
}

/* Another member was lost just after the restart: one more would be the end of the quorum. */
static void test_not_taken_back_at_risk(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.closes_gate = "c1";
        assert_true(run_some(0, 3) < 0);
        assert_outcomes(INSTALL_CHANGED, INSTALL_BROKEN, INSTALL_UNTOUCHED);
        assert_int_equal(count_of("take-back"), 0);
        assert_int_equal(count_of("c1 restart"), 1);
        assert_string_equal(world.fakes[1].running, "two");
        assert_true(world.result.nodes[1].touched);
        assert_false(world.result.nodes[1].taken_back);
        assert_error(0, "c1: changed, but the cluster is not well because of alpha: a member is away");
        assert_contains(world.errors.errors[0]->detail,
                        "c1 could not be given back what it had before: one more restart would put the "
                        "cluster at risk, because of alpha: a member is away");

        /* one that does not work loses nothing by it */
        world.gate_closed = false;
        make_serving();
        world.wanted = "three";
        world.fakes[1].dislikes = "three";
        assert_true(run_some(0, 3) < 0);
        assert_true(world.result.nodes[1].taken_back);
        assert_string_equal(world.fakes[1].running, "one");
}

/* The old one does not help either. */
static void test_not_taken_back(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.unproven = "c1";
        world.keeps = true;
        assert_true(run_some(0, 3) < 0);
        assert_string_equal(world.fakes[1].running, "two");
        assert_false(world.result.nodes[1].taken_back);
        assert_null(strstr(world.errors.errors[0]->detail, "given back"));

        make_serving();
        world.wanted = "three";
        world.keeps = false;
        world.fakes[1].broken = true;
        world.unproven = NULL;
        assert_true(run_some(0, 3) < 0);
        assert_false(world.result.nodes[1].taken_back);
        assert_contains(world.errors.errors[0]->detail,
                        "c1 could not be given back what it had before: alpha did not become ready");
}

/* Who presses Ctrl-C wants an end, and goes on later. */
static void test_cancelled_is_not_taken_back(void **state) {
        make_serving();
        world.wanted = "two";
        world.proof = &proof;
        world.fakes[0].dislikes = "two";
        world.cancel_at = "restart";
        assert_int_equal(run_some(0, 3), -ECANCELED);
        assert_int_equal(count_of("take-back"), 0);
        assert_string_equal(world.fakes[0].running, "two");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                install_test(test_proven_one_by_one),         install_test(test_taken_back_when_not_proven),
                install_test(test_taken_back_when_not_ready), install_test(test_not_taken_back),
                install_test(test_not_taken_back_at_risk),    install_test(test_cancelled_is_not_taken_back),
        };

        return cmocka_run_group_tests_name("install-proof", tests, NULL, NULL);
}
