/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which members a cluster that serves can do without
 */

#include "common/alloc.h"
#include "etcd/internal.h"

static bool is_healthy(const ProbeContext *c, const Node *node) {
        _cleanup_(etcd_peer_close) EtcdPeer p = {};

        return etcd_peer_open(c, node, ETCD_ASK_USEC, &p, NULL) >= 0 &&
               etcd_health(&p.endpoint, /* serializable= */ false, NULL, NULL) > 0 &&
               etcd_peer_is_current(c, &p);
}

/* The list as a quorum knows it, from the first member that can tell. */
static int ask_members(const ProbeContext *c, EtcdMembers *ret) {
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD)
                if (etcd_members_of(c, node, ETCD_ASK_USEC, /* linearizable= */ true, ret) >= 0)
                        return 0;
        return -EHOSTUNREACH;
}

/**
 * etcd_spare() - can the cluster do without the members on these nodes?
 * @c:          the context of the probe
 * @nodes:      those that are to go
 * @n_nodes:    how many
 * @ret:        PROBE_READY with what is left (or no text, if no member goes), or PROBE_FAILED
 *
 * Return: 0.
 */
int etcd_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
               _unused_ Error **reterr) {
        _cleanup_(etcd_members_done) EtcdMembers members = {};
        size_t n_voters = 0, n_go = 0, n_left = 0, quorum;

        if (ask_members(c, &members) < 0) {
                probe_result_set(ret, PROBE_FAILED, "etcd's members cannot be asked");
                return 0;
        }
        for (size_t i = 0; i < members.n_members; i++) {
                const EtcdMember *m = members.members + i;
                const Node *node = m->name ? cluster_find_node(c->cluster, m->name) : NULL;

                if (m->learner)
                        continue;
                n_voters++;
                if (node && node_is_among(node, nodes, n_nodes))
                        n_go++;
                else if (node)
                        n_left += is_healthy(c, node);
        }
        quorum = etcd_quorum(n_voters);
        if (n_go == 0)
                probe_result_set(ret, PROBE_READY, NULL);
        else if (n_left >= quorum)
                probe_result_set(ret, PROBE_READY, "etcd goes on with %zu of %zu members%s", n_left,
                                 n_voters, n_left == quorum ? ", and then none may fail" : "");
        else
                probe_result_set(ret, PROBE_FAILED,
                                 "etcd would have %zu healthy members of %zu, and quorum needs %zu", n_left,
                                 n_voters, quorum);
        return 0;
}
