/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"

/*
 * What a node told of itself. A value with defaults: a plan can be made without asking any node, and keys of
 * the cluster file (nodes[].interface, endpoint.interface) override what is observed. host/ fills it in,
 * components read it.
 */
typedef struct Facts {
        bool observed;             /* false: only defaults */
        Architecture architecture; /* of the kernel */
        bool userland_matches;     /* a 64-bit kernel may carry a 32-bit userland */
        char *hostname;
        unsigned systemd_version;
        char *interface;        /* carries the node's address; "eth0" by default */
        unsigned prefix_length; /* of the node's address there; 24 by default, 64 for IPv6 */
        bool address_dynamic;   /* the node has its address for a time, from DHCP or a router */
        bool has_apt;
        bool has_aes;       /* the processor has AES instructions */
        bool cgroup_memory; /* cgroup v2 with the memory controller */
        bool clock_synchronized;
        int64_t clock;        /* seconds since 1970, when asked */
        int64_t clock_offset; /* node's clock minus ours, in seconds, rounded */
        uint64_t memory;      /* bytes */
        uint64_t disk_free;   /* bytes where /var/lib and /opt lie; 0: not known, 1: none */
        unsigned page_size;
        bool name_resolves; /* its own name, without which every sudo takes 20 s */
        char *machine_id;
        Strv listening; /* "ADDRESS:PORT PROCESS" of TCP listeners; not asked where all services run that have a port */
        Strv addresses; /* all addresses of the node, canonical text */
        Strv networks;  /* the same with their interfaces and prefixes: "eth0 10.77.0.20/24" */
} Facts;

void facts_default(const Cluster *c, const Node *node, Facts *ret);
const char* facts_vip_interface(const Cluster *c, const Node *node,
                                const Facts *f); /* with the overrides; lent */
void facts_done(Facts *f);
