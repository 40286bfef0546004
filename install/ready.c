/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "install/run.h"

/*
 * Waiting for what was started: probes, not clocks
 *
 * A job that is done is not yet success. Each component of the node, in rank order, is asked until it is
 * ready; its deadline begins anew whenever what it waits for changes, so that slow progress is not taken for
 * none. A unit that keeps dying ends the wait early, with its last words.
 */
#define READY_SEC_DEFAULT 60u
#define READY_PAUSE_USEC (100 * USEC_PER_MSEC)
#define READY_LOOK_USEC (2 * USEC_PER_SEC) /* how often systemd is asked whether the unit still lives */
#define READY_BLOCKED_USEC \
        (2 * USEC_PER_SEC) /* so long "waits for other nodes" has to stand before it is believed */
#define READY_RESTARTS 4u  /* restarts during one wait that are no accident */

typedef struct Wait {
        const Component *component;
        uint64_t since_usec;   /* the text last changed */
        uint64_t blocked_usec; /* ... blocked since then; 0: it is not */
        uint64_t looked_usec;
        unsigned restarts; /* NRestarts at the first look */
        bool counted;
        char *text;
} Wait;

static int explain(NodeRun *n, const Component *c, Error **reterr) {
        _cleanup_free_ char *text = NULL;
        Host *host;

        if (!c->unit || node_host(n, &host, NULL) < 0)
                return 0;
        if (host_explain_unit(host, c->unit, &text, NULL) >= 0)
                error_detail(reterr, "%s", text);
        node_release(n);
        return 0;
}

/* Return: 1 if the unit keeps dying. */
static int unit_is_dying(NodeRun *n, Wait *w) {
        UnitState state = {};
        UnitBus *bus;
        Host *host;
        int r;

        if (!w->component->unit || clock_usec() < w->looked_usec + READY_LOOK_USEC)
                return 0;
        w->looked_usec = clock_usec();
        if (node_host(n, &host, NULL) < 0)
                return 0;
        r = host_bus(host, &bus, NULL);
        if (r >= 0)
                r = unit_bus_state(bus, w->component->unit, &state, NULL);
        node_release(n);
        if (r < 0)
                return 0;
        if (!w->counted) {
                w->restarts = state.n_restarts;
                w->counted = true;
        }
        r = streq_null(state.active_state, "failed") || state.n_restarts >= w->restarts + READY_RESTARTS;
        unit_state_done(&state);
        return r;
}

static int wait_fail(NodeRun *n, const Wait *w, const char *what, Error **reterr) {
        int r;

        r = error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "%s %s%s%s", w->component->name, what,
                      w->text ? ": " : "", w->text ?: "");
        (void) explain(n, w->component, reterr);
        return r;
}

/* Return: 1 to go on waiting, 0 if done or blocked for good (then *ret_blocked), or an error. */
static int wait_judge(NodeRun *n, Wait *w, const ProbeResult *result, bool others_follow, bool *ret_blocked,
                      Error **reterr) {
        unsigned limit = w->component->ready_sec ?: READY_SEC_DEFAULT;
        uint64_t now = clock_usec();

        if (!streq_null(w->text, result->text)) {
                free(w->text);
                w->text = xstrdup_null(result->text);
                w->since_usec = now;
                node_event(n, INSTALL_WAITING, w->text, 0, 0);
        }
        if (result->state != PROBE_BLOCKED)
                w->blocked_usec = 0;
        else if (w->blocked_usec == 0)
                w->blocked_usec = now;

        if (result->state == PROBE_READY)
                return 0;
        if (result->state == PROBE_FAILED)
                return wait_fail(n, w, "does not work", reterr);
        if (w->blocked_usec > 0 && !others_follow && now > w->blocked_usec + READY_BLOCKED_USEC) {
                *ret_blocked = true;
                return 0;
        }
        if (unit_is_dying(n, w) > 0)
                return wait_fail(n, w, "keeps dying", reterr);
        if (now > w->since_usec + limit * USEC_PER_SEC) {
                _cleanup_free_ char *what = xasprintf("did not become ready in %u s", limit);

                return wait_fail(n, w, what, reterr);
        }
        return 1;
}

static int component_wait(NodeRun *n, const Component *c, bool others_follow, bool *ret_blocked,
                          Error **reterr) {
        Wait w = { .component = c, .since_usec = clock_usec(), .looked_usec = clock_usec() };
        int r;

        node_step(n, "%s", c->name);
        for (;;) {
                ProbeResult result = {};

                r = run_cancelled(n->run, reterr);
                if (r < 0)
                        break;
                r = c->ready(&n->run->probes, n->node, &result, reterr);
                if (r >= 0)
                        r = wait_judge(n, &w, &result, others_follow, ret_blocked, reterr);
                probe_result_done(&result);
                if (r <= 0)
                        break;
                clock_sleep(READY_PAUSE_USEC);
        }
        if (r >= 0 && *ret_blocked)
                n->waits_for = xasprintf("%s: %s", c->name, w.text ?: "waits for other nodes");
        free(w.text);
        return r;
}

/**
 * node_ready() - wait until every component of a node does its work
 * @others_follow:      the nodes that one may have to wait for are being worked on in this run, so "blocked" passes
 *
 * A component that waits for nodes which are not part of this run ends the wait with success, and is noted
 * in n->waits_for: those that come after it in rank need it and are not asked.
 */
int node_ready(NodeRun *n, bool others_follow, Error **reterr) {
        bool blocked = false;
        int r;

        RUN_FOREACH_COMPONENT(c, n->run) {
                if (!c->ready || !component_on_node(c, n->run->request->cluster, n->node))
                        continue;
                r = component_wait(n, c, others_follow, &blocked, reterr);
                if (r < 0)
                        return r;
                if (blocked)
                        return 0;
        }
        return 0;
}

static int gate_wait(NodeRun *n, const Component *c, const char *when, Error **reterr) {
        Wait w = { .component = c, .since_usec = clock_usec() };
        unsigned limit = c->ready_sec ?: READY_SEC_DEFAULT;
        int r;

        for (;;) {
                ProbeResult result = {};

                r = run_cancelled(n->run, reterr);
                if (r >= 0)
                        r = c->gate(&n->run->probes, n->node, &result, reterr);
                if (r < 0 || result.state == PROBE_READY) {
                        probe_result_done(&result);
                        break;
                }
                if (!streq_null(w.text, result.text)) {
                        free(w.text);
                        w.text = xstrdup_null(result.text);
                        w.since_usec = clock_usec();
                        node_event(n, INSTALL_WAITING, w.text, 0, 0);
                }
                probe_result_done(&result);
                if (clock_usec() > w.since_usec + limit * USEC_PER_SEC) {
                        r = error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "%s, %s is not well: %s", when,
                                      c->name, w.text ?: "no answer");
                        break;
                }
                clock_sleep(READY_PAUSE_USEC);
        }
        free(w.text);
        return r;
}

/**
 * run_gates() - wait until every component's gate holds
 * @when:       for the message: "before it is changed", "after it was changed"
 */
int run_gates(InstallRun *run, NodeRun *n, const char *when, Error **reterr) {
        int r;

        RUN_FOREACH_COMPONENT(c, run) {
                if (!c->gate)
                        continue;
                r = gate_wait(n, c, when, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
