/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"

/*
 * Flags as tables: name, value, the Kubernetes minors it is valid for, why it is there, and what
 * breaks without it
 *
 * The unit's command line is rendered from the rows that hold for the cluster's version, `explain` prints
 * them, and the user's own extra-args replace ours of the same name (others are appended, marked as theirs).
 */
typedef struct PlanContext PlanContext;

/* A value is literal but for systemd's specifiers ("%d/ca.crt"). Without value and function it is a bare
 * flag; a function whose result is NULL leaves the flag out. */
typedef struct Flag {
        const char *name; /* without dashes */
        const char *value;
        char *(*function)(const PlanContext *c); /* the value for this cluster and node */
        unsigned first_minor;                    /* of Kubernetes 1.N; 0: no bound */
        unsigned last_minor;                     /* 0: no bound */
        const char *why;
        const char *without; /* what breaks without it, for `explain` */
        bool first_start;    /* not looked at later: no reason to restart a process that has another value */
} Flag;

/* argv[0] = binary, then --name=value in table order, then the user's. Never fails: the cluster file was
 * checked. */
Strv flags_to_argv(const char *binary, const Flag *flags, size_t n_flags, const char *component,
                   const PlanContext *c);
