/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The plans of etcd and the control plane: what flags, credentials and files have to do with each other. The
 * text itself is in tests/golden.
 */

#include "tests/unit/unit.h"

#include "common/json.h"
#include "controlplane/controlplane.h"
#include "etcd/etcd.h"
#include "plan/service.h"
#include "tests/unit/plan-fixture.h"

static const Component *const services[] = {
        &component_etcd,
        &component_kube_apiserver,
        &component_kube_controller_manager,
        &component_kube_scheduler,
        NULL,
};

static Cluster cluster_with_timings(Node nodes[static 3]) {
        Cluster c = fixture_cluster(nodes);

        c.timings = (Timings) {
                .haproxy_check_msec = 1000,
                .haproxy_fall = 2,
                .etcd_heartbeat_msec = 100,
                .etcd_election_msec = 1000,
                .etcd_ready_sec = 2,
                .lease_duration_sec = 15,
                .lease_renew_sec = 10,
                .lease_retry_sec = 2,
        };
        c.n_pods = c.n_services = 1;
        assert_int_equal(inet_network_parse("10.244.0.0/16", c.pods), 0);
        assert_int_equal(inet_network_parse("10.96.0.0/16", c.services), 0);
        return c;
}

static Plan* make_plan(const Cluster *c, const Node *node) {
        PlanContext context = { .cluster = c, .node = node };
        Error *error = NULL;
        Plan *p = NULL;

        assert_success(plan_node(services, &context, &p, &error), error, 0);
        assert_true(p->incomplete);
        return p;
}

static const char* unit_text(const Plan *p, const Component *component) {
        _cleanup_free_ char *id = xasprintf("%s/unit", component->name);
        const PlanItem *item = plan_find(p, id);

        assert_non_null(item);
        return buffer_str(&item->content);
}

/* "--name=value" on a line of its own, as units have it */
static bool has_flag(const Plan *p, const Component *component, const char *flag) {
        _cleanup_free_ char *line = xasprintf("        %s", flag);
        const char *found = strstr(unit_text(p, component), line);

        return found && strchr(" \n", found[strlen(line)]);
}

static void test_flags(void **state) {
        for (const Component *const *c = services; *c; c++) {
                assert_true((*c)->n_flags > 10);
                for (size_t i = 0; i < (*c)->n_flags; i++) {
                        const Flag *f = (*c)->flags + i;

                        assert_non_null(f->name);
                        assert_true(f->value || f->function);
                        assert_true(f->why && strlen(f->why) > 10 && endswith(f->why, "."));
                        for (size_t j = 0; j < i; j++)
                                assert_string_not_equal(f->name, (*c)->flags[j].name);
                }
        }
}

static void test_credentials(void **state) {
        for (const Component *const *c = services; *c; c++)
                for (size_t i = 0; i < (*c)->n_credentials; i++) {
                        const Credential *r = (*c)->credentials + i;

                        assert_true(r->why && strlen(r->why) > 10);
                        assert_true(r->type == STORE_KEY_PAIR || r->type == STORE_SECRET || r->usage != 0);
                        assert_true((r->type == STORE_CERTIFICATE || r->type == STORE_KUBECONFIG) ==
                                    (r->issuer != NULL));
                }
}

static void test_sandbox(void **state) {
        for (size_t i = 0; i < service_n_sandbox; i++)
                assert_true(service_sandbox[i].key && service_sandbox[i].value && service_sandbox[i].why);
}

/* Every credential that the flags name is handed over, and every one that is handed over is named. */
static void assert_credentials_fit(const Plan *p, const Component *component) {
        const char *text = unit_text(p, component), *begin = strstr(text, "\nExecStart="), *id;

        assert_non_null(begin);
        for (id = strstr(begin, "%d/"); id; id = strstr(id + 1, "%d/")) {
                _cleanup_free_ char *line =
                        xasprintf("\nLoadCredential=%.*s:", (int) strcspn(id + 3, " \n"), id + 3);

                assert_contains(text, line);
        }
        for (id = strstr(text, "\nLoadCredential="); id; id = strstr(id + 1, "\nLoadCredential=")) {
                const char *name = id + strlen("\nLoadCredential="), *path = strchr(name, ':') + 1;
                _cleanup_free_ char *used = xasprintf("%%d/%.*s", (int) (path - 1 - name), name);
                _cleanup_free_ char *file = xstrndup(path, strcspn(path, "\n"));
                const PlanItem *item = plan_find_path(p, file);

                assert_contains(begin, used);
                assert_non_null(item);
                assert_true(plan_item_is_input_of(item, component->unit));
                assert_string_equal(item->owner, "root:root");
        }
}

