/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/inet.h"
#include "common/strv.h"

/*
 * A node's answers to the questions of check/scripts/questions.sh: what is only worth asking before
 * something is installed
 *
 * The text comes from another machine. Lines of an unknown kind are passed over, numbers that are none count
 * as not answered; what is missing is not known, and no rule takes it for good or for bad.
 */
typedef enum WayState {
        WAY_UNKNOWN,
        WAY_OPEN,        /* somebody accepted */
        WAY_REFUSED,     /* nobody listens there, and the way is open */
        WAY_SILENT,      /* no answer: filtered, most likely */
        WAY_UNREACHABLE, /* the network says so */
} WayState;

typedef struct WayAnswer {
        char *target; /* "10.77.0.21/2380" */
        WayState state;
        char *error; /* of WAY_UNREACHABLE, as the node put it; or NULL */
} WayAnswer;

typedef struct NameAnswer {
        char *name;
        bool slow;
        Strv addresses; /* none: it does not resolve */
} NameAnswer;

typedef struct PackageAnswer {
        char *name;
        char *candidate; /* version, or NULL: the package manager knows none */
} PackageAnswer;

typedef struct Answers {
        bool container;     /* it shares its machine's identity */
        bool cgroup2;       /* the unified hierarchy is mounted */
        char *model;        /* of the device tree: "Raspberry Pi 4 Model B Rev 1.4"; or NULL */
        char *cmdline;      /* the kernel's; or NULL */
        char *cmdline_file; /* where the firmware takes it from, and what stands there; or NULL */
        char *cmdline_next;
        char *product_id;    /* product_uuid, or the board's serial number; or NULL */
        char *mac;           /* of the interface that carries the node's address; or NULL */
        Strv swaps;          /* devices and files that are swapped to */
        unsigned arp_ignore; /* of that interface, the kernel's way to combine it with "all" */
        Strv leftovers;      /* paths and units that were found */
        WayAnswer *ways;
        size_t n_ways;
        NameAnswer *names;
        size_t n_names;
        PackageAnswer *packages;
        size_t n_packages;
        unsigned sync_writes; /* how many small synchronous writes were timed; 0: none */
        uint64_t sync_mean_usec;
        uint64_t sync_worst_usec; /* mean of the worst batch */
} Answers;

void answers_parse(const char *text, Answers *ret);
void answers_done(Answers *a);

const WayAnswer* answers_way(const Answers *a, const InetAddress *address, unsigned port);
void answers_add_way(Answers *a, const char *target, WayState state, const char *error);
char* way_target(const InetAddress *address, unsigned port); /* "10.77.0.21/2380" */
