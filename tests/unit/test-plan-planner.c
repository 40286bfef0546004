/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/plan-fixture.h"

static const Artifact kubernetes_artifacts[] = {
        { .name = "kube-apiserver" },
        { .name = "kubectl", .optional_on_node = true },
};
static const Artifact etcd_artifacts[] = {
        { .name = "etcd", .origin = ORIGIN_ETCD },
        { .name = "etcdctl", .origin = ORIGIN_ETCD },
};

static int plan_unit(const PlanContext *c, Plan *plan, const char *component, const char *artifact,
                     Error **reterr) {
        _cleanup_free_ char *unit = xasprintf("%s.service", component);

        plan_add_unit(plan, component, unit, fixture_unit(component), "w");
        return plan_add_binary(c, plan, component, artifact, unit, "w", reterr);
}

static int plan_api(const PlanContext *c, Plan *plan, Error **reterr) {
        return plan_unit(c, plan, "api", "kube-apiserver", reterr);
}

static int plan_etcd(const PlanContext *c, Plan *plan, Error **reterr) {
        int r = plan_unit(c, plan, "etcd", "etcd", reterr);

        return r < 0 ? r : plan_add_binary(c, plan, "etcd", "etcdctl", NULL, "w", reterr);
}

static int plan_wrong(const PlanContext *c, Plan *plan, Error **reterr) {
        return plan_add_binary(c, plan, "wrong", "nothing", NULL, "w", reterr);
}

static const Component api = {
        .name = "api",
        .roles = ROLE_CONTROLLER,
        .rank = 20,
        .artifacts = kubernetes_artifacts,
        .n_artifacts = ARRAY_SIZE(kubernetes_artifacts),
        .plan = plan_api,
};
static const Component etcd = {
        .name = "etcd",
        .roles = ROLE_ETCD,
        .rank = 10,
        .artifacts = etcd_artifacts,
        .n_artifacts = ARRAY_SIZE(etcd_artifacts),
        .plan = plan_etcd,
};
static const Component wrong = { .name = "wrong", .roles = ROLE_LOADBALANCER, .plan = plan_wrong };
static const Component *const table[] = { &api, &etcd, &wrong, NULL };

static void test_plan_node(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        _cleanup_(plan_freep) Plan *p = NULL;
        _cleanup_error_ Error *error = NULL;
        PlanContext context = { .cluster = &c, .node = nodes + 1 };
        const PlanItem *item;

        assert_success(plan_node(table, &context, &p, &error), error, 0);
        assert_ptr_equal(p->components, table);
        assert_non_null(plan_find_path(p, "/var/lib/hardway"));
        assert_int_equal(plan_find(p, "etcd/unit")->unit.rank, 10);
        assert_int_equal(plan_find(p, "api/unit")->unit.rank, 20);
        assert_ptr_equal(p->items[p->n_items - 1], plan_find(p, "api/unit"));

        item = plan_find(p, "api/binary-kube-apiserver");
        assert_string_equal(item->path, "/opt/hardway/kubernetes-v1.36.3/kube-apiserver");
        assert_string_equal(item->binary.version, "v1.36.3");
        assert_string_equal(item->binary.architecture, "amd64");
        assert_true(plan_item_is_input_of(item, "api.service"));
        assert_string_equal(plan_find(p, "etcd/binary")->path, "/opt/hardway/etcd-v3.6.16/etcd");
        assert_non_null(plan_find(p, "etcd/binary-etcdctl"));

        /* no lock: all digests are missing */
        assert_true(p->incomplete);
        assert_int_equal(strv_length(p->missing), 3);
        assert_string_equal(p->missing[0], "the binary etcd v3.6.16 for amd64 (run: hardway fetch)");
}

static void test_error_names_component(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        PlanContext context = { .cluster = &c, .node = nodes + 2 };
        Error *error = NULL;
        Plan *p = NULL;
        int r;

        r = plan_node(table, &context, &p, &error);
        assert_string_equal(error->message, "wrong: declares no artifact nothing");
        assert_failure(r, error, ERROR_INTERNAL, EINVAL);
        assert_null(p);
}

