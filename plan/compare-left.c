/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is otherwise on a node, and not for hardway to change
 */

#include "common/alloc.h"
#include "common/text.h"
#include "plan/compare.h"

static void add_remark(Changes *c, const char *path, char *text, bool of_the_plan) {
        c->remarks = xrealloc(c->remarks, c->n_remarks + 1, sizeof(Remark));
        c->remarks[c->n_remarks++] = (Remark) {
                .path = text_harmless(xstrdup(path), 0),
                .text = text_harmless(text, 0),
                .of_the_plan = of_the_plan,
        };
}

/* Unit files and drop-ins of the distribution are part of the system that the plan is for. */
static bool is_distributions(const char *path) {
        return (startswith(path, "/usr/") && !startswith(path, "/usr/local/")) || startswith(path, "/lib/");
}

static bool is_foreign(const Plan *p, const Observation *o, const char *path) {
        return !is_distributions(path) && !plan_find_path(p, path) && !observation_is_ours(o, path);
}

/* systemctl edit --full: what the distribution changes in its unit is not seen any more, nor what this plan is for. One that
 * is masked gets enabled. */
static void add_fragments(const Plan *p, const Observation *o, Changes *c) {
        for (const ObservedUnit *u = o->units; u < o->units + o->n_units; u++) {
                if (!u->fragment || *u->fragment != '/' || streq_null(u->load_state, "masked") ||
                    !is_foreign(p, o, u->fragment))
                        continue;
                add_remark(c, u->fragment,
                           xasprintf("overrides %s as a whole, and is not ours; without it, after systemctl "
                                     "daemon-reload and a restart, it is as planned",
                                     u->name),
                           /* of_the_plan= */ true);
        }
}

/*
 * What the machine says of itself at each boot: a container's manager of all services alike (/run/systemd/system/service.d/
 * zzz-lxc-service.conf), or a generator. Nobody wanted a service of the plan otherwise, and nobody can take it away for good.
 */
static bool is_machines(const ObservedUnit *u, const char *path) {
        const char *type = strrchr(u->name, '.');
        _cleanup_free_ char *of_all = xasprintf("/%s.d/", type ? type + 1 : u->name);

        return startswith(path, "/run/systemd/generator") ||
               (startswith(path, "/run/") && strstr(path, of_all));
}

static bool has_remark(const Changes *c, const char *path) {
        for (size_t i = 0; i < c->n_remarks; i++)
                if (streq(c->remarks[i].path, path))
                        return true;
        return false;
}

static void add_drop_in(const ObservedUnit *u, const char *path, Changes *c) {
        if (!is_machines(u, path))
                add_remark(c, path, xasprintf("overrides %s, and is not ours", u->name),
                           /* of_the_plan= */ true);
        else if (!has_remark(c, path)) /* once, not for each service */
                add_remark(c, path, xasprintf("of the machine itself, applies to %s, too", u->name),
                           /* of_the_plan= */ false);
}

static void add_drop_ins(const Plan *p, const Observation *o, Changes *c) {
        for (const ObservedUnit *u = o->units; u < o->units + o->n_units; u++)
                STRV_FOREACH(path, u->drop_ins)
                        if (is_foreign(p, o, *path))
                                add_drop_in(u, *path, c);
}

static void add_edited(const Plan *p, const Observation *o, Changes *c) {
        for (size_t i = 0; i < o->n_applied; i++) {
                const AppliedFile *file = o->applied + i;
                const ObservedPath *found = observation_path(o, file->path);

                if (!found || found->type == OBSERVED_ABSENT || plan_find_path(p, file->path) ||
                    !is_ours_to_remove(file->path) || is_still(found, file->sha256))
                        continue;
                add_remark(c, file->path, xstrdup("of an earlier plan, and was changed since"),
                           /* of_the_plan= */ false);
        }
}

/**
 * plan_compare_left() - add remarks on what differs and is left
 * @p:          the plan
 * @o:          what was found
 * @changes:    gets the remarks
 */
void plan_compare_left(const Plan *p, const Observation *o, Changes *changes) {
        add_fragments(p, o, changes);
        add_drop_ins(p, o, changes);
        add_edited(p, o, changes);
}
