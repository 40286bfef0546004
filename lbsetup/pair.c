/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "lbsetup/pair.h"

/**
 * lb_pair_look() - look at all load balancers of the cluster
 * @c:          the context of the probe
 * @ret:        what was found, in the order of the cluster file; the caller calls lb_pair_done()
 */
void lb_pair_look(const ProbeContext *c, LbPair *ret) {
        LbPair p = {};

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_LOADBALANCER) {
                LbPeer *peer;

                p.peers = xrealloc(p.peers, p.n_peers + 1, sizeof(LbPeer));
                peer = p.peers + p.n_peers++;
                *peer = (LbPeer) { .node = node };
                peer->result = lb_look(c, node, &peer->look, &peer->error);
        }
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
