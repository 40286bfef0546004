/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/check-fixture.h"

/* The rule about another minor version on a cluster that lives */

#define KUBERNETES(version) ((char*) "/opt/hardway/kubernetes-" version "/kube-apiserver")
#define ETCD(version) ((char*) "/opt/hardway/etcd-" version "/etcd")

static AppliedFile applied[3][2];

/* A node was given these last. */
static void has(size_t i, char *kubernetes, char *etcd) {
        applied[i][0] = (AppliedFile) { .path = kubernetes };
        applied[i][1] = (AppliedFile) { .path = etcd };
        w.observations[i].applied = applied[i];
        w.observations[i].n_applied = 2;
}

static void add_binary(Plan *p, const char *noun, ArtifactOrigin origin) {
        plan_add(p, PLAN_BINARY, "store", noun, "w")->path = plan_binary_path(&w.cluster, origin, noun);
}

/* A cluster that serves, of both versions, and of which all controllers are in the run. */
static void lives(char *kubernetes, char *etcd) {
        for (size_t i = 0; i < 2; i++) {
                if (w.observations[i].n_applied == 0) {
                        add_binary(w.plans[i], "kube-apiserver", ORIGIN_KUBERNETES);
                        add_binary(w.plans[i], "etcd", ORIGIN_ETCD);
                }
                has(i, kubernetes, etcd);
        }
        for (size_t i = 0; i < 3; i++)
                w.checked[i].chosen = true;
        w.world.serving = true;
}

static void not_seen(size_t i, bool chosen) {
        w.checked[i] = (CheckNode) { .node = w.nodes + i, .chosen = chosen };
}

static void assert_fine(const char *text) {
        ask_all();
        assert_int_equal(find("versions/c0")->state, CHECK_OK);
        assert_contains(find("versions/c0")->text, text);
}

static void assert_refused(const char *text, const char *advice) {
        const Check *found;

        ask_all();
        found = find("versions/c0");
        assert_non_null(found);
        assert_int_equal(found->state, CHECK_FAILED);
        assert_contains(found->text, text);
        assert_contains(found->advice, advice);
}

static void test_none(void **state) {
        lives(KUBERNETES("v1.36.1"), ETCD("v3.6.14"));
        assert_fine("no step of a minor version");
        lives(KUBERNETES("v1.36.9"), ETCD("v3.6.20")); /* a patch version may be taken back */
        assert_fine("no step of a minor version");

        /* what is kept for the way back does not run, and stands behind */
        lives(KUBERNETES("v1.36.3"), KUBERNETES("v1.34.4"));
        assert_fine("no step of a minor version");
}

static void test_next(void **state) {
        lives(KUBERNETES("v1.35.4"), ETCD("v3.6.14"));
        assert_fine("another minor version: Kubernetes v1.35.4 to v1.36.3");

        w.cluster.kubernetes = (Version) { 1, 37, 2 };
        w.cluster.etcd = (Version) { 3, 7, 3 };
        lives(KUBERNETES("v1.36.3"), ETCD("v3.6.11"));
        assert_fine("Kubernetes v1.36.3 to v1.37.2, etcd v3.6.11 to v3.7.3");

        /* older members do not know all that newer ones send */
        lives(KUBERNETES("v1.36.3"), ETCD("v3.6.10"));
        assert_refused("has etcd v3.6.10, and a step to v3.7.3 begins from v3.6.11",
                       "etcd: v3.6.11 or a later patch version");
}

/* ... whoever they are. */
static void test_floor_of_others(void **state) {
        w.cluster.kubernetes = (Version) { 1, 37, 2 };
        w.cluster.etcd = (Version) { 3, 7, 3 };
        lives(KUBERNETES("v1.36.3"), ETCD("v3.6.16"));
        has(1, KUBERNETES("v1.36.3"), ETCD("v3.6.10"));
        w.checked[1].chosen = false;
        ask_all();
        assert_int_equal(find("versions/c1")->state, CHECK_FAILED);
        assert_contains(find("versions/c1")->text,
                        "has etcd v3.6.10, and a step to v3.7.3 begins from v3.6.11");

        /* for one that is behind all of them there is no step before */
        lives(KUBERNETES("v1.37.2"), ETCD("v3.7.3"));
        has(0, KUBERNETES("v1.36.3"), ETCD("v3.6.10"));
        assert_refused("has etcd v3.6.10, and the others have gone on to v3.7.3", "hardway etcd replace c0");
}

/* What is not known of a controller is no matter to a host of etcd alone, and the other way round. */
static void test_roles(void **state) {
        lives(KUBERNETES("v1.35.4"), ETCD("v3.6.14"));
        not_seen(1, false);
        w.nodes[1].roles = ROLE_ETCD;
        assert_fine("Kubernetes v1.35.4 to v1.36.3");
}

