/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/pair-fixture.h"

/* Who was a load balancer, who is one by now, and whether each knows of the others */

/* lb0 was told of it, when it was in the cluster file. */
static void test_left(void **state) {
        static const struct {
                const char *peers, *answer, *id, *text;
                CheckState state;
        } cases[] = {
                { "peer 10.77.0.12\npeer 10.77.0.13\n", "10.77.0.13\n", "lb-left/lb0",
                  "the load balancer at 10.77.0.13 runs still, and is not in the cluster file",
                  CHECK_FAILED },
                { "peer 10.77.0.12\npeer 10.77.0.13\n", "", "lb-left/lb0", "does not run", CHECK_OK },
                /* a controller that was one as well */
                { "peer 10.77.0.20\n", "10.77.0.20\n", "vip/lb0", "held by lb1", CHECK_OK },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *said = xasprintf("%s%s", STANDBY, cases[i].peers);
                _cleanup_(check_list_done) CheckList checks = {};

                answers[0] = said;
                answers[1] = OWNER;
                script_answer = cases[i].answer;
                assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
                assert_string_equal(checks.checks[0].id, cases[i].id);
                assert_contains(checks.checks[0].text, cases[i].text);
                assert_int_equal(checks.checks[0].state, cases[i].state);
                if (cases[i].state == CHECK_FAILED) {
                        assert_contains(last_script, "H_ADDRESSES='10.77.0.13'\n");
                        assert_contains(checks.checks[0].advice, "hardway reset --node NAME");
                        assert_contains(checks.checks[0].advice, "switch off the machine at 10.77.0.13.");
                        assert_int_equal(checks.n_checks, 1);
                }
        }
}

/* The cluster's own controller has it, and none of those that are to have it is there yet. */
static void test_former_holder_of_a_new_pair(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};

        answers[0] = answers[1] = "";
        controllers_say = OWNER;
        script_answer = "mac 10.77.0.10 02:00:00:00:00:20\n";
        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        assert_string_equal(checks.checks[0].id, "vip/lb0");
        assert_int_equal(checks.checks[0].state, CHECK_FAILED);
        assert_contains(checks.checks[0].text, "held by c0, which is no load balancer any more");
        assert_contains(checks.checks[0].advice, "give c0 the role loadbalancer in the cluster file again");
}

static void told(const Node *const *chosen, size_t n, const char *wanted) {
        _cleanup_(check_list_done) CheckList checks = {};

        probes.chosen = chosen;
        probes.n_chosen = n;
        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        assert_string_equal(checks.checks[0].id, wanted ? "lb-told/lb0" : "vip/lb0");
        if (!wanted)
                return;
        assert_int_equal(checks.checks[0].state, CHECK_FAILED);
        assert_contains(checks.checks[0].text, wanted);
        assert_contains(checks.checks[0].advice, "hardway install, or with --node");
}

/* Who does not know of it, or goes, has to be part of the run. */
static void test_told(void **state) {
        const Node *const alone[] = { LB0 }, *const both[] = { LB0, LB1 },
                          *const all[] = { f.nodes, LB0, LB1 };

        answers[0] = "";
        told(alone, 1, "lb1 runs, does not know of this load balancer yet");
        told(both, 2, NULL);
        told(NULL, 0, NULL);
        answers[1] = OWNER "peer 10.77.0.11\n";
        told(alone, 1, NULL);
        answers[1] = "installed\nkeepalived inactive\n";
        told(alone, 1, NULL);

        answers[0] = STANDBY "peer 10.77.0.12\npeer 10.77.0.20\n";
        answers[1] = OWNER;
        told(both, 2, NULL);
        controllers_say = OWNER;
        told(both, 2, "c0 is a load balancer no more, runs still");
        told(all, 3, NULL);
        controllers_say = "";
}

/* Who cannot be asked may come back with the list that it had. */
static void test_told_silent(void **state) {
        CheckList checks = {};
        const Check *check;

        answers[0] = "";
        answers[1] = NULL;
        script_answer = "";
        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        check = find(&checks, "lb-told/lb0");
        assert_int_equal(check->state, CHECK_WARNING);
        assert_contains(check->text, "lb1 cannot be asked whether it knows of this load balancer");
        assert_contains(check->text, "hardway install --node lb1");
        check_list_done(&checks);

        /* one that runs was beside it before */
        answers[0] = OWNER;
        assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
        for (size_t i = 0; i < checks.n_checks; i++)
                assert_int_equal(checks.checks[i].state, CHECK_OK);
        check_list_done(&checks);
}

/* Nor is it started before they know of it, whoever was to be part of the run. */
static void test_join(void **state) {
        _cleanup_error_ Error *error = NULL;

        assert_int_equal(keepalived_join(&probes, LB0, NULL), 0); /* it runs */
        answers[0] = "installed\nkeepalived inactive\npeer 10.77.0.12\n";
        assert_true(keepalived_join(&probes, LB0, &error) < 0);
        assert_contains(error->message, "lb1 runs and has not been told of it");
        answers[1] = OWNER "peer 10.77.0.11\n";
        assert_int_equal(keepalived_join(&probes, LB0, NULL), 0);
        answers[1] = NULL;
        assert_int_equal(keepalived_join(&probes, LB0, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                pair_test(test_left),        pair_test(test_former_holder_of_a_new_pair),
                pair_test(test_told),        pair_test(test_join),
                pair_test(test_told_silent),
        };

        return cmocka_run_group_tests_name("lbsetup-peers", tests, NULL, NULL);
}
