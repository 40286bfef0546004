/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What was found on a node, and lists of changes
 */

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "plan/component.h"
#include "plan/observation.h"
#include "plan/taken.h"

const AppliedFile* applied_find(const AppliedFile *files, size_t n_files, const char *path) {
        for (size_t i = 0; i < n_files; i++)
                if (streq(files[i].path, path))
                        return files + i;
        return NULL;
}

const AppliedFile* observation_applied(const Observation *o, const char *path) {
        return applied_find(o->applied, o->n_applied, path);
}

const ObservedPath* observation_path(const Observation *o, const char *path) {
        for (size_t i = 0; i < o->n_paths; i++)
                if (streq(o->paths[i].path, path))
                        return o->paths + i;
        return NULL;
}

/**
 * observation_is_ours() - has hardway put what lies under a path?
 * @o:          what was found on the node
 * @path:       the path
 *
 * Return: true if it has recorded that, or has written down what was there before: a run that was killed did no more.
 */
bool observation_is_ours(const Observation *o, const char *path) {
        return observation_applied(o, path) || taken_find(o->taken, path);
}

const ObservedUnit* observation_unit(const Observation *o, const char *name) {
        for (size_t i = 0; i < o->n_units; i++)
                if (streq(o->units[i].name, name))
                        return o->units + i;
        return NULL;
}

static void observed_unit_done(ObservedUnit *u) {
        free(u->name);
        free(u->load_state);
        free(u->active_state);
        free(u->sub_state);
        free(u->file_state);
        free(u->result);
        free(u->inputs);
        free(u->loaded);
        free(u->fragment);
        strv_free(u->drop_ins);
}

static void observed_path_done(ObservedPath *p) {
        free(p->path);
        free(p->owner);
        free(p->stamp);
        free(p->sha256);
        free(p->target);
}

Observation* observation_free(Observation *o) {
        if (!o)
                return NULL;
        for (size_t i = 0; i < o->n_paths; i++)
                observed_path_done(o->paths + i);
        for (size_t i = 0; i < o->n_units; i++)
                observed_unit_done(o->units + i);
        for (size_t i = 0; i < o->n_applied; i++) {
                free(o->applied[i].path);
                free(o->applied[i].sha256);
                free(o->applied[i].stamp);
        }
        free(o->paths);
        free(o->units);
        free(o->applied);
        strv_free(o->traces);
        strv_free(o->taken);
        strv_free(o->made);
        strv_free(o->users);
        strv_free(o->packages);
        strv_free(o->sysctls);
        free(o->identity);
        free(o->edition);
        free(o);
        return NULL;
}

/**
 * changes_have() - is there a change of this type?
 * @c:          the changes
 * @type:       what to look for
 * @unit:       only of this unit, or NULL for any
 */
bool changes_have(const Changes *c, ChangeType type, const char *unit) {
        for (size_t i = 0; i < c->n_changes; i++) {
                const PlanItem *item = c->changes[i].item;

                if (c->changes[i].type != type)
                        continue;
                if (!unit || (item && item->type == PLAN_UNIT && streq(item->unit.name, unit)))
                        return true;
        }
        return false;
}

bool changes_differ(const Changes *c) {
        for (size_t i = 0; i < c->n_remarks; i++)
                if (c->remarks[i].of_the_plan)
                        return true;
        return c->n_changes > 0;
}

void changes_done(Changes *c) {
        for (size_t i = 0; i < c->n_remarks; i++) {
                free(c->remarks[i].path);
                free(c->remarks[i].text);
        }
        free(c->remarks);
        for (size_t i = 0; i < c->n_changes; i++) {
                free(c->changes[i].path);
                free(c->changes[i].taken);
                free(c->changes[i].reason);
        }
        free(c->changes);
        *c = (Changes) {};
}

const char* change_type_to_string(ChangeType t) {
        static const char *const names[] = {
                [CHANGE_CREATE] = "create",
                [CHANGE_UPDATE] = "update",
                [CHANGE_ATTRIBUTES] = "attributes",
                [CHANGE_REMOVE] = "remove",
                [CHANGE_ENABLE] = "enable",
                [CHANGE_START] = "start",
                [CHANGE_RESTART] = "restart",
                [CHANGE_RELOAD] = "reload",
                [CHANGE_DAEMON_RELOAD] = "daemon-reload",
        };

        return (size_t) t < ARRAY_SIZE(names) ? names[t] : NULL;
}

/**
 * observation_version() - of which version the binaries are that a node was given last
 * @o:          what was found on the node
 * @origin:     whose release
 * @ret:        the version
 *
 * What is written down there begins with the plan that was applied last; the version before that, kept for the way
 * back, comes later.
 *
 * Return: 0, or -ENOENT if it was given none.
 */
int observation_version(const Observation *o, ArtifactOrigin origin, Version *ret) {
        ArtifactOrigin other;
        Version v;

        for (size_t i = 0; i < o->n_applied; i++) {
                if (plan_binary_path_parse(o->applied[i].path, &other, &v) < 0 || other != origin)
                        continue;
                *ret = v;
                return 0;
        }
        return -ENOENT;
}
