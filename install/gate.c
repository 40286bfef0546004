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
 * takes nothing away, and may be what mends it. As nobody is asked then, that has to be so beyond doubt: systemd
 * says that it does not run, or it has not answered for a while. A disk that stalls and a packet that is lost
 * look the same for a moment.
 *
 * A node that is given back what it had before stops once more what it runs, and who else there is may be
 * another matter by then. Only what the node itself runs is asked about: that others find fault with it (a
 * load balancer with its apiserver) may be why it is given back.
 */
#define GATE_BEFORE_SEC 30u /* an election passes; a lost node does not come back for waiting */
#define GATE_AFTER_SEC 60u  /* at least: what was restarted has to catch up */
#define GATE_PAUSE_USEC (100 * USEC_PER_MSEC)
#define DOUBT_SEC 10u
#define DOUBT_PAUSE_USEC (1 * USEC_PER_SEC)

static bool component_is_touched(const NodeRun *n, const Component *c) {
        CHANGES_FOREACH_OF(change, &n->changes, c)
        if (change->type == CHANGE_RESTART || change->type == CHANGE_START || change->type == CHANGE_RELOAD)
                return true;
        return c->unit && node_retires(n, c->unit);
}

static bool unit_is_active(const NodeRun *n, const Component *c) {
        const ObservedUnit *u = c->unit && n->observation ? observation_unit(n->observation, c->unit) : NULL;

        return !u || streq_null(u->active_state, "active");
}

/* Return: false also if it came back meanwhile, or nobody wants to know any more. */
static bool component_is_out(const NodeRun *n, const Component *c) {
        uint64_t end_usec = clock_usec() + DOUBT_SEC * USEC_PER_SEC;
        _cleanup_free_ char *text = NULL;

        if (component_is_ready(n, c))
                return false;
        if (!unit_is_active(n, c))
                return true;
        text = xasprintf("is %s out of work, or only slow?", c->name);
        node_event(n, INSTALL_WAITING, text, 0, 0);
        while (clock_usec() <= end_usec) {
                clock_sleep(DOUBT_PAUSE_USEC);
                if (run_cancelled(n->run, NULL) < 0 || component_is_ready(n, c))
                        return false;
        }
        return true;
}

static bool gate_matters(const NodeRun *n, const Component *c, GateTime time) {
        if (!c->gate)
                return false;
        if (!node_carries(n, c))
                return time != GATE_BACK;
        return component_is_touched(n, c) && (time == GATE_AFTER || !component_is_out(n, c));
}

static uint64_t gate_limit(const Component *c, GateTime time) {
        if (time != GATE_AFTER)
                return GATE_BEFORE_SEC * USEC_PER_SEC;
        return (c->ready_sec > GATE_AFTER_SEC ? c->ready_sec : GATE_AFTER_SEC) * USEC_PER_SEC;
}

/* Return: 1 to go on waiting, 0 if it is open, or an error. */
static int gate_judge(NodeRun *n, const Component *c, const ProbeResult *result, GateTime time,
                      uint64_t end_usec, Error **reterr) {
        static const char *const closed[] = {
                [GATE_BEFORE] = "not changed, as it would put the cluster at risk, because of",
                [GATE_AFTER] = "changed, but the cluster is not well because of",
                [GATE_BACK] = "one more restart would put the cluster at risk, because of",
        };

        if (result->state == PROBE_READY)
                return 0;
        if (result->state != PROBE_FAILED && clock_usec() <= end_usec) {
                node_event(n, INSTALL_WAITING, result->text, 0, 0);
                return 1;
        }
        return error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "%s %s: %s", closed[time], c->name,
                         result->text ? result->text : "no answer");
}

/* Where all load balancers are down, say, the first that is mended cannot wait for the others. */
static size_t list_ill(const NodeRun *n, const Node **ret) {
        size_t n_ill = 0;

        RUN_FOREACH_NODE(other, n->run)
                if (other != n && other->selected && !other->up && other->outcome == INSTALL_UNTOUCHED &&
                    node_differs(other))
                        ret[n_ill++] = other->node;
        return n_ill;
}

static int gate_wait(NodeRun *n, const Component *c, GateTime time, Error **reterr) {
        uint64_t end_usec = clock_usec() + gate_limit(c, time);
        _cleanup_free_ const Node **ill = xnew(const Node*, n->run->n_nodes + 1);
        ProbeContext probes = n->run->probes;
        int r;

        probes.before = time != GATE_AFTER;
        if (time == GATE_AFTER) {
                probes.ill = ill;
                probes.n_ill = list_ill(n, ill);
        }

        for (;;) {
                ProbeResult result = {};

                r = run_cancelled(n->run, reterr);
                if (r >= 0)
                        r = c->gate(&probes, n->node, &result, reterr);
                if (r >= 0)
                        r = gate_judge(n, c, &result, time, end_usec, reterr);
                probe_result_done(&result);
                if (r <= 0)
                        return r;
                clock_sleep(GATE_PAUSE_USEC);
        }
}

/**
 * node_gates() - wait until the gates hold that matter for a node
 * @n:          the node
 * @time:       whether it is about to be changed, or was
 * @reterr:     which gate stays closed
 *
 * Return: 0 or a negative errno.
 */
int node_gates(NodeRun *n, GateTime time, Error **reterr) {
        int r;

        node_step(n, STAGE_GATE, NULL);
        RUN_FOREACH_COMPONENT(c, n->run) {
                if (!gate_matters(n, c, time))
                        continue;
                r = gate_wait(n, c, time, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
