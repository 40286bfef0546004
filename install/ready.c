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
#define READY_EXTENSIONS 4u /* with progress all the while, so many times the limit */
#define READY_PAUSE_USEC (100 * USEC_PER_MSEC)
/* Of the time that was waited already: what takes long is asked less often ... */
#define READY_PAUSE_SHARE 10
#define READY_PAUSE_MAX_USEC (1 * USEC_PER_SEC)
#define READY_AHEAD_PAUSE_USEC (500 * USEC_PER_MSEC) /* ... and so is what may have to wait for others */
#define READY_AHEAD_PAUSE_SHARE 3
#define READY_AHEAD_PAUSE_MAX_USEC (3 * USEC_PER_SEC)
#define READY_LOOK_USEC (2 * USEC_PER_SEC) /* how often systemd is asked whether the unit still lives */
#define READY_BLOCKED_USEC \
        (2 * USEC_PER_SEC) /* so long "waits for other nodes" stands before it is believed */
#define READY_FORSAKEN_USEC \
        (10 * USEC_PER_SEC)              /* ... where one of them has failed; it may just have been slow */
#define SETTLE_USEC (600 * USEC_PER_SEC) /* some GB over a slow network to an SD card */
#define READY_RESTARTS 4u                /* restarts during one wait that are no accident */

typedef struct Wait {
        const Component *component;
        uint64_t begun_usec;
        uint64_t since_usec;   /* the text last changed */
        uint64_t blocked_usec; /* it waits for other nodes since then; 0: it does not */
        uint64_t news_usec;    /* when it began, or something somewhere has become ready since */
        unsigned n_ready;      /* how many things had, then */
        uint64_t looked_usec;
        unsigned restarts; /* NRestarts at the first look */
        bool counted;
        bool blocked; /* by nodes that are not part of this run, or no longer */
        char *text;
} Wait;

static void explain(NodeRun *n, const Component *c, Error **reterr) {
        _cleanup_free_ char *text = NULL;
        Host *host;

        if (!c->unit || node_host(n, &host, NULL) < 0)
                return;
        if (host_explain_unit(host, c->unit, &text, NULL) >= 0)
                error_detail(reterr, "%s", text);
        node_release(n);
}

static int wait_fail(NodeRun *n, const Wait *w, const char *what, Error **reterr) {
        int r;

        r = error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "%s %s%s%s", w->component->name, what,
                      w->text ? ": " : "", w->text ? w->text : "");
        explain(n, w->component, reterr);
        return r;
}

/* A start that was cancelled with that of another unit (its etcd died once) is asked for again. */
static int look_at_unit(const Wait *w, UnitBus *bus, UnitState *ret) {
        int r;

        r = unit_bus_state(bus, w->component->unit, ret, NULL);
        if (r >= 0 && streq_null(ret->active_state, "inactive"))
                (void) unit_bus_nudge(bus, UNIT_START, w->component->unit, NULL);
        return r;
}

/* Nothing learnt is no reason to give up: the probe decides. */
static bool unit_is_dying(NodeRun *n, Wait *w) {
        UnitState state = {};
        UnitBus *bus;
        Host *host;
        bool dying;
        int r;

        if (!w->component->unit || clock_usec() < w->looked_usec + READY_LOOK_USEC)
                return false;
        w->looked_usec = clock_usec();
        if (node_host(n, &host, NULL) < 0)
                return false;
        r = host_bus(host, &bus, NULL);
        if (r >= 0)
                r = look_at_unit(w, bus, &state);
        node_release(n);
        if (r < 0)
                return false;
        if (!w->counted) {
                w->restarts = state.n_restarts;
                w->counted = true;
        }
        dying = streq_null(state.active_state, "failed") || state.n_restarts >= w->restarts + READY_RESTARTS;
        unit_state_done(&state);
        return dying;
}

/* Is there a node in this run that may still come along? Those that wait themselves do not count. */
static bool others_come(const InstallRun *run) {
        RUN_FOREACH_NODE(n, run)
                if (n->active && !n->blocked)
                        return true;
        return false;
}

