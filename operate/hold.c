/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/hold.h"

#include "common/alloc.h"

static bool is_firm(const HoldRequest *q, const Node *node) {
        return node_is_among(node, q->firm, q->n_firm);
}

/* Takes unreached, why it could not be connected to, or NULL. */
static int hold(HostPool *hosts, const HoldRequest *q, const Node *node, Error *unreached, Error **reterr) {
        bool lenient = q->lenient && !is_firm(q, node);
        _cleanup_error_ Error *error = unreached;
        int r;

        if (error && lenient && host_is_away(error))
                return 0;
        r = error ? -error->errnum : host_pool_lock(hosts, node, q->holder, q->wait, &error);
        if (r >= 0)
                return 0;
        r = error_propagate(reterr, TAKE_PTR(error));
        return error_prefix(reterr, r, "%s", node->name);
}

/**
 * hold_nodes() - take the locks of several nodes, as far as they are not held
 * @hosts:      the nodes; keeps the locks
 * @request:    whose, and for whom
 * @reterr:     names the node, and who has it
 *
 * In the order of the cluster file, so that two who wait do not wait for each other.
 *
 * Return: 0 or a negative errno; those that were taken stay taken then, until the pool goes.
 */
int hold_nodes(HostPool *hosts, const HoldRequest *request, Error **reterr) {
        const Cluster *c = request->cluster;
        _cleanup_free_ const Node **nodes = xnew(const Node*, c->n_nodes + 1);
        _cleanup_free_ Error **unreached = xnew(Error*, c->n_nodes + 1);
        size_t n_nodes = 0;
        int r = 0;

        for (const Node *node = c->nodes; node < c->nodes + c->n_nodes; node++)
                if ((node->roles & request->roles) || is_firm(request, node))
                        nodes[n_nodes++] = node;
        host_pool_reach(hosts, nodes, n_nodes, unreached);
        for (size_t i = 0; i < n_nodes; i++)
                if (r < 0)
                        error_free(unreached[i]);
                else
                        r = hold(hosts, request, nodes[i], unreached[i], reterr);
        return r;
}
