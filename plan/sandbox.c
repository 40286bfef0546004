/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the units of hardway's own services have in common: the sandbox (systemd.exec(5),
 * systemd.resource-control(5)), and the frame
 *
 * All four programs are static Go binaries that talk over the network, read their credentials, and write to
 * one directory of their own; nothing here was found to hinder any of them. `systemd-analyze security` rates
 * the result.
 *
 * ProcSubset=pid is not here: it hides /proc/sys/net/core/somaxconn, without which Go takes 128 connections for the
 * backlog of what listens, and /proc/stat, without which nobody sees since when a process runs (its metric
 * process_start_time_seconds).
 */

#include "plan/service.h"

const UnitSetting service_sandbox[] = {
        SETTING_EXEC("NoNewPrivileges", "yes",
                     "No program that it starts can become more than it is itself.",
                     "A set-user-id program on the node, and a mistake in it, would be a way to root."),
        SETTING_EXEC("CapabilityBoundingSet", "",
                     "It needs none of root's powers: all its ports are above 1023.",
                     "A service that becomes root by some mistake would have all of root's powers."),
        SETTING_EXEC("AmbientCapabilities", "", "Nor is it given any.",
                     "Nothing: none is the default for a user; said, so that it can be seen."),
        SETTING_EXEC(
                "ProtectSystem", "strict", "Everything is read-only but the directories named in this unit.",
                "Whoever takes the service over could write wherever the file modes let its user, and into "
                "/tmp and /var/tmp of all."),
        SETTING_EXEC("ProtectHome", "yes", "The homes of people are not its business.",
                     "It could read what people leave readable in their homes: scripts, tokens, ssh "
                     "configurations."),
        SETTING_EXEC("PrivateTmp", "yes",
                     "A /tmp of its own: no races with other programs over names there.",
                     "Names in /tmp can be guessed, and files that others put there be taken for its own."),
        SETTING_EXEC(
                "PrivateDevices", "yes",
                "No disks, no memory devices; /dev/null, /dev/urandom and the like remain.",
                "It could open what /dev leaves open to everybody, and try what the drivers behind it make "
                "of it."),
        SETTING_RESOURCE(
                "DevicePolicy", "closed", "The same, enforced by the kernel's device controller.",
                "Only the view of /dev would be cut down; a device node made elsewhere could still be "
                "opened."),
        SETTING_EXEC("PrivateUsers", "yes",
                     "A user namespace of its own, in which it holds no power over the host.",
                     "A mistake in the kernel that gives it root would give it root of the host."),
        SETTING_EXEC("ProtectProc", "invisible",
                     "Processes of other users cannot be seen, nor their command lines read.",
                     "It could read the command lines of all processes, and learn what else runs."),
        SETTING_EXEC(
                "ProtectKernelTunables", "yes", "/proc/sys and /sys are read-only.",
                "As root it could change the kernel's settings; as another user, read some that help an "
                "attacker."),
        SETTING_EXEC(
                "ProtectKernelModules", "yes", "It cannot load kernel modules.",
                "As root it could load code into the kernel; and it could make the kernel load seldom used "
                "modules."),
        SETTING_EXEC("ProtectKernelLogs", "yes", "The kernel's log is not its business.",
                     "It could read addresses and messages of the kernel that help an attacker."),
        SETTING_EXEC("ProtectControlGroups", "yes", "It cannot lift the limits that systemd sets.",
                     "It could write to control groups that are left open to it."),
        SETTING_EXEC("ProtectClock", "yes",
                     "It cannot set the clock, on which certificates and leases depend.",
                     "As root it could turn the clock back, and make expired certificates valid again."),
        SETTING_EXEC("ProtectHostname", "yes", "It cannot rename the node.",
                     "As root it could change the name by which certificates and logs know this node."),
        SETTING_EXEC(
                "RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
                "IP, systemd's notification socket, and reading the node's addresses; no raw packets.",
                "Raw packets and seldom used protocols (whose code is full of old mistakes) would be open "
                "to it."),
        SETTING_EXEC(
                "RestrictNamespaces", "yes", "It starts no containers.",
                "In a user namespace of its own it would be root, with access to much more of the kernel's "
                "code."),
        SETTING_EXEC("RestrictRealtime", "yes", "It cannot starve the node by realtime scheduling.",
                     "A loop with realtime priority would take a processor away from everybody, heartbeats "
                     "included."),
        SETTING_EXEC("RestrictSUIDSGID", "yes", "It cannot leave a set-user-id program behind.",
                     "It could leave a program behind through which another user gets its rights."),
        SETTING_EXEC(
                "LockPersonality", "yes",
                "No execution domains of other systems, whose code is little tested.",
                "It could switch to the ABI of another system, whose code in the kernel is little tested."),
        SETTING_EXEC("MemoryDenyWriteExecute", "yes",
                     "No memory that is written and then run: Go makes no code at run time.",
                     "An attacker who can write into its memory could run what he wrote."),
        SETTING_EXEC("SystemCallArchitectures", "native", "No 32-bit system calls beside the 64-bit filter.",
                     "The filter could be passed by using the calls of another architecture."),
        SETTING_EXEC("SystemCallFilter", "@system-service", "The system calls of ordinary services ...",
                     "All of the kernel's calls, some hundred of which it never needs, would be open to an "
                     "attacker."),
        SETTING_EXEC(
                "SystemCallFilter", "~@privileged @resources", "... less those that need root's powers.",
                "It could try calls that need root's powers, and ask for more than its share of the node."),
        SETTING_EXEC(
                "SystemCallErrorNumber", "EPERM",
                "A call that is not allowed fails, instead of killing the service.",
                "The first call that is not allowed would kill the service, also one that is only tried."),
        SETTING_EXEC("KeyringMode", "private", "No sharing of the kernel's keyrings.",
                     "It could see keys that other services of the same user keep in the kernel."),
        SETTING_EXEC("RemoveIPC", "yes", "What shared memory it leaves goes when it ends.",
                     "Shared memory would stay behind, and with it what stood in it."),
        SETTING_EXEC(
                "LimitCORE", "0",
                "It leaves no image of its memory when it crashes: keys and tokens are in it.",
                "Where core files are on, its keys would lie in one, on the disk and in whoever's hands collect them."),
        SETTING_EXEC("UMask", "0077", "Files that it writes (data, audit log) are for itself alone.",
                     "0022, the default: everybody on the node could read what it writes, the audit log and "
                     "data included."),
};

