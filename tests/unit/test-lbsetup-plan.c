/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/ports.h"
#include "tests/unit/unit.h"

#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"
#include "lbsetup/lbsetup.h"
#include "tests/unit/lb-fixture.h"

/* The items of a load balancer, and what makes its services start, reload and stop as the other parts rely on. */

static LbFixture f;

static int setup(void **state) {
        static const Component *const components[] = { &component_haproxy, &component_keepalived, NULL };
        _cleanup_error_ Error *error = NULL;
        Plan *p = NULL;

        lb_fixture_set_up(&f);
        assert_success(plan_node(components, &f.context, &p, &error), error, 0);
        *state = p;
        return 0;
}

static int teardown(void **state) {
        plan_free(*state);
        return 0;
}

#define lb_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

static const PlanItem* find(const Plan *p, const char *id) {
        const PlanItem *item = plan_find(p, id);

        if (!item)
                fail_msg("%s is not in the plan", id);
        return item;
}

static void test_packages(void **state) {
        const PlanItem *haproxy = find(*state, "haproxy/package"),
                       *keepalived = find(*state, "keepalived/package");

        assert_string_equal(haproxy->package.units[0], "haproxy.service");
        assert_string_equal(keepalived->package.units[0], "keepalived.service");
        assert_string_equal(find(*state, "keepalived/user-keepalived_script")->user.name,
                            "keepalived_script");
}

static void test_haproxy_inputs(void **state) {
        const char *const reloaded[] = { "haproxy/config", "haproxy/ca" };
        const PlanItem *unit = find(*state, "haproxy/drop-in");
        const char *text = buffer_str(&unit->content);

        for (size_t i = 0; i < ARRAY_SIZE(reloaded); i++) {
                const PlanItem *item = find(*state, reloaded[i]);
                _cleanup_free_ char *recorded =
                        xasprintf("sha256sum %s%s", i == 0 ? "" : HAPROXY_CONFIG " ", item->path);

                assert_true(item->reload);
                assert_true(plan_item_is_input_of(item, "haproxy.service"));
                assert_contains(text, recorded);
        }
        assert_contains(text, "\nExecReload=+/bin/sh -c 'sha256sum ");
        assert_contains(text, " >/run/hardway/haproxy.service.loaded");
        assert_string_equal(find(*state, "haproxy/config")->file.check_package, "haproxy");
        assert_contains(find(*state, "haproxy/config")->file.check, "haproxy -c -q -f ");
        assert_int_equal(unit->unit.ports[0], 9000);
        assert_int_equal(unit->unit.ports[1], PORT_HAPROXY_MONITOR);
        assert_int_equal(unit->unit.n_ports, 2);
}

/* haproxy counts as down from boot on, until its start says otherwise, and again whenever it ends. */
static void test_haproxy_down(void **state) {
        const char *text = buffer_str(&find(*state, "haproxy/drop-in")->content);

        assert_contains(buffer_str(&find(*state, "haproxy/tmpfiles")->content),
                        "\nf /run/hardway/haproxy.down 0644 root root - 1\n");
        assert_contains(text, "; echo 0 >/run/hardway/haproxy.down'\n");
        assert_contains(text, "\nExecStopPost=+/bin/sh -c 'echo 1 >/run/hardway/haproxy.down'\n");
        assert_contains(text, "\nStartLimitIntervalSec=0\n");
        assert_contains(text, "\nRestart=always\n");
        assert_contains(text, "\nRestartSec=100ms\n");
        assert_contains(text, "\nRuntimeDirectoryPreserve=yes\n");
        assert_contains(text, "\nExecStartPre=+systemd-tmpfiles --create /etc/tmpfiles.d/hardway-lb.conf\n");
}