static void test_lock(void **state) {
        UnitDir *d = *state;
        _cleanup_free_ char *path = xasprintf("%s/hardway.lock", d->path);
        _cleanup_(lock_freep) Lock *lock = NULL;
        _cleanup_(plan_freep) Plan *p = NULL;
        _cleanup_error_ Error *error = NULL;
        char sha256[65];
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        PlanContext context = { .cluster = &c, .node = nodes };
        LockEntry entry = {
                .name = (char*) "kube-apiserver",
                .version = (char*) "v1.36.3",
                .architecture = (char*) "arm64",
                .url = (char*) "x",
                .sha256 = sha256,
                .size = 99,
        };

        memset(sha256, 'a', 64);
        sha256[64] = '\0';
        assert_success(lock_load(path, &lock, &error), error, 0);
        lock_put(lock, &entry);
        context.lock = lock;
        assert_success(plan_node(table, &context, &p, &error), error, 0);
        assert_string_equal(plan_find(p, "api/binary-kube-apiserver")->sha256, sha256);
        assert_int_equal(plan_find(p, "api/binary-kube-apiserver")->binary.size, 99);
        assert_int_equal(strv_length(p->missing), 2);
}

static void test_requests(void **state) {
        static const char *const wanted[] = {
                "kube-apiserver v1.36.3 arm64", "kube-apiserver v1.36.3 amd64", "kubectl v1.36.3 arm64",
                "kubectl v1.36.3 amd64",        "etcd v3.6.16 arm64",           "etcd v3.6.16 amd64",
                "etcdctl v3.6.16 arm64",        "etcdctl v3.6.16 amd64",
        };
        FetchRequest *requests;
        size_t n;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);

        fetch_requests_for(table, &c, &requests, &n);
        assert_int_equal(n, ARRAY_SIZE(wanted));
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *text = xasprintf("%s %s %s", requests[i].name, requests[i].version,
                                                      requests[i].architecture);

                assert_string_equal(text, wanted[i]);
                assert_int_equal(requests[i].origin, i < 4 ? ORIGIN_KUBERNETES : ORIGIN_ETCD);
        }
        fetch_requests_free(requests, n);
}

static void test_requests_of_one_architecture(void **state) {
        FetchRequest *requests;
        size_t n;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);

        nodes[1].architecture = ARCH_ARM64;
        fetch_requests_for(table, &c, &requests, &n);
        assert_int_equal(n, 4);
        fetch_requests_free(requests, n);

        c.n_nodes = 0;
        fetch_requests_for(table, &c, &requests, &n);
        assert_int_equal(n, 0);
        fetch_requests_free(requests, n);
}

static void test_paths_of_binaries(void **state) {
        static const char *const bad[] = {
                "/opt/hardway/kubernetes-v1.36.3",
                "/opt/hardway/kubernetes-1.36.3/kubectl",
                "/opt/hardway/x/y",
                "/opt/hardway/kubernetes-v1.36/kubectl",
                "/opt/other/etcd-v3.6.16/etcd",
                "/opt/hardway/etcd",
                "",
                "/opt/hardway/etcdv3.6.16/etcd",
        };
        ArtifactOrigin origin;
        Version version;

        assert_int_equal(
                plan_binary_path_parse("/opt/hardway/kubernetes-v1.35.4/kubectl", &origin, &version), 0);
        assert_int_equal(origin, ORIGIN_KUBERNETES);
        assert_int_equal(version.minor, 35);
        assert_int_equal(version.patch, 4);
        assert_int_equal(plan_binary_path_parse("/opt/hardway/etcd-v3.6.16/etcd", &origin, &version), 0);
        assert_int_equal(origin, ORIGIN_ETCD);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(plan_binary_path_parse(bad[i], &origin, &version), -EINVAL);
}

static void test_facts(void **state) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        Facts f;

        facts_default(&c, nodes, &f);
        assert_false(f.observed);
        assert_int_equal(f.architecture, ARCH_ARM64);
        assert_string_equal(facts_vip_interface(&c, nodes, &f), "eth0");
        nodes[0].interface = (char*) "wlan0";
        assert_string_equal(facts_vip_interface(&c, nodes, &f), "wlan0");
        c.endpoint.interface = (char*) "br0";
        assert_string_equal(facts_vip_interface(&c, nodes, &f), "br0");
        facts_done(&f);

        facts_default(&c, nodes, &f);
        assert_string_equal(f.interface, "wlan0");
        assert_int_equal(f.prefix_length, 24);
        facts_done(&f);
        (void) inet_address_parse("fd00::1", &nodes[0].address);
        facts_default(&c, nodes, &f);
        assert_int_equal(f.prefix_length, 64);
        facts_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plan_node),
                cmocka_unit_test(test_error_names_component),
                unit_test_in_dir(test_lock),
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_requests_of_one_architecture),
                cmocka_unit_test(test_paths_of_binaries),
                cmocka_unit_test(test_facts),
        };

        return cmocka_run_group_tests_name("plan-planner", tests, NULL, NULL);
}
