/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which node is hit
 */

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "operate/drill-internal.h"

static char* nobody_has_it(const Cluster *c, const Drill *d) {
        if (c->endpoint.kind == ENDPOINT_FOREIGN)
                return xstrdup("the load balancer is not hardway's");
        return xasprintf("there is no %s here", d->component);
}

/**
 * drill_why_not() - why there cannot be such a drill in this cluster
 * @q:          the cluster, its components, and power
 * @d:          the drill
 *
 * What nobody could take over would be an outage, and show nothing.
 *
 * Return: a reason, which the caller frees, or NULL.
 */
char* drill_why_not(const DrillRequest *q, const Drill *d) {
        const Component *component = component_find(q->components, d->component);
        size_t n = 0, least = d->least > 0 ? d->least : 2;

        for (size_t i = 0; component && i < q->cluster->n_nodes; i++)
                n += component_on_node(component, q->cluster, q->cluster->nodes + i);
        if (n == 0)
                return nobody_has_it(q->cluster, d);
        if (n < least)
                return xasprintf("%s runs on %zu node%s: nobody could take over, it would only be an outage",
                                 d->component, n, n == 1 ? "" : "s");
        if (drill_is_of_host(d) && !q->power)
                return xstrdup("needs --power");
        return NULL;
}

static const Node* node_that_leads(const DrillHit *h, const ProbeContext *c, const char *component) {
        DrillLeader leader = {};
        const Node *node;

        (void) drill_leader(c, h->request->components, component, NULL, &leader);
        node = leader.node;
        drill_leader_done(&leader);
        return node;
}

/*
 * Where etcd leads nothing is hit that is not meant to be its leader's end; and no host that holds the VIP for
 * another's sake (where that is on the controllers), or it would be the VIP's absence that is measured.
 */
static const Node* any_other_node(const DrillHit *h, const ProbeContext *c) {
        const Node *leader = node_that_leads(h, c, "etcd"), *found = NULL;
        const Node *owner = drill_is_of_host(h->drill) ? node_that_leads(h, c, "keepalived") : NULL;

        for (size_t i = 0; i < c->cluster->n_nodes; i++) {
                const Node *node = c->cluster->nodes + i;

                if (component_on_node(h->component, c->cluster, node) && node != leader &&
                    (!found || node != owner))
                        found = node;
        }
        return found;
}

/**
 * drill_choose_node() - where a drill hits
 * @h:          the drill; its node is set
 * @leader:     who leads there, if it is aimed at a leader; drill_leader_done()
 * @reterr:     nobody leads
 *
 * Return: 0 or a negative errno.
 */
int drill_choose_node(DrillHit *h, DrillLeader *leader, Error **reterr) {
        const Drill *d = h->drill;

        if (!d->leader)
                h->node = any_other_node(h, h->probes);
        else if (drill_leader(h->probes, h->request->components, d->leader, NULL, leader))
                h->node = leader->node;
        if (h->node)
                return 0;
        return error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "nobody leads among those of %s",
                         d->leader ? d->leader : d->component);
}

/**
 * drill_takes_vip() - does the VIP go with what is hit?
 * @h:          the drill, with its node
 *
 * Return: true if its host goes, which holds it.
 */
bool drill_takes_vip(const DrillHit *h) {
        return drill_is_of_host(h->drill) && !streq_null(h->drill->leader, "keepalived") &&
               node_that_leads(h, h->probes, "keepalived") == h->node;
}