/* What the new process is to know is laid down before it is told to come; at a start there is nothing of an ended one. */
static void test_haproxy_reload(void **state) {
        const char *text = buffer_str(&find(*state, "haproxy/drop-in")->content);
        const char *const steps[] = { "\nExecReload=\n", "\nExecReload=-+/etc/haproxy/hardway-servers\n",
                                      "\nExecReload=/usr/sbin/haproxy -Ws -f $CONFIG -c $EXTRAOPTS\n",
                                      "\nExecReload=/bin/kill -USR2 $MAINPID\n",
                                      "\nExecReload=+/bin/sh -c 'sha256sum " };

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                text = strstr(text, steps[i]);
                assert_non_null(text);
        }
        assert_contains(buffer_str(&find(*state, "haproxy/tmpfiles")->content),
                        "\nf+ /run/hardway/haproxy.servers 0600 root root - 1\\n\n");
        assert_contains(buffer_str(&find(*state, "haproxy/config")->content),
                        "\n        load-server-state-from-file local\n"
                        "        server-state-file-name /run/hardway/haproxy.servers\n");
        assert_string_equal(find(*state, "haproxy/servers")->path, HAPROXY_KEEP);
        assert_contains(EMBED_HAPROXY_SERVERS_SH, "\nconfig=" HAPROXY_CONFIG " ");
        assert_contains(EMBED_HAPROXY_SERVERS_SH, " file=" LB_SERVERS "\n");
        assert_contains(EMBED_HAPROXY_SERVERS_SH, "\"show servers state " HAPROXY_CHECKS "\"");
}

static void test_keepalived_unit(void **state) {
        const PlanItem *config = find(*state, "keepalived/config");
        const char *text = buffer_str(&find(*state, "keepalived/drop-in")->content);

        assert_true(config->reload);
        assert_contains(
                text,
                "\nExecStartPost=+/bin/sh -c 'sha256sum /etc/keepalived/keepalived.conf >/run/hardway/keepalived.service.loaded'\n");
        assert_contains(
                text,
                "\nExecReload=+/bin/sh -c 'sha256sum /etc/keepalived/keepalived.conf >/run/hardway/keepalived.service.loaded'\n");
        assert_contains(text, "\nEnvironment=HARDWAY_RESTART_FOR=eth0/51\n");
        assert_true(plan_item_is_input_of(config, "keepalived.service"));
        assert_string_equal(config->file.check_package, "keepalived");
        assert_contains(text, "\nAfter=haproxy.service\n");
        assert_contains(text, "\nRestart=always\n");
        assert_contains(text, "\nExecStart=\n");
        assert_contains(text, "\nExecStopPost=-ip address delete 10.77.0.10/32 dev eth0\n");
        assert_contains(
                text,
                "\nCapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BROADCAST CAP_SETUID CAP_SETGID CAP_KILL\n");
}

/* Settings from a file go before those of Environment= (systemd.exec(5)): there is to be none, and no word from one. */
static void test_nothing_from_etc_default(void **state) {
        const char *const ids[] = { "haproxy/drop-in", "keepalived/drop-in" };

        for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
                assert_contains(buffer_str(&find(*state, ids[i])->content), "\nEnvironmentFile=\n");
        assert_contains(buffer_str(&find(*state, "haproxy/drop-in")->content),
                        "\nEnvironment=CONFIG=/etc/haproxy/haproxy.cfg\n");
        assert_null(strstr(buffer_str(&find(*state, "keepalived/drop-in")->content), "$DAEMON_ARGS"));
}

/* Scripts run as root's choice of user, and keepalived runs none that others could write to. */
static void test_scripts(void **state) {
        const char *const ids[] = { "haproxy/servers", "keepalived/health", "keepalived/notify" };

        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                const PlanItem *item = find(*state, ids[i]);

                assert_int_equal(item->mode, 0755);
                assert_string_equal(item->owner, "root:root");
        }
}

/* The script that looks at a load balancer cannot include a header. */
static void test_look_script(void **state) {
        _cleanup_free_ char *port = xasprintf("/dev/tcp/127.0.0.1/%d ", PORT_HAPROXY_MONITOR);
        const char *const parts[] = {
                port,          LB_HAPROXY_DOWN,      LB_HANDOVER,     LB_STATE,
                HAPROXY_READY, HAPROXY_STATS ";csv", HAPROXY_BACKEND, "^" HAPROXY_CHECKS ","
        };

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                assert_contains(EMBED_LB_LOOK_SH, parts[i]);
        assert_contains(EMBED_LB_LOOK_SH, find(*state, "haproxy/drop-in")->path);
        assert_contains(EMBED_VRRP_HEALTH_BASH, "GET " HAPROXY_READY " ");
        assert_contains(EMBED_VRRP_NOTIFY_SH, "\nfile=" LB_STATE "\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                lb_test(test_packages),
                lb_test(test_haproxy_inputs),
                lb_test(test_haproxy_down),
                lb_test(test_haproxy_reload),
                lb_test(test_keepalived_unit),
                lb_test(test_scripts),
                lb_test(test_nothing_from_etc_default),
                lb_test(test_look_script),
        };

        return cmocka_run_group_tests_name("load balancer plan", tests, NULL, NULL);
}
