/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which binaries a cluster needs
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "plan/component.h"

typedef struct Requests {
        FetchRequest *requests;
        size_t n;
} Requests;

static void add_request(Requests *r, const Cluster *c, const Artifact *artifact, Architecture architecture) {
        const char *name = architecture_to_string(architecture);

        for (size_t i = 0; i < r->n; i++)
                if (streq(r->requests[i].name, artifact->name) && streq(r->requests[i].architecture, name))
                        return;
        r->requests = xrealloc(r->requests, r->n + 1, sizeof(FetchRequest));
        r->requests[r->n++] = (FetchRequest) {
                .name = artifact->name,
                .origin = artifact->origin,
                .version = version_to_string(plan_origin_version(c, artifact->origin)),
                .architecture = name,
        };
}

/**
 * fetch_requests_for() - all binaries that the nodes of a cluster need, each once
 * @components: the table of components, ended by NULL
 * @c:          the cluster
 * @ret:        the requests: by component, then by node; freed by fetch_requests_free()
 * @ret_n:      how many
 *
 * A component's artifacts are asked for in the architectures of the nodes that carry it; those that are for
 * the driving machine alone too, since which machine drives is not the cluster's business.
 */
void fetch_requests_for(const Component *const *components, const Cluster *c, FetchRequest **ret,
                        size_t *ret_n) {
        Requests r = {};

        for (; *components; components++)
                for (size_t i = 0; i < (*components)->n_artifacts; i++)
                        CLUSTER_FOREACH_NODE(node, c, (*components)->roles)
                                add_request(&r, c, (*components)->artifacts + i, node->architecture);
        *ret = r.requests;
        *ret_n = r.n;
}

void fetch_requests_free(FetchRequest *requests, size_t n) {
        for (size_t i = 0; i < n; i++)
                free((char*) requests[i].version);
        free(requests);
}
