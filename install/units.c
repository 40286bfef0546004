/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/alloc.h"
#include "install/run.h"

/*
 * What the changes ask of systemd: reload it, enable units, then start, restart or reload them; what goes is in retire.c
 *
 * All jobs of a node are queued together and systemd orders them (After=, BindsTo=); nothing is awaited on a
 * first installation, since etcd's start job ends only when a quorum is there.
 */
static bool change_is_job(const Change *c) {
        return c->type == CHANGE_START || c->type == CHANGE_RESTART || c->type == CHANGE_RELOAD;
}

static bool is_masked(const NodeRun *n, const char *unit) {
        const ObservedUnit *u = observation_unit(n->observation, unit);

        return u && u->file_state && startswith(u->file_state, "masked");
}

static int units_enable(NodeRun *n, UnitBus *bus, Error **reterr) {
        _cleanup_strv_ Strv names = NULL, masked = NULL;
        int r;

        for (size_t i = 0; i < n->changes.n_changes; i++) {
                const Change *c = &n->changes.changes[i];

                if (c->type != CHANGE_ENABLE)
                        continue;
                strv_add(&names, c->item->unit.name);
                if (is_masked(n, c->item->unit.name))
                        strv_add(&masked, c->item->unit.name);
        }
        if (masked) {
                r = unit_bus_mask(bus, masked, false, reterr);
                if (r >= 0)
                        r = unit_bus_daemon_reload(bus, reterr);
                if (r < 0)
                        return r;
        }
        return names ? unit_bus_enable(bus, names, true, reterr) : 0;
}

static int unit_job(UnitBus *bus, const Change *c, Error **reterr) {
        static const UnitJob jobs[] = {
                [CHANGE_START] = UNIT_START,
                [CHANGE_RESTART] = UNIT_RESTART,
                [CHANGE_RELOAD] = UNIT_RELOAD_OR_RESTART,
        };

        /* A unit that has used up its start limit would refuse; one that is not loaded yet has nothing to
         * reset. */
        if (c->type != CHANGE_RELOAD)
                (void) unit_bus_reset_failed(bus, c->item->unit.name, NULL);
        return unit_bus_job(bus, jobs[c->type], c->item->unit.name, reterr);
}

/* The changes come in the order of rank. Return: how many jobs, or an error. */
static int units_queue(const NodeRun *n, UnitBus *bus, Error **reterr) {
        int r, n_jobs = 0;

        for (size_t i = 0; i < n->changes.n_changes; i++) {
                if (!change_is_job(n->changes.changes + i))
                        continue;
                r = unit_job(bus, n->changes.changes + i, reterr);
                if (r < 0)
                        return r;
                n_jobs++;
        }
        return n_jobs;
}

/* A job has failed: the last words of every unit that is not up now tell why. */
static void units_explain(const NodeRun *n, Host *host, UnitBus *bus, Error **reterr) {
        for (size_t i = 0; i < n->changes.n_changes; i++) {
                const Change *c = n->changes.changes + i;
                _cleanup_free_ char *text = NULL;
                UnitState state = {};

                if (!change_is_job(c) || unit_bus_state(bus, c->item->unit.name, &state, NULL) < 0)
                        continue;
                if (!streq_null(state.active_state, "active") &&
                    host_explain_unit(host, c->item->unit.name, &text, NULL) >= 0)
                        error_detail(reterr, "%s", text);
                unit_state_done(&state);
        }
}

static int units_wait(const NodeRun *n, Host *host, UnitBus *bus, Error **reterr) {
        int r;

        r = unit_bus_wait(bus, UNITS_TIMEOUT_USEC, reterr);
        if (r < 0)
                units_explain(n, host, bus, reterr);
        return r;
}

static int units_on_bus(NodeRun *n, Host *host, bool wait, Error **reterr) {
        UnitBus *bus;
        int r;

        r = host_bus(host, &bus, reterr);
        if (r < 0)
                return r;
        /* Also when no unit file changed: the manager may not have read those of a run that was killed. */
        r = unit_bus_daemon_reload(bus, reterr);
        if (r < 0)
                return r;
        r = units_enable(n, bus, reterr);
        if (r < 0)
                return r;
        r = units_queue(n, bus, reterr);
        if (r <= 0 || !wait)
                return r < 0 ? r : 0;
        return units_wait(n, host, bus, reterr);
}

static bool change_needs_systemd(const Change *c) {
        return change_is_job(c) || c->type == CHANGE_ENABLE || c->type == CHANGE_DAEMON_RELOAD ||
               (c->item && c->item->type == PLAN_UNIT);
}

/**
 * node_units() - do to a node's units what the changes say
 * @n:          the node
 * @wait:       until all jobs have ended, each of them well
 * @reterr:     what systemd refused, or which job failed
 *
 * Return: 0 or a negative errno.
 */
int node_units(NodeRun *n, bool wait, Error **reterr) {
        bool any = false;
        Host *host;
        int r;

        for (size_t i = 0; i < n->changes.n_changes; i++)
                any = any || change_needs_systemd(n->changes.changes + i);
        if (!any)
                return 0;

        node_step(n, STAGE_UNITS, NULL);
        r = node_host(n, &host, reterr);
        if (r < 0)
                return r;
        r = units_on_bus(n, host, wait, reterr);
        node_release(n);
        return r;
}

/* Return: how many jobs, or an error. */
static int reload_queue(const NodeRun *n, const Component *component, UnitBus *bus, Error **reterr) {
        int r, n_jobs = 0;

        CHANGES_FOREACH_OF(c, &n->changes, component) {
                if (c->type != CHANGE_RELOAD)
                        continue;
                r = unit_job(bus, c, reterr);
                if (r < 0)
                        return r;
                n_jobs++;
        }
        return n_jobs;
}

/**
 * node_reload() - reload a component that the changes say is to be reloaded, ahead of the node's turn
 * @n:          the node
 * @c:          the component
 * @reterr:     what systemd refused, or that it failed
 *
 * Return: 0 or a negative errno.
 */
int node_reload(NodeRun *n, const Component *c, Error **reterr) {
        UnitBus *bus;
        Host *host;
        int r;

        r = node_host(n, &host, reterr);
        if (r < 0)
                return r;
        r = host_bus(host, &bus, reterr);
        if (r >= 0)
                r = reload_queue(n, c, bus, reterr);
        if (r > 0)
                r = units_wait(n, host, bus, reterr);
        node_release(n);
        return r;
}
