/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/pool.h"

/*
 * The locks of all controllers
 *
 * What takes a member from service counts on the others. So nobody else may be at work on any of them, from the
 * last look until it is back. The locks are released with the pool.
 */
typedef struct HoldRequest {
        const Cluster *cluster;
        const char *holder; /* for the error that others get */
        bool wait;
        const Node *spare; /* not this one; or NULL */
        bool lenient;      /* a node that cannot be reached does no harm: nobody is at work there */
} HoldRequest;

int hold_members(HostPool *hosts, const HoldRequest *request, Error **reterr);
