/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * haproxy.cfg
 *
 * Values that are not explained in the file itself were measured: with real control planes behind the
 * pair, and one fault after the other, this was what cost clients least. Keywords are those of haproxy 2.4
 * to 3.2 (doc/configuration.txt).
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "lbsetup/internal.h"
#include "plan/ports.h"

static const char global[] =
        "# Written by hardway, which replaces what is changed here.\n"
        "\n"
        "global\n"
        "        # no log: of servers that come and go it tells on standard error; every connection "
        "would wear out an SD card\n"
        "        user haproxy\n"
        "        group haproxy\n"
        "        chroot /var/lib/haproxy\n"
        "        # level admin: planned work drains servers here; the listeners are what a reload hands on\n"
        "        stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners\n"
        "        stats timeout 30s\n"
        "        # after a reload the old process keeps its connections for so long; it checks no "
        "servers any more\n"
        "        hard-stop-after 5m\n"
        "\n";

static void add_defaults(const PlanContext *c, Buffer *out) {
        const Timings *t = &c->cluster->timings;

        buffer_add_str(
                out, "defaults\n"
                     "        mode tcp\n"
                     "        # a peer that is gone without a word is noticed after a minute, not after "
                     "client and server's hours\n"
                     "        option tcpka\n"
                     "        clitcpka-idle 30s\n"
                     "        clitcpka-intvl 10s\n"
                     "        clitcpka-cnt 3\n"
                     "        srvtcpka-idle 30s\n"
                     "        srvtcpka-intvl 10s\n"
                     "        srvtcpka-cnt 3\n"
                     "        # every retry goes to another server, and a lost SYN costs one short timeout\n"
                     "        option redispatch 1\n"
                     "        retries 3\n");
        buffer_addf(out, "        timeout connect %ums\n", t->haproxy_connect_msec);
        buffer_addf(out, "        timeout check %ums\n", t->haproxy_check_msec);
        buffer_add_str(
                out,
                "        # watches live for up to an hour, and exec and logs for as long as somebody looks\n"
                "        timeout client 4h\n"
                "        timeout server 4h\n"
                "        timeout client-fin 30s\n"
                "        timeout server-fin 30s\n"
                "\n");
}

static void add_frontend(const PlanContext *c, Buffer *out) {
        const Endpoint *e = &c->cluster->endpoint;

        buffer_add_str(out, "frontend kubernetes\n"
                            "        # not the VIP alone, which is on one load balancer at a time\n");
        if (e->address.family == AF_INET6)
                buffer_addf(out, "        bind :::%u v4v6\n", e->port);
        else
                buffer_addf(out, "        bind *:%u\n", e->port);
        buffer_add_str(out,
                       "        use_backend " HAPROXY_BACKEND " if { nbsrv(" HAPROXY_BACKEND ") gt 0 }\n"
                       "        default_backend unready\n"
                       "\n");
}

static void add_servers(const PlanContext *c, Buffer *out) {
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_CONTROLLER) {
                _cleanup_free_ char *address =
                        inet_endpoint_to_string(&node->address, c->cluster->apiserver_port);

                buffer_addf(out, "        server %s %s\n", node->name, address);
        }
        buffer_add_char(out, '\n');
}

static void add_backends(const PlanContext *c, Buffer *out) {
        buffer_add_str(
                out,
                "backend " HAPROXY_BACKEND "\n"
                "        # a hung server keeps what hit it and gets nothing new\n"
                "        balance leastconn\n"
                "        option httpchk\n"
                "        http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host kubernetes\n"
                "        http-check expect status 200\n"
                "        # slowstart: one that is back has no connections, and would get all new ones\n");
        buffer_addf(out,
                    "        default-server check check-ssl verify required ca-file " HAPROXY_CA
                    " verifyhost kubernetes inter 500ms fastinter 100ms downinter 500ms fall %u rise 2"
                    " on-marked-down shutdown-sessions slowstart 20s\n",
                    c->cluster->timings.haproxy_fall);
        add_servers(c, out);

        buffer_add_str(
                out,
                "# None is ready (no quorum of etcd, say): whoever asks is told so by an apiserver, and "
                "can look around.\n"
                "# Without checks: redispatch passes over those that are off.\n"
                "backend unready\n"
                "        balance leastconn\n");
        add_servers(c, out);
}

static void add_monitor(const PlanContext *c, Buffer *out) {
        _cleanup_free_ char *own = inet_endpoint_to_string(&c->node->address, PORT_HAPROXY_MONITOR);

        buffer_add_str(out, "# Asked by keepalived's health script, here and on the other load balancer.\n"
                            "frontend monitor\n"
                            "        mode http\n");
        buffer_addf(out, "        bind 127.0.0.1:%u\n", PORT_HAPROXY_MONITOR);
        buffer_addf(out, "        bind %s\n", own);
        buffer_add_str(out, "        acl known src 127.0.0.1");
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                char text[INET_TEXT_SIZE];

                buffer_addf(out, " %s", inet_address_format(&node->address, text));
        }
        buffer_add_str(out, "\n"
                            "        tcp-request connection reject unless known\n"
                            "        timeout client 5s\n"
                            "        timeout http-request 2s\n"
                            "        monitor-uri " HAPROXY_READY "\n"
                            "        monitor fail if { nbsrv(" HAPROXY_BACKEND ") lt 1 }\n"
                            "        stats enable\n"
                            "        stats uri " HAPROXY_STATS "\n"
                            "        stats scope " HAPROXY_BACKEND "\n");
}

/**
 * haproxy_config() - the text of haproxy.cfg
 * @c:          the context of the plan
 * @out:        where to append it
 */
void haproxy_config(const PlanContext *c, Buffer *out) {
        buffer_add_str(out, global);
        add_defaults(c, out);
        add_frontend(c, out);
        add_backends(c, out);
        add_monitor(c, out);
}