/* One alone: the others stay, and may be one step behind. */
static void test_one(void **state) {
        lives(KUBERNETES("v1.35.4"), ETCD("v3.6.14"));
        w.checked[1].chosen = false;
        assert_fine("Kubernetes v1.35.4 to v1.36.3");
        has(1, KUBERNETES("v1.34.4"), ETCD("v3.6.14"));
        assert_refused(
                "would be given Kubernetes v1.36.3, and c1 has v1.34.4, which is more than one minor version before",
                "v1.35 in the cluster file");
        has(1, KUBERNETES("v1.37.0"), ETCD("v3.6.14"));
        assert_refused("would be given Kubernetes v1.36.3, and c1 has v1.37.0 already", "Keep to v1.37");

        /* so may one that is new, or was made anew */
        w.observations[0].n_applied = 0;
        assert_refused("would be given Kubernetes v1.36.3, and c1 has v1.37.0 already", "Keep to v1.37");
        has(1, KUBERNETES("v1.34.4"), ETCD("v3.6.14"));
        assert_refused("c1 has v1.34.4, which is more than one minor version before",
                       "v1.35 in the cluster file");
        has(1, KUBERNETES("v1.35.4"), ETCD("v3.6.14"));
        assert_fine("no step");
}

/* Another that is off could be two steps behind in the end. */
static void test_not_seen(void **state) {
        lives(KUBERNETES("v1.35.4"), ETCD("v3.6.14"));
        not_seen(2, false); /* a load balancer has none of these programs */
        assert_fine("Kubernetes v1.35.4 to v1.36.3");
        not_seen(1, true); /* whoever says that it could not be looked at says so */
        assert_fine("Kubernetes v1.35.4 to v1.36.3");
        not_seen(1, false);
        w.checked[1].reached = true; /* there is nothing of ours yet */
        assert_fine("Kubernetes v1.35.4 to v1.36.3");
        w.checked[1].reached = false;
        assert_refused(
                "goes from Kubernetes v1.35.4 to v1.36.3, another minor version, and c1 could not be looked at",
                "--ignore versions");
        has(0, KUBERNETES("v1.36.1"), ETCD("v3.6.14"));
        assert_fine("no step of a minor version");
}

static void test_far(void **state) {
        lives(KUBERNETES("v1.34.4"), ETCD("v3.6.14"));
        assert_refused("has Kubernetes v1.34.4, and v1.36.3 is more than one minor version later",
                       "v1.35 in the cluster file");

        /* one that was away while the others went on comes after them at once; its data does not */
        has(1, KUBERNETES("v1.36.3"), ETCD("v3.6.16"));
        assert_fine("Kubernetes v1.34.4 to v1.36.3");
        has(0, KUBERNETES("v1.36.3"), ETCD("v3.4.30"));
        assert_refused("has etcd v3.4.30, and the others have gone on to v3.6.16",
                       "hardway etcd replace c0");
        w.checked[0].anew = true;
        assert_fine("no step");
        has(1, KUBERNETES("v1.34.4"), ETCD("v3.6.16"));
        w.checked[1].chosen = false;
        assert_refused("would be given Kubernetes v1.36.3, and c1 has v1.34.4", "one at a time");
}

static void test_back(void **state) {
        lives(KUBERNETES("v1.37.2"), ETCD("v3.6.16"));
        assert_refused("has Kubernetes v1.37.2, and v1.36.3 is an earlier minor version", "Keep to v1.37");
        lives(KUBERNETES("v1.36.3"), ETCD("v3.7.1"));
        assert_refused("has etcd v3.7.1, and v3.6.16 is an earlier minor version", "Keep to v3.7");
}

/* What never served holds nothing back; what did, and is off, has its data. */
static void test_lives(void **state) {
        lives(KUBERNETES("v1.34.4"), ETCD("v3.6.14"));
        w.world.serving = false;
        ask_all();
        assert_null(find("versions/c0"));
        w.world.served = true;
        assert_refused("more than one minor version later", "v1.35");
        lives(KUBERNETES("v1.35.4"), ETCD("v3.6.14"));
        w.world.serving = false;
        assert_refused("goes to another minor version, v1.36.3, while the cluster does not serve",
                       "Let it serve with what it has first: v1.35");
        has(1, KUBERNETES("v1.36.3"), ETCD("v3.6.14")); /* half-way there is no way but on */
        assert_fine("Kubernetes v1.35.4 to v1.36.3");
}

/* Hosts of etcd's own have gone first, and the cluster does not serve since: the controllers go after them. */
static void test_etcd_first(void **state) {
        lives(KUBERNETES("v1.36.3"), ETCD("v3.6.16"));
        w.cluster.kubernetes = (Version) { 1, 37, 2 };
        w.cluster.etcd = (Version) { 3, 7, 3 };
        w.world.served = true;
        w.world.serving = false;
        has(1, KUBERNETES("v1.36.3"), ETCD("v3.7.3"));
        assert_fine("Kubernetes v1.36.3 to v1.37.2");
}

/* A controller that was given to the load balancers keeps the programs, and runs none of them. */
static void test_role_of_before(void **state) {
        lives(KUBERNETES("v1.36.3"), ETCD("v3.6.16"));
        has(2, KUBERNETES("v1.34.4"), ETCD("v3.4.30"));
        ask_all();
        assert_int_equal(find("versions/lb0")->state, CHECK_OK);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                rule_test(test_none),
                rule_test(test_next),
                rule_test(test_floor_of_others),
                rule_test(test_roles),
                rule_test(test_one),
                rule_test(test_not_seen),
                rule_test(test_far),
                rule_test(test_back),
                rule_test(test_lives),
                rule_test(test_etcd_first),
                rule_test(test_role_of_before),
        };

        return cmocka_run_group_tests_name("check-versions", tests, NULL, NULL);
}
