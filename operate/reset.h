/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"
#include "install/stage.h"
#include "plan/component.h"

/*
 * Taking hardway off nodes, also off those of a cluster that serves
 *
 * What is taken away: the units of the plan, every file that is in the plan or that an earlier run recorded,
 * the directories that only services of ours write to, users, packages that were installed by hardway, and
 * its own records. What others made stays, and what was there before, and hardway took the place of, comes
 * back (plan/taken.h).
 *
 * All nodes are looked at before anything is done, and what will be done is told. From a cluster that serves
 * only what it can do without may go (Component.spare), unless told otherwise; a node that carries another
 * cluster's mark, or none, is no part of it. That is asked before the question and after it; the locks
 * of the other nodes are held from before the first until the end. Nodes that it can do without
 * go one after the other, each once others lead in its place and send it no more work.
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
        bool force;     /* also what a cluster that serves cannot do without */
        bool keep_data; /* leave the data of its components on the node, with their mark and owner */
        bool dry_run;
        const volatile int
                *cancelled; /* or NULL; looked at until the first node is begun with, in turn: each */
        /* Told what will be done, once everything was looked at; a negative result ends the run. May be
         * NULL. */
        int (*confirm)(void *userdata, const char *text, Error **reterr);
        /* Of nodes that are reset at once, by a thread of each. */
        void (*step)(void *userdata, const Node *node, Stage stage);
        void (*end)(void *userdata, const Node *node, bool success,
                    const char *text); /* dry_run: text is the script */
        void *userdata;
} ResetRequest;

int reset_run(const ResetRequest *request, ErrorList *errors);
