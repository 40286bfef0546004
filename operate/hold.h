/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/pool.h"

/*
 * The locks of several nodes
 *
 * What takes a node from service counts on the others. So nobody else may be at work on any of them, from the
 * last look until it is back. The locks are released with the pool; that of a host that is cut off is lost before.
 */
typedef struct HoldRequest {
        const Cluster *cluster;
        unsigned roles;     /* NodeRole; of nodes with any of these */
        const char *holder; /* for the error that others get */
        bool wait;
        const Node *spare; /* not this one; or NULL */
        bool lenient;      /* a node that cannot be reached does no harm: nobody is at work there */
} HoldRequest;

int hold_node(HostPool *hosts, const HoldRequest *request, const Node *node, Error **reterr);
int hold_nodes(HostPool *hosts, const HoldRequest *request, Error **reterr);