/* How long a node is to wait for others of which none comes along any more. They all wait for each other where the run
 * is whole and well; what they see then is only old. */
static uint64_t blocked_limit(const InstallRun *run) {
        if (!run_is_whole(run))
                return READY_BLOCKED_USEC;
        RUN_FOREACH_NODE(n, run)
                if (n->failed)
                        return READY_FORSAKEN_USEC;
        return UINT64_MAX / 2;
}

static void wait_begin(Wait *w, uint64_t now) {
        w->begun_usec = w->since_usec = now;
}

/* While others come along, a node that waits for them has all the time in the world. */
static void wait_note_blocked(NodeRun *n, Wait *w, uint64_t now) {
        n->blocked = true;
        if (others_come(n->run)) {
                w->blocked_usec = now;
                wait_begin(w, now);
        } else if (w->blocked_usec == 0)
                w->blocked_usec = now;
        w->blocked = now > w->blocked_usec + blocked_limit(n->run);
}

static void wait_note(NodeRun *n, Wait *w, const ProbeResult *result) {
        uint64_t now = clock_usec();

        if (!streq_null(w->text, result->text)) {
                free(w->text);
                w->text = xstrdup_null(result->text);
                w->since_usec = now;
                if (result->state != PROBE_READY)
                        node_event(n, INSTALL_WAITING, w->text, 0, 0);
        }
        if (result->state == PROBE_BLOCKED) {
                wait_note_blocked(n, w, now);
                return;
        }
        n->blocked = false;
        w->blocked_usec = 0;
}

/* Return: 1 to go on waiting, 0 if it is ready or blocked, or an error. */
static int wait_judge(NodeRun *n, Wait *w, ProbeState state, Error **reterr) {
        unsigned limit = w->component->ready_sec > 0 ? w->component->ready_sec : READY_SEC_DEFAULT;
        uint64_t now = clock_usec(), limit_usec = limit * USEC_PER_SEC;
        _cleanup_free_ char *what = NULL;

        if (state == PROBE_READY || w->blocked)
                return 0;
        if (state == PROBE_FAILED)
                return wait_fail(n, w, "does not work", reterr);
        if (unit_is_dying(n, w))
                return wait_fail(n, w, "keeps dying", reterr);
        if (now <= w->since_usec + limit_usec && now <= w->begun_usec + READY_EXTENSIONS * limit_usec)
                return 1;
        what = xasprintf("did not become ready in %llu s",
                         (unsigned long long) ((now - w->begun_usec) / USEC_PER_SEC));
        return wait_fail(n, w, what, reterr);
}

static int wait_ask(NodeRun *n, Wait *w, Error **reterr) {
        ProbeResult result = {};
        int r;

        r = run_cancelled(n->run, reterr);
        if (r < 0)
                return r;
        r = w->component->ready(&n->run->probes, n->node, &result, reterr);
        if (r >= 0) {
                wait_note(n, w, &result);
                r = wait_judge(n, w, result.state, reterr);
        }
        probe_result_done(&result);
        return r;
}

/* The run ends with the last node: one that is ahead of another has time. */
static bool is_ahead(const NodeRun *n) {
        RUN_FOREACH_NODE(m, n->run)
                if (m->active && m->rank < n->rank)
                        return true;
        return n->blocked;
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most) {
        return value < least ? least : value > most ? most : value;
}

/* Some probes cost the node a login, just when it has other things to do. What has become ready elsewhere may
 * be what was waited for here. */
static void wait_pause(const NodeRun *n, Wait *w) {
        uint64_t start = clock_usec(), waited = start - w->news_usec, pause;

        pause = is_ahead(n) ? clamp(waited / READY_AHEAD_PAUSE_SHARE, READY_AHEAD_PAUSE_USEC,
                                    READY_AHEAD_PAUSE_MAX_USEC) :
                              clamp(waited / READY_PAUSE_SHARE, READY_PAUSE_USEC, READY_PAUSE_MAX_USEC);
        while (clock_usec() < start + pause) {
                clock_sleep(READY_PAUSE_USEC);
                if (n->run->n_ready == w->n_ready)
                        continue;
                w->n_ready = n->run->n_ready;
                w->news_usec = clock_usec();
                return;
        }
}

