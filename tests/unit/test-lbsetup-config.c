/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "lbsetup/internal.h"
#include "plan/left-out.h"
#include "tests/unit/lb-fixture.h"

/* What is written into haproxy.cfg and keepalived.conf: the lines on which failover rests. */

static LbFixture f;

static int setup(void **state) {
        lb_fixture_set_up(&f);
        *state = xnew(Buffer, 1);
        return 0;
}

static int teardown(void **state) {
        buffer_done(*state);
        free(*state);
        return 0;
}

#define config_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

static const char* haproxy(Buffer *b) {
        buffer_clear(b);
        config_text_render(&haproxy_config, &f.context, b);
        return buffer_str(b);
}

static const char* keepalived(Buffer *b) {
        buffer_clear(b);
        config_text_render(&keepalived_config, &f.context, b);
        return buffer_str(b);
}

static void test_haproxy(void **state) {
        const char *text = haproxy(*state);

        assert_contains(text, "\n        mode tcp\n");
        assert_contains(text, "\n        option redispatch 1\n        retries 11\n");
        assert_contains(text, "\n        timeout client 4h\n        timeout server 4h\n");
        assert_contains(
                text,
                "frontend kubernetes\n        # not the VIP alone, which is on one load balancer at a time\n"
                "        bind *:9000\n        use_backend apiservers if { nbsrv(apiservers) gt 0 }\n"
                "        default_backend unready\n");
        assert_contains(text, "\n        default-server on-marked-down shutdown-sessions slowstart 20s\n"
                              "        server c0 10.77.0.20:6443 track checks/c0\n"
                              "        server c1 10.77.0.21:6443 track checks/c1\n\n");
        assert_contains(text,
                        "backend unready\n        balance leastconn\n        server c0 10.77.0.20:6443\n"
                        "        server c1 10.77.0.21:6443\n");
}

/* A client's connection is tried elsewhere soon; a check has the time that it needs. */
static void test_haproxy_checks(void **state) {
        const char *text = haproxy(*state);

        assert_contains(text,
                        "\n        # short: what still connects to a server when that is marked down is "
                        "cut off\n        timeout connect 100ms\n");
        assert_contains(
                text,
                "\n        timeout connect 200ms\n        timeout check 1000ms\n        option httpchk\n"
                "        http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host kubernetes\n"
                "        http-check expect status 200\n"
                "        default-server check check-ssl verify required ca-file /etc/haproxy/kube-ca.crt "
                "verifyhost kubernetes inter 200ms fastinter 50ms downinter 500ms fall 2 rise 2\n"
                "        server c0 10.77.0.20:6443\n        server c1 10.77.0.21:6443\n\n");
}

static void test_haproxy_monitor(void **state) {
        const char *text = haproxy(*state);

        assert_contains(text, "\n        bind 127.0.0.1:8405\n        bind 10.77.0.11:8405\n"
                              "        acl known src 127.0.0.1 10.77.0.11 10.77.0.12\n"
                              "        tcp-request connection reject unless known\n");
        assert_contains(
                text,
                "\n        monitor-uri /haproxy_ready\n        monitor fail if { nbsrv(apiservers) lt 1 "
                "}\n");
        assert_contains(
                text,
                "\n        stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners\n");
}

/* On a controller: the port is the apiserver's, on another address. */
static void test_shared_node(void **state) {
        static const char *const priorities[] = { "priority 254\n", "priority 224\n", "priority 194\n",
                                                  "priority 164\n" };
        const char *text;

        f.nodes[0].roles |= ROLE_LOADBALANCER;
        f.nodes[1].roles |= ROLE_LOADBALANCER;
        f.context.node = &f.nodes[0];
        assert_contains(haproxy(*state), "\n        bind *:9000\n");

        f.cluster.endpoint.port = 6443;
        text = haproxy(*state);
        assert_contains(text, "\n        bind 10.77.0.10:6443 transparent\n");
        assert_null(strstr(text, "bind *:"));
        f.context.node = &f.nodes[2]; /* no apiserver there */
        assert_contains(haproxy(*state), "\n        bind *:6443\n");

        for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
                f.context.node = &f.nodes[i];
                assert_contains(keepalived(*state), priorities[i]);
        }
        assert_contains(keepalived(*state),
                        "unicast_peer {\n                10.77.0.20\n                10.77.0.21\n"
                        "                10.77.0.11\n        }\n");
}

