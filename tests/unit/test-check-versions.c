/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/check-fixture.h"

/* The rule about another minor version on a cluster that lives */

/* c0 was given these last. */
static void gives(char *kubernetes, char *etcd) {
        static AppliedFile applied[2];

        applied[0] = (AppliedFile) { .path = kubernetes };
        applied[1] = (AppliedFile) { .path = etcd };
        w.observations[0].applied = applied;
        w.observations[0].n_applied = 2;
        w.world.serving = true;
}

#define KUBERNETES(version) ((char*) "/opt/hardway/kubernetes-" version "/kube-apiserver")
#define ETCD(version) ((char*) "/opt/hardway/etcd-" version "/etcd")

static void assert_fine(const char *text) {
        ask_all();
        assert_int_equal(find("versions/c0")->state, CHECK_OK);
        assert_contains(find("versions/c0")->text, text);
}

static void test_none(void **state) {
        gives(KUBERNETES("v1.36.1"), ETCD("v3.6.14"));
        assert_fine("no step of a minor version");
        gives(KUBERNETES("v1.36.9"), ETCD("v3.6.20")); /* a patch version may be taken back */
        assert_fine("no step of a minor version");

        /* what is kept for the way back does not run, and stands behind */
        gives(KUBERNETES("v1.36.3"), KUBERNETES("v1.34.4"));
        assert_fine("no step of a minor version");
}

static void test_next(void **state) {
        gives(KUBERNETES("v1.35.4"), ETCD("v3.6.14"));
        assert_fine("the next minor version: Kubernetes v1.35.4 to v1.36.3");

        w.cluster.kubernetes = (Version) { 1, 37, 2 };
        w.cluster.etcd = (Version) { 3, 7, 3 };
        gives(KUBERNETES("v1.36.3"), ETCD("v3.6.11"));
        assert_fine("Kubernetes v1.36.3 to v1.37.2, etcd v3.6.11 to v3.7.3");

        /* older members do not know all that newer ones send */
        gives(KUBERNETES("v1.36.3"), ETCD("v3.6.10"));
        assert_only("versions/c0", CHECK_FAILED,
                    "runs etcd v3.6.10, and a step to v3.7.3 begins from v3.6.11",
                    "etcd: v3.6.11 or a later patch version");
}

/* Another that stays behind could be two steps behind in the end. */
static void test_some(void **state) {
        gives(KUBERNETES("v1.35.4"), ETCD("v3.6.14"));
        w.checked[2].facts = NULL;
        w.checked[2].observation = NULL; /* a load balancer has none of these programs */
        assert_fine("the next minor version");
        w.checked[1].facts = NULL;
        w.checked[1].observation = NULL;
        assert_only("versions/c0", CHECK_FAILED,
                    "goes from Kubernetes v1.35.4 to v1.36.3, another minor version, and c1",
                    "leave --node away");
        gives(KUBERNETES("v1.36.1"), ETCD("v3.6.14"));
        assert_fine("no step of a minor version");
}

static void test_far(void **state) {
        gives(KUBERNETES("v1.34.4"), ETCD("v3.6.14"));
        assert_only("versions/c0", CHECK_FAILED,
                    "runs Kubernetes v1.34.4, and v1.36.3 is more than one minor version later",
                    "v1.35 in the cluster file");
        gives(KUBERNETES("v1.36.3"), ETCD("v3.4.30"));
        assert_only("versions/c0", CHECK_FAILED, "runs etcd v3.4.30, and v3.6.16 is more than one",
                    "v3.5 in the cluster file");
}

static void test_back(void **state) {
        gives(KUBERNETES("v1.37.2"), ETCD("v3.6.16"));
        assert_only("versions/c0", CHECK_FAILED,
                    "runs Kubernetes v1.37.2, and v1.36.3 is an earlier minor version", "Keep to v1.37");
        gives(KUBERNETES("v1.36.3"), ETCD("v3.7.1"));
        assert_only("versions/c0", CHECK_FAILED, "runs etcd v3.7.1, and v3.6.16 is an earlier minor version",
                    "Keep to v3.7");
}

/* What never served holds nothing back; what did, and is off, has its data. */
static void test_lives(void **state) {
        gives(KUBERNETES("v1.34.4"), ETCD("v3.6.14"));
        w.world.serving = false;
        ask_all();
        assert_null(find("versions/c0"));
        w.world.served = true;
        assert_only("versions/c0", CHECK_FAILED, "more than one minor version later", "v1.35");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                rule_test(test_none), rule_test(test_next), rule_test(test_some),
                rule_test(test_far),  rule_test(test_back), rule_test(test_lives),
        };

        return cmocka_run_group_tests_name("check-versions", tests, NULL, NULL);
}
