/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Asking many nodes the same: all of them at once
 */

#include "common/alloc.h"
#include "common/parallel.h"
#include "plan/probe.h"

typedef struct Asking {
        const ProbeContext *c;
        const Node *node;
        ProbeAsk ask;
        CheckList checks;
} Asking;

static void ask_one(void *item) {
        Asking *a = item;

        a->ask(a->c, a->node, &a->checks);
}

/**
 * probe_each_node() - have something asked of all nodes of some roles
 * @c:          the context of the probe
 * @roles:      mask of NodeRole
 * @ask:        called in a thread per node, each with a list of its own
 * @checks:     gets what they add, in the order of the cluster file
 *
 * It takes as long as the slowest of them, however many there are.
 */
void probe_each_node(const ProbeContext *c, unsigned roles, ProbeAsk ask, CheckList *checks) {
        _cleanup_free_ Asking *all = xnew(Asking, c->cluster->n_nodes + 1);
        size_t n = 0;

        CLUSTER_FOREACH_NODE(node, c->cluster, roles)
                all[n++] = (Asking) { .c = c, .node = node, .ask = ask };
        parallel_each(ask_one, all, sizeof(Asking), n);
        for (size_t i = 0; i < n; i++)
                check_list_append(checks, &all[i].checks);
}
