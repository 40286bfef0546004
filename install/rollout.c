/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "install/run.h"
#include "plan/drain.h"

/*
 * The two ways of changing nodes: all together, or one by one
 */

static int node_together(NodeRun *n, Error **reterr) {
        int r;

        r = node_put(n, reterr);
        if (r < 0)
                return r;
        r = node_units(n, /* wait= */ false, reterr);
        if (r < 0)
                return r;
        r = node_ready(n, reterr);
        if (r < 0)
                return r;
        node_end(n, n->waits_for ? INSTALL_WAITS : INSTALL_CHANGED, n->waits_for ? n->waits_for : "done");
        return 0;
}

/**
 * run_together() - change all nodes that differ at once: the first installation
 * @run:        the run
 *
 * Return: 0, or the result of the first node that failed.
 */
int run_together(InstallRun *run) {
        return crew_each(run, node_differs, node_together);
}

/* A service that came with its package, and does something, or nothing, for somebody else: what was started for this
 * cluster knows its inputs. */
static bool runs_for_others(const NodeRun *n, const PlanItem *item) {
        const ObservedUnit *u = observation_unit(n->observation, item->unit.name);

        return item->unit.drop_in && u && (!u->inputs || !*u->inputs);
}

/* Something of the cluster that runs will stop, for a moment or for good. */
static bool node_disrupts(const NodeRun *n) {
        for (const Change *c = n->changes.changes; c < n->changes.changes + n->changes.n_changes; c++)
                if (c->type == CHANGE_RESTART && !runs_for_others(n, c->item))
                        return true;
        return node_retires(n, NULL);
}

