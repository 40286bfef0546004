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

const UnitSetting haproxy_settings[] = {
        { "Unit", "StartLimitIntervalSec", "0", .why = "Never give up.",
          .without =
                  "After five starts within ten seconds systemd gives up, and the node is no load balancer "
                  "any more." },
        SETTING_SERVICE(
                "Restart", "always", "Whatever ended it.",
                "The distribution's unit has it restarted, too; said, so that it does not depend on that."),
        SETTING_SERVICE("RestartSec", "100ms", "At once: without it the other load balancer stands alone.",
                        "100 ms is the default; said, since the VIP moves in about that time."),
        SETTING_EXEC(
                "OOMScoreAdjust", "-900", "When memory runs out, it goes last.",
                "The kernel would choose by size when memory runs out, and might take the way to the API "
                "away."),
        SETTING_RESOURCE(
                "CPUWeight", "400", "Every request of the cluster passes through it.",
                "Checks of apiservers come late while the node computes something else, and healthy ones "
                "are left out."),
        SETTING_EXEC("LimitNOFILE", "40000",
                     "Two for each connection: haproxy derives maxconn from it, and memory from that.",
                     "The distribution's limit, about half a million: haproxy takes memory for as many "
                     "connections as it may open."),
        SETTING_EXEC("RuntimeDirectory", "haproxy hardway",
                     "Its sockets; and what hardway and keepalived know of it.",
                     "With everything else read-only it could make neither its sockets nor the files that "
                     "keepalived watches."),
        SETTING_EXEC(
                "RuntimeDirectoryPreserve", "yes",
                "keepalived watches a file there, also while haproxy is down.",
                "The directory goes with haproxy, and the file that says so with it: keepalived would see "
                "nothing, and keep the VIP."),
        SETTING_EXEC(
                "EnvironmentFile", "",
                "Instead of /etc/default/haproxy: what stands there would go before what is set here.",
                "A CONFIG there, and haproxy would serve another file from its next start on, without a word."),
        SETTING_EXEC("Environment", "CONFIG=" HAPROXY_CONFIG, "The file that hardway writes.",
                     "The distribution's unit has it so, too; said, so that it does not depend on that."),
        SETTING_EXEC("Environment", "PIDFILE=/run/haproxy/haproxy.pid",
                     "The one place that it can write to.",
                     "It would write its process id to /run, which is read-only, and not start."),
        SETTING_EXEC("Environment", "\"EXTRAOPTS=-S /run/haproxy/master.sock\"", "The same.",
                     "The master would make its socket in /run, which is read-only, and not start."),
        SETTING_SERVICE("ExecReload", "",
                        "Instead of the distribution's commands, as one has to come before them.",
                        "Ours would come last: the new process would be there before what it is to know."),
        SETTING_SERVICE("ExecReload", "-+" HAPROXY_KEEP,
                        "What haproxy knows of the apiservers is laid down for its next process.",
                        "The next process takes an apiserver for dead at its first check that fails: at a "
                        "reload on a busy machine all of them, for half a second."),
        SETTING_SERVICE("ExecReload", "/usr/sbin/haproxy -Ws -f $CONFIG -c $EXTRAOPTS",
                        "As the distribution has it: nothing happens with a configuration that is no good.",
                        "haproxy would turn to a configuration that it cannot read, and say so too late."),
        SETTING_SERVICE("ExecReload", "/bin/kill -USR2 $MAINPID",
                        "As the distribution has it: the next process is started.",
                        "A reload would do nothing."),
        SETTING_SERVICE(
                "ExecStartPre", "+systemd-tmpfiles --create " LB_TMPFILES,
                "The files exist from boot on; and from the first start.",
                "At the first start, before any boot with them, keepalived would find no file to watch."),
        SETTING_SERVICE(
                "ExecStartPost", "+/bin/sh -c '" RECORD "; echo 0 >" LB_HAPROXY_DOWN "'",
                "Says what it has loaded, and tells keepalived that it serves ...",
                "hardway could not tell which configuration runs, and keepalived would never learn that "
                "haproxy is there."),
        SETTING_SERVICE(
                "ExecReload", "+/bin/sh -c '" RECORD "'", "... what it has loaded then, if it could ...",
                "After a reload hardway would believe that the old configuration still runs, and reload "
                "again."),
        SETTING_SERVICE(
                "ExecStopPost", "+/bin/sh -c 'echo 1 >" LB_HAPROXY_DOWN "'",
                "... and that it is gone, however it went: the VIP moves at once.",
                "The VIP would stay on a node without haproxy until the health script has noticed, a "
                "second later."),

        SETTING_EXEC(
                "CapabilityBoundingSet",
                "CAP_SETUID CAP_SETGID CAP_SYS_CHROOT CAP_KILL CAP_NET_BIND_SERVICE",
                "To become the user haproxy in an empty root directory, to signal that process, and for "
                "ports below 1024.",
                "The master, which stays root, would have all of root's powers."),
        SETTING_EXEC("ProcSubset", "pid", "Of /proc it needs processes alone.",
                     "It could read what the kernel tells there of the machine."),
        SETTING_EXEC("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6",
                     "IP, and the sockets of its own command line.",
                     "Raw packets and seldom used protocols would be open to it."),
        SETTING_EXEC("SystemCallFilter", "chroot", "The same root directory; what all need comes below.",
                     "The worker could not change its root directory, and haproxy does not start."),
};
