/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/pair-fixture.h"

/* Whether a load balancer, or an apiserver behind the pair, may be stopped now, and who has the VIP then */

static void test_haproxy_gate(void **state) {
        const Node *controller = f.nodes, *balancer = LB0;

        expect(haproxy_gate, controller, PROBE_READY, NULL);
        answers[1] = "";
        expect(haproxy_gate, balancer, PROBE_READY, NULL); /* not installed yet */
        answers[1] = "installed\nhaproxy active\n";
        expect(haproxy_gate, controller, PROBE_WAITING, "lb1: haproxy does not answer");

        /* c0 is ready, c1 is not: only the one is missed */
        answers[1] = "installed\npage 200\nserver c0,UP,L7OK,\nserver c1,DOWN,L7STS,\n";
        expect(haproxy_gate, controller, PROBE_READY, NULL);
        answers[1] = "installed\npage 200\nserver c0,DOWN,L4TOUT,\nserver c1,UP,L7OK,\n";
        expect(haproxy_gate, controller, PROBE_WAITING, "lb1: c0 is ready, haproxy has it as DOWN (L4TOUT)");

        /* the other one may be off while a controller is changed, but not while this one is */
        answers[1] = NULL;
        expect(haproxy_gate, controller, PROBE_READY, NULL);
        expect(haproxy_gate, balancer, PROBE_WAITING, "lb1: no route to host");
}

static void test_keepalived_gate(void **state) {
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        answers[1] = OWNER;
        expect(keepalived_gate, LB0, PROBE_WAITING, "more than one holds the VIP");

        /* half-way to another virtual router id the way on is forward */
        f.cluster.endpoint.vrrp_id = 77;
        answers[0] = OWNER "router 77\n";
        answers[1] = OWNER "router 240\n";
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        answers[1] = OWNER "router 77\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "more than one holds the VIP");
        answers[0] = STANDBY "router 77\n";
        answers[1] = STANDBY "router 240\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "nobody holds the VIP");
        answers[0] = answers[1] = STANDBY;
        expect(keepalived_gate, f.nodes, PROBE_WAITING, "nobody holds the VIP");
        answers[0] = answers[1] = "";
        expect(keepalived_gate, f.nodes, PROBE_READY, NULL);
        answers[0] = OWNER;
        answers[1] = "installed\nkeepalived active\nvrrp FAULT 1\ndown 1\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "lb1: keepalived stands back");

        /* both were ill, and it is the other one's turn next */
        const Node *const next[] = { LB1 };
        probes.ill = next;
        probes.n_ill = 1;
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        expect(haproxy_gate, LB0, PROBE_READY, NULL);
        answers[0] = STANDBY;
        expect(keepalived_gate, LB0, PROBE_WAITING, "nobody holds the VIP");
}

static void hand_over(int wanted) {
        _cleanup_error_ Error *error = NULL;
        int r = keepalived_hand_over(&probes, LB0, &error);

        assert_int_equal(r, wanted);
        assert_int_equal(error != NULL, wanted < 0);
}

static void test_hand_over(void **state) {
        bool leads;

        after_script[0] = STANDBY;
        after_script[1] = OWNER;
        assert_int_equal(keepalived_leads(&probes, LB0, &leads, NULL), 0);
        assert_true(leads);
        hand_over(0);
        assert_contains(last_script, "vip='10.77.0.10'\n");
        assert_contains(last_script, "handover='/run/hardway/handover'\n");
        assert_contains(last_script, "trap 'echo 0 >\"$handover\"' EXIT\n");
        assert_int_equal(keepalived_leads(&probes, LB0, &leads, NULL), 0);
        assert_false(leads);
}

static void test_hand_over_not(void **state) {
        static const char *const unable[] = {
                NULL,
                "",
                "installed\nkeepalived active\nvrrp FAULT 1\npage 200\n",
                "installed\nkeepalived active\nvrrp BACKUP 1\n",
                "installed\nkeepalived active\nvrrp BACKUP 1\npage 503\n", /* blind, and we are not */
        };

        for (size_t i = 0; i < ARRAY_SIZE(unable); i++) {
                answers[1] = unable[i];
                hand_over(0);
                assert_null(last_script);
        }
        answers[0] = STANDBY;
        answers[1] = OWNER;
        hand_over(0);
        assert_null(last_script);
}

