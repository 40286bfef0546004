/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "install/run.h"

/*
 * What nobody else does meanwhile: a cluster of one controller, or with one load balancer, is changed as any
 * other, but not without a word
 */
static bool is_alone(const NodeRun *n, const Component *c) {
        const Cluster *cluster = n->run->request->cluster;
        size_t n_nodes = 0;

        for (size_t i = 0; i < cluster->n_nodes; i++)
                n_nodes += component_on_node(c, cluster, cluster->nodes + i);
        return n_nodes == 1 && component_on_node(c, cluster, n->node);
}

/**
 * node_tell_alone() - warn of an interruption, where a node of a serving cluster is about to restart what no
 * other node runs
 * @n:          the node, of which it is known what will change
 */
void node_tell_alone(NodeRun *n) {
        _cleanup_strv_ Strv names = NULL;
        _cleanup_free_ char *list = NULL, *text = NULL;

        RUN_FOREACH_COMPONENT(c, n->run)
                if (c->unit && changes_have(&n->changes, CHANGE_RESTART, c->unit) && is_alone(n, c))
                        strv_add(&names, c->name);
        if (!names)
                return;
        list = strv_join(names, ", ");
        text = xasprintf(
                "no other node runs %s: what it serves is interrupted for some seconds by the restart",
                list);
        node_event(n, INSTALL_WARNING, text, 0, 0);
}
