/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A plan's items, and the helpers that add them
 *
 * Nothing here decides anything: components say what they want in the order that suits them, and what does
 * not fit together is found by plan_finish().
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/plan.h"

/**
 * plan_new() - an empty plan
 * @c:          the cluster; lent for the plan's life
 * @node:       the node it is for; lent
 *
 * Return: the plan, never NULL.
 */
Plan* plan_new(const Cluster *c, const Node *node) {
        Plan *p = xnew(Plan, 1);

        p->cluster = c;
        p->node = node;
        return p;
}

bool plan_has_unit(const Plan *p, const char *name) {
        PLAN_FOREACH(item, p, PLAN_UNIT)
                if (streq(item->unit.name, name))
                        return true;
        return false;
}

char* plan_owner_user(const char *owner) {
        return xstrndup(owner ?: "", strcspn(owner ?: "", ":"));
}

char* plan_unit_of_path(const char *path) {
        static const char drop_in[] = ".d/" PLAN_DROP_IN;
        const char *name = startswith(path, "/etc/systemd/system/");
        _cleanup_free_ char *unit = NULL;

        if (!name)
                return NULL;
        unit = xstrndup(name, strlen(name) - (endswith(name, drop_in) ? strlen(drop_in) : 0));
        return unit_name_is_valid(unit) ? TAKE_PTR(unit) : NULL;
}

bool plan_item_is_file(const PlanItem *item) {
        return item->type == PLAN_FILE || item->type == PLAN_SYMLINK || item->type == PLAN_BINARY ||
               item->type == PLAN_UNIT;
}

static void item_done_own(PlanItem *item) {
        switch (item->type) {
        case PLAN_FILE:
                free(item->file.check);
                free(item->file.check_package);
                break;
        case PLAN_SYMLINK:
                free(item->symlink.target);
                break;
        case PLAN_BINARY:
                free(item->binary.artifact);
                free(item->binary.version);
                free(item->binary.architecture);
                break;
        case PLAN_USER:
                free(item->user.name);
                free(item->user.comment);
                free(item->user.home);
                strv_free(item->user.groups);
                break;
        case PLAN_PACKAGE:
                free(item->package.name);
                strv_free(item->package.units);
                strv_free(item->package.leaves);
                break;
        case PLAN_SYSCTL:
                free(item->sysctl.key);
                free(item->sysctl.value);
                break;
        case PLAN_UNIT:
                free(item->unit.name);
                strv_free(item->unit.unread);
                unit_file_free(item->unit.file);
                free(item->unit.inputs);
                strv_free(item->unit.users_flags);
                strv_free(item->unit.leaves);
                break;
        case PLAN_OBJECT:
                json_decref(item->object.body);
                free(item->object.api);
                break;
        default:
                break;
        }
}

PlanItem* plan_item_free(PlanItem *item) {
        if (!item)
                return NULL;
        item_done_own(item);
        free(item->id);
        strv_free(item->input_of);
        free(item->why);
        free(item->path);
        free(item->owner);
        buffer_wipe(&item->content);
        free(item->fingerprint);
        free(item->store_path);
        free(item->sha256);
        free(item);
        return NULL;
}

Plan* plan_free(Plan *p) {
        if (!p)
                return NULL;
        for (size_t i = 0; i < p->n_items; i++)
                plan_item_free(p->items[i]);
        free(p->items);
        strv_free(p->missing);
        free(p);
        return NULL;
}
