/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/pair-fixture.h"

/* An apiserver gets no new work before it is stopped, and gets it again. */

static void set_aside(const Node *node, unsigned n) {
        _cleanup_error_ Error *error = NULL;

        n_scripts = 0;
        assert_success(haproxy_set_aside(&probes, node, &error), error, 0);
        assert_int_equal(n_scripts, n);
}

static void bring_back(unsigned n) {
        _cleanup_error_ Error *error = NULL;

        n_scripts = 0;
        assert_success(haproxy_bring_back(&probes, &error), error, 0);
        assert_int_equal(n_scripts, n);
}

static void test_set_aside(void **state) {
        _cleanup_error_ Error *error = NULL;

        set_aside(f.nodes, 2);
        assert_non_null(startswith(last_script, ASIDE "verb='set-aside'\nserver='c0'\n"));
        assert_contains(last_script, "state drain");
        set_aside(LB0, 0); /* nothing stands behind haproxy there */
        f.nodes[0].roles = ROLE_ETCD;
        set_aside(f.nodes, 2); /* haproxy has yet to learn that it is a controller no more */
        f.nodes[0].roles = ROLE_CONTROLLER | ROLE_ETCD;

        /* whoever is off, not installed or hung is passed over */
        answers[0] = NULL;
        set_aside(f.nodes, 1);
        answers[1] = "installed\nhaproxy active\n";
        set_aside(f.nodes, 0);

        /* nobody could take its place */
        answers[1] = "installed\npage 200\nserver c0,UP,L7OK,\nserver c1,DOWN,L4CON,\n";
        set_aside(f.nodes, 0);
        set_aside(f.nodes + 1, 1);

        exec_fails = true;
        assert_int_equal(haproxy_set_aside(&probes, f.nodes + 1, &error), -EREMOTEIO);
        assert_string_equal(error->message, "c1 could not be set aside: lb1: haproxy says: no");
}

static void test_bring_back(void **state) {
        _cleanup_error_ Error *error = NULL;
        CheckList l = {};

        bring_back(0);
        answers[1] = STANDBY "aside c1\n";
        bring_back(1);
        assert_non_null(
                startswith(last_script, ASIDE "verb='try-back'\nserver='c1'\n")); /* c1 is not ready */
        answers[1] = STANDBY "aside c0\n";
        bring_back(1);
        assert_non_null(startswith(last_script, ASIDE "verb='bring-back'\nserver='c0'\n"));

        /* of a node that the cluster file has no more; and what is no node's name at all */
        answers[1] = STANDBY "aside c9\n";
        bring_back(1);
        answers[1] = STANDBY "aside $(reboot)\n";
        bring_back(0);
        answers[1] = STANDBY "aside c1;reboot\n";
        bring_back(0);

        /* it is on its way out, and takes its time */
        answers[1] = STANDBY "aside c1\n";
        script_answer = "busy\n";
        n_scripts = 0;
        assert_int_equal(haproxy_bring_back(&probes, NULL), 0);
        assert_in_range(n_scripts, 100, 200);
        assert_non_null(startswith(last_script, ASIDE "verb='bring-back'\nserver='c1'\n"));
        script_answer = NULL;

        /* left by a run that was killed: told to whoever looks */
        answers[1] = "installed\nhaproxy active\nkeepalived active\naside c1\npage 200\nvrrp BACKUP 1\n"
                     "server c0,UP,L7OK,\nserver c1,DRAIN,,\n";
        expect(haproxy_gate, f.nodes, PROBE_READY, NULL); /* c1 is not ready */
        assert_int_equal(haproxy_verify(&probes, &l), 0);
        for (size_t i = 0; i < l.n_checks; i++)
                if (streq(l.checks[i].id, "lb.backends/lb1")) {
                        assert_contains(l.checks[i].text, "1 of 2 apiservers are up: c1 DRAIN");
                        assert_contains(l.checks[i].advice, "hardway install puts it back");
                }
        check_list_done(&l);

        exec_fails = true;
        assert_int_equal(haproxy_bring_back(&probes, &error), -EREMOTEIO);
        assert_string_equal(error->message, "c1 could not be brought back: lb1: haproxy says: no");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                pair_test(test_set_aside),
                pair_test(test_bring_back),
        };

        return cmocka_run_group_tests_name("lbsetup-aside", tests, NULL, NULL);
}
