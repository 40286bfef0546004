/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/hold.h"

#include "common/alloc.h"

/**
 * hold_node() - take the lock of one node, unless it is held
 * @hosts:      the nodes; keeps the lock
 * @q:          for whom; its roles do not matter
 * @node:       the node
 * @reterr:     names the node, and who has it
 *
 * Return: 0 or a negative errno.
 */
int hold_node(HostPool *hosts, const HoldRequest *q, const Node *node, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        Host *host;
        int r;

        r = host_pool_take(hosts, node, &host, &error);
        if (r >= 0) {
                r = host_lock(host, q->holder, q->wait, &error);
                host_pool_give(hosts, node);
        }
        if (r < 0 && q->lenient && error->kind == ERROR_UNAVAILABLE)
                return 0;
        if (r >= 0)
                return 0;
        r = error_propagate(reterr, TAKE_PTR(error));
        return error_prefix(reterr, r, "%s", node->name);
}

/**
 * hold_nodes() - take the locks of all nodes with certain roles
 * @hosts:      the nodes; keeps the locks
 * @request:    whose, and for whom
 * @reterr:     names the node, and who has it
 *
 * In the order of the cluster file, so that two who wait do not wait for each other.
 *
 * Return: 0 or a negative errno; those that were taken stay taken then, until the pool goes.
 */
int hold_nodes(HostPool *hosts, const HoldRequest *request, Error **reterr) {
        int r;

        CLUSTER_FOREACH_NODE(node, request->cluster, request->roles) {
                if (node == request->spare)
                        continue;
                r = hold_node(hosts, request, node, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
