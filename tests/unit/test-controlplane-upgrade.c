/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before a step to the next minor version: kubelets that would be too old, and what is asked for and will be gone.
 *
 * Wraps: http_request
 */

#include "tests/unit/unit.h"

#include "controlplane/controlplane.h"
#include "controlplane/internal.h"
#include "tests/unit/no-http.h"
#include "tests/unit/plan-fixture.h"

static struct {
        const char *runs;           /* the program of the process; NULL: there is none */
        const char *first, *second; /* pages of nodes */
        const char *metrics;        /* NULL: not to be had */
} world;

static int answer(HttpResponse *ret, const char *text) {
        *ret = (HttpResponse) { .status = 200 };
        buffer_add_str(&ret->body, text);
        return 0;
}

int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr);
int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr) {
        *ret = (HttpResponse) {};
        assert_non_null(startswith(q->url, "https://10.77.0.20:6443/")); /* each counts for itself */
        if (strstr(q->url, "/nodes?limit=50&continue=abc"))
                return answer(ret, world.second);
        if (strstr(q->url, "/nodes?limit=50"))
                return answer(ret, world.first);
        assert_non_null(strstr(q->url, "/metrics"));
        if (!world.metrics)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "no answer");
        ret->status = 200;
        /* as it comes: in pieces that end anywhere */
        for (size_t i = 0, n = strlen(world.metrics); i < n; i += 7)
                assert_int_equal(q->sink(q->userdata, world.metrics + i, n - i < 7 ? n - i : 7, reterr), 0);
        return 0;
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
        assert_string_equal(credential, "super-admin");
}

#define NODE(name, version)                                                                             \
        "{\"metadata\":{\"name\":\"" name "\"},\"status\":{\"nodeInfo\":{\"kubeletVersion\":\"" version \
        "\"}}}"
#define NONE "{\"metadata\":{},\"items\":[]}"
#define COUNTED \
        "apiserver_requested_deprecated_apis{group=\"%s\",removed_release=\"%s\",resource=\"%s\",subresource=\"\",version=\"%s\"} 1\n"

static int run_on_node(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        assert_contains(script, "kube-apiserver.service");
        if (world.runs)
                buffer_addf(ret, "%s\n--v=2\n", world.runs);
        return 0;
}

static void expect(const char *id, CheckState state, const char *text) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const ProbeContext context = { .cluster = &c, .exec = run_on_node };
        _cleanup_strv_ Strv running = NULL;
        CheckList checks = {};
        const Check *found = NULL;

        assert_int_equal(running_argv(&context, nodes, &component_kube_apiserver, &running, NULL), 0);
        assert_int_equal(upgrade_preflight(&context, nodes, running, &checks, NULL), 0);
        assert_int_equal(checks.n_checks, 2);
        for (size_t i = 0; i < checks.n_checks; i++)
                if (streq(checks.checks[i].id, id))
                        found = checks.checks + i;
        assert_non_null(found);
        if (found->state != state || !strstr(found->text, text))
                fail_msg("%s: %d %s", id, found->state, found->text);
        assert_true((state == CHECK_FAILED) == (found->advice != NULL));
        check_list_done(&checks);
}

static int setup(void **state) {
        memset(&world, 0, sizeof(world));
        world.runs = "/opt/hardway/kubernetes-v1.35.4/kube-apiserver";
        world.first = NONE;
        world.metrics = "";
        return 0;
}

static void test_no_step(void **state) {
        world.first = world.metrics = NULL; /* nobody asks */
        world.runs = "/opt/hardway/kubernetes-v1.36.1/kube-apiserver";
        expect("kubelets/c0", CHECK_OK, "no step");
        expect("removed-apis/c0", CHECK_OK, "no step");
        world.runs = NULL;
        expect("kubelets/c0", CHECK_OK, "no apiserver of hardway's runs here");
        world.runs = "/usr/bin/kube-apiserver";
        expect("removed-apis/c0", CHECK_OK, "no apiserver of hardway's runs here");
}

static void test_kubelets(void **state) {
        expect("kubelets/c0", CHECK_OK, "none is older than v1.33");
        world.first = "{\"metadata\":{\"continue\":\"abc\"},\"items\":[" NODE("w0", "v1.33.0") "," NODE(
                "w1", "v1.36.3+k3s1") "]}";
        world.second = "{\"metadata\":{\"continue\":\"\"},\"items\":[" NODE(
                "w2", "v1.32.9-gke.100") "," NODE("w3", "odd") ",{}]}";
        expect("kubelets/c0", CHECK_FAILED,
               "v1.36 serves kubelets from v1.33 on, and older are those of: w2 (v1.32.9-gke.100)");
        world.second = "[]";
        expect("kubelets/c0", CHECK_OK, "none is older");
        world.first = "<html>";
        expect("kubelets/c0", CHECK_FAILED, "it is not known how old they are");
        /* what was found before the answers ended is found */
        world.first = "{\"metadata\":{\"continue\":\"abc\"},\"items\":[" NODE("w0", "v1.30.0") "]}";
        world.second = "<html>";
        expect("kubelets/c0", CHECK_FAILED, "older are those of: w0");
}

static void test_removed(void **state) {
        _cleanup_buffer_ Buffer metrics = BUFFER_NULL;

        expect("removed-apis/c0", CHECK_OK, "nobody has asked");
        buffer_add_str(
                &metrics,
                "# HELP apiserver_requested_deprecated_apis [STABLE] Gauge\n"
                "apiserver_request_total{group=\"a\",removed_release=\"1.36\",resource=\"x\",version=\"v1\"} 3\n");
        buffer_addf(&metrics, COUNTED, "later.k8s.io", "1.37", "things", "v1beta1");
        buffer_addf(&metrics, COUNTED, "never.k8s.io", "", "things", "v1beta1");
        world.metrics = buffer_str(&metrics);
        expect("removed-apis/c0", CHECK_OK, "nobody has asked");
        buffer_addf(&metrics, COUNTED, "flowcontrol.apiserver.k8s.io", "1.36", "flowschemas", "v1beta3");
        buffer_addf(&metrics, COUNTED, "", "1.36", "componentstatuses", "v1");
        world.metrics = buffer_str(&metrics);
        expect("removed-apis/c0", CHECK_FAILED,
               "what v1.36 has no more: flowschemas of flowcontrol.apiserver.k8s.io/v1beta3, componentstatuses of v1");
        for (unsigned i = 0; i < 9; i++) {
                _cleanup_free_ char *name = xasprintf("r%u", i);

                buffer_addf(&metrics, COUNTED, "many", "1.36", name, "v1");
        }
        world.metrics = buffer_str(&metrics);
        expect("removed-apis/c0", CHECK_FAILED, "r2 of many/v1 and 6 more");
        world.metrics = NULL;
        expect("removed-apis/c0", CHECK_FAILED, "it is not known whether anybody uses");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_no_step, setup),
                cmocka_unit_test_setup(test_kubelets, setup),
                cmocka_unit_test_setup(test_removed, setup),
        };

        return cmocka_run_group_tests_name("controlplane-upgrade", tests, NULL, NULL);
}
