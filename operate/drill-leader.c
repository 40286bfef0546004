/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who leads: by the component's own probe, or by its lease
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "controlplane/controlplane.h"
#include "operate/drill-internal.h"

/* "controller-0_4d1f...": the node whose name stands in front, or NULL. */
static const Node* node_of_identity(const Cluster *c, const char *identity) {
        _cleanup_free_ char *name = xstrndup(identity, strcspn(identity, "_"));

        return cluster_find_node(c, name);
}

static bool ask_lease(const ProbeContext *c, const char *lease, DrillLeader *ret) {
        _cleanup_free_ char *identity = NULL;
        const Node *node;

        if (controlplane_leader(c, lease, &identity) < 0)
                return false;
        node = node_of_identity(c->cluster, identity);
        if (!node)
                return false;
        *ret = (DrillLeader) { .node = node, .identity = TAKE_PTR(identity) };
        return true;
}

bool drill_leader(const ProbeContext *c, const Component *const *components, const char *component,
                  const Node *except, DrillLeader *ret) {
        const Component *who = component_find(components, component);

        if (!who)
                return false;
        if (!who->leads)
                return ask_lease(c, component, ret);
        for (size_t i = 0; i < c->cluster->n_nodes; i++) {
                const Node *node = c->cluster->nodes + i;
                bool leads = false;

                if (node == except || !component_on_node(who, c->cluster, node) ||
                    who->leads(c, node, &leads, NULL) < 0 || !leads)
                        continue;
                *ret = (DrillLeader) { .node = node, .identity = xstrdup(node->name) };
                return true;
        }
        return false;
}

void drill_leader_done(DrillLeader *l) {
        free(l->identity);
        *l = (DrillLeader) {};
}
