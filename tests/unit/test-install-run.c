/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/install-fixture.h"

/* A rollout over fake nodes: what it finds to do, what speaks against it, and what it tells. */

static void test_first_installation(void **state) {
        assert_int_equal(run_all(), 0);
        assert_int_equal(world.errors.n_errors, 0);
        assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_CHANGED);
        assert_int_equal(count_of("put"), 5);
        assert_int_equal(count_of("record"), 5);
        assert_int_equal(count_of("start"), 5);
        assert_int_equal(count_of("gate"), 0);
        assert_true(world.result.changed);
        assert_false(world.result.serving);
        assert_string_equal(world.result.version, "v1.36.3");
        assert_string_equal(world.object, "wanted");
        assert_int_equal(world.result.n_items, 3 * 4 + 2 * 3);
}

static void test_nothing_to_change(void **state) {
        make_serving();
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);
        assert_outcomes(INSTALL_UNCHANGED, INSTALL_UNCHANGED, INSTALL_UNCHANGED);
        assert_string_equal(buffer_str(&world.log), "");
        assert_null(world.result.version);
}

static void test_lost_object(void **state) {
        make_serving();
        world.object = NULL;
        assert_int_equal(run_all(), 0);
        assert_true(world.result.changed);
        assert_string_equal(world.object, "wanted");
        assert_string_equal(buffer_str(&world.log), "");
        world.object = "edited";
        assert_int_equal(run_all(), 0);
        assert_string_equal(world.object, "wanted");
}

/* Killed between put and record: the node is as planned, and now knows it. */
static void test_lost_record(void **state) {
        make_serving();
        world.fakes[1].recorded = false;
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);
        assert_string_equal(buffer_str(&world.log), "c1 record");
}

/* Killed between put and restart: the process gives it away. */
static void test_lost_restart(void **state) {
        make_serving();
        world.fakes[1].running = "older";
        assert_int_equal(run_all(), 0);
        assert_outcomes(INSTALL_UNCHANGED, INSTALL_CHANGED, INSTALL_UNCHANGED);
        assert_string_equal(buffer_str(&world.log),
                            "c1 gate, c1 record, c1 aside, c1 restart, c1 back, c1 gate");
}

static void test_one_of_three(void **state) {
        assert_int_equal(run_some(0, 1), 0);
        assert_int_equal(world.result.nodes[0].outcome, INSTALL_WAITS);
        assert_string_equal(world.result.nodes[0].waits_for, "alpha: 1 of 3");
        assert_null(world.result.version);

        /* again: nothing to do, and it still waits */
        assert_int_equal(run_some(0, 1), 0);
        assert_false(world.result.changed);
        assert_string_equal(world.result.nodes[0].waits_for, "alpha: 1 of 3");

        /* a second one makes the quorum */
        assert_int_equal(run_some(1, 1), 0);
        assert_int_equal(world.result.nodes[0].outcome, INSTALL_CHANGED);
        assert_null(world.result.nodes[0].waits_for);
        assert_string_equal(world.result.version, "v1.36.3");
}

/* That it has served is written down once it has, and not before: an empty disk is no new member any more. */
static void test_served_is_noted(void **state) {
        world.unserved = true;
        assert_int_equal(run_some(0, 1), 0);
        assert_int_equal(world.n_noted, 0);
        assert_int_equal(run_some(1, 1), 0);
        assert_int_equal(world.n_noted, 1);
        assert_int_equal(run_all(), 0);
        assert_int_equal(world.n_noted, 1);
}

/* By any run of an older cluster: one that changes nothing, or is refused later; not by one that only looks. */
static void test_served_is_noted_later(void **state) {
        make_serving();
        world.unserved = true;
        assert_int_equal(run_dry(5), 0);
        assert_int_equal(world.n_noted, 0);
        assert_int_equal(run_all(), 0);
        assert_false(world.result.changed);
        assert_int_equal(world.n_noted, 1);

        world.unserved = true;
        world.fakes[2].running = world.fakes[2].put = "older";
        world.gate_closed = true;
        assert_true(run_some(2, 1) < 0);
        assert_int_equal(world.n_noted, 2);

        /* a directory that cannot be written to is no reason not to go on */
        world.unserved = world.unwritable = true;
        world.gate_closed = false;
        assert_int_equal(run_all(), 0);
        assert_int_equal(world.n_noted, 2);
}