/* What decides whose turn it is: who does not work comes first, who leads comes last. */
static int node_rank(NodeRun *n, Error **reterr) {
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

/* Return: 1 if something on this node is new in the cluster and about to join. */
static int node_join(NodeRun *n, Error **reterr) {
        int r, joins = 0;

        RUN_FOREACH_COMPONENT(c, n->run) {
                if (!c->join || !node_carries(n, c))
                        continue;
                r = c->join(&n->run->probes, n->node, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", c->name);
                joins = joins || r;
        }
        return joins;
}

static int node_drain(NodeRun *n, Error **reterr) {
        const Component *const *components = n->run->request->components;
        int r;

        if (n->leads)
                node_step(n, STAGE_HAND_OVER, NULL);
        r = drain_hand_over(components, &n->run->probes, n->node, reterr);
        return r < 0 ? r : drain_set_aside(components, &n->run->probes, n->node, reterr);
}

/* Units are stopped before their files go, and so before anything is put: whoever uses them, or counts on them, is
 * told ahead. What cannot be done without is found before that; a member only once it is none any more, see
 * run_prune_early(). */
static int node_part(NodeRun *n, Error **reterr) {
        int r;

        r = node_spares(n, /* pruned= */ false, reterr);
        if (r >= 0)
                r = node_drain(n, reterr);
        if (r >= 0)
                r = run_prune_early(n->run, reterr);
        if (r >= 0)
                r = node_spares(n, /* pruned= */ true, reterr);
        return r < 0 ? r : node_put(n, reterr);
}

static int node_change_units(NodeRun *n, Error **reterr) {
        int r, joins;

        joins = node_join(n, reterr);
        if (joins < 0)
                return joins;
        /* what joins is not ready before it has settled, and others wait for it */
        r = node_units(n, /* wait= */ !joins, reterr);
        if (r < 0)
                return r;
        return node_ready(n, reterr);
}

/* Also if the node did not come back; then that is what is told. */
static int node_undo(NodeRun *n, int r, Error **reterr) {
        const Component *const *components = n->run->request->components;
        int k;

        k = drain_bring_back(components, &n->run->probes, r < 0 ? NULL : reterr);
        if (r >= 0)
                r = k;
        k = drain_take_back(components, &n->run->probes, n->node, r < 0 ? NULL : reterr);
        return r < 0 ? r : k;
}

/* From the first byte until the node works. */
static int node_change(NodeRun *n, bool disrupts, Error **reterr) {
        bool parts = disrupts && node_retires(n, NULL);
        int r;

        r = parts ? node_part(n, reterr) : node_put(n, reterr);
        if (r < 0 && !parts)
                return r;
        if (r >= 0 && disrupts && !parts)
                r = node_drain(n, reterr);
        if (r >= 0)
                r = node_change_units(n, reterr);
        return disrupts ? node_undo(n, r, reterr) : r;
}

/* Is the cluster well with what was changed, and is it what was wanted? */
static int node_prove(NodeRun *n, bool disrupts, Error **reterr) {
        const InstallProof *proof = n->run->request->proof;
        int r = 0;

        if (disrupts)
                r = node_gates(n, GATE_AFTER, reterr);
        if (r < 0 || !proof)
                return r;
        node_step(n, STAGE_PROOF, NULL);
        return proof->prove(proof->userdata, &n->run->probes, n->node, reterr);
}

/* With a closed gate the node keeps what it has, unproven, and works or not: the next run goes on with it.
 * Return: 1 if the node is again what it was. */
static int node_take_back(NodeRun *n, Error **reterr) {
        const InstallProof *proof = n->run->request->proof;
        int r = 0;

        if (node_disrupts(n))
                r = node_gates(n, GATE_BACK, reterr);
        if (r < 0)
                return r;
        r = proof->take_back(proof->userdata, n->node, reterr);
        if (r <= 0)
                return r;
        node_step(n, STAGE_TAKEN_BACK, NULL);
        r = node_look(n, reterr);
        if (r >= 0)
                r = node_change(n, node_disrupts(n), reterr);
        return r < 0 ? r : 1;
}

/* Its change has failed with r and the Error, which is told what came of taking it back. */
static int node_fall_back(NodeRun *n, int r, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        int k;

        if (!n->run->request->proof || r == -ECANCELED)
                return r;
        k = node_take_back(n, &error);
        n->taken_back = k > 0;
        if (k > 0)
                error_detail(reterr, "%s was given back what it had before, and works again.\n",
                             n->node->name);
        else if (k < 0)
                error_detail(reterr, "%s could not be given back what it had before: %s.\n%s", n->node->name,
                             error->message, error->detail ?: "");
        return r;
}

/* One node of a cluster that serves. */
static int node_in_turn(NodeRun *n, Error **reterr) {
        bool disrupts = node_disrupts(n);
        int r;

        /* It may have been lost in a long wait; who was here meanwhile has left another generation. */
        r = node_lock(n, n->run->request->wait, reterr);
        if (r < 0)
                return r;
        if (disrupts) {
                node_tell_alone(n);
                r = run_prune_lost(n->run, reterr);
                if (r >= 0)
                        r = node_gates(n, GATE_BEFORE, reterr);
                if (r < 0)
                        return r;
        }
        r = node_change(n, disrupts, reterr);
        if (r >= 0)
                r = node_prove(n, disrupts, reterr);
        if (r < 0)
                return node_fall_back(n, r, reterr);
        node_end(n, n->waits_for ? INSTALL_WAITS : INSTALL_CHANGED, n->waits_for ? n->waits_for : "done");
        return 0;
}

static bool node_puts_binaries(const NodeRun *n) {
        return n->changes.n_binaries > 0;
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

static void give_turns(const InstallRun *run, NodeRun **turn, size_t n_turn) {
        bool any_joins = run->request->joined, any_restarts = false;

        for (size_t i = 0; i < n_turn; i++) {
                any_joins = any_joins || (!node_balances(turn[i]) && !turn[i]->up && node_is_new(turn[i]));
                any_restarts = any_restarts || node_restarts_peer(turn[i]);
        }
        for (size_t i = 0; i < n_turn; i++)
                turn[i]->turn = turn_of(turn[i], any_joins, any_restarts);
}

/* As soon as all have stopped that go. */
static bool peers_are_due(NodeRun **turn, size_t i, size_t n_turn) {
        for (; i < n_turn; i++)
                if (turn[i]->turn == TURN_LEAVES)
                        return false;
        return true;
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

static char* how_to_go_on(const NodeRun *n, int r) {
        if (r == -ECANCELED)
                return xstrdup("");
        if (n->taken_back)
                return xstrdup(" See what is wrong with this node before you try again.");
        return xasprintf(" Mend this node, then run %s again.", n->run->request->again ?: "hardway install");
}

static int rollout_stop(NodeRun **turn, size_t done, size_t n_turn, int r, Error *error) {
        _cleanup_strv_ Strv rest = NULL;

        for (size_t i = done + 1; i < n_turn; i++) {
                strv_add(&rest, turn[i]->node->name);
                node_end(turn[i], INSTALL_UNTOUCHED, "not touched");
        }
        if (rest) {
                _cleanup_free_ char *names = strv_join(rest, ", "), *next = how_to_go_on(turn[done], r);

                error_detail(&error, "The rollout stopped here; not touched: %s.%s\n", names, next);
        }
        return node_fail(turn[done], r, error);
}

static int take_turns(InstallRun *run, NodeRun **turn, size_t n_turn) {
        bool told = false;
        int r;

        for (size_t i = 0; i < n_turn; i++) {
                Error *error = NULL;

                if (!told && peers_are_due(turn, i, n_turn)) {
                        r = run_tell_peers(run);
                        if (r < 0)
                                return r;
                        told = true;
                }
                if (!node_differs(turn[i]))
                        continue;
                r = run_cancelled(run, &error);
                if (r >= 0)
                        r = node_in_turn(turn[i], &error);
                if (r < 0)
                        return rollout_stop(turn, i, n_turn, r, error);
        }
        return 0;
}

/**
 * run_one_by_one() - change the nodes that differ of a cluster that serves
 * @run:        the run
 *
 * Binaries, which nothing uses until a unit names them, go to all nodes first. Stops at the first node that
 * does not come back: what the others run is left as it is.
 *
 * Return: 0, or the result of the node at which it stopped.
 */
int run_one_by_one(InstallRun *run) {
        _cleanup_free_ NodeRun **turn = xnew(NodeRun*, run->n_nodes + 1);
        size_t n_turn = 0;
        int r;

        r = crew_each(run, node_puts_binaries, node_put_binaries);
        if (r < 0)
                return r;
        /* It may have joined in an earlier run, which was ended before it had its place: the gates wait for it, and a turn it has none. */
        r = crew_each(run, node_is_as_planned, node_settle);
        if (r >= 0)
                r = crew_each(run, node_differs, node_rank);
        if (r < 0)
                return r;

        RUN_FOREACH_NODE(n, run)
                if (n->selected && node_differs(n))
                        turn[n_turn++] = n;
        give_turns(run, turn, n_turn);
        qsort(turn, n_turn, sizeof(*turn), in_turn);
        for (size_t i = 1; i < n_turn; i++)
                node_step(turn[i], STAGE_TURN, NULL);
        return take_turns(run, turn, n_turn);
}