static void test_units(void **state) {
        for (unsigned minor = VERSION_KUBERNETES_MINOR_FIRST; minor <= VERSION_KUBERNETES_MINOR_LAST;
             minor++) {
                Node nodes[3];
                Cluster c = cluster_with_timings(nodes);
                _cleanup_(plan_freep) Plan *p = NULL;

                c.kubernetes.minor = minor;
                p = make_plan(&c, nodes);
                for (const Component *const *component = services; *component; component++) {
                        assert_credentials_fit(p, *component);
                        assert_null(strstr(unit_text(p, *component), "(null)"));
                        assert_contains(unit_text(p, *component), "\nCapabilityBoundingSet=\n");
                }
                for (size_t i = 0; i < p->n_items; i++)
                        assert_true(p->items[i]->why && *p->items[i]->why);
        }
}

static void test_secrets_are_closed(void **state) {
        Node nodes[3];
        Cluster c = cluster_with_timings(nodes);
        _cleanup_(plan_freep) Plan *p = make_plan(&c, nodes);
        size_t n = 0;

        PLAN_FOREACH(item, p, PLAN_FILE) {
                bool closed = endswith(item->path, ".key") || endswith(item->path, ".conf") ||
                              streq(item->path, "/etc/kubernetes/encryption-config.yaml");

                assert_int_equal(item->mode, closed ? 0600 : 0644);
                assert_int_equal(item->secret, closed);
                n += closed;
        }
        assert_true(n > 8);
        assert_null(plan_find_path(p, "/etc/kubernetes/pki/etcd/ca.key"));
        assert_null(plan_find_path(p, "/etc/kubernetes/pki/front-proxy-ca.key"));
        assert_null(plan_find_path(p, "/etc/kubernetes/admin.conf"));
        assert_null(plan_find_path(p, "/etc/kubernetes/super-admin.conf"));
}

static void test_etcd_values(void **state) {
        Node nodes[3];
        Cluster c = cluster_with_timings(nodes);
        _cleanup_(plan_freep) Plan *p = make_plan(&c, nodes + 1);

        assert_true(has_flag(p, &component_etcd, "--name=c1"));
        assert_true(has_flag(p, &component_etcd,
                             "--initial-cluster=c0=https://10.77.0.20:2380,c1=https://10.77.0.21:2380"));
        assert_true(has_flag(p, &component_etcd,
                             "--listen-client-urls=https://127.0.0.1:2379,https://10.77.0.21:2379"));
        assert_true(has_flag(p, &component_etcd, "--initial-cluster-state=new"));
        assert_contains(unit_text(p, &component_etcd), "\nUpholds=kube-apiserver.service\n");
        assert_contains(unit_text(p, &component_kube_apiserver), "\nBindsTo=etcd.service\n");
}

/* etcd on nodes of its own: no ties between the units, and all members for each apiserver. */
static void test_external_etcd(void **state) {
        Node nodes[3];
        Cluster c = cluster_with_timings(nodes);
        _cleanup_(plan_freep) Plan *controller = NULL, *member = NULL;

        nodes[0].roles = ROLE_CONTROLLER;
        nodes[1].roles = nodes[2].roles = ROLE_ETCD;
        controller = make_plan(&c, nodes);
        member = make_plan(&c, nodes + 1);

        assert_null(plan_find(controller, "etcd/unit"));
        assert_true(has_flag(controller, &component_kube_apiserver,
                             "--etcd-servers=https://10.77.0.21:2379,https://10.77.0.11:2379"));
        assert_null(strstr(unit_text(controller, &component_kube_apiserver), "BindsTo="));
        assert_non_null(plan_find_path(controller, "/etc/kubernetes/pki/etcd/ca.crt"));
        assert_null(strstr(unit_text(member, &component_etcd), "Upholds="));
        assert_null(plan_find(member, "kube-apiserver/unit"));
        assert_null(plan_find_path(member, "/etc/kubernetes/pki/ca.crt"));
}

static void test_apiserver_values(void **state) {
        Node nodes[3];
        Cluster c = cluster_with_timings(nodes);
        _cleanup_(plan_freep) Plan *wired = make_plan(&c, nodes), *wifi = NULL, *alone = NULL;

        assert_true(has_flag(wired, &component_kube_apiserver, "--etcd-servers=https://127.0.0.1:2379"));
        assert_true(has_flag(wired, &component_kube_apiserver, "--bind-address=0.0.0.0"));
        assert_true(has_flag(wired, &component_kube_apiserver, "--shutdown-delay-duration=3s"));
        assert_true(has_flag(wired, &component_kube_apiserver, "--goaway-chance=.001"));
        assert_null(strstr(unit_text(wired, &component_kube_apiserver), "--anonymous-auth"));

        c.timings.haproxy_check_msec = 3000;
        c.timings.haproxy_fall = 3;
        wifi = make_plan(&c, nodes);
        assert_true(has_flag(wifi, &component_kube_apiserver, "--shutdown-delay-duration=8s"));

        nodes[1].roles = ROLE_ETCD;
        alone = make_plan(&c, nodes);
        assert_null(strstr(unit_text(alone, &component_kube_apiserver), "--goaway-chance"));
}

