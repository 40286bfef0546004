/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "install/run.h"

/*
 * The locks of a run
 *
 * A node is changed by one run at a time. And what is stopped on one node, or joins there, counts on the others:
 * two runs on different nodes could each find the other's still well, and stop both in the same second. So a run
 * that does either to a cluster that serves has the locks of all nodes. Only those that it changes have to be
 * reached: nobody is at work on one that is away, see host_is_away().
 *
 * All in the order of the cluster file, so that two runs that wait do not wait for each other.
 */

static bool node_moves(const NodeRun *n) {
        return changes_have(&n->changes, CHANGE_RESTART, NULL) ||
               changes_have(&n->changes, CHANGE_START, NULL) || node_retires(n, NULL);
}

static bool run_moves(const InstallRun *run) {
        RUN_FOREACH_NODE(n, run)
                if (n->selected && node_moves(n))
                        return true;
        return false;
}

static bool node_is_own(const NodeRun *n) {
        return n->selected && node_differs(n);
}

/* At once, what would take its time one after the other. */
static void reach_others(InstallRun *run) {
        _cleanup_free_ const Node **others = xnew(const Node*, run->n_nodes + 1);
        _cleanup_free_ Error **errors = xnew(Error*, run->n_nodes + 1);
        size_t n_others = 0;

        RUN_FOREACH_NODE(n, run)
                if (!node_is_own(n))
                        others[n_others++] = n->node;
        host_pool_reach(run->hosts, others, n_others, errors);
        for (size_t i = 0; i < n_others; i++) {
                NodeRun *n = run->nodes + others[i]->index;

                error_free(n->unreached);
                n->unreached = errors[i];
        }
}

/* Return: 0, 1 if that had to be waited for, or a negative errno. */
static int hold_other(NodeRun *n, bool wait, Error **reterr) {
        _cleanup_error_ Error *error = TAKE_PTR(n->unreached);
        int r;

        if (error && host_is_away(error))
                return 0;
        r = error ? -error->errnum :
                    host_pool_lock(n->run->hosts, n->node, n->run->request->holder, wait, &error);
        if (r >= 0)
                return r;
        r = error_propagate(reterr, TAKE_PTR(error));
        error_detail(reterr,
                     "While something of a cluster that serves is stopped or joins, nobody else is at "
                     "work on its other nodes.%s\n",
                     r == -EBUSY || r == -ECANCELED ? " To wait for that: --wait" :
                                                      " So each is locked, if it is there.");
        return error_prefix(reterr, r, "%s", n->node->name);
}

/**
 * run_hold() - take the locks that this run needs and does not have yet
 * @run:        the run, of which it is known what differs, and whether the cluster serves
 * @wait:       for those who have one; only if none is held yet: they may wait for us
 * @reterr:     who is at work on a node that is not to be changed
 *
 * Return: 0 or a negative errno; what speaks against a node that is to be changed is kept with it.
 */
int run_hold(InstallRun *run, bool wait, Error **reterr) {
        bool all = run->serving && run_moves(run);

        if (all)
                reach_others(run);
        RUN_FOREACH_NODE(n, run) {
                bool own = node_is_own(n);
                Error *error = NULL;
                int r = 0;

                if (own)
                        r = node_lock(n, wait, &error);
                else if (all)
                        r = hold_other(n, wait, reterr);
                run->waited = run->waited || r > 0;
                if (r < 0)
                        return own ? node_fail(n, r, error) : r;
        }
        return 0;
}
