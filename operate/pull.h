/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/snapshot.h"
#include "host/pool.h"

/*
 * Snapshots that the nodes took by themselves, brought here
 *
 * Of a node the newest one, as DIRECTORY/CLUSTER-NODE-TIME.db. One that is here already is left alone, so that
 * this may be done every hour.
 */
typedef enum PullOutcome {
        PULL_NONE,     /* the node has none yet */
        PULL_LEFT_OUT, /* it was not asked: what it has may be of the cluster before the last restore */
        PULL_HERE,     /* it was here already */
        PULL_DONE,
} PullOutcome;

typedef struct Pulled {
        PullOutcome outcome;
        char *path; /* NULL: there is none */
        EtcdScheduled scheduled;
} Pulled;

int snapshot_pull(HostPool *hosts, const Cluster *cluster, Store *store, const Node *node,
                  const char *directory, Pulled *ret, Error **reterr);
void pulled_done(Pulled *p);
const char* pull_outcome_to_string(PullOutcome o);
