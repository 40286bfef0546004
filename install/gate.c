/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "install/run.h"

/*
 * Gates: what has to hold before something of a serving cluster is stopped, and after it was started again
 *
 * A gate speaks for the cluster, so those of all components are asked, but for two kinds. Of a component on
 * this very node whose units stay as they are: a scheduler may be restarted although an etcd member
 * elsewhere is lost. And, before the change, of one that does not work on this node anyway: restarting it
 * takes nothing away, and may be what mends it.
 */
#define GATE_BEFORE_SEC 30u /* an election passes; a lost node does not come back for waiting */
#define GATE_AFTER_SEC 60u  /* at least: what was restarted has to catch up */
#define GATE_PAUSE_USEC (100 * USEC_PER_MSEC)

static bool component_is_touched(const NodeRun *n, const Component *c) {
        for (size_t i = 0; i < n->changes.n_changes; i++) {
                const Change *change = n->changes.changes + i;

                if ((change->type == CHANGE_RESTART || change->type == CHANGE_START ||
                     change->type == CHANGE_RELOAD) &&
                    streq(change->item->component, c->name))
                        return true;
        }
        return false;
}

static bool gate_matters(const NodeRun *n, const Component *c, bool before) {
        if (!c->gate)
                return false;
        if (!component_on_node(c, n->run->request->cluster, n->node))
                return true;
        return component_is_touched(n, c) && (!before || component_is_ready(n, c));
}

static uint64_t gate_limit(const Component *c, bool before) {
        if (before)
                return GATE_BEFORE_SEC * USEC_PER_SEC;
        return (c->ready_sec > GATE_AFTER_SEC ? c->ready_sec : GATE_AFTER_SEC) * USEC_PER_SEC;
}

/* Return: 1 to go on waiting, 0 if it is open, or an error. */
static int gate_judge(NodeRun *n, const Component *c, const ProbeResult *result, bool before,
                      uint64_t end_usec, Error **reterr) {
        if (result->state == PROBE_READY)
                return 0;
        if (result->state != PROBE_FAILED && clock_usec() <= end_usec) {
                node_event(n, INSTALL_WAITING, result->text, 0, 0);
                return 1;
        }
        return error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "%s %s: %s",
                         before ? "not changed, as it would put the cluster at risk, because of" :
                                  "changed, but the cluster is not well because of",
                         c->name, result->text ? result->text : "no answer");
}

static int gate_wait(NodeRun *n, const Component *c, bool before, Error **reterr) {
        uint64_t end_usec = clock_usec() + gate_limit(c, before);
        int r;

        for (;;) {
                ProbeResult result = {};

                r = run_cancelled(n->run, reterr);
                if (r >= 0)
                        r = c->gate(&n->run->probes, n->node, &result, reterr);
                if (r >= 0)
                        r = gate_judge(n, c, &result, before, end_usec, reterr);
                probe_result_done(&result);
                if (r <= 0)
                        return r;
                clock_sleep(GATE_PAUSE_USEC);
        }
}

/**
 * node_gates() - wait until the gates hold that matter for a node
 * @n:          the node
 * @before:     it is about to be changed; else it was
 * @reterr:     which gate stays closed
 *
 * Return: 0 or a negative errno.
 */
int node_gates(NodeRun *n, bool before, Error **reterr) {
        int r;

        node_step(n, "gate");
        RUN_FOREACH_COMPONENT(c, n->run) {
                if (!gate_matters(n, c, before))
                        continue;
                r = gate_wait(n, c, before, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
