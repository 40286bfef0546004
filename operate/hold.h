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
        bool lenient;            /* a node that cannot be reached does no harm: nobody is at work there */
        const Node *const *firm; /* these, too, whatever their roles, and each has to be reached */
        size_t n_firm;
} HoldRequest;

int hold_nodes(HostPool *hosts, const HoldRequest *request, Error **reterr);
