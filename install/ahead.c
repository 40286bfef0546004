/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who comes and who goes, where instances know each other by what they are told
 *
 * One that is not known to the others does its work beside them (two load balancers hold the VIP). So, of a
 * component that says so (Component.peers), those that run are told before a new one is started, and after one
 * that goes has stopped: outside the turns, as only a reload is needed for it, and a controller that joins has
 * its turn before all others.
 */

#include "common/alloc.h"
#include "install/run.h"

#define RUN_FOREACH_PEERS(c, run)     \
        RUN_FOREACH_COMPONENT(c, run) \
                if (c->peers && c->unit)

/* A change of this type of the component's unit, or NULL. */
static const Change* find_change(const NodeRun *n, const Component *c, ChangeType type) {
        for (size_t i = 0; i < n->changes.n_changes; i++) {
                const Change *change = n->changes.changes + i;

                if (change->type == type && change->item && change->item->type == PLAN_UNIT &&
                    streq(change->item->unit.name, c->unit))
                        return change;
        }
        return NULL;
}

/* Is an instance that others know about to stop for good? */
bool node_leaves_peers(const NodeRun *n) {
        RUN_FOREACH_PEERS(c, n->run)
                if (node_retires(n, c->unit))
                        return true;
        return false;
}

/* Is one about to be started that others may not know? */
bool node_comes_to_peers(const NodeRun *n) {
        RUN_FOREACH_PEERS(c, n->run)
                if (find_change(n, c, CHANGE_CREATE))
                        return true;
        return false;
}

/* Does it take a restart to tell an instance that runs? That is for its turn. */
bool node_restarts_peer(const NodeRun *n) {
        RUN_FOREACH_PEERS(c, n->run)
                if (find_change(n, c, CHANGE_RESTART))
                        return true;
        return false;
}

/* Is one about to read anew who is beside it, and so to forget who goes? */
bool node_tells_peer(const NodeRun *n) {
        RUN_FOREACH_PEERS(c, n->run)
                if (find_change(n, c, CHANGE_RELOAD) || find_change(n, c, CHANGE_START))
                        return true;
        return node_restarts_peer(n);
}

/* Return: 1, or 0 if it does not work: one that was ill before is mended in its turn. */
static int node_tell_of(NodeRun *n, const Component *c, Error **reterr) {
        bool ready = component_is_ready(n, c);
        int r;

        r = node_put_component(n, c, reterr);
        if (r >= 0)
                r = node_reload(n, c, reterr);
        return r < 0 || !ready ? r : component_wait(n, c, reterr);
}

static int node_tell(NodeRun *n, Error **reterr) {
        int r, told = 0;

        RUN_FOREACH_PEERS(c, n->run) {
                if (!find_change(n, c, CHANGE_RELOAD))
                        continue;
                r = node_lock(n, n->run->request->wait, reterr); /* see node_in_turn() */
                if (r >= 0)
                        r = node_tell_of(n, c, reterr);
                if (r <= 0)
                        return r;
                told++;
        }
        if (told == 0)
                return 0;
        r = node_look(n, reterr);
        if (r < 0 || node_differs(n))
                return r;
        r = node_record(n, reterr);
        if (r >= 0)
                node_end(n, INSTALL_CHANGED, "done");
        return r;
}

/**
 * run_tell_peers() - tell instances that run who is beside them now
 * @run:        the run, of which it is known what differs
 *
 * One after the other, and each is waited for. What else differs on their nodes has its turn later.
 *
 * Return: 0, or the result of the first node that failed.
 */
int run_tell_peers(InstallRun *run) {
        RUN_FOREACH_NODE(n, run) {
                Error *error = NULL;
                int r;

                if (!n->selected)
                        continue;
                r = run_cancelled(run, &error);
                if (r >= 0)
                        r = node_tell(n, &error);
                if (r < 0)
                        return node_fail(n, r, error);
        }
        return 0;
}
