/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lbsetup/look.h"

/* All load balancers of the cluster, looked at together. */

typedef struct LbPeer {
        const Node *node; /* lent */
        int result;       /* of lb_look() */
        Error *error;     /* why it cannot be asked */
        LbLook look;
} LbPeer;

typedef struct LbPair {
        LbPeer *peers;
        size_t n_peers;
} LbPair;

void lb_pair_look(const ProbeContext *c, LbPair *ret);
const LbPeer* lb_pair_find(const LbPair *pair, const Node *node); /* of that node; or NULL */
void lb_pair_done(LbPair *p);
#define _cleanup_pair_ _cleanup_(lb_pair_done)

/* How many hold the VIP; *ret is the first of them, or NULL. */
size_t lb_pair_holders(const LbPair *p, const LbPeer **ret);

void lb_look_at_former(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, LbPair *ret);
const Node* lb_former_holder(const ProbeContext *c);

/* Is this the address of one of them? */
bool lb_is_address(const Cluster *cluster, const char *address);

#define LB_FOREACH_PEER(peer, pair) \
        for (const LbPeer *peer = (pair)->peers; peer < (pair)->peers + (pair)->n_peers; peer++)
