/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "check/check.h"

/* What the files with rules share; nobody else includes this. */

typedef struct Judge Judge;

typedef struct CheckRule {
        const char *name;
        ErrorKind kind; /* of a failed finding, and errno: the exit status comes from it */
        int errnum;
        void (*node)(Judge *j, const CheckNode *n); /* about one node that was looked at ... */
        void (*all)(Judge *j);                      /* ... or about all of them */
        const char *why, *without, *by_hand; /* as in CheckName; NULL: another row of that name says it */
} CheckRule;

struct Judge {
        const CheckWorld *world;
        const CheckRule *rule;
        CheckList *findings;
};

/* Adds a finding of the rule; node: NULL if it is about several. The Check is lent until the next one. */
Check* judge(Judge *j, CheckState state, const Node *node, const char *format, ...) _printf_(4, 5);

#define CHECK_FOREACH_LOOKED_AT(n, w)                                                      \
        for (const CheckNode *n = (w)->nodes; n < (w)->nodes + (w)->cluster->n_nodes; n++) \
                if (!n->facts) {                                                           \
                } else

/* machine.c */
void rule_architecture(Judge *j, const CheckNode *n);
void rule_systemd(Judge *j, const CheckNode *n);
void rule_name(Judge *j, const CheckNode *n);
void rule_clock(Judge *j, const CheckNode *n);
void rule_clock_sync(Judge *j, const CheckNode *n);
void rule_memory(Judge *j, const CheckNode *n);
void rule_page_size(Judge *j, const CheckNode *n);
void rule_swap(Judge *j, const CheckNode *n);
/* cgroup.c */
void rule_cgroup(Judge *j, const CheckNode *n);
/* disk.c */
void rule_disk_space(Judge *j, const CheckNode *n);
void rule_disk_sync(Judge *j, const CheckNode *n);
/* software.c */
void rule_identity(Judge *j, const CheckNode *n);
void rule_leftovers(Judge *j, const CheckNode *n);
void rule_packages(Judge *j, const CheckNode *n);
void rule_ports_free(Judge *j, const CheckNode *n);
/* What check_ask() asks for on behalf of these rules; separated by blanks. */
void leftovers_to_look_for(Buffer *ret_paths, Buffer *ret_units);
/* versions.c */
void rule_versions(Judge *j, const CheckNode *n);
/* taken.c */
void rule_services(Judge *j, const CheckNode *n);
void rule_programs(Judge *j, const CheckNode *n);
int check_directories(const ProbeContext *c, const CheckWorld *w, const CheckNode *n, CheckList *findings,
                      Error **reterr);
/* flag-files.c */
int check_named_files(const ProbeContext *c, const CheckWorld *w, const CheckNode *n, CheckList *findings,
                      Error **reterr);
/* network.c */
void rule_addresses(Judge *j, const CheckNode *n);
void rule_names(Judge *j, const CheckNode *n);
void rule_reach(Judge *j, const CheckNode *n);
void rule_reach_here(Judge *j);
void rule_vip_network(Judge *j, const CheckNode *n);
void rule_endpoint(Judge *j);
void rule_sysctls(Judge *j, const CheckNode *n);
/* store.c */
void rule_certificates(Judge *j);
void rule_newest_copy(Judge *j);
/* flags.c */
void rule_flags(Judge *j);
/* unique.c */
void rule_members(Judge *j);
void rule_clock_spread(Judge *j);
void rule_hostnames(Judge *j);
void rule_machine_ids(Judge *j);
void rule_mac_addresses(Judge *j);
void rule_product_ids(Judge *j);
