/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The example cluster: the one that hardway init writes, of three controllers and two load balancers
 */

#include "explain/example.h"

#include "cluster/write.h"
#include "common/alloc.h"

int example_cluster(Cluster **ret, Error **reterr) {
        static char names[][8] = { "c0", "c1", "c2", "lb0", "lb1" };
        static char addresses[][16] = { "192.0.2.20", "192.0.2.21", "192.0.2.22", "192.0.2.11",
                                        "192.0.2.12" };
        ClusterDraftNode nodes[ARRAY_SIZE(names)] = {};
        const ClusterDraft draft = {
                .vip = "192.0.2.10",
                /* small enough that the flag for a node's share of it is needed */
                .pods = "10.244.0.0/24",
                .nodes = nodes,
                .n_nodes = ARRAY_SIZE(nodes),
        };
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        ErrorList errors = ERROR_LIST_NULL;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                nodes[i] = (ClusterDraftNode) {
                        .name = names[i],
                        .address = addresses[i],
                        .roles = i < 3 ? ROLE_CONTROLLER : ROLE_LOADBALANCER,
                };
        cluster_write_draft(&draft, &text);
        r = cluster_load_text("example", text.data, text.size, ret, &errors);
        if (r < 0)
                r = error_set(reterr, ERROR_INTERNAL, EINVAL, "the example cluster is not accepted: %s",
                              errors.n_errors > 0 ? errors.errors[0]->message : "");
        error_list_done(&errors);
        return r;
}
