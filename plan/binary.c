/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Binaries in a plan: one directory per version, so that an upgrade is visible in the unit and can be undone
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/component.h"

#define BINARY_ROOT "/opt/hardway/"

static const char* origin_name(ArtifactOrigin origin) {
        return origin == ORIGIN_ETCD ? "etcd" : "kubernetes";
}

static const Version* origin_version(const Cluster *c, ArtifactOrigin origin) {
        return origin == ORIGIN_ETCD ? &c->etcd : &c->kubernetes;
}

/**
 * plan_binary_path() - where a binary of the cluster's version lies on a node
 * @c:          the cluster
 * @origin:     whose release it is of
 * @artifact:   its name
 *
 * Return: "/opt/hardway/kubernetes-v1.36.3/kube-apiserver".
 */
char* plan_binary_path(const Cluster *c, ArtifactOrigin origin, const char *artifact) {
        char version[VERSION_TEXT_SIZE];

        return xasprintf(BINARY_ROOT "%s-%s/%s", origin_name(origin),
                         version_format(origin_version(c, origin), version), artifact);
}

/**
 * plan_binary_path_parse() - whose binary a path on a node is
 * @path:       "/opt/hardway/kubernetes-v1.35.4/kubectl"
 * @ret_origin: whose release it is of
 * @ret:        its version
 *
 * Return: 0, or -EINVAL if it is no such path.
 */
int plan_binary_path_parse(const char *path, ArtifactOrigin *ret_origin, Version *ret) {
        const char *rest = startswith(path, BINARY_ROOT);

        for (ArtifactOrigin origin = ORIGIN_KUBERNETES; rest && origin <= ORIGIN_ETCD; origin++) {
                const char *version = startswith(rest, origin_name(origin)), *slash;
                _cleanup_free_ char *text = NULL;

                if (!version || *version != '-' || !(slash = strchr(version, '/')))
                        continue;
                text = xstrndup(version + 1, (size_t) (slash - version - 1));
                if (version_parse(text, ret) < 0)
                        return -EINVAL;
                *ret_origin = origin;
                return 0;
        }
        return -EINVAL;
}

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
        item->binary.version = version_to_string(origin_version(c->cluster, declared->origin));
        item->binary.architecture = xstrdup(architecture_to_string(c->node->architecture));
        fill_from_lock(c, plan, item);
        if (unit)
                plan_item_input_of(item, unit);
        return 0;
}
