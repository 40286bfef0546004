/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The keys of the cluster file
 */

#include "cluster/manual.h"
#include "common/alloc.h"
#include "explain/internal.h"

static void add_key(Catalogue *c, const ClusterKey *k) {
        _cleanup_free_ char *name = xasprintf("hardway.yaml %s", k->name);
        Explanation *e = catalogue_enter(
                c, name, k->required ? "key of the cluster file, required" : "key of the cluster file",
                k->why);
        const View here = {};

        explanation_alias(e, "%s", k->name);
        explanation_set(&e->without, k->without);
        explanation_set(&e->manual, "hardway.yaml(5)");
        explanation_set(&e->by_hand,
                        "editor hardway.yaml\n"
                        "hardway pki gen   # where it is in certificates; else it has nothing to do\n"
                        "hardway plan\nhardway install");
        if (c->request->cluster)
                e->absent = false;
        if (k->value)
                explanation_value(e, &here, NULL, k->value);
        for (size_t i = 0; i < c->request->n_nodes && k->node_values; i++) {
                const Node *node = c->request->nodes[i];

                if (*k->node_values[node->index])
                        explanation_value(e, &here, node->name, k->node_values[node->index]);
        }
}

void explain_cluster_file(Catalogue *c) {
        ClusterKey *keys;
        size_t n;

        cluster_keys_list(c->request->cluster, &keys, &n);
        for (size_t i = 0; i < n; i++)
                add_key(c, keys + i);
        cluster_keys_free(keys, n);
}