/* Who is to let go of the VIP has it until its turn comes. */
static void test_former_holder(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        ProbeResult result = {};

        answers[0] = STANDBY;
        assert_int_equal(keepalived_gate(&probes, f.nodes, &result, NULL), 0);
        assert_string_equal(result.text, "nobody holds the VIP");
        probe_result_done(&result);
        controllers_say = OWNER;
        assert_int_equal(keepalived_gate(&probes, f.nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        probe_result_done(&result);
        /* when another one had its turn, which goes, too */
        assert_int_equal(keepalived_gate(&probes, f.nodes + 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        probe_result_done(&result);
        probes.before = true;
        assert_int_equal(keepalived_gate(&probes, f.nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        probe_result_done(&result);

        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        assert_string_equal(checks.checks[0].text, "held by c0, which is to let go of it");
}

/* Two hold the VIP as one was not told of the other: what is about to be changed is what mends it. */
static void test_gate_of_strangers(void **state) {
        answers[0] = OWNER;
        answers[1] = OWNER "peer 10.77.0.11\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "more than one holds the VIP");
        probes.before = true;
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        answers[0] = OWNER "peer 10.77.0.12\n";
        expect(keepalived_gate, LB0, PROBE_WAITING, "more than one holds the VIP");
}

/* The cluster file has another VIP: who stands by is first, and who holds the old one lets go when the new one is held. */
static void test_another_vip(void **state) {
        static const char old_owner[] = WELL "vrrp MASTER 900\nvip 10.77.0.9\naddress 10.77.0.9/32\n";
        static const char old_standby[] = STANDBY "vip 10.77.0.9\n";
        bool leads;

        answers[0] = old_owner;
        answers[1] = old_standby;
        expect(keepalived_ready, LB0, PROBE_READY, "holds 10.77.0.9 still");
        assert_int_equal(keepalived_leads(&probes, LB0, &leads, NULL), 0);
        assert_true(leads);
        assert_int_equal(keepalived_leads(&probes, LB1, &leads, NULL), 0);
        assert_false(leads);

        probes.before = true;
        expect(keepalived_gate, f.nodes, PROBE_READY, NULL);
        expect(keepalived_gate, LB1, PROBE_READY, NULL);
        probes.before = false;
        expect(keepalived_gate, f.nodes, PROBE_READY, NULL); /* a controller was changed */

        answers[1] = STANDBY "vip 10.77.0.10\n";
        expect(keepalived_gate, LB1, PROBE_WAITING, "nobody holds the VIP");
        expect(keepalived_ready, LB0, PROBE_READY, "holds 10.77.0.9 still");
        answers[1] = OWNER "vip 10.77.0.10\n";
        expect(keepalived_gate, LB1, PROBE_READY, NULL);
        probes.before = true;
        expect(keepalived_gate, LB0, PROBE_READY, NULL);
        probes.before = false;
        answers[0] = STANDBY "vip 10.77.0.10\n";
        expect(keepalived_gate, LB0, PROBE_READY, NULL);

        /* told of the new one, and killed before it was started with it: the way on is forward */
        answers[0] = old_owner;
        answers[1] = STANDBY "vip 10.77.0.10\n";
        probes.before = true;
        expect(keepalived_gate, LB1, PROBE_READY, NULL);

        /* nobody holds any */
        answers[0] = old_standby;
        expect(keepalived_gate, LB1, PROBE_WAITING, "nobody holds the VIP");
}

static void spare(const Node *const *nodes, size_t n, ProbeState state, const char *text) {
        ProbeResult result = {};

        assert_int_equal(haproxy_spare(&probes, nodes, n, &result, NULL), 0);
        assert_int_equal(result.state, state);
        if (text)
                assert_contains(result.text, text);
        else
                assert_null(result.text);
        probe_result_done(&result);
}

static void test_spare(void **state) {
        const Node *const both[] = { LB0, LB1 }, *const controllers[] = { f.nodes, f.nodes + 1 };

        spare(controllers, 2, PROBE_READY, NULL);
        spare(both, 1, PROBE_READY, "One load balancer is left");
        spare(both, 2, PROBE_FAILED, "no load balancer that works would be left");
        answers[1] = NULL;
        spare(both, 1, PROBE_FAILED, "no load balancer");
        answers[0] = "installed\n"; /* it does nothing any more */
        spare(both, 2, PROBE_READY, NULL);

        /* the last that works may be one that is a load balancer no more */
        controllers_say = OWNER;
        spare(controllers, 1, PROBE_FAILED, "no load balancer that works would be left");
        answers[0] = STANDBY;
        spare(controllers, 1, PROBE_READY, "One load balancer is left");
        controllers_say = WELL "vrrp FAULT 1\n";
        answers[0] = "";
        spare(controllers, 1, PROBE_READY, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                pair_test(test_haproxy_gate),  pair_test(test_keepalived_gate),
                pair_test(test_hand_over),     pair_test(test_hand_over_not),
                pair_test(test_former_holder), pair_test(test_gate_of_strangers),
                pair_test(test_another_vip),   pair_test(test_spare),
        };

        return cmocka_run_group_tests_name("lbsetup-gate", tests, NULL, NULL);
}
