/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A plan as a list, one item a line: what a tree of files cannot show (owners, modes, packages, users,
 * digests of binaries, states of units, objects of the API)
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "plan/render.h"

static void add_words(Buffer *out, const char *label, char *const *words) {
        _cleanup_free_ char *joined = NULL;

        if (!words || !*words)
                return;
        joined = strv_join(words, ",");
        buffer_addf(out, " %s=%s", label, joined);
}

static void add_path(Buffer *out, const PlanItem *item) {
        buffer_addf(out, " %04o %s %s", (unsigned) item->mode, item->owner, item->path);
}

static void list_file(Buffer *out, const PlanItem *item) {
        add_path(out, item);
        if (item->secret)
                buffer_addf(out, " secret=%s", item->fingerprint);
        if (item->file.check)
                buffer_addf(out, " check='%s'", item->file.check);
}

static void list_user(Buffer *out, const PlanItem *item) {
        buffer_addf(out, " %s", item->user.name);
        if (item->user.home)
                buffer_addf(out, " home=%s", item->user.home);
        add_words(out, "groups", item->user.groups);
}

static void list_binary(Buffer *out, const PlanItem *item) {
        add_path(out, item);
        buffer_addf(out, " %s %s %s", item->binary.artifact, item->binary.version,
                    item->binary.architecture);
        if (item->sha256)
                buffer_addf(out, " sha256=%s size=%llu", item->sha256,
                            (unsigned long long) item->binary.size);
        else
                buffer_add_str(out, " sha256=unknown");
}

static void list_unit(Buffer *out, const PlanItem *item) {
        add_path(out, item);
        buffer_addf(out, " %s %s%s rank=%d inputs=%s", item->unit.name,
                    item->unit.enabled ? "enabled" : "not-enabled", item->unit.running ? " running" : "",
                    item->unit.rank, item->unit.inputs);
        for (size_t i = 0; i < item->unit.n_ports; i++)
                buffer_addf(out, "%s%u", i == 0 ? " ports=" : ",", item->unit.ports[i]);
        add_words(out, "your-flags", item->unit.users_flags);
}

static void list_object(Buffer *out, const PlanItem *item) {
        _cleanup_free_ char *body = json_dumps(item->object.body, JSON_COMPACT | JSON_SORT_KEYS);

        buffer_addf(out, " %s %s", item->object.api, body ? body : "");
}

static void list_own(Buffer *out, const PlanItem *item) {
        switch (item->type) {
        case PLAN_PACKAGE:
                buffer_addf(out, " %s", item->package.name);
                add_words(out, "masks", item->package.units);
                break;
        case PLAN_USER:
                list_user(out, item);
                break;
        case PLAN_DIRECTORY:
                add_path(out, item);
                break;
        case PLAN_SYSCTL:
                buffer_addf(out, " %s=%s", item->sysctl.key, item->sysctl.value);
                break;
        case PLAN_FILE:
                list_file(out, item);
                break;
        case PLAN_SYMLINK:
                buffer_addf(out, " %s -> %s", item->path, item->symlink.target);
                break;
        case PLAN_BINARY:
                list_binary(out, item);
                break;
        case PLAN_UNIT:
                list_unit(out, item);
                break;
        case PLAN_OBJECT:
                list_object(out, item);
                break;
        default:
                buffer_addf(out, " %s", item->path);
        }
}

/**
 * plan_render_list() - write all items of a plan, one a line
 * @p:          the plan
 * @out:        gets the text; begins with the node's name and what the plan lacks
 */
void plan_render_list(const Plan *p, Buffer *out) {
        buffer_addf(out, "# %s: %zu items\n", p->node->name, p->n_items);
        STRV_FOREACH(missing, p->missing)
                buffer_addf(out, "# missing: %s\n", *missing);
        for (size_t i = 0; i < p->n_items; i++) {
                const PlanItem *item = p->items[i];

                buffer_add_str(out, plan_item_type_to_string(item->type));
                list_own(out, item);
                add_words(out, item->reload ? "reload-of" : "input-of", item->input_of);
                buffer_addf(out, " (%s)\n", item->id);
        }
}
