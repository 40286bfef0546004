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

/*
 * SIGHUP takes in everything else of keepalived.conf and keeps the state; of these a change makes it begin
 * anew, which is to be a restart, before which the VIP is handed over (tried with both versions). The VIP
 * and the interface stand in remove_vip(), too.
 */
static char* restart_for(const PlanContext *c) {
        return xasprintf("HARDWAY_RESTART_FOR=%s/%u", facts_vip_interface(c->cluster, c->node, c->facts),
                         c->cluster->endpoint.vrrp_id);
}

static const UnitSetting settings[] = {
        { "Unit", "Wants", "haproxy.service", .why = "It is of no use alone." },
        { "Unit", "After", "haproxy.service", .why = "So that the VIP goes before haproxy does." },
        { "Unit", "StartLimitIntervalSec", "0", .why = "Never give up." },
        SERVICE("Restart", "always", "Whatever ended it."),
        SERVICE("RestartSec", "1", "Late enough for the other load balancer to have taken over."),
        SERVICE("OOMScoreAdjust", "-900", "When memory runs out, it goes last."),
        SERVICE("Nice", "-15", "An advert that is late because others computed moves the VIP."),
        SERVICE("CPUWeight", "1000", "The same."),
        SERVICE("RuntimeDirectory", "keepalived hardway",
                "Its process ids; and the files that it watches and writes."),
        SERVICE("RuntimeDirectoryPreserve", "yes", "Others use them, too."),
        SERVICE("ExecStartPre", "+systemd-tmpfiles --create " LB_TMPFILES,
                "The files exist from boot on; and from the first start."),
        SERVICE("ExecStart", "", "Instead of the distribution's command:"),
        SERVICE("ExecStart",
                "/usr/sbin/keepalived --dont-fork --vrrp --pid=/run/keepalived/keepalived.pid "
                "--vrrp_pid=/run/keepalived/vrrp.pid $DAEMON_ARGS",
                "Only VRRP, and process ids where it may write."),
        SERVICE("ExecStartPost", RECORD, "Says what it has loaded ..."),
        SERVICE("ExecReload", RECORD, "... and what it has loaded then."),
        { .section = "Service",
          .key = "Environment",
          .function = restart_for,
          .why = "A change of interface or virtual router needs a restart; all else is taken in by a "
                 "reload." },
        { .section = "Service",
          .key = "ExecStopPost",
          .function = remove_vip,
          .why = "Killed, it leaves the VIP behind on an interface that nobody looks after any more." },

        SERVICE("CapabilityBoundingSet",
                "CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BROADCAST CAP_SETUID CAP_SETGID CAP_KILL",
                "To change addresses, to send adverts and ARP, to start scripts as another user and to "
                "end those that hang."),
        SERVICE("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET",
                "VRRP, the interface's addresses, and ARP announcements."),
};

int keepalived_drop_in(const PlanContext *c, UnitFile **ret, Error **reterr) {
        return lb_drop_in(c, settings, ARRAY_SIZE(settings), ret, reterr);
}
