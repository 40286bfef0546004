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

/* Those that are load balancers, or those that are none: all (nodes NULL), or of these. */
static void look_at_all(const ProbeContext *c, bool balancers, const Node *const *nodes, size_t n_nodes,
                        LbPair *ret) {
        LbPair p = { .peers = xnew(LbPeer, c->cluster->n_nodes + 1) };
        _cleanup_free_ Looking *lookings = xnew(Looking, c->cluster->n_nodes + 1);

        for (const Node *node = c->cluster->nodes; node < c->cluster->nodes + c->cluster->n_nodes; node++) {
                LbPeer *peer = p.peers + p.n_peers;

                if (balancers != ((node->roles & ROLE_LOADBALANCER) != 0) ||
                    (nodes && !node_is_among(node, nodes, n_nodes)))
                        continue;
                *peer = (LbPeer) { .node = node };
                lookings[p.n_peers] = (Looking) { .c = c, .peer = peer };
                p.n_peers++;
        }
        parallel_each(look_at, lookings, sizeof(Looking), p.n_peers);
        *ret = p;
}

/**
 * lb_pair_look() - look at all load balancers of the cluster, at once
 * @c:          the context of the probe
 * @ret:        what was found, in the order of the cluster file; the caller calls lb_pair_done()
 */
void lb_pair_look(const ProbeContext *c, LbPair *ret) {
        look_at_all(c, /* balancers= */ true, NULL, 0, ret);
}

const LbPeer* lb_pair_find(const LbPair *pair, const Node *node) {
        LB_FOREACH_PEER(peer, pair)
                if (peer->node->index == node->index)
                        return peer;
        return NULL;
}

/**
 * lb_look_at_former() - look at those of some nodes that are no load balancers, and may have been
 * @c:          the context of the probe
 * @nodes:      the nodes
 * @n_nodes:    how many
 * @ret:        as above
 */
void lb_look_at_former(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, LbPair *ret) {
        look_at_all(c, /* balancers= */ false, nodes, n_nodes, ret);
}

/**
 * lb_former_holder() - find who is a load balancer no more, and holds the VIP still
 * @c:          the context of the probe
 *
 * Return: the node, of the cluster file, or NULL.
 */
const Node* lb_former_holder(const ProbeContext *c) {
        _cleanup_pair_ LbPair others = {};

        look_at_all(c, /* balancers= */ false, NULL, 0, &others);
        LB_FOREACH_PEER(peer, &others)
                if (peer->look.holds_vip && (peer->look.installed || streq(peer->look.keepalived, "active")))
                        return peer->node;
        return NULL;
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
