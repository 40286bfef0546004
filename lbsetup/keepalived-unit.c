/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What hardway adds to the distribution's keepalived.service
 *
 * keepalived stays root, as it changes the addresses of an interface and starts scripts as another user;
 * of root's powers it keeps those (systemd.exec(5)). Found to work with keepalived 2.2.7 and 2.3.3.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "lbsetup/internal.h"

#define RECORD "+/bin/sh -c 'sha256sum " KEEPALIVED_CONFIG " >" LB_RUN "/" KEEPALIVED_UNIT ".loaded'"

static char* remove_vip(const PlanContext *c) {
        const Endpoint *e = &c->cluster->endpoint;
        char text[INET_TEXT_SIZE];

        return xasprintf("-ip address delete %s/%u dev %s", inet_address_format(&e->address, text),
                         e->prefix_length, facts_vip_interface(c->cluster, c->node, c->facts));
}

/* At boot an IPv6 address is not for use until nobody has claimed it (RFC 4862 5.4): a second or so. */
static char* wait_for_address(const PlanContext *c) {
        char own[INET_TEXT_SIZE];

        if (c->node->address.family != AF_INET6)
                return NULL;
        return xasprintf(
                "/bin/sh -c 'until ip -6 -o address show to %s -tentative | grep -q .; do sleep 0.1; done'",
                inet_address_format(&c->node->address, own));
}

/*
 * SIGHUP takes in everything else of keepalived.conf and keeps the state; of these a change makes it begin
 * anew, which is to be a restart, before which the VIP is handed over (tried with both versions). The VIP
 * and the interface stand in remove_vip(), too.
 */
static char* restart_for(const PlanContext *c) {
        return xasprintf("HARDWAY_RESTART_FOR=%s/%u", facts_vip_interface(c->cluster, c->node, c->facts),
                         c->cluster->endpoint.vrrp_id);
}

const Flag keepalived_flags[] = {
        { "dont-fork", .why = "It stays the process that systemd has started.",
          .without =
                  "It goes to the background, and systemd takes a process that has ended for the service." },
        { "vrrp", .why = "Only VRRP: nothing here is balanced by the kernel.",
          .without = "A second child, the checker, runs without anything to do." },
        { "pid", "/run/keepalived/keepalived.pid", .why = "The process id, where it may write.",
          .without = "/run itself, which is read-only for it: it does not start." },
        { "vrrp_pid", "/run/keepalived/vrrp.pid", .why = "The same, of the child that speaks VRRP.",
          .without = "/run itself, which is read-only for it: it does not start." },
};

static char* command(const PlanContext *c) {
        _cleanup_strv_ Strv argv =
                flags_to_argv("/usr/sbin/keepalived", keepalived_flags, KEEPALIVED_N_FLAGS, "keepalived", c);

        return strv_join(argv, " ");
}

const UnitSetting keepalived_settings[] = {
        { "Unit", "Wants", "haproxy.service", .why = "It is of no use alone.",
          .without =
                  "Started alone, it would find haproxy down and hold no VIP, until somebody starts that." },
        { "Unit", "After", "haproxy.service", .why = "So that the VIP goes before haproxy does.",
          .without = "At shutdown haproxy might go first: the VIP would be on a node that refuses "
                     "connections, for a moment." },
        { "Unit", "StartLimitIntervalSec", "0", .why = "Never give up.",
          .without = "After five starts within ten seconds systemd gives up, and the pair is one." },
        SETTING_SERVICE("Restart", "always", "Whatever ended it.",
                        "It stays down after a crash, and the next failure takes the VIP away."),
        SETTING_SERVICE(
                "RestartSec", "1", "Late enough for the other load balancer to have taken over.",
                "100 ms, the default: it might be back before the other load balancer has noticed, and "
                "both believe to be right."),
        SETTING_EXEC("OOMScoreAdjust", "-900", "When memory runs out, it goes last.",
                     "The kernel would choose by size when memory runs out; a VIP that moves then does not "
                     "help."),
        SETTING_EXEC("Nice", "-15", "An advert that is late because others computed moves the VIP.",
                     "Three adverts that are late, and the VIP moves for nothing."),
        SETTING_RESOURCE("CPUWeight", "1000", "The same.",
                         "The same, where another control group takes the processors."),
        SETTING_EXEC("RuntimeDirectory", "keepalived hardway",
                     "Its process ids; and the files that it watches and writes.",
                     "With everything else read-only it could write neither its process ids nor its state."),
        SETTING_EXEC("RuntimeDirectoryPreserve", "yes", "Others use them, too.",
                     "haproxy's sockets and the files that both watch would go with keepalived."),
        SETTING_SERVICE("ExecStartPre", "+systemd-tmpfiles --create " LB_TMPFILES,
                        "The files exist from boot on; and from the first start.",
                        "At the first start, before any boot with them, there would be no files to watch."),
        { .section = "Service",
          .key = "ExecStartPre",
          .function = wait_for_address,
          .why = "It speaks from the node's IPv6 address, which at boot is not for use for a moment.",
          .without =
                  "It cannot bind to the address, does not try again, and this node never holds the VIP." },
        SETTING_EXEC("EnvironmentFile", "",
                     "Instead of /etc/default/keepalived, whose options might name another configuration.",
                     "What is set there would go before what is set here, HARDWAY_INPUTS, too."),
        SETTING_SERVICE("ExecStart", "", "Instead of the distribution's command:",
                        "A unit that is no oneshot may have one command: with two systemd refuses it."),
        { .section = "Service",
          .key = "ExecStart",
          .function = command,
          .why = "Only VRRP, and process ids where it may write.",
          .without =
                  "The distribution's command writes process ids to /run, which is read-only, and starts a "
                  "checker that has nothing to do.",
          .manual = "systemd.service(5)" },
        SETTING_SERVICE("ExecStartPost", RECORD, "Says what it has loaded ...",
                        "hardway could not tell which configuration runs."),
        SETTING_SERVICE(
                "ExecReload", RECORD, "... and what it has loaded then.",
                "After a reload hardway would believe that the old configuration still runs, and reload "
                "again."),
        { .section = "Service",
          .key = "Environment",
          .function = restart_for,
          .why = "A change of interface or virtual router needs a restart; all else is taken in by a "
                 "reload.",
          .without =
                  "A reload would be tried where it does not suffice: keepalived would begin anew, and the "
                  "VIP go without being handed over." },
        { .section = "Service",
          .key = "ExecStopPost",
          .function = remove_vip,
          .why = "Killed, it leaves the VIP behind on an interface that nobody looks after any more.",
          .without = "Both load balancers would answer for the VIP after a crash, and half of the clients "
                     "reach the wrong one." },

        SETTING_EXEC("CapabilityBoundingSet",
                     "CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BROADCAST CAP_SETUID CAP_SETGID CAP_KILL",
                     "To change addresses, to send adverts and ARP, to start scripts as another user and to "
                     "end those that hang.",
                     "It stays root, and would have all of root's powers."),
        SETTING_EXEC("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET",
                     "VRRP, the interface's addresses, and ARP announcements.",
                     "Seldom used protocols would be open to it."),
};
