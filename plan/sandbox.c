/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The sandbox of hardway's own services (systemd.exec(5), systemd.resource-control(5))
 *
 * All four programs are static Go binaries that talk over the network, read their credentials, and write to
 * one directory of their own; nothing here was found to hinder any of them. `systemd-analyze security` rates
 * the result.
 */

#include "common/macro.h"
#include "plan/service.h"

#define ROW(k, v, w) \
        { .section = "Service", .key = (k), .value = (v), .why = (w) }

const UnitSetting service_sandbox[] = {
        ROW("NoNewPrivileges", "yes", "No program that it starts can become more than it is itself."),
        ROW("CapabilityBoundingSet", "", "It needs none of root's powers: all its ports are above 1023."),
        ROW("AmbientCapabilities", "", "Nor is it given any."),
        ROW("ProtectSystem", "strict", "Everything is read-only but the directories named in this unit."),
        ROW("ProtectHome", "yes", "The homes of people are not its business."),
        ROW("PrivateTmp", "yes", "A /tmp of its own: no races with other programs over names there."),
        ROW("PrivateDevices", "yes",
            "No disks, no memory devices; /dev/null, /dev/urandom and the like remain."),
        ROW("DevicePolicy", "closed", "The same, enforced by the kernel's device controller."),
        ROW("PrivateUsers", "yes", "A user namespace of its own, in which it holds no power over the host."),
        ROW("ProtectProc", "invisible",
            "Processes of other users cannot be seen, nor their command lines read."),
        ROW("ProtectKernelTunables", "yes", "/proc/sys and /sys are read-only."),
        ROW("ProtectKernelModules", "yes", "It cannot load kernel modules."),
        ROW("ProtectKernelLogs", "yes", "The kernel's log is not its business."),
        ROW("ProtectControlGroups", "yes", "It cannot lift the limits that systemd sets."),
        ROW("ProtectClock", "yes", "It cannot set the clock, on which certificates and leases depend."),
        ROW("ProtectHostname", "yes", "It cannot rename the node."),
        ROW("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
            "IP, systemd's notification socket, and reading the node's addresses; no raw packets."),
        ROW("RestrictNamespaces", "yes", "It starts no containers."),
        ROW("RestrictRealtime", "yes", "It cannot starve the node by realtime scheduling."),
        ROW("RestrictSUIDSGID", "yes", "It cannot leave a set-user-id program behind."),
        ROW("LockPersonality", "yes", "No execution domains of other systems, whose code is little tested."),
        ROW("MemoryDenyWriteExecute", "yes",
            "No memory that is written and then run: Go makes no code at run time."),
        ROW("SystemCallArchitectures", "native", "No 32-bit system calls beside the 64-bit filter."),
        ROW("SystemCallFilter", "@system-service", "The system calls of ordinary services ..."),
        ROW("SystemCallFilter", "~@privileged @resources", "... less those that need root's powers."),
        ROW("SystemCallErrorNumber", "EPERM",
            "A call that is not allowed fails, instead of killing the service."),
        ROW("KeyringMode", "private", "No sharing of the kernel's keyrings."),
        ROW("RemoveIPC", "yes", "What shared memory it leaves goes when it ends."),
        ROW("UMask", "0077", "Files that it writes (data, audit log) are for itself alone."),
};

const size_t service_n_sandbox = ARRAY_SIZE(service_sandbox);
