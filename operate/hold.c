/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/hold.h"

#include "common/alloc.h"

static bool is_firm(const HoldRequest *q, const Node *node) {
        for (size_t i = 0; i < q->n_firm; i++)
                if (q->firm[i] == node)
                        return true;
        return false;
}

static int hold(HostPool *hosts, const HoldRequest *q, const Node *node, Error **reterr) {
        bool lenient = q->lenient && !is_firm(q, node);
        _cleanup_error_ Error *error = NULL;
        int r;

        r = host_pool_lock(hosts, node, q->holder, q->wait, &error);
        if (r >= 0 || (lenient && host_is_away(error)))
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

        for (const Node *node = c->nodes; node < c->nodes + c->n_nodes; node++) {
                int r;

                if (!(node->roles & request->roles) && !is_firm(request, node))
                        continue;
                r = hold(hosts, request, node, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