/**
 * component_wait() - wait until a component of a node does its work
 * @n:          the node
 * @c:          a component that it carries, with ready()
 * @reterr:     what did not come, and why
 *
 * Return: 1 if it is ready, 0 if it waits for nodes that are not part of this run, or have failed in it
 * (n->waits_for), or a negative errno.
 */
int component_wait(NodeRun *n, const Component *c, Error **reterr) {
        uint64_t now = clock_usec();
        Wait w = { .component = c, .looked_usec = now, .news_usec = now, .n_ready = n->run->n_ready };
        int r;

        wait_begin(&w, now);
        n->rank = c->rank;
        node_step(n, STAGE_READY, c->name);
        while ((r = wait_ask(n, &w, reterr)) > 0)
                wait_pause(n, &w);
        if (r >= 0 && !w.blocked)
                n->run->n_ready++;
        if (r >= 0 && w.blocked) {
                free(n->waits_for);
                n->waits_for = xasprintf("%s: %s", c->name, w.text ? w.text : "waits for other nodes");
        }
        free(w.text);
        return r < 0 ? r : !w.blocked;
}

static int settle_ask(NodeRun *n, const Component *c, uint64_t end_usec, Error **reterr) {
        ProbeResult result = {};
        int r;

        r = run_cancelled(n->run, reterr);
        if (r >= 0)
                r = c->settle(&n->run->probes, n->node, &result, reterr);
        if (r >= 0 && result.state != PROBE_READY) {
                r = 1;
                node_event(n, INSTALL_WAITING, result.text, 0, 0);
                if (result.state == PROBE_FAILED || clock_usec() > end_usec)
                        r = error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "%s: %s", c->name,
                                      result.text ? result.text : "did not settle");
        }
        probe_result_done(&result);
        return r;
}

/* What has joined gets its place. */
static int component_settle(NodeRun *n, const Component *c, Error **reterr) {
        uint64_t end_usec = clock_usec() + SETTLE_USEC;
        int r;

        if (!c->settle)
                return 0;
        while ((r = settle_ask(n, c, end_usec, reterr)) > 0)
                clock_sleep(READY_PAUSE_USEC);
        return r;
}

/**
 * node_settle() - give what joined the cluster in an earlier run its place
 * @n:          a node on which there is nothing to change
 * @reterr:     what does not settle
 *
 * Return: 0 or a negative errno.
 */
int node_settle(NodeRun *n, Error **reterr) {
        int r;

        RUN_FOREACH_COMPONENT(c, n->run) {
                if (!node_carries(n, c))
                        continue;
                r = component_settle(n, c, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * node_ready() - wait until every component of a node does its work
 * @n:          the node
 * @reterr:     what did not, and why
 *
 * A component that waits for nodes which are not part of this run, or have failed in it, ends the wait with success, and is noted
 * in n->waits_for: those that come after it in rank need it and are not asked.
 *
 * Return: 0 or a negative errno.
 */
int node_ready(NodeRun *n, Error **reterr) {
        int r;

        RUN_FOREACH_COMPONENT(c, n->run) {
                if (!c->ready || !node_carries(n, c))
                        continue;
                r = component_wait(n, c, reterr);
                if (r <= 0)
                        return r;
                if (c->serving)
                        run_note_served(n->run);
                r = component_settle(n, c, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Is it ready now? What cannot be asked is not. */
bool component_is_ready(const NodeRun *n, const Component *c) {
        ProbeContext probes = n->run->probes;
        ProbeResult result = {};
        bool ready;

        if (!c->ready)
                return true;
        probes.before = true;
        ready = c->ready(&probes, n->node, &result, NULL) >= 0 && result.state == PROBE_READY;
        probe_result_done(&result);
        return ready;
}