/* Two chosen nodes wait for each other, not for a third. */
static void test_two_of_three(void **state) {
        assert_int_equal(run_some(0, 2), 0);
        assert_int_equal(world.result.nodes[0].outcome, INSTALL_CHANGED);
        assert_int_equal(world.result.nodes[1].outcome, INSTALL_CHANGED);
}

/* Who waits for nodes that have failed does not wait for its own limit, and is not broken itself. */
static void test_two_of_three_fail(void **state) {
        world.fakes[0].broken = world.fakes[1].broken = true;
        assert_int_equal(run_all(), -ETIMEDOUT);
        assert_outcomes(INSTALL_BROKEN, INSTALL_BROKEN, INSTALL_WAITS);
        for (size_t i = 2; i < 5; i++)
                assert_string_equal(world.result.nodes[i].waits_for, "alpha: 1 of 3");
}

/* Another one had the nodes, and has installed the cluster meanwhile: it serves now. */
static void test_serves_by_now(void **state) {
        world.meanwhile = "zero";
        assert_int_equal(run_all(), 0);
        assert_true(world.result.serving);
        assert_int_equal(count_of("restart"), 5);
        assert_int_equal(count_of("gate"), 10);
        assert_non_null(
                startswith(buffer_str(&world.log),
                           "c0 gate, c0 put, c0 record, c0 aside, c0 restart, c0 back, c0 gate, c1 gate"));
}

/* With another cluster file: what was as it should be before need not be so any more. */
static void test_others_are_looked_at_again(void **state) {
        for (int sooner = 0; sooner < 2; sooner++) {
                make_serving();
                world.fakes[0].running = world.fakes[0].put = "zero";
                world.meanwhile = "two";
                world.sooner = sooner;
                assert_int_equal(run_all(), 0);
                assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_CHANGED);
                for (size_t i = 0; i < 5; i++)
                        assert_string_equal(world.fakes[i].running, "one");
                assert_int_equal(count_of("gate"), 10);
        }
}

/* ... and one of which it was said already that there is nothing to change is not "unchanged", where it ends before its turn. */
static void test_no_more_unchanged(void **state) {
        make_serving();
        world.fakes[0].running = world.fakes[0].put = "zero";
        world.meanwhile = "two";
        world.binary = "/opt/hardway/kubernetes-v1.36.3/kube-apiserver";
        world.fakes[1].applied = "/opt/hardway/kubernetes-v1.34.4/kube-apiserver";
        assert_true(run_all() < 0);
        assert_error(0, "c1: has Kubernetes v1.34.4");
        assert_int_equal(world.result.nodes[2].outcome, INSTALL_UNTOUCHED);
}

/* What it installed is of another minor version. */
static void test_serves_by_now_something_else(void **state) {
        world.meanwhile = "zero";
        world.binary = "/opt/hardway/kubernetes-v1.36.3/kube-apiserver";
        world.fakes[1].applied = "/opt/hardway/kubernetes-v1.34.4/kube-apiserver";
        assert_true(run_all() < 0);
        assert_error(0, "c1: has Kubernetes v1.34.4");
        assert_string_equal(buffer_str(&world.log), "");
}

/* Whoever cannot ask a cluster that serves must not take it for a new one. */
static void test_unseen(void **state) {
        make_serving();
        world.wanted = "two";
        world.unseen = EHOSTUNREACH;
        assert_int_equal(run_all(), -EHOSTUNREACH);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "it serves, and cannot be asked");
        assert_string_equal(buffer_str(&world.log), "");
        assert_outcomes(INSTALL_UNTOUCHED, INSTALL_UNTOUCHED, INSTALL_UNTOUCHED);

        /* where nothing is to be changed nobody is asked */
        world.wanted = "one";
        assert_int_equal(run_all(), 0);
}

