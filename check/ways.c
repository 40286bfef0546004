/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who connects to whom, from what the components declare
 */

#include "check/check.h"
#include "common/alloc.h"

typedef struct Ways {
        CheckWay *ways;
        size_t n_ways;
} Ways;

static void add_way(Ways *w, const Node *to, unsigned port, const char *why) {
        for (size_t i = 0; i < w->n_ways; i++)
                if (w->ways[i].to == to && w->ways[i].port == port)
                        return;
        w->ways = xrealloc(w->ways, w->n_ways + 1, sizeof(CheckWay));
        w->ways[w->n_ways++] = (CheckWay) { .to = to, .port = port, .why = why };
}

static bool way_counts(const CheckWorld *w, const Node *from, const CheckNode *to) {
        const CheckNode *other = from ? w->nodes + from->index : NULL;

        if (to->joins || (other && other->joins))
                return true;
        return !w->joining && !to->beside && !(other && other->beside);
}

static void add_reach(const CheckWorld *w, const Component *component, const Reach *reach, const Node *from,
                      Ways *out) {
        unsigned port = reach->port_of ? reach->port_of(w->cluster) : reach->port;

        if (port == 0 || (from ? !(reach->from & from->roles) : !reach->from_here))
                return;
        for (size_t i = 0; i < w->cluster->n_nodes; i++) {
                const CheckNode *to = w->nodes + i;

                if (to->facts && to->node != from && way_counts(w, from, to) &&
                    component_on_node(component, w->cluster, to->node))
                        add_way(out, to->node, port, reach->why);
        }
}

/**
 * check_ways() - the ports that a node, or this machine, has to reach
 * @w:          the world; nodes that could not be looked at are left out, as they may be off
 * @from:       the node, or NULL: this machine
 * @ret:        an array; the caller frees
 *
 * Return: how many there are.
 */
size_t check_ways(const CheckWorld *w, const Node *from, CheckWay **ret) {
        Ways out = {};

        for (const Component *const *c = w->components; *c; c++)
                for (size_t i = 0; i < (*c)->n_reaches; i++)
                        add_reach(w, *c, (*c)->reaches + i, from, &out);
        *ret = out.ways;
        return out.n_ways;
}
