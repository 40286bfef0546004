/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/json.h"
#include "tests/unit/plan-fixture.h"
#include "watch/internal.h"

/* What the watch is told to look at, from what others have put into the plan; and what is made of its words. */

typedef struct Fixture {
        Node nodes[3];
        Cluster cluster;
        Facts facts;
        PlanContext context;
        Plan *plan;
} Fixture;

static Fixture f;

static int setup(void **state) {
        f = (Fixture) {};
        f.cluster = fixture_cluster(f.nodes);
        f.context = (PlanContext) { .cluster = &f.cluster, .node = f.nodes, .facts = &f.facts };
        f.plan = plan_new(&f.cluster, f.nodes);
        return 0;
}

static int teardown(void **state) {
        f.plan = plan_free(f.plan);
        return 0;
}

#define watch_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

static void add_file(const char *noun, const char *path, bool secret) {
        PlanItem *item = plan_add_file(f.plan, "x", noun, path, 0644, "", "w");

        item->secret = secret;
        if (secret)
                item->fingerprint = xstrdup("f");
}

static void test_config(void **state) {
        static char directory[] = "/var/lib/node";
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        PlanItem *unit;

        add_file("a", "/etc/kubernetes/pki/apiserver.crt", false);
        add_file("b", "/etc/kubernetes/pki/apiserver.key", true);
        add_file("c", "/etc/kubernetes/scheduler.conf", true);
        add_file("d", "/etc/kubernetes/audit.conf", false);
        add_file("e", "/etc/kubernetes/pki/etcd/healthcheck-client.key", true);
        plan_add_symlink(f.plan, "x", "etcdctl", "/usr/local/bin/etcdctl", "/opt/x", "w");
        plan_add_symlink(f.plan, "x", "kubectl", "/usr/local/bin/kubectl", "/opt/x", "w");
        plan_add_unit(f.plan, "x", "etcd.service", fixture_unit("x"), "w");
        unit = plan_add_unit(f.plan, "x", "once.service", fixture_unit("x"), "w");
        unit->unit.running = false;
        f.cluster.watch_textfile = directory;
        f.cluster.snapshots = (SnapshotPolicy) { .every_hours = 6, .keep = 2, .directory = directory };
        unit = plan_add_unit(f.plan, "x", "etcd-snapshot.timer", fixture_unit("x"), "w");
        unit->unit.running = false;
        add_file("f", "/etc/keepalived/hardway-notify", false);
        watch_config(&f.context, f.plan, &text);
        assert_string_equal(strchr(buffer_str(&text), '\n') + 1,
                            "certificate /etc/kubernetes/pki/apiserver.crt\n"
                            "certificate /etc/kubernetes/scheduler.conf\n"
                            "unit etcd.service\n"
                            "etcd /usr/local/bin/etcdctl /etc/kubernetes/pki/etcd\n"
                            "member c0 https://10.77.0.20:2379\n"
                            "member c1 https://10.77.0.21:2379\n"
                            "snapshots /var/lib/node etcd-snapshot.service "
                            "/etc/systemd/system/etcd-snapshot.timer 46800\n"
                            "apiserver /usr/local/bin/kubectl /etc/kubernetes/scheduler.conf "
                            "https://10.77.0.20:6443\n"
                            "endpoint /usr/local/bin/kubectl /etc/kubernetes/scheduler.conf "
                            "https://10.77.0.10:9000\n"
                            "vrrp /run/hardway/keepalived.state\n"
                            "textfile /var/lib/node\n");

        /* not by way of load balancers that are not ours */
        f.nodes[2].roles = ROLE_ETCD;
        buffer_done(&text);
        watch_config(&f.context, f.plan, &text);
        assert_contains(buffer_str(&text), "\napiserver ");
        assert_null(strstr(buffer_str(&text), "\nendpoint "));
}

/* A node with nothing of etcd and without an apiserver is looked after all the same. */
static void test_config_of_little(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        add_file("a", "/etc/kubernetes/pki/ca.crt", false);
        watch_config(&f.context, f.plan, &text);
        assert_string_equal(strchr(buffer_str(&text), '\n') + 1, "certificate /etc/kubernetes/pki/ca.crt\n");
}