/* All their certificates have expired: nobody is served, and no rollout of one after the other would end it. */
static void test_expired(void **state) {
        make_serving();
        world.wanted = "two";
        world.unseen = EKEYEXPIRED;
        assert_int_equal(run_all(), 0);
        assert_false(world.result.serving);
        assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_CHANGED);
        assert_int_equal(count_of("gate"), 0);
        assert_int_equal(count_of("aside"), 0);

        /* unless it is this machine's clock that is wrong */
        make_serving();
        world.wanted = "three";
        buffer_clear(&world.log);
        for (size_t i = 0; i < 5; i++)
                world.fakes[i].clock_offset = -400;
        assert_true(run_all() < 0);
        assert_error(0, "c0: its clock is 400 s behind ours");
        assert_string_equal(buffer_str(&world.log), "");
}

static void test_keeps_dying(void **state) {
        world.fakes[1].broken = world.fakes[1].dying = true;
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_CHANGED, INSTALL_BROKEN, INSTALL_CHANGED);
        assert_error(0, "c1: alpha keeps dying: not up");
        assert_contains(world.errors.errors[0]->detail, "its last words");
}

static void test_disk_full(void **state) {
        world.fakes[2].full = true;
        assert_true(run_all() < 0);
        assert_outcomes(INSTALL_CHANGED, INSTALL_CHANGED, INSTALL_BROKEN);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c2: no space left");
        world.fakes[2].full = false;
        assert_int_equal(run_all(), 0);
        assert_outcomes(INSTALL_UNCHANGED, INSTALL_UNCHANGED, INSTALL_CHANGED);
}

static void test_another_minor(void **state) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1 };

        make_serving();
        world.wanted = "two";
        world.binary = "/opt/hardway/kubernetes-v1.36.3/kube-apiserver";
        world.fakes[1].applied = "/opt/hardway/kubernetes-v1.34.4/kube-apiserver";
        world.fakes[2].applied =
                "/opt/hardway/kubernetes-v1.35.1/kube-apiserver"; /* the step before is fine */
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c1: has Kubernetes v1.34.4, and v1.36.3 is more than one minor version later");
        assert_string_equal(buffer_str(&world.log), "");

        /* and who only asks what would be changed is told */
        assert_true(run_request(nodes, 2, true) < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c1: has Kubernetes v1.34.4, and v1.36.3 is more than one minor version later");
        assert_contains(world.result.nodes[0].diff, "update /etc/alpha (content differs)\n");
        assert_string_equal(buffer_str(&world.log), "");
}

/* How far one may go hangs on the others, which are looked at for it. */
static void test_another_minor_of_one(void **state) {
        make_serving();
        world.wanted = "two";
        world.binary = "/opt/hardway/kubernetes-v1.36.3/kube-apiserver";
        world.fakes[1].applied = "/opt/hardway/kubernetes-v1.34.4/kube-apiserver";
        world.fakes[2].applied = "/opt/hardway/kubernetes-v1.35.1/kube-apiserver";
        assert_true(run_some(2, 1) < 0);
        assert_error(
                0,
                "c2: would be given Kubernetes v1.36.3, and c1 has v1.34.4, which is more than one minor version before");
        assert_string_equal(buffer_str(&world.log), "");
        world.fakes[1].applied = "/opt/hardway/kubernetes-v1.35.1/kube-apiserver";
        assert_int_equal(run_some(2, 1), 0);
}

/* Before binaries of another version get to work, and only then. */
static void test_snapshot(void **state) {
        make_serving();
        world.wanted = "two";
        world.binary = "/opt/hardway/kubernetes-v1.36.3/kube-apiserver";
        world.fakes[2].applied = "/opt/hardway/kubernetes-v1.36.1/kube-apiserver";
        assert_int_equal(run_all(), 0);
        assert_non_null(startswith(buffer_str(&world.log), "c0 snapshot, c0 gate"));
        assert_int_equal(count_of("snapshot"), 1);

        /* the version before stays there, as the way back */
        world.wanted = "three";
        for (size_t i = 0; i < 3; i++)
                world.fakes[i].has_binary = true;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("snapshot"), 0);

        /* and the way back is a change like others */
        world.wanted = "four";
        for (size_t i = 0; i < 3; i++)
                world.fakes[i].has_binary = false;
        world.fakes[2].had_binary = true;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("snapshot"), 1);
}

