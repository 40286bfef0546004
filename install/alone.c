/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
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

/* Can the cluster do without a component that goes from this node for good? */
static int component_spares(NodeRun *n, const Component *c, Error **reterr) {
        ProbeResult result = {};
        int r;

        if (!c->spare || !c->unit || !node_retires(n, c->unit))
                return 0;
        r = c->spare(&n->run->probes, &n->node, 1, &result, reterr);
        if (r >= 0 && result.state == PROBE_FAILED)
                r = error_set(reterr, ERROR_UNAVAILABLE, EBUSY,
                              "not changed, as the cluster cannot do without %s here: %s", c->name,
                              result.text);
        probe_result_done(&result);
        return r;
}

/**
 * node_spares() - can the cluster do without what goes from a node for good?
 * @n:          the node, of which it is known what will change
 * @pruned:     of components whose instances are taken out first (Component.prune), or of the others
 * @reterr:     what it cannot do without
 *
 * Return: 0 or a negative errno.
 */
int node_spares(NodeRun *n, bool pruned, Error **reterr) {
        int r = 0;

        RUN_FOREACH_COMPONENT(c, n->run)
                if (r >= 0 && (c->prune != NULL) == pruned)
                        r = component_spares(n, c, reterr);
        return r;
}
