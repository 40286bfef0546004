/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "etcd/survey.h"

#include "tests/unit/etcd-fixture.h"

/* Who is in the cluster: what a survey finds, what is lost, and whom the cluster file does not have. */

static EtcdSurvey survey_of(const ProbeContext *context) {
        _cleanup_error_ Error *error = NULL;
        EtcdSurvey survey = {};

        assert_success(etcd_survey(context, &survey, &error), error, 0);
        return survey;
}

static void test_survey(void **state) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        FIXTURE;

        survey = survey_of(&context);
        assert_int_equal(survey.n_sights, 2);
        assert_true(survey.agreed);
        assert_int_equal(survey.n_voters, 2);
        assert_int_equal(survey.n_healthy, 2);
        assert_ptr_equal(etcd_survey_leader(&survey), survey.sights);
        assert_ptr_equal(etcd_survey_find(&survey, nodes + 1), survey.sights + 1);
        assert_false(etcd_survey_lost(&survey, NULL, NULL));

        /* asked without a cluster file that knows it: by the list */
        etcd_survey_done(&survey);
        c.nodes[1].roles = ROLE_LOADBALANCER;
        survey = survey_of(&context);
        assert_int_equal(survey.n_sights, 2);
        assert_null(survey.sights[1].node);
        assert_int_equal(survey.sights[1].state, ETCD_HEALTHY);
        assert_string_equal(etcd_sight_name(survey.sights + 1), "c1");
        assert_int_equal(survey.n_voters, 2);
}

static void test_survey_lost(void **state) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        _cleanup_free_ char *text = NULL, *advice = NULL, *other = NULL;
        FIXTURE;

        members[1].up = false;
        members[0].leader = 0;
        survey = survey_of(&context);
        assert_int_equal(survey.sights[0].state, ETCD_UNHEALTHY);
        assert_string_equal(survey.sights[0].why, "RAFT NO LEADER");
        assert_int_equal(survey.sights[1].state, ETCD_AWAY);
        assert_false(survey.agreed);
        assert_int_equal(survey.list.n_members, 2);
        assert_true(etcd_survey_lost(&survey, &text, &advice));
        assert_contains(text, "members up: 1 of 2, needed: 2");
        assert_contains(advice,
                        "c1 has to come back: switch it on, then hardway install --node NAME, which");
        assert_contains(advice, "--survivor c0");

        /* nobody leads, although both run */
        etcd_survey_done(&survey);
        members[1] = (Member) { .up = true, .cluster = 7 };
        survey = survey_of(&context);
        assert_true(etcd_survey_lost(&survey, &other, NULL));
        assert_contains(other, "no leader, although 2 of 2 members run");

        /* one with data of before a restore is up, and counts for nothing */
        etcd_survey_done(&survey);
        all_well();
        members[1].cluster = 8;
        survey = survey_of(&context);
        assert_int_equal(survey.sights[1].state, ETCD_STRANGER);
        assert_ptr_equal(etcd_survey_leader(&survey), survey.sights);

        /* one that is in the list and never came */
        etcd_survey_done(&survey);
        all_well();
        members[1] = (Member) { .away = true };
        survey = survey_of(&context);
        assert_int_equal(survey.sights[1].state, ETCD_NOT_STARTED);
}

/* A member that is not in the cluster file: one that works goes if that is wanted, one that does not by itself. */
static void test_leavers(void **state) {
        _cleanup_strv_ Strv working = NULL, lost = NULL, stay = NULL, go = NULL;
        _cleanup_error_ Error *error = NULL;
        FIXTURE;

        nodes[1].roles = ROLE_CONTROLLER;
        assert_success(etcd_leavers(&context, &working, &lost, &error), error, 1);
        assert_string_equal(working[0], "c1");
        assert_null(lost);
        assert_success(etcd_prune(&context, /* working= */ false, &stay, &error), error, 0);
        assert_false(removed);
        assert_success(etcd_prune(&context, /* working= */ true, &go, &error), error, 1);
        assert_true(removed);
        assert_contains(go[0], "c1 is not in the cluster file, and no member any more");

        removed = false;
        members[1].away = true;
        working = strv_free(working);
        assert_success(etcd_leavers(&context, &working, &lost, &error), error, 1);
        assert_null(working);
        go = strv_free(go);
        assert_success(etcd_prune(&context, /* working= */ false, &go, &error), error, 1);
        assert_true(removed);
        removed = false;
}

#define IN_TOUCH(n) "etcd_network_active_peers{Local=\"64\",Remote=\"65\"} " n "\n"

/* One that this machine cannot reach, while the others can. */
static void test_leaver_out_of_reach(void **state) {
        _cleanup_strv_ Strv working = NULL, lost = NULL, notes = NULL;
        _cleanup_error_ Error *error = NULL;
        FIXTURE;

        nodes[1].roles = ROLE_CONTROLLER;
        members[1].up = false;
        members[0].metrics = "etcd_network_active_peers{Local=\"64\",Remote=\"66\"} 0\n" IN_TOUCH("1");
        assert_success(etcd_leavers(&context, &working, &lost, &error), error, 1);
        assert_string_equal(working[0],
                            "c1 (in touch with the other members, though not with this machine)");
        assert_null(lost);
        assert_success(etcd_prune(&context, /* working= */ false, &notes, &error), error, 0);
        assert_false(removed);

        /* it was switched off just now: the others notice after some seconds */
        metrics_later = IN_TOUCH("0");
        working = strv_free(working);
        assert_success(etcd_leavers(&context, &working, &lost, &error), error, 1);
        assert_null(working);
        assert_string_equal(lost[0], "c1");
        assert_success(etcd_prune(&context, /* working= */ false, &notes, &error), error, 1);
        assert_true(removed);
        removed = false;
        metrics_later = NULL;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_survey),
                cmocka_unit_test(test_survey_lost),
                cmocka_unit_test(test_leavers),
                cmocka_unit_test(test_leaver_out_of_reach),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
