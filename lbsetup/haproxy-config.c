/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * haproxy.cfg, line by line
 *
 * Values that are not explained in the file itself were measured: with real control planes behind the
 * pair, and one fault after the other, this was what cost clients least. Keywords are those of haproxy 2.4
 * to 3.2 (doc/configuration.txt).
 */

#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "lbsetup/internal.h"
#include "plan/left-out.h"

#define NONLOCAL_BIND "net.ipv4.ip_nonlocal_bind"

static char* timeout_connect(const PlanContext *c) {
        return xasprintf("%ums", c->cluster->timings.haproxy_connect_msec);
}

/* Of a check: as long as from one to the next. haproxy takes the shorter of both (tcpcheck.c) */
static char* check_connect(const PlanContext *c) {
        return xasprintf("%ums", c->cluster->timings.haproxy_inter_msec);
}

static char* timeout_check(const PlanContext *c) {
        return xasprintf("%ums", c->cluster->timings.haproxy_check_msec);
}

static char* bind_endpoint(const PlanContext *c) {
        const Endpoint *e = &c->cluster->endpoint;

        if (cluster_shares_port(c->cluster, c->node))
                return NULL;
        return e->address.family == AF_INET6 ? xasprintf(":::%u v4v6", e->port) : xasprintf("*:%u", e->port);
}

/* transparent: IP_FREEBIND on the socket, as haproxy has no right to IP_TRANSPARENT here (sock_inet.c). */
static char* bind_vip(const PlanContext *c) {
        const Endpoint *e = &c->cluster->endpoint;
        _cleanup_free_ char *vip = inet_endpoint_to_string(&e->address, e->port);

        return cluster_shares_port(c->cluster, c->node) ? xasprintf("%s transparent", vip) : NULL;
}

/*
 * The interval is also the longest that a check waits for a connection: a host that is gone without a word
 * is noticed after the rest of an interval, and fall times a whole one with fastinter in between. Until then
 * what it was busy with hangs.
 */
static char* checked_server(const PlanContext *c) {
        const Timings *t = &c->cluster->timings;

        return xasprintf("check check-ssl verify required ca-file " HAPROXY_CA
                         " verifyhost kubernetes inter %ums fastinter %ums downinter 500ms fall %u rise 2",
                         t->haproxy_inter_msec, t->haproxy_fastinter_msec, t->haproxy_fall);
}

static char* server_lines(const PlanContext *c, bool track) {
        _cleanup_strv_ Strv lines = NULL;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_CONTROLLER) {
                _cleanup_free_ char *address =
                        inet_endpoint_to_string(&node->address, c->cluster->apiserver_port);

                if (plan_left_out(c->store, node))
                        continue;
                strv_addf(&lines, "%s %s%s%s", node->name, address,
                          track ? " track " HAPROXY_CHECKS "/" : "", track ? node->name : "");
        }
        return strv_join(lines, "\n");
}

static char* servers(const PlanContext *c) {
        return server_lines(c, /* track= */ false);
}

static char* tracking_servers(const PlanContext *c) {
        return server_lines(c, /* track= */ true);
}

static char* bind_monitor(const PlanContext *c) {
        _cleanup_free_ char *own = inet_endpoint_to_string(&c->node->address, PORT_HAPROXY_MONITOR);

        return xasprintf("127.0.0.1:%u\n%s", PORT_HAPROXY_MONITOR, own);
}

static char* known(const PlanContext *c) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        buffer_add_str(&text, "known src 127.0.0.1");
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                char address[INET_TEXT_SIZE];

                buffer_addf(&text, " %s", inet_address_format(&node->address, address));
        }
        return buffer_take(&text);
}