static void test_items(void **state) {
        _cleanup_error_ Error *error = NULL;
        const PlanItem *service, *timer;

        assert_success(component_watch.plan(&f.context, f.plan, &error), error, 0);
        assert_success(plan_finish(f.plan, &error), error, 0);
        service = plan_find(f.plan, "watch/unit-hardway-watch.service");
        timer = plan_find(f.plan, "watch/unit-hardway-watch.timer");
        assert_non_null(service);
        assert_non_null(timer);
        assert_false(service->unit.running || service->unit.enabled);
        assert_true(timer->unit.running && timer->unit.enabled);
        assert_contains(buffer_str(&service->content), "CapabilityBoundingSet=\n");
        /* asked for again and again it does not count as failed */
        assert_contains(buffer_str(&service->content), "StartLimitIntervalSec=0\n");
        assert_null(strstr(buffer_str(&service->content), "ReadWritePaths="));
        /* once an hour, at a minute by the node's name, "c0"; and the first time after a minute, which nothing puts off */
        assert_contains(buffer_str(&timer->content), "OnCalendar=*:27\n");
        assert_contains(buffer_str(&timer->content), "OnActiveSec=1min\n");
        assert_null(strstr(buffer_str(&timer->content), "Delay"));
        assert_contains(buffer_str(&timer->content), "Persistent=yes");
        assert_string_equal(timer->unit.leaves[0], "/var/lib/systemd/timers/stamp-hardway-watch.timer");
        assert_int_equal(plan_find_path(f.plan, WATCH_SCRIPT)->mode, 0755);
}

static void test_judge(void **state) {
        static const struct {
                const char *answer;
                CheckState state;
                const char *text;
        } cases[] = {
                { "10000\nactive\nsuccess\n9400\n<6>14 certificates; 0 problems\n", CHECK_OK,
                  "looked 10 min ago: 14 certificates; 0 problems" },
                { "10000\nactive\nsuccess\n9999\n<4>a.crt expires in 20 days\n<6>x\n", CHECK_WARNING,
                  "a.crt expires in 20 days (1" },
                { "10000\nactive\nsuccess\n9999\n<3>etcd member c1 is ill\n<2>b\n<6>x\n", CHECK_WARNING,
                  "etcd member c1 is ill, and more" },
                { "20000\nactive\nsuccess\n9999\n<6>x\n", CHECK_WARNING, "has not looked for 2 h" },
                { "10000\nactive\nsuccess\n", CHECK_OK, "has not looked yet" },
                { "10000\nactive\nexit-code\n9999\n<6>x\n", CHECK_WARNING,
                  "its last look ended badly: exit-code" },
                { "10000\ninactive\nsuccess\n9999\n<6>x\n", CHECK_FAILED, "its timer is not active" },
                { "", CHECK_FAILED, "its timer is not active" },
                { "10000\nactive\nsuccess\nsoon\n", CHECK_OK, "has not looked yet" },
                { "10000\nactive\nsuccess\n9999\n<\n<3\n<9>z\n", CHECK_OK, "looked" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                watch_judge(f.nodes, cases[i].answer, &checks);
                assert_int_equal(checks.n_checks, 1);
                assert_string_equal(checks.checks[0].id, "watch/c0");
                assert_contains(checks.checks[0].text, cases[i].text);
                assert_int_equal(checks.checks[0].state, cases[i].state);
                assert_true(cases[i].state == CHECK_OK || checks.checks[0].advice);
        }
}

/* What a node has written down is no order for a terminal, and JSON has a place for it. */
static void test_judge_harmless(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        _cleanup_json_ json_t *text = NULL;

        watch_judge(f.nodes, "100\nactive\nsuccess\n99\n<3>a\033]52;c;eA==\a\xff\xc2\x9b\xc3\xa4\xc3",
                    &checks);
        assert_int_equal(checks.n_checks, 1);
        assert_contains(checks.checks[0].text, "a?]52;c;eA==????\xc3\xa4? (");
        text = json_string(checks.checks[0].text);
        assert_non_null(text);

        check_advise(checks.checks, "one\n%s", "\033[2J\rtwo\xed\xa0\x80");
        assert_string_equal(checks.checks[0].advice, "one\n?[2J two???");
}

static atomic_uint n_asked;

static int tell_together(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (!fixture_meet(&n_asked, 3))
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "one after the other");
        buffer_add_str(ret, "10000\nactive\nsuccess\n");
        return 0;
}

static void test_all_at_once(void **state) {
        const ProbeContext context = { .cluster = &f.cluster, .exec = tell_together };
        _cleanup_(check_list_done) CheckList checks = {};

        assert_int_equal(component_watch.verify(&context, &checks), 0);
        assert_int_equal(checks.n_checks, 3);
        assert_string_equal(checks.checks[0].id, "watch/c0");
        assert_string_equal(checks.checks[1].id, "watch/c1");
        assert_string_equal(checks.checks[2].id, "watch/lb0");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                watch_test(test_config), watch_test(test_config_of_little), watch_test(test_items),
                watch_test(test_judge),  watch_test(test_judge_harmless),   watch_test(test_all_at_once),
        };

        return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
