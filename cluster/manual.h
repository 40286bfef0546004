/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"

/*
 * The keys of the cluster file for those who ask what they are (`hardway explain endpoint.port`): made from
 * the same table that the file is read by
 */
typedef struct ClusterKey {
        char *name;   /* "endpoint.address", "nodes.name" */
        bool of_node; /* each node has its own */
        bool required;
        const char *why;     /* what it says */
        const char *without; /* what holds without it */
        char *value;      /* of a key of the whole cluster, if there is one and it has one text; or NULL */
        Strv node_values; /* of a key of nodes: one per node, "" where it has none; NULL without a cluster */
} ClusterKey;

/* c may be NULL: then there are no values. Freed with cluster_keys_free(). */
void cluster_keys_list(const Cluster *c, ClusterKey **ret, size_t *ret_n);
void cluster_keys_free(ClusterKey *keys, size_t n);
