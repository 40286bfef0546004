/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What hardway adds to the distribution's haproxy.service
 *
 * The unit is master-worker: the master stays root and never looks at a connection, the worker becomes the
 * user haproxy in an empty root directory. Both are fenced in (systemd.exec(5)); found to work with
 * haproxy 2.6 and 3.0.
 */

#include "common/alloc.h"
#include "lbsetup/internal.h"

#define RECORD "sha256sum " HAPROXY_CONFIG " " HAPROXY_CA " >" LB_RUN "/" HAPROXY_UNIT ".loaded"

static const UnitSetting settings[] = {
        { "Unit", "StartLimitIntervalSec", "0", .why = "Never give up." },
        SERVICE("Restart", "always", "Whatever ended it."),
        SERVICE("RestartSec", "100ms", "At once: without it the other load balancer stands alone."),
        SERVICE("OOMScoreAdjust", "-900", "When memory runs out, it goes last."),
        SERVICE("CPUWeight", "400", "Every request of the cluster passes through it."),
        SERVICE("LimitNOFILE", "40000",
                "Two for each connection: haproxy derives maxconn from it, and memory from that."),
        SERVICE("RuntimeDirectory", "haproxy hardway",
                "Its sockets; and what hardway and keepalived know of it."),
        SERVICE("RuntimeDirectoryPreserve", "yes",
                "keepalived watches a file there, also while haproxy is down."),
        SERVICE("Environment", "PIDFILE=/run/haproxy/haproxy.pid", "The one place that it can write to."),
        SERVICE("Environment", "\"EXTRAOPTS=-S /run/haproxy/master.sock\"", "The same."),
        SERVICE("ExecStartPre", "+systemd-tmpfiles --create " LB_TMPFILES,
                "The files exist from boot on; and from the first start."),
        SERVICE("ExecStartPost", "+/bin/sh -c '" RECORD "; echo 0 >" LB_HAPROXY_DOWN "'",
                "Says what it has loaded, and tells keepalived that it serves ..."),
        SERVICE("ExecReload", "+/bin/sh -c '" RECORD "'", "... what it has loaded then, if it could ..."),
        SERVICE("ExecStopPost", "+/bin/sh -c 'echo 1 >" LB_HAPROXY_DOWN "'",
                "... and that it is gone, however it went: the VIP moves at once."),

        SERVICE("CapabilityBoundingSet",
                "CAP_SETUID CAP_SETGID CAP_SYS_CHROOT CAP_KILL CAP_NET_BIND_SERVICE",
                "To become the user haproxy in an empty root directory, to signal that process, and for "
                "ports below 1024."),
        SERVICE("ProcSubset", "pid", "Of /proc it needs processes alone."),
        SERVICE("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6",
                "IP, and the sockets of its own command line."),
        SERVICE("SystemCallFilter", "chroot", "The same root directory; what all need comes below."),
};

int haproxy_drop_in(const PlanContext *c, UnitFile **ret, Error **reterr) {
        return lb_drop_in(c, settings, ARRAY_SIZE(settings), ret, reterr);
}