/* haproxy and apiserver on one node: the same port only on different addresses. */
static void test_shared_port(void **state) {
        Node nodes[3];
        Cluster c = cluster_with_timings(nodes);
        _cleanup_(plan_freep) Plan *same = NULL, *other = NULL;

        nodes[0].roles |= ROLE_LOADBALANCER;
        other = make_plan(&c, nodes);
        c.endpoint.port = c.apiserver_port;
        same = make_plan(&c, nodes);
        assert_true(has_flag(other, &component_kube_apiserver, "--bind-address=0.0.0.0"));
        assert_true(has_flag(same, &component_kube_apiserver, "--bind-address=10.77.0.20"));
}

static void test_node_masks(void **state) {
        static const struct {
                const char *pods;
                const char *flag; /* NULL: the default is right */
        } rows[] = {
                { "10.244.0.0/16", NULL },
                { "10.244.0.0/24", "--node-cidr-mask-size-ipv4=28" },
                { "10.244.0.0/28", "--node-cidr-mask-size-ipv4=30" },
                { "fd00:10:244::/48", NULL },
                { "fd00:10:244::/56", NULL },
                { "fd00:10::/40", "--node-cidr-mask-size-ipv6=56" },
                { "fd00:10:244::/64", "--node-cidr-mask-size-ipv6=72" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Node nodes[3];
                Cluster c = cluster_with_timings(nodes);
                _cleanup_(plan_freep) Plan *p = NULL;

                assert_int_equal(inet_network_parse(rows[i].pods, c.pods), 0);
                p = make_plan(&c, nodes);
                if (rows[i].flag)
                        assert_true(has_flag(p, &component_kube_controller_manager, rows[i].flag));
                else
                        assert_null(strstr(unit_text(p, &component_kube_controller_manager),
                                           "--node-cidr-mask"));
        }
}

static void test_objects(void **state) {
        Node nodes[3];
        Cluster c = cluster_with_timings(nodes);
        _cleanup_(plan_freep) Plan *p = make_plan(&c, nodes);
        size_t n = 0;

        PLAN_FOREACH(item, p, PLAN_OBJECT) {
                const char *name = json_path_text(item->object.body, "metadata.name");

                assert_non_null(name);
                assert_true(endswith(item->object.api, name));
                if (startswith(item->object.api, "/apis/rbac"))
                        assert_string_equal(json_path_text(item->object.body, "kind"), "ClusterRoleBinding");
                else
                        assert_string_equal(json_path_text(item->object.body, "data.mark"),
                                            "hardway-identity:not-made-yet");
                n++;
        }
        assert_int_equal(n, 3);
}

static void test_names(void **state) {
        Node nodes[3];
        Cluster c = cluster_with_timings(nodes);
        char domain[] = "k8s.home", *names[] = { (char*) "api.home", NULL },
             *sans[] = { (char*) "10.0.0.9", NULL };
        StoreRequests requests = {};
        bool found = false;

        c.domain = domain;
        c.endpoint.names = names;
        c.certificates.extra_sans = sans;
        store_requests_for(services, &c, &requests);
        for (size_t i = 0; i < requests.n_requests; i++) {
                const CertificateProfile *profile = &requests.requests[i].profile;

                if (!streq(requests.requests[i].name, "nodes/c0/pki/apiserver"))
                        continue;
                found = true;
                assert_true(strv_contains(profile->dns_names, "kubernetes.default.svc.k8s.home"));
                assert_true(strv_contains(profile->dns_names, "kubernetes.default.svc.cluster.local"));
                assert_true(strv_contains(profile->dns_names, "api.home"));
                assert_true(strv_contains(profile->dns_names, "c1"));
                assert_int_equal(profile->n_addresses,
                                 7); /* service, two nodes, two loopbacks, VIP, extra */
        }
        assert_true(found);
        store_requests_done(&requests);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_flags),
                cmocka_unit_test(test_credentials),
                cmocka_unit_test(test_sandbox),
                cmocka_unit_test(test_units),
                cmocka_unit_test(test_secrets_are_closed),
                cmocka_unit_test(test_etcd_values),
                cmocka_unit_test(test_external_etcd),
                cmocka_unit_test(test_apiserver_values),
                cmocka_unit_test(test_shared_port),
                cmocka_unit_test(test_node_masks),
                cmocka_unit_test(test_objects),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