static void test_haproxy_variants(void **state) {
        const char *text;

        f.cluster.apiserver_port = 7443;
        timings_for(NETWORK_WIFI, DISK_SDCARD, &f.cluster.timings);
        text = haproxy(*state);
        assert_contains(text, "cut off\n        timeout connect 500ms\n");
        assert_contains(text, "timeout connect 500ms\n        timeout check 3000ms\n");
        assert_contains(text, " inter 500ms fastinter 100ms downinter 500ms fall 3 rise 2\n");
        assert_contains(text, "server c1 10.77.0.21:7443\n");

        for (size_t i = 0; i < f.cluster.n_nodes; i++)
                lb_fixture_address(&f.nodes[i].address, i == 0 ? "fd00::20" :
                                                        i == 1 ? "fd00::21" :
                                                        i == 2 ? "fd00::11" :
                                                                 "fd00::12");
        lb_fixture_address(&f.cluster.endpoint.address, "fd00::10");
        text = haproxy(*state);
        assert_contains(text, "\n        bind :::9000 v4v6\n");
        assert_contains(text, "server c0 [fd00::20]:7443\n");
        assert_contains(
                text, "\n        bind [fd00::11]:8405\n        acl known src 127.0.0.1 fd00::11 fd00::12\n");
}

/* Who was left out by a restore may be back with the data of before. */
static void test_left_out(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *path = xasprintf("%s/" PLAN_LEFT_OUT, d->path);
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        lb_fixture_set_up(&f);
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, path, "c0\n", 3, 0600, 0, NULL) >= 0);
        assert_int_equal(store_open(d->path, &store, NULL), 0);
        f.context.store = store;
        assert_contains(haproxy(&text), "server c1 10.77.0.21:6443\n");
        assert_null(strstr(haproxy(&text), "server c0"));
        f.context.store = NULL;
        assert_contains(haproxy(&text), "server c0 10.77.0.20:6443\n");
}

static void test_keepalived(void **state) {
        const char *text = keepalived(*state);

        assert_contains(text, "\n        router_id lb0\n        vrrp_version 3\n");
        assert_contains(text, "\n        enable_script_security\n        script_user keepalived_script\n");
        assert_contains(
                text,
                "\ntrack_file haproxy {\n        file \"/run/hardway/haproxy.down\"\n        weight 0\n}\n");
        assert_contains(
                text,
                "\ntrack_file handover {\n        file \"/run/hardway/handover\"\n        weight 0\n}\n");
        assert_contains(text,
                        "\nvrrp_script health {\n        script \"/etc/keepalived/hardway-health 8405 1.5 "
                        "10.77.0.12\"\n"
                        "        interval 1\n        timeout 4\n        fall 1\n        rise 2\n}\n");
        assert_contains(
                text,
                "\nvrrp_instance kubernetes {\n        state BACKUP\n        nopreempt\n        interface "
                "eth0\n"
                "        virtual_router_id 51\n        priority 254\n        advert_int 0.10\n"
                "        unicast_src_ip 10.77.0.11\n        unicast_peer {\n                10.77.0.12\n   "
                "     }\n"
                "        virtual_ipaddress {\n                10.77.0.10/32 dev eth0\n        }\n"
                "        track_file {\n                haproxy\n                handover\n        }\n"
                "        track_script {\n                health\n        }\n"
                "        notify /etc/keepalived/hardway-notify\n}\n");
        /* each of them would defeat nopreempt, or the whole pair */
        assert_null(strstr(text, "MASTER"));
        assert_null(strstr(text, "weight -"));
        assert_null(strstr(text, "track_process"));
        assert_null(strstr(text, "preempt_delay"));
}

static void test_keepalived_second(void **state) {
        static char interface[] = "end0";
        const char *text;

        f.context.node = &f.nodes[3];
        f.cluster.endpoint.interface = interface;
        f.cluster.endpoint.prefix_length = 24;
        timings_for(NETWORK_WIFI, DISK_SDCARD, &f.cluster.timings);
        text = keepalived(*state);
        assert_contains(text, " 8405 3.5 10.77.0.11\"\n        interval 1\n        timeout 6\n");
        assert_contains(
                text,
                "        interface end0\n        virtual_router_id 51\n        priority 244\n        "
                "advert_int 0.30\n"
                "        unicast_src_ip 10.77.0.12\n        unicast_peer {\n                10.77.0.11\n");
        assert_contains(text, "10.77.0.10/24 dev end0\n");
}

/* Nobody to talk to: keepalived takes an empty list of peers badly. */
static void test_keepalived_alone(void **state) {
        const char *text;

        f.cluster.n_nodes = 3;
        text = keepalived(*state);
        assert_null(strstr(text, "unicast_peer {"));
        assert_contains(text, "hardway-health 8405 1.5\"\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                config_test(test_haproxy),           config_test(test_haproxy_checks),
                config_test(test_haproxy_monitor),   config_test(test_shared_node),
                config_test(test_haproxy_variants),  config_test(test_keepalived),
                config_test(test_keepalived_second), config_test(test_keepalived_alone),
                unit_test_in_dir(test_left_out),
        };

        return cmocka_run_group_tests_name("load balancer configuration", tests, NULL, NULL);
}
