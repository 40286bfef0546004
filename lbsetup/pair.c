/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "lbsetup/pair.h"

typedef struct Looking {
        const ProbeContext *c;
        LbPeer *peer;
} Looking;

static void look_at(void *item) {
        Looking *l = item;

        l->peer->result = lb_look(l->c, l->peer->node, &l->peer->look, &l->peer->error);
}

/**
 * lb_pair_look() - look at all load balancers of the cluster, at once
 * @c:          the context of the probe
 * @ret:        what was found, in the order of the cluster file; the caller calls lb_pair_done()
 */
void lb_pair_look(const ProbeContext *c, LbPair *ret) {
        LbPair p = { .peers = xnew(LbPeer, c->cluster->n_nodes + 1) };
        _cleanup_free_ Looking *lookings = xnew(Looking, c->cluster->n_nodes + 1);

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                LbPeer *peer = p.peers + p.n_peers;

                *peer = (LbPeer) { .node = node };
                lookings[p.n_peers] = (Looking) { .c = c, .peer = peer };
                p.n_peers++;
        }
        parallel_each(look_at, lookings, sizeof(Looking), p.n_peers);
        *ret = p;
}

void lb_pair_done(LbPair *p) {
        for (size_t i = 0; i < p->n_peers; i++) {
                error_free(p->peers[i].error);
                lb_look_done(&p->peers[i].look);
        }
        free(p->peers);
        *p = (LbPair) {};
}

size_t lb_pair_holders(const LbPair *p, const LbPeer **ret) {
        size_t n = 0;

        *ret = NULL;
        LB_FOREACH_PEER(peer, p)
        if (peer->look.holds_vip && n++ == 0)
                *ret = peer;
        return n;
}

bool lb_is_address(const Cluster *cluster, const char *address) {
        char text[INET_TEXT_SIZE];

        CLUSTER_FOREACH_NODE(node, cluster, ROLE_LOADBALANCER)
                if (streq(inet_address_format(&node->address, text), address))
                        return true;
        return false;
}