static const ConfigLine lines[] = {
        { 0, .comment = "Written by hardway, which replaces what is changed here." },
        {},
        { 0, "global", .why = "What holds for the whole process.",
          .without = "A keyword below it would belong to no section: haproxy does not start." },
        { 1,
          .comment =
                  "no log: of servers that come and go it tells on standard error; every connection would "
                  "wear out an SD card" },
        { 1, "user", .value = "haproxy", .why = "The worker, which talks to everybody, is not root.",
          .without = "Whoever breaks into the worker would be root." },
        { 1, "group", .value = "haproxy", .why = "The same for its group.",
          .without = "It would keep root's group, and what that may read." },
        { 1, "chroot", .value = "/var/lib/haproxy", .why = "The worker sees an empty directory as its root.",
          .without = "Whoever breaks into the worker could read what its user may of the node's files." },
        { 1, "stats socket", .value = "/run/haproxy/admin.sock mode 660 level admin expose-fd listeners",
          .comment =
                  "level admin: planned work drains servers here; the listeners are what a reload hands on",
          .why = "For orders and questions on the node; a reload gets the open ports through it.",
          .without = "Planned work could not drain a server, and a reload would close the ports for a "
                     "moment." },
        { 1, "stats timeout", .value = "30s",
          .why = "How long an idle conversation on that socket may last.",
          .without = "10 s, the default: somebody who types by hand is cut off." },
        { 1, "hard-stop-after", .value = "5m",
          .comment =
                  "after a reload the old process keeps its connections for so long; it checks no servers "
                  "any more",
          .why = "Old processes end some time after a reload.",
          .without =
                  "With watches that live for an hour an old process would stay as long, believing what it "
                  "believed at the reload." },
        {},
        { 0, "defaults", .why = "What holds for all sections below.",
          .without = "Each section would have to say all of it." },
        { 1, "mode", .value = "tcp",
          .why = "TLS passes through: client certificates are checked by the apiserver itself.",
          .without = "mode http would need the cluster's keys here, and hide from the apiserver who its "
                     "client is." },
        { 1, "option tcpka",
          .comment = "a peer that is gone without a word is noticed after a minute, not after client and "
                     "server's hours",
          .why = "The kernel asks silent peers whether they are there.",
          .without =
                  "A peer that lost power would hold its connection for four hours, the client and server "
                  "timeouts." },
        { 1, "clitcpka-idle", .value = "30s", .why = "So long may a client be silent before it is asked.",
          .without = "The kernel's default: two hours." },
        { 1, "clitcpka-intvl", .value = "10s", .why = "Between one question and the next.",
          .without = "The kernel's default: 75 s." },
        { 1, "clitcpka-cnt", .value = "3",
          .why = "So many questions without an answer, and the connection ends.",
          .without = "The kernel's default: nine, so more than ten minutes." },
        { 1, "srvtcpka-idle", .value = "30s", .why = "So long may a server be silent before it is asked.",
          .without = "The kernel's default: two hours." },
        { 1, "srvtcpka-intvl", .value = "10s", .why = "Between one question and the next.",
          .without = "The kernel's default: 75 s." },
        { 1, "srvtcpka-cnt", .value = "3",
          .why = "So many questions without an answer, and the connection ends.",
          .without = "The kernel's default: nine, so more than ten minutes." },
        { 1, "option redispatch", .value = "1",
          .comment = "every retry goes to another server, and a lost SYN costs one short timeout",
          .why = "Every new try goes to another server.",
          .without =
                  "Only the last try would: with the first two a client waits for a server that is gone." },
        { 1, "retries", .value = "11",
          .why = "So often another server is tried for one connection; each time is short.",
          .without = "3, the default: clients would be turned away when the network is away for a moment." },
        { 1, "timeout connect", .function = timeout_connect,
          .comment = "short: what still connects to a server when that is marked down is cut off",
          .why = "How long a server may take to accept a connection, before another one is tried. From the "
                 "profile of the cluster file.",
          .without = "A server that lost power lets each new connection wait for seconds." },
        { 1, "timeout client", .value = "4h",
          .comment = "watches live for up to an hour, and exec and logs for as long as somebody looks",
          .why = "How long a client may be silent.",
          .without =
                  "Without one haproxy warns, and keeps connections of dead clients for ever; a short one "
                  "cuts watches and logs off." },
        { 1, "timeout server", .value = "4h", .why = "How long a server may be silent.",
          .without = "The same, for the other side." },
        { 1, "timeout client-fin", .value = "30s",
          .why = "How long a connection that the other side has closed may linger.",
          .without = "As long as timeout client: half-closed connections pile up." },
        { 1, "timeout server-fin", .value = "30s", .why = "The same, for the other side.",
          .without = "As long as timeout server: half-closed connections pile up." },
        {},
        { 0, "frontend", .value = "kubernetes", .why = "The port that clients know.",
          .without = "Nobody could reach the API at the VIP." },
        { 1, "bind", .function = bind_endpoint,
          .comment = "not the VIP alone, which is on one load balancer at a time",
          .why = "Every address of the node, so that the port is open before the VIP arrives; no sysctl is "
                 "needed for that (net.ipv4.ip_nonlocal_bind).",
          .instead = NONLOCAL_BIND,
          .without = "There would be no port; bound to the VIP alone, haproxy could not start where that is "
                     "not." },
        { 1, "bind", .function = bind_vip,
          .comment = "the VIP alone, as the apiserver has this port on the node's own address; transparent: "
                     "also while the VIP is elsewhere",
          .why = "Where haproxy shares the node and the port with an apiserver, each has an address. With "
                 "\"transparent\" (IP_FREEBIND) no sysctl is needed (net.ipv4.ip_nonlocal_bind).",
          .instead = NONLOCAL_BIND,
          .without =
                  "There would be no port; without \"transparent\" haproxy could not start where the VIP is "
                  "not, and would be missing when it comes." },
        { 1, "use_backend", .value = HAPROXY_BACKEND " if { nbsrv(" HAPROXY_BACKEND ") gt 0 }",
          .why = "To the apiservers that are ready, as long as there is one.",
          .without =
                  "All connections would go where nothing is checked: one in three to an apiserver that is "
                  "down." },
        { 1, "default_backend", .value = "unready", .why = "To any apiserver, if none is ready.",
          .without = "When etcd has no quorum, clients would be refused without a word; an apiserver says "
                     "what is wrong." },
        {},
        { 0, "backend", .value = HAPROXY_BACKEND, .why = "The apiservers, as long as their checks are well.",
          .without = "There would be nothing to send connections to." },
        { 1, "balance", .value = "leastconn",
          .comment = "a hung server keeps what hit it and gets nothing new",
          .why = "The apiserver with the fewest connections gets the next one.",
          .without = "roundrobin, the default: connections live for hours, and one apiserver ends up with "
                     "most of them." },
        { 1, "default-server", .value = "on-marked-down shutdown-sessions slowstart 20s",
          .comment = "slowstart: one that is back has no connections, and would get all new ones",
          .why = "Connections to an apiserver that is down are cut, so that clients turn to another; one "
                 "that is back gets its share slowly.",
          .without = "Clients of one that hangs would wait until they tire of it; all new ones would go to "
                     "one that has just begun." },
        { 1, "server", .function = tracking_servers,
          .why = "The apiservers, by node; each is up or down as the check of the same name says.",
          .without = "That controller would carry nothing." },
        {},
        { 0, "backend", .value = HAPROXY_CHECKS,
          .comment =
                  "Nothing is sent here: apart from the servers above for the sake of \"timeout connect\", "
                  "which also\nbounds a check's TCP and TLS handshakes, and has to be longer for these.",
          .why = "The same apiservers, checked.",
          .without = "There would be nothing to track: haproxy does not start." },
        { 1, "load-server-state-from-file", .value = "local",
          .comment = "what was known before a reload still holds; without it the first check that fails is "
                     "enough, and all are at once",
          .why = "After a reload servers are up or down as before it, until their checks say otherwise.",
          .without =
                  "A new process takes a server for down at its first check that fails: at a reload on a busy "
                  "machine all of them." },
        { 1, "server-state-file-name", .value = LB_SERVERS,
          .why = "Where that stands: the unit has it written before a reload, and emptied at a start.",
          .without = "A file with the backend's name, where haproxy was started: there is none." },
        { 1, "timeout connect", .function = check_connect,
          .why = "How long the TCP and TLS handshakes of a check may take. From the profile of the cluster "
                 "file.",
          .without = "That for connections of clients, which is shorter: a busy apiserver would be taken "
                     "out, and what it serves cut off." },
        { 1, "timeout check", .function = timeout_check,
          .why = "How long the answer to a check may take. From the profile of the cluster file.",
          .without = "The interval between checks would be used; on slow disks healthy apiservers would be "
                     "taken out." },
        { 1, "option httpchk", .why = "A check is a request, not only a connection.",
          .without =
                  "An apiserver whose etcd is gone still accepts connections, and would count as healthy." },
        { 1, "http-check send", .value = "meth GET uri /readyz ver HTTP/1.1 hdr Host kubernetes",
          .why = "What is asked: is this apiserver ready?",
          .without = "OPTIONS /, the default, which an apiserver refuses: none would count as healthy." },
        { 1, "http-check expect", .value = "status 200", .why = "What is believed.",
          .without = "Any 2xx and 3xx, the default; said exactly." },
        { 1, "default-server", .function = checked_server,
          .why = "How servers are checked: over TLS with the cluster's CA, often, more often when in "
                 "doubt (from the profile of the cluster file).",
          .without =
                  "Servers would not be checked at all, and a third of all connections would fail when one "
                  "is down." },
        { 1, "server", .function = servers, .why = "The apiservers, by node.",
          .without = "That controller would not be checked, and haproxy would not start." },
        {},
        { 0, "backend", .value = "unready",
          .comment = "None is ready (no quorum of etcd, say): whoever asks is told so by an apiserver, and "
                     "can look around.\nWithout checks: redispatch passes over those that are off.",
          .why = "The apiservers, unchecked, for when none is ready.",
          .without = "default_backend would name nothing: haproxy does not start." },
        { 1, "balance", .value = "leastconn", .why = "As above.", .without = "roundrobin, the default." },
        { 1, "server", .function = servers, .why = "The apiservers, by node.",
          .without = "That controller could not tell what is wrong." },
        {},
        { 0, "frontend", .value = "monitor",
          .comment = "Asked by keepalived's health script, here and on the other load balancer.",
          .why = "Says whether this load balancer sees an apiserver.",
          .without = "keepalived could not tell a haproxy that is there from one that helps." },
        { 1, "mode", .value = "http", .why = "It is spoken HTTP here.",
          .without = "monitor-uri and stats work in this mode only." },
        { 1, "bind", .function = bind_monitor, .why = "For this node, and for the other load balancer.",
          .without = "Neither could ask." },
        { 1, "acl", .function = known, .why = "Who may ask: this node and the load balancers.",
          .without = "tcp-request would name nothing: haproxy does not start." },
        { 1, "tcp-request connection", .value = "reject unless known", .why = "Nobody else.",
          .without = "The names, addresses and load of the apiservers would be open to the network." },
        { 1, "timeout client", .value = "5s", .why = "Short: questions here are short.",
          .without = "Four hours, from the defaults: a forgotten connection stays." },
        { 1, "timeout http-request", .value = "2s", .why = "A question has to come at once.",
          .without = "Who sends one letter a minute would hold a connection." },
        { 1, "monitor-uri", .value = HAPROXY_READY, .why = "Where the question is answered: 200, or 503.",
          .without = "The health script would get 404, and the VIP would move for nothing." },
        { 1, "monitor fail", .value = "if { nbsrv(" HAPROXY_BACKEND ") lt 1 }",
          .why = "When the answer is no: no apiserver is ready.",
          .without = "A load balancer whose cable to the controllers is cut would keep the VIP." },
        { 1, "stats", .value = "enable", .why = "Figures of all servers, which hardway reads.",
          .without = "hardway verify and status could not tell what haproxy sees." },
        { 1, "stats uri", .value = HAPROXY_STATS, .why = "Where those figures are.",
          .without = "Under /haproxy?stats, the default, where hardway does not look." },
        { 1, "stats scope", .value = HAPROXY_BACKEND, .why = "Of these servers only.",
          .without = "hardway would count the unchecked ones too." },
        { 1, "stats scope", .value = HAPROXY_CHECKS, .why = "And what their checks have found.",
          .without = "hardway could not tell why one is down." },
};

const ConfigText haproxy_config = {
        .path = HAPROXY_CONFIG,
        .manual = "HAProxy Configuration Manual, https://docs.haproxy.org/",
        .lines = lines,
        .n_lines = ARRAY_SIZE(lines),
        .words = haproxy_words,
        .n_words = HAPROXY_N_WORDS,
};
