/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Items of plans: files, directories, users, packages, binaries, units, objects
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "explain/internal.h"

static char* name_of(const PlanItem *item) {
        switch (item->type) {
        case PLAN_PACKAGE:
                return xasprintf("package %s", item->package.name);
        case PLAN_USER:
                return xasprintf("user %s", item->user.name);
        case PLAN_SYSCTL:
                return xasprintf("sysctl %s", item->sysctl.key);
        case PLAN_OBJECT:
                return xasprintf("object %s", item->object.api);
        default:
                return xstrdup(item->path);
        }
}

const char* explain_item_kind(const PlanItem *item) {
        static const char *const kinds[_PLAN_ITEM_TYPE_MAX] = {
                [PLAN_PACKAGE] = "package of the distribution",
                [PLAN_USER] = "user of the system",
                [PLAN_DIRECTORY] = "directory",
                [PLAN_SYSCTL] = "setting of the kernel",
                [PLAN_FILE] = "file",
                [PLAN_SYMLINK] = "symbolic link",
                [PLAN_BINARY] = "program",
                [PLAN_UNIT] = "unit of systemd",
                [PLAN_OBJECT] = "object of the API",
        };

        if (item->type == PLAN_UNIT && item->unit.drop_in)
                return "drop-in of a unit";
        if (item->credential && item->credential->type == STORE_KUBECONFIG)
                return "kubeconfig";
        if (item->credential && endswith(item->path, ".key"))
                return "private key";
        if (item->credential && endswith(item->path, ".crt"))
                return item->credential->type == STORE_CA ? "certificate of an authority" : "certificate";
        return kinds[item->type];
}

static void add_aliases(Explanation *e, const PlanItem *item) {
        const char *word = NULL;

        explanation_alias(e, "%s", item->id);
        switch (item->type) {
        case PLAN_PACKAGE:
                word = item->package.name;
                break;
        case PLAN_USER:
                word = item->user.name;
                break;
        case PLAN_SYSCTL:
                word = item->sysctl.key;
                e->is_line = true;
                break;
        case PLAN_UNIT:
                word = item->unit.name;
                break;
        case PLAN_OBJECT:
                word = json_path_text(item->object.body, "metadata.name");
                break;
        default:
                break;
        }
        if (word)
                explanation_alias(e, "%s", word);
}

static char* unit_value(const PlanItem *item) {
        return xasprintf("%s%s, inputs %s", item->unit.enabled ? "enabled" : "not enabled",
                         item->unit.running ? ", running" : "", item->unit.inputs);
}

static char* path_value(const PlanItem *item) {
        Buffer out = BUFFER_NULL;

        buffer_addf(&out, "mode %04o, owner %s", (unsigned) item->mode, item->owner);
        if (item->type == PLAN_BINARY)
                buffer_addf(&out, ", %s for %s", item->binary.version, item->binary.architecture);
        if (item->secret)
                buffer_addf(&out, ", a secret: %s", item->fingerprint);
        else if (item->sha256 && !item->credential)
                buffer_addf(&out, ", sha256 %s", item->sha256);
        return buffer_take(&out);
}

static char* value_of(const PlanItem *item) {
        switch (item->type) {
        case PLAN_PACKAGE:
                return xstrdup("installed");
        case PLAN_USER:
                return xasprintf("home %s", item->user.home ? item->user.home : "-");
        case PLAN_SYSCTL:
                return xstrdup(item->sysctl.value);
        case PLAN_SYMLINK:
                return xasprintf("to %s", item->symlink.target);
        case PLAN_UNIT:
                return unit_value(item);
        case PLAN_OBJECT:
                return json_dumps(item->object.body, JSON_COMPACT | JSON_SORT_KEYS);
        default:
                return path_value(item);
        }
}

static void add_inputs(Explanation *e, const PlanItem *item) {
        _cleanup_free_ char *units = strv_join(item->input_of, ", ");

        if (!*units || e->read_by)
                return;
        e->read_by = xasprintf("%s; %s when it changes", units, item->reload ? "reloaded" : "restarted");
}

static void add_item(Catalogue *c, const View *v, const PlanItem *item) {
        _cleanup_free_ char *name = name_of(item), *value = value_of(item);
        Explanation *e = catalogue_enter(c, name, explain_item_kind(item), item->why);

        add_aliases(e, item);
        explanation_set(&e->without, item->without);
        explanation_set(&e->manual, item->manual);
        for (const Component *const *p = c->request->components; *p; p++)
                if (streq((*p)->name, item->component))
                        explanation_set(&e->manual, (*p)->manual);
        explanation_value(e, v, v->context.node->name, value);
        if (item->type == PLAN_UNIT)
                e->parts_title = "Settings";
        add_inputs(e, item);
}

static void add_to_component(Catalogue *c, const View *v, const PlanItem *item) {
        for (const Component *const *p = c->request->components; *p; p++) {
                _cleanup_free_ char *name = name_of(item);

                if (streq((*p)->name, item->component) && !explain_has_flags_only(*p))
                        explanation_part(catalogue_enter(c, (*p)->name, "component", (*p)->summary), v, name,
                                         item->why);
        }
}

void explain_items(Catalogue *c, const View *v) {
        for (size_t i = 0; i < v->plan->n_items; i++) {
                add_item(c, v, v->plan->items[i]);
                add_to_component(c, v, v->plan->items[i]);
        }
}

/* What was not said to be made in a better way. */
void explain_items_by_hand(Catalogue *c, const View *v) {
        for (size_t i = 0; i < v->plan->n_items; i++) {
                const PlanItem *item = v->plan->items[i];
                _cleanup_free_ char *name = name_of(item);
                Explanation *e = catalogue_enter(c, name, explain_item_kind(item), item->why);

                if (!e->by_hand)
                        e->by_hand = by_hand_item(item);
        }
}
