/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What systemd has to do: read unit files again, enable, start, restart, reload
 *
 * What a process should run is state: the digest of its inputs stands in its environment. So a restart that
 * a killed run did not come to is made up for by the next, which sees a process with another digest.
 */

#include <string.h>

#include "common/alloc.h"
#include "plan/compare.h"

static bool is_written(const Change *change) {
        return change->item && (change->type == CHANGE_CREATE || change->type == CHANGE_UPDATE);
}

/* The first change of this run that makes a process of the unit outdated; reload: one that a reload takes
 * in. */
static const PlanItem* written_input(const Changes *c, const char *unit, bool reload) {
        for (size_t i = 0; i < c->n_changes; i++) {
                const PlanItem *item = c->changes[i].item;

                if (!is_written(c->changes + i))
                        continue;
                if (item->type == PLAN_UNIT && !reload && streq(item->unit.name, unit))
                        return item;
                if ((item->type == PLAN_FILE || item->type == PLAN_SYMLINK || item->type == PLAN_BINARY) &&
                    item->reload == reload && plan_item_is_input_of(item, unit))
                        return item;
        }
        return NULL;
}

/* "SHA256  PATH", one a line, as sha256sum(1) writes it */
static bool loaded_has(const char *loaded, const PlanItem *item) {
        _cleanup_free_ char *line = xasprintf("%s  %s\n", item->sha256, item->path);
        const char *found = strstr(loaded, line);

        return found && (found == loaded || found[-1] == '\n');
}

/* Why the unit has to load its configuration again, or NULL. */
static char* why_reload(const Plan *p, const Changes *c, const PlanItem *unit, const ObservedUnit *u) {
        const PlanItem *written = written_input(c, unit->unit.name, true);

        if (written)
                return xasprintf("%s changes", written->path);
        PLAN_FOREACH(item, p, PLAN_FILE) {
                if (!item->reload || !plan_item_is_input_of(item, unit->unit.name))
                        continue;
                if (!u->loaded)
                        return xstrdup("did not record what it loaded");
                if (!loaded_has(u->loaded, item))
                        return xasprintf("has loaded another %s", item->path);
        }
        return NULL;
}

/* A unit file that nobody has touched since we wrote it, and that says nothing new but what a process reads at its
 * first start. */
static bool is_unread(const Observation *o, const PlanItem *written, const PlanItem *unit,
                      const ObservedUnit *u) {
        const ObservedPath *found = observation_path(o, unit->path);
        const AppliedFile *applied = observation_applied(o, unit->path);

        if (written != unit || !unit->unit.unread || u->main_pid == 0 ||
            !streq_null(u->inputs, unit->unit.inputs) || !found || !applied)
                return false;
        return streq_null(applied->sha256, found->sha256);
}

/* Why the process that there is cannot stay, or NULL. */
static char* why_restart(const Observation *o, const Changes *c, const PlanItem *unit,
                         const ObservedUnit *u) {
        const PlanItem *written = written_input(c, unit->unit.name, false);
        bool service = endswith(unit->unit.name, ".service");

        if (written && !is_unread(o, written, unit, u))
                return xasprintf("%s changes", written->path);
        /* Between two starts there is no process, and the next one is right. */
        if (!service || u->main_pid == 0 || streq_null(u->inputs, unit->unit.inputs))
                return NULL;
        return xstrdup(u->inputs ? "was started with other inputs" : "was not started by hardway");
}

/* One that waits for another (an apiserver for its etcd, that for a quorum) needs not be asked again. */
static bool is_running(const ObservedUnit *u) {
        return u && u->active_state &&
               ((streq(u->active_state, "inactive") && u->queued) || streq(u->active_state, "active") ||
                streq(u->active_state, "activating") || streq(u->active_state, "reloading") ||
                streq(u->active_state, "refreshing"));
}

static void compare_run(const Plan *p, const Observation *o, const PlanItem *item, Changes *c) {
        const ObservedUnit *u = observation_unit(o, item->unit.name);
        _cleanup_free_ char *restart = NULL, *reload = NULL;

        if (!is_running(u)) {
                changes_add(c, CHANGE_START, item, "%s",
                            u && u->active_state ? u->active_state : "not there");
                return;
        }
        restart = why_restart(o, c, item, u);
        if (restart) {
                changes_add(c, CHANGE_RESTART, item, "%s", restart);
                return;
        }
        reload = streq(u->active_state, "activating") ? NULL : why_reload(p, c, item, u);
        if (reload)
                changes_add(c, CHANGE_RELOAD, item, "%s", reload);
}

/* What systemd says of somebody else's file, which could not be enabled, it says no more of ours. */
static bool is_replaced(const Changes *c, const PlanItem *item) {
        for (size_t i = 0; i < c->n_changes; i++)
                if (c->changes[i].item == item && is_written(c->changes + i))
                        return !item->unit.drop_in;
        return false;
}

static void compare_enabled(const Observation *o, const PlanItem *item, Changes *c) {
        const ObservedUnit *u = observation_unit(o, item->unit.name);
        const char *state = u && u->file_state ? u->file_state : "";

        if (streq(state, "enabled") || ((streq(state, "static") || streq(state, "alias") ||
                                         streq(state, "indirect") || streq(state, "generated")) &&
                                        !is_replaced(c, item)))
                return;
        changes_add(c, CHANGE_ENABLE, item, "%s", *state ? state : "not there");
}

static bool touches_unit_file(const Change *change) {
        if (change->type == CHANGE_REMOVE)
                return startswith(change->path, "/etc/systemd/system/") != NULL;
        return is_written(change) && change->item->type == PLAN_UNIT;
}

static void compare_loaded(const Plan *p, const Observation *o, Changes *c) {
        for (size_t i = 0; i < c->n_changes; i++)
                if (touches_unit_file(c->changes + i)) {
                        changes_add(c, CHANGE_DAEMON_RELOAD, NULL, "unit files change");
                        return;
                }
        PLAN_FOREACH(item, p, PLAN_UNIT) {
                const ObservedUnit *u = observation_unit(o, item->unit.name);

                if (!u || !u->load_state)
                        continue;
                if (u->needs_reload || (streq(u->load_state, "not-found") && !item->unit.drop_in)) {
                        changes_add(c, CHANGE_DAEMON_RELOAD, NULL,
                                    "systemd has not read the %s that is there", item->unit.name);
                        return;
                }
        }
}

/* The item that speaks for a unit: several files may make up one. */
static bool speaks_for_unit(const Plan *p, const PlanItem *item, bool enabled) {
        PLAN_FOREACH(other, p, PLAN_UNIT)
                if (streq(other->unit.name, item->unit.name) &&
                    (enabled ? other->unit.enabled : other->unit.running))
                        return other == item;
        return false;
}

void plan_compare_units(const Plan *p, const Observation *o, Changes *changes) {
        compare_loaded(p, o, changes);
        PLAN_FOREACH(item, p, PLAN_UNIT)
                if (speaks_for_unit(p, item, true))
                        compare_enabled(o, item, changes);
        PLAN_FOREACH(item, p, PLAN_UNIT)
                if (speaks_for_unit(p, item, false))
                        compare_run(p, o, item, changes);
}
