/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "etcd/data.h"

#include "tests/unit/etcd-fixture.h"

/* etcd's probes: is a member ready, may another one be stopped, who leads, who can be spared? */

static void test_ready(void **state) {
        FIXTURE;

        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_string_equal(result.text, "member of 2, leader");
        assert_int_equal(health_usec, USEC_PER_SEC);

        /* where a wrong "no" leaves a gate out, a slow disk has its time */
        context.before = true;
        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(health_usec, 3 * USEC_PER_SEC);
        context.before = false;

        members[0].leader = 0;
        members[1].up = false;
        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_BLOCKED);
        assert_string_equal(result.text, "1 of 2 members, quorum needs 2");

        members[1] = (Member) { .up = true };
        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_string_equal(result.text, "2 of 2 members, no leader yet");

        members[0].up = false;
        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text, "connection refused");
}

static void test_gate(void **state) {
        FIXTURE;

        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);

        members[1].up = false;
        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text, "c1");

        members[1].away = true; /* never started: nobody waits for it */
        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);

        members[0].up = false;
        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
}

static void assert_gate(const ProbeContext *c, const Node *node, const char *text) {
        _cleanup_(probe_result_done) ProbeResult result = {};

        assert_int_equal(component_etcd.gate(c, node, &result, NULL), 0);
        assert_int_equal(result.state, text ? PROBE_WAITING : PROBE_READY);
        if (text)
                assert_string_equal(result.text, text);
}

/* What a quorum is made of is etcd's list: who is gone for good, and out of the cluster file, still counts. */
static void test_gate_by_list(void **state) {
        FIXTURE;

        context.before = true;
        assert_gate(&context, nodes, NULL); /* of two each is needed, whatever is done */
        n_gone = 1;
        assert_gate(&context, nodes,
                    "without the member of c0 1 of 3 voters would be healthy, and quorum needs 2; lost: "
                    "gone-0 (not in the cluster file)");
        assert_gate(&context, nodes + 2, NULL); /* a load balancer, which takes no vote away */
        context.before = false;
        assert_gate(&context, nodes, NULL); /* it is back, and the two are the quorum */

        /* one that never came is not waited for, but is no reason to stop one of the two that are there */
        all_well();
        members[1] = (Member) { .away = true };
        n_gone = 1;
        assert_gate(&context, nodes, NULL);
        context.before = true;
        assert_gate(&context, nodes,
                    "without the member of c0 0 of 3 voters would be healthy, and quorum needs 2; lost: c1, "
                    "gone-0 (not in the cluster file)");
}

static void test_hand_over(void **state) {
        _cleanup_error_ Error *error = NULL;
        bool leads = false;
        FIXTURE;

        assert_int_equal(component_etcd.leads(&context, nodes, &leads, NULL), 0);
        assert_true(leads);
        assert_success(component_etcd.hand_over(&context, nodes + 1, &error), error, 0); /* does not lead */
        assert_int_equal(n_transfers, 0);
        assert_success(component_etcd.hand_over(&context, nodes, &error), error, 0);
        assert_int_equal(n_transfers, 1);
        assert_int_equal(component_etcd.leads(&context, nodes, &leads, NULL), 0);
        assert_false(leads);

        all_well();
        members[1].up = false;
        assert_failure(component_etcd.hand_over(&context, nodes, &error), error, ERROR_UNAVAILABLE,
                       EHOSTUNREACH);
        assert_int_equal(n_transfers, 0);
}

/* Two members: one of them is the quorum of nothing. */
static void test_spare(void **state) {
        const Node *one, *none;
        FIXTURE;

        one = nodes + 1;
        none = nodes + 2; /* a load balancer */
        assert_int_equal(component_etcd.spare(&context, &none, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_null(result.text);
        assert_int_equal(component_etcd.spare(&context, &one, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);
        assert_string_equal(result.text, "etcd would have 1 healthy members of 2, and quorum needs 2");
        members[0].up = members[1].up = false;
        assert_int_equal(component_etcd.spare(&context, &one, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);
        assert_contains(result.text, "cannot be asked");
}

/* The first member is back with the data of before a restore, and reaches a quorum; the second is the cluster. */
static void test_older(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *path = xasprintf("%s/" ETCD_TOKEN, d->path),
                            *text = etcd_token_text("00112233445566778899aabbccddeeff", 8);
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_(check_list_done) CheckList checks = {};
        const Node *lb, *one;
        bool yes = true;
        FIXTURE;

        lb = nodes + 2;
        one = nodes + 1;
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, NULL) >= 0);
        assert_true(store_open(d->path, &store, NULL) >= 0);
        context.store = store;
        members[1].cluster = 8;
        members[1].leader = 101;

        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);
        assert_contains(result.text, "hardway etcd replace c0");
        assert_int_equal(component_etcd.ready(&context, nodes + 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_int_equal(component_etcd.leads(&context, nodes, &yes, NULL), 0);
        assert_false(yes);
        /* the leadership is handed over to nobody of another cluster */
        assert_int_equal(component_etcd.hand_over(&context, nodes + 1, NULL), -EHOSTUNREACH);
        assert_int_equal(component_etcd.gate(&context, nodes + 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text,
                        "the member of c0 is not healthy: its data is of another cluster, or of before");
        assert_int_equal(component_etcd.spare(&context, &one, 1, &result, NULL), 0);
        assert_string_equal(result.text, "etcd would have 0 healthy members of 2, and quorum needs 2");
        assert_int_equal(component_etcd.verify(&context, &checks), 0);
        assert_int_equal(find_check(&checks, "etcd.member/c0")->state, CHECK_FAILED);
        assert_string_equal(find_check(&checks, "etcd.member/c0")->advice, "hardway etcd replace c0");

        members[1].up = false;
        assert_int_equal(component_etcd.serving(&context, &yes, NULL), 0);
        assert_false(yes);
        assert_int_equal(component_etcd.spare(&context, &lb, 1, &result, NULL), 0);
        assert_contains(result.text, "cannot be asked");
        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_string_equal(result.text, "no member answers");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ready),        cmocka_unit_test(test_gate),
                cmocka_unit_test(test_gate_by_list), cmocka_unit_test(test_hand_over),
                cmocka_unit_test(test_spare),        unit_test_in_dir(test_older),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