static void test_even_members(void **state) {
        world.cluster.etcd_even = (char*) "hardway.yaml:9:3: an even number of members";
        assert_true(run_all() < 0);
        assert_error(0, "hardway.yaml:9:3");
        assert_string_equal(buffer_str(&world.log), "");

        make_serving();
        world.wanted = "two";
        assert_int_equal(run_all(), 0);
}

static void test_dry_run(void **state) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1 };

        make_serving();
        world.wanted = "two";
        world.fakes[1].put = "two";
        world.fakes[1].running = "two";
        assert_int_equal(run_request(nodes, 2, true), 0);
        assert_true(world.result.changed);
        assert_string_equal(buffer_str(&world.log), "");
        assert_contains(world.result.nodes[0].diff, "update /etc/alpha (content differs)\n");
        assert_contains(world.result.nodes[0].diff, "\n-one\n");
        assert_contains(world.result.nodes[0].diff, "restart ");
        assert_true(json_array_size(world.result.nodes[0].changes) >= 3);
        assert_string_equal(world.result.nodes[1].diff, "");
        assert_true(world.result.nodes[0].differs);
        assert_false(world.result.nodes[1].differs);
}

/* What install would refuse before its first change is told, and the differences as well. */
static void test_dry_run_foresees(void **state) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1 };

        make_serving();
        world.unseen = EHOSTUNREACH;
        assert_int_equal(run_request(nodes, 2, true), 0); /* nothing to do: nobody is asked */

        world.wanted = "two";
        assert_int_equal(run_request(nodes, 2, true), -EHOSTUNREACH);
        assert_error(0, "it serves, and cannot be asked");
        assert_string_equal(buffer_str(&world.log), "");
        assert_contains(world.result.nodes[1].diff, "update /etc/alpha (content differs)\n");
        assert_int_equal(world.result.nodes[1].outcome, INSTALL_UNTOUCHED);
}

static void test_cancelled(void **state) {
        make_serving();
        world.wanted = "two";
        world.cancel_at = "restart";
        assert_int_equal(run_all(), -ECANCELED);
        assert_error(0, "c0: stopped as asked");
        assert_contains(buffer_str(&world.log), "c0 restart");
        assert_int_equal(count_of("restart"), 1);

        /* and goes on from there */
        world.cancel_at = NULL;
        world.cancelled = 0;
        assert_int_equal(run_all(), 0);
        assert_int_equal(count_of("restart"), 4);
}

/* Nothing differs, and yet the API is away: somebody is ill. */
static void test_ill_although_as_planned(void **state) {
        make_serving();
        world.fakes[0].broken = world.fakes[1].broken = true;
        assert_true(run_all() < 0);
        assert_error(0, "c0: alpha did not become ready");
        assert_error(1, "c1: alpha did not become ready");
}

static void test_endpoint_is_away(void **state) {
        world.object = "wanted";
        world.api_down = true;
        assert_true(run_all() < 0);
        assert_error(0, "refused");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                install_test(test_first_installation),
                install_test(test_nothing_to_change),
                install_test(test_lost_object),
                install_test(test_lost_record),
                install_test(test_lost_restart),
                install_test(test_one_of_three),
                install_test(test_served_is_noted),
                install_test(test_served_is_noted_later),
                install_test(test_two_of_three),
                install_test(test_two_of_three_fail),
                install_test(test_serves_by_now),
                install_test(test_others_are_looked_at_again),
                install_test(test_no_more_unchanged),
                install_test(test_serves_by_now_something_else),
                install_test(test_unseen),
                install_test(test_expired),
                install_test(test_keeps_dying),
                install_test(test_disk_full),
                install_test(test_another_minor),
                install_test(test_another_minor_of_one),
                install_test(test_snapshot),
                install_test(test_even_members),
                install_test(test_dry_run),
                install_test(test_dry_run_foresees),
                install_test(test_cancelled),
                install_test(test_ill_although_as_planned),
                install_test(test_endpoint_is_away),
        };

        return cmocka_run_group_tests_name("install-run", tests, NULL, NULL);
}
