/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Adding items to a plan
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/plan.h"

/**
 * plan_add() - add an item of any type
 * @p:          the plan
 * @type:       what it is
 * @component:  the component it is of; lent, a constant
 * @noun:       what makes its id unique in the component
 * @why:        one sentence for people
 *
 * Return: the item, lent by the plan, for the fields of its type to be set.
 */
PlanItem* plan_add(Plan *p, PlanItemType type, const char *component, const char *noun, const char *why) {
        PlanItem *item = xnew(PlanItem, 1);

        item->type = type;
        item->component = component;
        item->id = xasprintf("%s/%s", component, noun);
        item->why = xstrdup(why);

        p->items = xrealloc(p->items, p->n_items + 1, sizeof(PlanItem*));
        p->items[p->n_items++] = item;
        return item;
}

static PlanItem* add_path(Plan *p, PlanItemType type, const char *component, const char *noun,
                          const char *path, mode_t mode, const char *owner, const char *why) {
        PlanItem *item = plan_add(p, type, component, noun, why);

        item->path = xstrdup(path);
        item->mode = mode;
        item->owner = xstrdup(owner);
        return item;
}

PlanItem* plan_add_directory(Plan *p, const char *component, const char *noun, const char *path, mode_t mode,
                             const char *owner, const char *why) {
        return add_path(p, PLAN_DIRECTORY, component, noun, path, mode, owner, why);
}

PlanItem* plan_add_file(Plan *p, const char *component, const char *noun, const char *path, mode_t mode,
                        const char *content, const char *why) {
        PlanItem *item = add_path(p, PLAN_FILE, component, noun, path, mode, "root:root", why);

        buffer_add_str(&item->content, content);
        return item;
}

PlanItem* plan_add_symlink(Plan *p, const char *component, const char *noun, const char *path,
                           const char *target, const char *why) {
        PlanItem *item = plan_add(p, PLAN_SYMLINK, component, noun, why);

        item->path = xstrdup(path);
        item->symlink.target = xstrdup(target);
        return item;
}

/* "user" for the component's own name, "user-NAME" for others. */
static char* noun_for(const char *kind, const char *name, const char *component) {
        return streq(name, component) ? xstrdup(kind) : xasprintf("%s-%s", kind, name);
}

PlanItem* plan_add_user(Plan *p, const char *component, const char *name, const char *home,
                        const char *why) {
        _cleanup_free_ char *noun = noun_for("user", name, component);
        PlanItem *item = plan_add(p, PLAN_USER, component, noun, why);

        item->user.name = xstrdup(name);
        item->user.home = xstrdup(home);
        item->user.comment = xasprintf("%s (hardway)", component);
        return item;
}

PlanItem* plan_add_package(Plan *p, const char *component, const char *name, const char *why) {
        _cleanup_free_ char *noun = noun_for("package", name, component);
        PlanItem *item = plan_add(p, PLAN_PACKAGE, component, noun, why);

        item->package.name = xstrdup(name);
        return item;
}

PlanItem* plan_add_sysctl(Plan *p, const char *component, const char *key, const char *value,
                          const char *why) {
        PlanItem *item = plan_add(p, PLAN_SYSCTL, component, key, why);

        item->sysctl.key = xstrdup(key);
        item->sysctl.value = xstrdup(value);
        return item;
}

static PlanItem* add_unit(Plan *p, const char *component, const char *kind, const char *name, char *path,
                          UnitFile *file, const char *why) {
        _cleanup_free_ char *own = xasprintf("%s.service", component);
        _cleanup_free_ char *noun = noun_for(kind, name, own);
        PlanItem *item = plan_add(p, PLAN_UNIT, component, noun, why);

        item->path = path;
        item->mode = 0644;
        item->owner = xstrdup("root:root");
        item->unit.name = xstrdup(name);
        item->unit.file = file;
        item->unit.enabled = true;
        item->unit.running = true;
        return item;
}

/**
 * plan_add_unit() - add a systemd unit of ours
 * @p:          the plan
 * @component:  the component
 * @name:       "etcd.service"
 * @file:       its text; taken over
 * @why:        one sentence for people
 *
 * Return: the item; enabled, running and rank may be changed.
 */
PlanItem* plan_add_unit(Plan *p, const char *component, const char *name, UnitFile *file, const char *why) {
        return add_unit(p, component, "unit", name, xasprintf("/etc/systemd/system/%s", name), file, why);
}

/**
 * plan_add_drop_in() - add our drop-in to a unit of the distribution
 * @p:          the plan
 * @component:  the component
 * @unit:       "haproxy.service"
 * @file:       the drop-in's text; taken over
 * @why:        one sentence for people
 *
 * Return: the item; enabled and running speak of the unit as a whole.
 */
PlanItem* plan_add_drop_in(Plan *p, const char *component, const char *unit, UnitFile *file,
                           const char *why) {
        char *path = xasprintf("/etc/systemd/system/%s.d/" PLAN_DROP_IN, unit);
        PlanItem *item = add_unit(p, component, "drop-in", unit, path, file, why);

        item->unit.drop_in = true;
        return item;
}

/**
 * plan_add_object() - add an object of the cluster's API
 * @p:          the plan
 * @component:  the component
 * @noun:       what makes its id unique
 * @api:        its path on the apiserver, with its name
 * @body:       apiVersion, kind, metadata.name and the fields that are ours; taken over
 * @why:        one sentence for people
 *
 * The same object may stand in the plans of several nodes: it is applied once.
 */
PlanItem* plan_add_object(Plan *p, const char *component, const char *noun, const char *api, json_t *body,
                          const char *why) {
        PlanItem *item = plan_add(p, PLAN_OBJECT, component, noun, why);

        item->object.api = xstrdup(api);
        item->object.body = body;
        return item;
}

void plan_item_explain(PlanItem *item, const char *without, const char *manual) {
        item->without = without;
        item->manual = manual;
}

void plan_item_input_of(PlanItem *item, const char *unit) {
        if (!strv_contains(item->input_of, unit))
                strv_add(&item->input_of, unit);
}

bool plan_item_is_input_of(const PlanItem *item, const char *unit) {
        return strv_contains(item->input_of, unit);
}

void plan_unit_listens(PlanItem *item, unsigned port) {
        if (item->unit.n_ports < ARRAY_SIZE(item->unit.ports))
                item->unit.ports[item->unit.n_ports++] = port;
}

void plan_missing(Plan *p, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);

        p->incomplete = true;
        if (!strv_contains(p->missing, text))
                strv_add(&p->missing, text);
}

const PlanItem* plan_find_path(const Plan *p, const char *path) {
        for (size_t i = 0; i < p->n_items; i++)
                if (p->items[i]->path && streq(p->items[i]->path, path))
                        return p->items[i];
        return NULL;
}

const char* plan_item_type_to_string(PlanItemType t) {
        static const char *const names[_PLAN_ITEM_TYPE_MAX] = {
                [PLAN_PACKAGE] = "package", [PLAN_USER] = "user", [PLAN_DIRECTORY] = "directory",
                [PLAN_SYSCTL] = "sysctl",   [PLAN_FILE] = "file", [PLAN_SYMLINK] = "symlink",
                [PLAN_BINARY] = "binary",   [PLAN_UNIT] = "unit", [PLAN_OBJECT] = "object",
        };

        return t < _PLAN_ITEM_TYPE_MAX ? names[t] : NULL;
}
