/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Binaries in a plan, with the digests that hardway.lock has for them
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "plan/component.h"

static const Artifact* find_artifact(const Plan *plan, const char *component, const char *name) {
        for (const Component *const *c = plan->components; c && *c; c++)
                for (size_t i = 0; i < (*c)->n_artifacts && streq((*c)->name, component); i++)
                        if (streq((*c)->artifacts[i].name, name))
                                return (*c)->artifacts + i;
        return NULL;
}

static void fill_from_lock(const PlanContext *c, Plan *plan, PlanItem *item) {
        const LockEntry *entry = c->lock ? lock_find(c->lock, item->binary.artifact, item->binary.version,
                                                     item->binary.architecture) :
                                           NULL;

        if (!entry) {
                plan_missing(plan, "the binary %s %s for %s (run: hardway fetch)", item->binary.artifact,
                             item->binary.version, item->binary.architecture);
                return;
        }
        item->sha256 = xstrdup(entry->sha256);
        item->binary.size = entry->size;
}

/**
 * plan_add_binary() - add one of a component's binaries
 * @c:          the context of the plan
 * @plan:       the plan
 * @component:  the component, which declares the artifact
 * @artifact:   its name
 * @unit:       whose input it is, or NULL
 * @why:        one sentence for people
 * @reterr:     the component declares no such artifact
 *
 * Return: 0 or a negative errno. Without an entry in the lock the plan becomes incomplete.
 */
int plan_add_binary(const PlanContext *c, Plan *plan, const char *component, const char *artifact,
                    const char *unit, const char *why, Error **reterr) {
        const Artifact *declared = find_artifact(plan, component, artifact);
        _cleanup_free_ char *noun = NULL;
        PlanItem *item;

        if (!declared)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "declares no artifact %s", artifact);

        noun = streq(artifact, component) ? xstrdup("binary") : xasprintf("binary-%s", artifact);
        item = plan_add(plan, PLAN_BINARY, component, noun, why);
        item->path = plan_binary_path(c->cluster, declared->origin, artifact);
        item->mode = 0755;
        item->owner = xstrdup("root:root");
        item->binary.artifact = xstrdup(artifact);
        item->binary.version = version_to_string(plan_origin_version(c->cluster, declared->origin));
        item->binary.architecture = xstrdup(architecture_to_string(c->node->architecture));
        plan_item_explain(item,
                          unit ? "The unit has nothing to start." :
                                 "Whoever looks after this node would have to bring the tool along.",
                          NULL);
        fill_from_lock(c, plan, item);
        if (unit)
                plan_item_input_of(item, unit);
        return 0;
}