const size_t service_n_sandbox = ARRAY_SIZE(service_sandbox);

#define FRAME(s, k, w, without_, m) \
        { .section = (s), .key = (k), .why = (w), .without = (without_), .manual = (m) }

const UnitSetting service_frame[] = {
        FRAME("Unit", "Description", "What systemctl and the journal call it.",
              "They would call it by the name of its file.", "systemd.unit(5)"),
        FRAME("Unit", "Documentation", "Where upstream tells of the program; systemctl help opens it.",
              "Nothing but that.", "systemd.unit(5)"),
        FRAME("Service", "User", "It runs as a user of its own, that owns nothing else.",
              "It would run as root.", "systemd.exec(5)"),
        FRAME("Service", "Group", "And in a group of its own.",
              "The user's own group would be taken, which is the same.", "systemd.exec(5)"),
        FRAME("Unit", "RequiresMountsFor",
              "The file system with the directory that a flag of yours names is mounted first, and the service stops "
              "before it goes.",
              "At boot it could write below the mount point before the disk is there, and what it wrote be hidden.",
              "systemd.unit(5)"),
        FRAME("Service", "ReadWritePaths",
              "A flag of yours has it write there; everything else is read-only (ProtectSystem=).",
              "It could not write there: an apiserver that cannot open its audit log does not start.",
              "systemd.exec(5)"),
        FRAME("Service", "LoadCredential",
              "Hands a file of root's over to this service alone, as a copy made at its start, in the "
              "directory that %d stands for.",
              "The keys would have to be readable for the service's user where they lie, and for whoever "
              "becomes that user.",
              "systemd.exec(5)"),
        FRAME("Service", "ExecStart",
              "The program of the version in use, with its flags; each flag is explained by its name.",
              "systemd refuses a service that starts nothing.", "systemd.service(5)"),
        FRAME("Service", "Environment",
              "HARDWAY_INPUTS is the digest of all that this unit reads. It stands in the environment of "
              "the running process, too: so hardway sees what runs with something older.",
              "A restart that a killed run did not come to would be forgotten.", "systemd.exec(5)"),
        FRAME("Install", "WantedBy", "Starts it at boot.",
              "After a power cut it stays down until somebody starts it.", "systemd.unit(5)"),
};

const size_t service_n_frame = ARRAY_SIZE(service_frame);
