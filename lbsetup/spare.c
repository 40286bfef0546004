/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which load balancers a cluster that serves can do without
 */

#include "common/alloc.h"
#include "lbsetup/internal.h"

static bool works(const LbPeer *peer) {
        return peer->result >= 0 && (lb_look_is_able(&peer->look) || peer->look.holds_vip);
}

/**
 * haproxy_spare() - is there a load balancer left to hold the VIP without these?
 * @c:          the context of the probe
 * @nodes:      those that are to go; also such as have lost the role, and run still
 * @n_nodes:    how many
 * @ret:        PROBE_READY with what is left (or no text, if none goes that works), or PROBE_FAILED
 * @reterr:     not used
 *
 * Return: 0.
 */
int haproxy_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
                  _unused_ Error **reterr) {
        _cleanup_pair_ LbPair pair = {}, former = {};
        size_t n_go = 0, n_left = 0;

        if (cluster_count(c->cluster, ROLE_LOADBALANCER) == 0) {
                /* clients find the API elsewhere by now */
                probe_result_set(ret, PROBE_READY, NULL);
                return 0;
        }
        lb_pair_look(c, &pair);
        lb_look_at_former(c, nodes, n_nodes, &former);
        LB_FOREACH_PEER(peer, &former)
                n_go += works(peer);
        LB_FOREACH_PEER(peer, &pair)
                if (works(peer))
                        *(node_is_among(peer->node, nodes, n_nodes) ? &n_go : &n_left) += 1;
        probe_result_spare(ret, n_go, n_left, "no load balancer that works would be left to hold the VIP",
                           "One load balancer is left, and then it may not fail");
        return 0;
}
