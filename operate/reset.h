/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"
#include "plan/component.h"

/*
 * Taking hardway off nodes whose cluster does not serve
 *
 * What is taken away: the units of the plan, every file that is in the plan or that an earlier run recorded, the directories that only services
 * of ours write to, users, packages that were installed by hardway, and its own records. What was there before and
 * what others made stays.
 *
 * A node of a cluster that serves is refused unless told otherwise; a node that carries another cluster's mark, or none, is not part of it and may go.
 */
typedef struct ResetRequest {
        const Cluster *cluster;
        const Component *const *components;
        Store *store;
        const Lock *lock;
        const Node *const *nodes;
        size_t n_nodes;
        const HostOptions *host;
        const char *holder; /* of the nodes' locks */
        bool wait;
        bool force; /* nodes of a cluster that serves, too */
        bool dry_run;
        void (*step)(void *userdata, const Node *node, const char *text);
        void (*end)(void *userdata, const Node *node, bool success,
                    const char *text); /* dry_run: text is the script */
        void *userdata;
} ResetRequest;

int reset_run(const ResetRequest *request, ErrorList *errors);

/* The script that does it, for people and tests. o may be NULL. */
void reset_script(const Plan *plan, const Observation *o, Buffer *out);
