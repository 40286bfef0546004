/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The control plane's probes and checks against apiservers that are ready, say no, or are not there, and
 * against leases that are fresh, stale, or only look so.
 *
 * Wraps: http_request probe_store_file clock_realtime
 */

#include "tests/unit/unit.h"

#include "common/clock.h"
#include "controlplane/controlplane.h"
#include "controlplane/internal.h"
#include "tests/unit/fake-clock.h"
#include "tests/unit/no-http.h"
#include "tests/unit/plan-fixture.h"

static struct {
        long readyz[2]; /* 0: nothing listens */
        int errnum;     /* then that, or 0: ECONNREFUSED */
        long write;     /* status of the write */
        bool forgets;   /* what was written does not come back */
        bool no_lease, renews;
        bool unknown; /* the client is not believed */
        int64_t lease_time;
        bool installed; /* what a node says of its apiserver */
        const char *kubectl;
        const char *stale; /* ConfigMaps of before, as items of a list */
        bool together;     /* all apiservers are asked before any answers */
} world;

static atomic_uint n_asked;

static Buffer stored_value;
static unsigned n_deleted;
static Buffer deleted; /* names, each with a blank before it */
static char *stored_at;
static int64_t now_sec = 1764000000;

static int answer(HttpResponse *ret, long status, const char *format, ...) _printf_(3, 4);

static int answer(HttpResponse *ret, long status, const char *format, ...) {
        va_list ap;

        *ret = (HttpResponse) { .status = status };
        va_start(ap, format);
        buffer_vaddf(&ret->body, format, ap);
        va_end(ap);
        return 0;
}

static int answer_config_map(const HttpRequest *q, HttpResponse *ret) {
        const char *method = q->method ?: "GET";

        if (streq(method, "PATCH")) {
                assert_string_equal(q->content_type, "application/apply-patch+yaml");
                if (world.write >= 300)
                        return answer(ret, world.write, "{\"message\":\"not today\"}");
                buffer_clear(&stored_value);
                buffer_add(&stored_value, q->body, q->body_size);
                free(stored_at);
                stored_at = xstrndup(q->url, strcspn(q->url, "?"));
                return answer(ret, 201, "{}");
        }
        if (streq(method, "DELETE")) {
                n_deleted++;
                buffer_addf(&deleted, " %s", strrchr(q->url, '/') + 1);
                return answer(ret, 200, "{}");
        }
        if (strstr(q->url, "?labelSelector=hardway-verify"))
                return answer(ret, 200, "{\"items\":[%s]}", world.stale ? world.stale : "");
        assert_string_equal(q->url, stored_at);
        return answer(ret, 200, "%s", world.forgets ? "{}" : buffer_str(&stored_value));
}

static int answer_lease(HttpResponse *ret) {
        _cleanup_free_ char *time = NULL;

        if (world.unknown)
                return answer(ret, 401, "{\"message\":\"Unauthorized\"}");
        if (world.no_lease)
                return answer(ret, 404, "{\"message\":\"not found\"}");
        time = clock_format_iso(world.lease_time);
        time[strlen(time) - 1] = '\0'; /* the API gives microseconds */
        return answer(ret, 200,
                      "{\"spec\":{\"holderIdentity\":\"c1_5e1f\",\"renewTime\":\"%s.123456Z\","
                      "\"leaseDurationSeconds\":15,\"leaseTransitions\":3}}",
                      time);
}

int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr);
int __wrap_probe_store_file(const ProbeContext *c, const char *path, const Buffer **ret, Error **reterr);
int64_t __wrap_clock_realtime(void);

int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr) {
        size_t i = strstr(q->url, "10.77.0.21") ? 1 : 0;
        bool endpoint = strstr(q->url, "10.77.0.10:9000") != NULL;

        if (endpoint ? world.readyz[0] == 0 && world.readyz[1] == 0 : world.readyz[i] == 0)
                return error_set(reterr, ERROR_UNAVAILABLE, world.errnum ?: ECONNREFUSED,
                                 "%s: connection refused", q->url);
        if (world.together && strstr(q->url, "/readyz") && !fixture_meet(&n_asked, 2))
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "one after the other");
        if (strstr(q->url, "/readyz"))
                return world.readyz[i] == 200 ?
                               answer(ret, 200, "ok") :
                               answer(ret, world.readyz[i],
                                      "[+]ping ok\n[-]etcd failed: reason withheld\n"
                                      "[-]informer-sync failed: reason withheld\nreadyz check failed\n");
        if (strstr(q->url, "/version"))
                return answer(ret, 200, "{\"gitVersion\":\"v1.36.3\"}");
        if (strstr(q->url, "/configmaps"))
                return answer_config_map(q, ret);
        if (strstr(q->url, "/leases/"))
                return answer_lease(ret);
        fail_msg("%s", q->url);
        return -EINVAL;
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
}

