/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where binaries lie on a node: one directory per version, so that an upgrade is visible in the unit and can
 * be undone
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/component.h"

static const char* origin_name(ArtifactOrigin origin) {
        return origin == ORIGIN_ETCD ? "etcd" : "kubernetes";
}

const Version* plan_origin_version(const Cluster *c, ArtifactOrigin origin) {
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

        return xasprintf(PLAN_ROOT "/%s-%s/%s", origin_name(origin),
                         version_format(plan_origin_version(c, origin), version), artifact);
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
        const char *rest = startswith(path, PLAN_ROOT "/");

        for (ArtifactOrigin origin = ORIGIN_KUBERNETES; rest && origin <= ORIGIN_ETCD; origin++) {
                const char *version = startswith(rest, origin_name(origin)), *slash;
                _cleanup_free_ char *text = NULL;

                if (!version || !startswith(version, "-v") || !(slash = strchr(version, '/')))
                        continue;
                text = xstrndup(version + 1, (size_t) (slash - version - 1));
                if (version_parse(text, ret) < 0)
                        return -EINVAL;
                *ret_origin = origin;
                return 0;
        }
        return -EINVAL;
}
