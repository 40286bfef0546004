/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/pair-fixture.h"

/* What the load balancers show of themselves, and whether they are ready */

static void test_parse(void **state) {
        _cleanup_look_ LbLook l = {};

        lb_look_parse(
                &f.cluster,
                "installed\nhaproxy active\nkeepalived failed\ndown 1\nhandover 0\nvrrp FAULT 990\nnow 1000\npage 503\n"
                "server c0,DOWN,L4TOUT,\nserver c1,UP 1/2,* L7STS,HTTP status check, returned 500\nserver BACKEND,UP,,\n"
                "nonsense\naddress 10.77.0.11/24\n",
                &l);
        assert_true(l.installed && l.haproxy_down && !l.handover && !l.holds_vip);
        assert_string_equal(l.keepalived, "failed");
        assert_string_equal(l.vrrp, "FAULT");
        assert_int_equal(l.vrrp_since_sec, 10);
        assert_int_equal(l.page, 503);
        assert_int_equal(l.n_servers, 2);
        assert_int_equal(lb_look_up(&l), 1);
        assert_string_equal(l.servers[0].why, "L4TOUT");
        assert_string_equal(l.servers[1].why, "* L7STS, HTTP status check, returned 500");
}

/* What tracks another server has no check of its own. */
static void test_parse_tracking(void **state) {
        _cleanup_look_ LbLook l = {};

        lb_look_parse(
                &f.cluster,
                "page 200\nserver c0,DOWN,,\nserver c1,UP,,\nserver BACKEND,UP,,\n"
                "check c0,DOWN,L4TOUT,\ncheck c1,UP,L7OK,OK\ncheck c9,UP,L7OK,\ncheck BACKEND,UP,,\ncheck \n",
                &l);
        assert_int_equal(l.n_servers, 2);
        assert_int_equal(lb_look_up(&l), 1);
        assert_string_equal(l.servers[0].why, "L4TOUT");
        assert_string_equal(l.servers[1].why, "L7OK, OK");
}

/* Nothing that a broken node prints may do harm. */
static void test_parse_empty(void **state) {
        const char *const texts[] = {
                "", "\n\n",
                "server\nserver \nserver a\nvrrp\nvrrp \nnow x\npage\npage -1\ndown\ndown \naddress \n"
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_look_ LbLook l = {};

                lb_look_parse(&f.cluster, texts[i], &l);
                assert_false(l.installed || l.holds_vip || l.handover);
                assert_int_equal(l.page, 0);
                assert_int_equal(l.n_servers, 0);
                assert_string_equal(l.haproxy, "");
        }
}

static void test_haproxy_ready(void **state) {
        expect(haproxy_ready, LB0, PROBE_READY, "2 of 2 apiservers");
        answers[0] = "haproxy active\npage 503\nserver c0,DOWN,L4CON,\n";
        expect(haproxy_ready, LB0, PROBE_BLOCKED, "no apiserver is ready yet");
        answers[0] = "haproxy active\n";
        expect(haproxy_ready, LB0, PROBE_WAITING, "does not answer");
        answers[0] = "haproxy failed\n";
        expect(haproxy_ready, LB0, PROBE_WAITING, "is failed");
        answers[0] = NULL;
        expect(haproxy_ready, LB0, PROBE_WAITING, "no route to host");
}

static void test_keepalived_ready(void **state) {
        expect(keepalived_ready, LB0, PROBE_READY, "holds 10.77.0.10");
        expect(keepalived_ready, LB1, PROBE_READY, "standby");

        /* just started: somebody else has it, or nobody yet */
        answers[1] = WELL "vrrp BACKUP 999\n";
        expect(keepalived_ready, LB1, PROBE_READY, "standby");
        answers[0] = STANDBY;
        expect(keepalived_ready, LB1, PROBE_WAITING, "election");

        answers[1] = "keepalived active\nvrrp FAULT 1\ndown 1\npage 200\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "as haproxy does not run");
        answers[1] = "keepalived active\nvrrp FAULT 1\ndown 0\nhandover 1\npage 200\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "as hardway told it to");
        answers[1] = "keepalived active\nvrrp FAULT 1\ndown 0\nhandover 0\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "as haproxy does not answer");
        answers[1] = "keepalived active\nvrrp FAULT 1\ndown 0\nhandover 0\npage 503\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "alone reaches no apiserver");
        answers[1] = "keepalived active\nvrrp \n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "not found its place");
        answers[1] = "keepalived inactive\n";
        expect(keepalived_ready, LB1, PROBE_WAITING, "keepalived.service is inactive");
        answers[1] = NULL;
        expect(keepalived_ready, LB1, PROBE_WAITING, "no route to host");
}

static void test_looked_at_together(void **state) {
        _cleanup_pair_ LbPair pair = {};

        together = true;
        lb_pair_look(&probes, &pair);
        together = false;
        assert_int_equal(pair.n_peers, 2);
        assert_int_equal(pair.peers[0].result, 0);
        assert_int_equal(pair.peers[1].result, 0);
        assert_ptr_equal(pair.peers[0].node, LB0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                pair_test(test_parse),
                pair_test(test_parse_tracking),
                pair_test(test_parse_empty),
                pair_test(test_haproxy_ready),
                pair_test(test_keepalived_ready),
                pair_test(test_looked_at_together),
        };

        return cmocka_run_group_tests_name("lbsetup-look", tests, NULL, NULL);
}