int __wrap_probe_store_file(const ProbeContext *c, const char *path, const Buffer **ret, Error **reterr) {
        return error_set(reterr, ERROR_CONFIG, ENOENT, "%s is missing", path);
}

void fake_meanwhile(void) {
        if (world.renews)
                world.lease_time++;
}

int64_t __wrap_clock_realtime(void) {
        return now_sec;
}

static int run_on_node(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (strstr(script, "/proc/net/tcp")) {
                assert_contains(script, node->index == 0 ? "H_PORT=10257\n" : "H_PORT=10259\n");
                if (!world.kubectl)
                        return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "ssh: no route");
                buffer_add_str(ret, world.kubectl);
        } else
                buffer_add_str(ret, world.installed ? "yes\n" : "no\n");
        return 0;
}

static void all_well(void) {
        memset(&world, 0, sizeof(world));
        world.readyz[0] = world.readyz[1] = 200;
        world.lease_time = now_sec - 1;
        world.installed = true;
        n_deleted = 0;
        buffer_done(&deleted);
        buffer_done(&stored_value);
        free(TAKE_PTR(stored_at));
}

#define FIXTURE                                                        \
        Node nodes[3];                                                 \
        Cluster c = fixture_cluster(nodes);                            \
        ProbeContext context = { .cluster = &c, .exec = run_on_node }; \
        _cleanup_(probe_result_done) _unused_ ProbeResult result = {}; \
        c.timings.lease_retry_sec = 2;                                 \
        all_well()

