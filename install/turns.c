/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whose turn it is in a rollout, one node after the other. */

#include <stdlib.h>

#include "install/run.h"

/**
 * node_rank() - find out what decides whose turn it is: who does not work comes first, who leads comes last
 * @n:          the node, which is asked
 * @reterr:     who leads cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int node_rank(NodeRun *n, Error **reterr) {
        int r;

        n->up = true;
        n->leads = false;
        RUN_FOREACH_COMPONENT(c, n->run) {
                bool leads = false;

                if (!node_carries(n, c))
                        continue;
                n->up = n->up && component_is_ready(n, c);
                if (!c->leads)
                        continue;
                r = c->leads(&n->run->probes, n->node, &leads, reterr);
                if (r < 0)
                        return r;
                n->leads = n->leads || leads;
        }
        return 0;
}

enum {
        TURN_JOINS,    /* does not work now: nothing is lost, and something may be won */
        TURN_LEAVES,   /* has an instance that goes, and that others are about to forget: see ahead.c */
        TURN_COMES,    /* as the first, with one that others have to know, or that forgets who leaves */
        TURN_EARLY,    /* a load balancer: what has just joined has to be known to it before others stop */
        TURN_WORKS,    /* a controller that works */
        TURN_BALANCES, /* a load balancer, else */
        TURN_LAST, /* a load balancer that is new: before others tell it so, it would take the VIP from them; or
                      what comes where others hear of it by a restart only */
};

/* It does so only. */
static bool node_balances(const NodeRun *n) {
        return (n->node->roles & ROLE_LOADBALANCER) && !(n->node->roles & ROLE_CONTROL_PLANE);
}

/* Nothing ever ran there. */
static bool node_is_new(const NodeRun *n) {
        for (size_t i = 0; i < n->changes.n_changes; i++) {
                const Change *c = n->changes.changes + i;

                if (c->type == CHANGE_CREATE && c->item->type == PLAN_UNIT &&
                    c->item->unit.drop_in == node_balances(n))
                        return true;
        }
        return false;
}

static int turn_of(const NodeRun *n, bool any_joins, bool any_restarts) {
        if (node_leaves_peers(n))
                return TURN_LEAVES;
        if (!n->up && (node_balances(n) ? node_is_new(n) : any_restarts && node_comes_to_peers(n)))
                return TURN_LAST;
        if (node_balances(n))
                return any_joins ? TURN_EARLY : TURN_BALANCES;
        if (n->up)
                return TURN_WORKS;
        return node_comes_to_peers(n) || node_tells_peer(n) ? TURN_COMES : TURN_JOINS;
}

/* What others stand on comes first: etcd's own hosts before controllers. */
static int layer_of(const Node *node) {
        if (node->roles & ROLE_CONTROLLER)
                return 1;
        return node->roles & ROLE_ETCD ? 0 : 2;
}

static int in_turn(const void *a, const void *b) {
        const NodeRun *x = *(NodeRun *const *) a, *y = *(NodeRun *const *) b;
        int x_layer = layer_of(x->node), y_layer = layer_of(y->node);

        if (x->turn != y->turn)
                return x->turn - y->turn;
        if (x_layer != y_layer)
                return x_layer - y_layer;
        if (x->up != y->up)
                return x->up - y->up;
        if (x->leads != y->leads)
                return x->leads - y->leads;
        return (x > y) - (x < y);
}

/* Of those from the given one on. */
static void give_turns(Turns *t, size_t first) {
        for (size_t i = first; i < t->n_nodes; i++)
                t->nodes[i]->turn = turn_of(t->nodes[i], t->any_joins, t->any_restarts);
        qsort(t->nodes + first, t->n_nodes - first, sizeof(*t->nodes), in_turn);
}

/**
 * turns_find() - put the nodes that differ into the order of their turns
 * @run:        the run
 * @t:          has the nodes, each ranked
 */
void turns_find(const InstallRun *run, Turns *t) {
        t->any_joins = run->request->joined;
        for (size_t i = 0; i < t->n_nodes; i++) {
                const NodeRun *n = t->nodes[i];

                t->any_joins = t->any_joins || (!node_balances(n) && !n->up && node_is_new(n));
                t->any_restarts = t->any_restarts || node_restarts_peer(n);
        }
        give_turns(t, 0);
}

/**
 * turns_look() - look once more at a node that seemed ill, before its turn
 * @t:          the turns, of which those from the node on may change
 * @i:          whose turn it is, which may be another node's afterwards
 * @reterr:     as node_rank()
 *
 * Who did not work when all were asked may do so by now: one that leads ends itself when it loses its apiserver, and is back in a
 * moment. Before load balancers know of who has joined it must not stop then.
 *
 * Return: 0 or a negative errno.
 */
int turns_look(Turns *t, size_t i, Error **reterr) {
        while (!t->nodes[i]->up && !node_is_new(t->nodes[i])) {
                int r = node_rank(t->nodes[i], reterr);

                if (r < 0 || !t->nodes[i]->up)
                        return r;
                give_turns(t, i);
        }
        return 0;
}

/* As soon as all have stopped that go. */
bool turns_peers_are_due(const Turns *t, size_t i) {
        for (; i < t->n_nodes; i++)
                if (t->nodes[i]->turn == TURN_LEAVES)
                        return false;
        return true;
}
