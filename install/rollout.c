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

static char* how_to_go_on(const NodeRun *n, int r) {
        if (r == -ECANCELED)
                return xstrdup("");
        if (n->taken_back)
                return xstrdup(" See what is wrong with this node before you try again.");
        return xasprintf(" Mend this node, then run %s again.", n->run->request->again ?: "hardway install");
}

static int rollout_stop(const Turns *t, size_t done, int r, Error *error) {
        _cleanup_strv_ Strv rest = NULL;

        for (size_t i = done + 1; i < t->n_nodes; i++) {
                strv_add(&rest, t->nodes[i]->node->name);
                node_end(t->nodes[i], INSTALL_UNTOUCHED, "not touched");
        }
        if (rest) {
                _cleanup_free_ char *names = strv_join(rest, ", "), *next = how_to_go_on(t->nodes[done], r);

                error_detail(&error, "The rollout stopped here; not touched: %s.%s\n", names, next);
        }
        return node_fail(t->nodes[done], r, error);
}

static int take_turns(InstallRun *run, Turns *t) {
        bool told = false;
        int r;

        for (size_t i = 0; i < t->n_nodes; i++) {
                Error *error = NULL;

                if (!told && turns_peers_are_due(t, i)) {
                        r = run_tell_peers(run);
                        if (r < 0)
                                return r;
                        told = true;
                }
                if (!node_differs(t->nodes[i]))
                        continue;
                r = run_cancelled(run, &error);
                if (r >= 0)
                        r = turns_look(t, i, &error);
                if (r >= 0 && node_differs(t->nodes[i])) /* which may be another one now */
                        r = node_in_turn(t->nodes[i], &error);
                if (r < 0)
                        return rollout_stop(t, i, r, error);
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
        _cleanup_free_ NodeRun **nodes = xnew(NodeRun*, run->n_nodes + 1);
        Turns t = { .nodes = nodes };
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
                        t.nodes[t.n_nodes++] = n;
        turns_find(run, &t);
        for (size_t i = 1; i < t.n_nodes; i++)
                node_step(t.nodes[i], STAGE_TURN, NULL);
        return take_turns(run, &t);
}