static void test_ready(void **state) {
        FIXTURE;

        assert_int_equal(component_kube_apiserver.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);

        world.readyz[0] = 500;
        assert_int_equal(component_kube_apiserver.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_string_equal(result.text, "/readyz says: [-]etcd failed, [-]informer-sync failed");

        world.readyz[0] = 403;
        assert_int_equal(component_kube_apiserver.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text, "roles are not made yet");

        world.readyz[0] = 0;
        assert_int_equal(component_kube_apiserver.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text, "connection refused");
}

static void test_spare(void **state) {
        FIXTURE;
        const Node *const both[] = { nodes, nodes + 1 };

        assert_int_equal(component_kube_apiserver.spare(&context, both, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_contains(result.text, "One apiserver is left");
        assert_int_equal(component_kube_apiserver.spare(&context, both, 2, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);
        assert_contains(result.text, "no apiserver that is ready would be left");
        world.readyz[1] = 500;
        assert_int_equal(component_kube_apiserver.spare(&context, both, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);

        /* nothing is lost by it */
        world.readyz[0] = 0;
        assert_int_equal(component_kube_apiserver.spare(&context, both, 2, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_null(result.text);

        /* one that is a controller no more, and serves still */
        world.readyz[0] = 200;
        nodes[0].roles = ROLE_ETCD;
        assert_int_equal(component_kube_apiserver.spare(&context, both, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);
        probe_result_done(&result);
        world.readyz[1] = 200;
        assert_int_equal(component_kube_apiserver.spare(&context, both, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_contains(result.text, "One apiserver is left");
        /* what answers there is something else */
        world.readyz[1] = 0;
        world.installed = false;
        probe_result_done(&result);
        assert_int_equal(component_kube_apiserver.spare(&context, both, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_null(result.text);
}

static void test_gate(void **state) {
        FIXTURE;

        assert_int_equal(component_kube_apiserver.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        world.readyz[1] = 0;
        assert_int_equal(component_kube_apiserver.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text, "c1");
        world.installed = false;
        assert_int_equal(component_kube_apiserver.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
}

static void test_loopback(void **state) {
        FIXTURE;

        world.kubectl = "ok";
        assert_int_equal(component_kube_controller_manager.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        world.kubectl = "does not listen yet\n";
        assert_int_equal(component_kube_scheduler.ready(&context, nodes + 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_string_equal(result.text, "does not listen yet");
        world.kubectl = NULL;
        assert_int_equal(component_kube_scheduler.ready(&context, nodes + 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_string_equal(result.text, "ssh: no route");
}

/* All have new certificates after theirs had expired: whoever led then holds the lease, until another one has taken it. */
static void test_loopback_leader(void **state) {
        FIXTURE;

        world.kubectl = "ok";
        world.lease_time = now_sec - 86400;
        assert_int_equal(component_kube_controller_manager.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_string_equal(result.text, "c1 led, and does not any more");
        probe_result_done(&result);
        world.lease_time = now_sec;
        assert_int_equal(component_kube_controller_manager.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        world.lease_time = now_sec - 60; /* by another clock */
        world.renews = true;
        assert_int_equal(component_kube_controller_manager.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        world.no_lease = true;
        assert_int_equal(component_kube_controller_manager.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
}

static Check find_check(const Component *component, const ProbeContext *context, const char *id,
                        CheckList *checks) {
        check_list_done(checks);
        assert_int_equal(component->verify(context, checks), 0);
        for (size_t i = 0; i < checks->n_checks; i++)
                if (streq(checks->checks[i].id, id))
                        return checks->checks[i];
        fail_msg("no check %s", id);
        return (Check) {};
}

static void test_verify(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        const Component *api = &component_kube_apiserver;
        _cleanup_free_ char *first = NULL;
        FIXTURE;

        assert_int_equal(find_check(api, &context, "endpoint.version", &checks).state, CHECK_OK);
        assert_int_equal(find_check(api, &context, "endpoint.write", &checks).state, CHECK_OK);
        assert_int_equal(find_check(api, &context, "apiserver.ready/c1", &checks).state, CHECK_OK);
        assert_true(n_deleted > 0);
        /* the store of this test has no certificates */
        assert_int_equal(find_check(api, &context, "apiserver.certificate/c0", &checks).state, CHECK_FAILED);

        /* each write has a name of its own, as another verify may be at it, too; what a killed one has left goes */
        first = xstrdup(stored_at);
        buffer_clear(&deleted);
        world.stale = "{\"metadata\":{\"name\":\"hardway-verify-1763990000-0000abcd\"}},"
                      "{\"metadata\":{\"name\":\"hardway-verify-1763999990-0000abcd\"}},"
                      "{\"metadata\":{\"name\":\"hardway-verify-notes\"}}";
        assert_int_equal(find_check(api, &context, "endpoint.write", &checks).state, CHECK_OK);
        assert_string_not_equal(stored_at, first);
        assert_contains(buffer_str(&deleted), " hardway-verify-1764000000-");
        assert_contains(buffer_str(&deleted), " hardway-verify-1763990000-0000abcd");
        assert_null(strstr(buffer_str(&deleted), "1763999990"));
        assert_null(strstr(buffer_str(&deleted), "notes"));
        world.stale = NULL;

        c.kubernetes.patch = 4;
        assert_int_equal(find_check(api, &context, "endpoint.version", &checks).state, CHECK_WARNING);

        world.write = 403;
        assert_contains(find_check(api, &context, "endpoint.write", &checks).text, "not today");
        assert_contains(find_check(api, &context, "endpoint.write", &checks).advice, "role bindings");
        world.write = 401;
        assert_contains(find_check(api, &context, "endpoint.write", &checks).advice,
                        "hardway pki renew admin");
        world.write = 500;
        assert_contains(find_check(api, &context, "endpoint.write", &checks).advice, "etcd members");
        world.write = 0;
        world.forgets = true;
        n_deleted = 0;
        assert_int_equal(find_check(api, &context, "endpoint.write", &checks).state, CHECK_FAILED);
        assert_int_equal(n_deleted, 1);

        world.readyz[1] = 500;
        assert_contains(find_check(api, &context, "apiserver.ready/c1", &checks).text, "[-]etcd failed");
        world.readyz[0] = world.readyz[1] = 0;
        assert_int_equal(find_check(api, &context, "endpoint.version", &checks).state, CHECK_FAILED);
        assert_int_equal(find_check(api, &context, "endpoint.write", &checks).state, CHECK_FAILED);
        assert_contains(find_check(api, &context, "endpoint.write", &checks).advice, "was not reached");
}

/* What helps where nobody listens is no help where the host is off, or the certificate has ended. */
static void test_silent(void **state) {
        static const struct {
                int errnum;
                const char *advice;
        } rows[] = {
                { ECONNREFUSED, "on c1: journalctl -u kube-apiserver; then: hardway install --node c1" },
                { EHOSTUNREACH, "switch c1 on, or mend its network: what runs there comes back by itself" },
                { ETIMEDOUT,
                  "c1 is off or cut off, and comes back by itself; or kube-apiserver hangs: if ssh gets there, "
                  "journalctl -u kube-apiserver, then systemctl restart kube-apiserver" },
                { EKEYEXPIRED,
                  "hardway pki list: if it has ended there, too, hardway pki renew; else hardway install "
                  "--node c1, and see the clocks, there and here: timedatectl" },
        };
        FIXTURE;

        world.readyz[1] = 0;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                world.errnum = rows[i].errnum;
                assert_string_equal(
                        find_check(&component_kube_apiserver, &context, "apiserver.ready/c1", &checks)
                                .advice,
                        rows[i].advice);
        }
}

static void test_leader(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        const Component *scheduler = &component_kube_scheduler;
        Check check;
        FIXTURE;

        check = find_check(scheduler, &context, "scheduler.leader", &checks);
        assert_int_equal(check.state, CHECK_OK);
        assert_string_equal(check.text, "c1 leads, renewed 1 s ago");

        world.lease_time = now_sec - 60;
        check = find_check(scheduler, &context, "scheduler.leader", &checks);
        assert_int_equal(check.state, CHECK_FAILED);
        assert_contains(check.text, "60 s");

        /* the leader's clock is an hour off, and it is alive */
        world.renews = true;
        world.lease_time = now_sec + 3600;
        assert_int_equal(find_check(scheduler, &context, "scheduler.leader", &checks).state, CHECK_OK);
        world.lease_time = now_sec - 3600;
        assert_int_equal(find_check(scheduler, &context, "scheduler.leader", &checks).state, CHECK_OK);

        world.no_lease = true;
        check = find_check(scheduler, &context, "scheduler.leader", &checks);
        assert_int_equal(check.state, CHECK_FAILED);
        assert_string_equal(check.text, "nobody has ever led");
        assert_contains(check.advice, "journalctl -u kube-scheduler");

        world.unknown = true;
        check = find_check(scheduler, &context, "scheduler.leader", &checks);
        assert_contains(check.text, "401");
        assert_contains(check.advice, "see why the endpoint does not tell");
        world.readyz[0] = world.readyz[1] = 0;
        check = find_check(scheduler, &context, "scheduler.leader", &checks);
        assert_contains(check.advice, "see why the endpoint does not tell");
}

static void test_all_at_once(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        FIXTURE;

        world.together = true;
        n_asked = 0;
        assert_int_equal(component_kube_apiserver.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        n_asked = 0;
        assert_int_equal(
                find_check(&component_kube_apiserver, &context, "apiserver.ready/c0", &checks).state,
                CHECK_OK);
}

static void test_texts(void **state) {
        _cleanup_free_ char *none = readyz_text(""), *odd = readyz_text("[-]\n[-]a"), *text = NULL;
        ApiAnswer a = { .status = 502 };

        assert_string_equal(none, "");
        assert_string_equal(odd, "[-], [-]a");
        text = api_answer_text(&a);
        assert_string_equal(text, "HTTP status 502");
}

static int tear_down(void **state) {
        buffer_done(&stored_value);
        buffer_done(&deleted);
        free(stored_at);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ready),           cmocka_unit_test(test_gate),
                cmocka_unit_test(test_loopback),        cmocka_unit_test(test_verify),
                cmocka_unit_test(test_loopback_leader), cmocka_unit_test(test_leader),
                cmocka_unit_test(test_texts),           cmocka_unit_test(test_all_at_once),
                cmocka_unit_test(test_spare),           cmocka_unit_test(test_silent),
        };

        return cmocka_run_group_tests(tests, NULL, tear_down);
}
