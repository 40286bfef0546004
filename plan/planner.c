/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The planner: asks the components of a node for their items
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "plan/component.h"

const Component* component_find(const Component *const *components, const char *name) {
        for (const Component *const *p = components; *p; p++)
                if (streq((*p)->name, name))
                        return *p;
        return NULL;
}

const Flag* component_flag(const Component *component, const char *name) {
        for (size_t i = 0; i < component->n_flags; i++)
                if (streq(component->flags[i].name, name))
                        return component->flags + i;
        return NULL;
}

bool component_on_node(const Component *component, const Cluster *c, const Node *node) {
        return (component->roles & node->roles) != 0;
}

/* What every node has, whatever its roles. */
static void add_base(Plan *p) {
        plan_item_explain(plan_add_directory(p, "node", "state", "/var/lib/hardway", 0700, "root:root",
                                             "Holds applied.json, in which hardway records what it put on "
                                             "this node, and the locks of its runs."),
                          "Two runs could write at the same time, and files of an older plan would stay.",
                          "hardway(1)");
}

static void set_ranks(Plan *p, size_t first, int rank) {
        for (size_t i = first; i < p->n_items; i++)
                if (p->items[i]->type == PLAN_UNIT && p->items[i]->unit.rank == 0)
                        p->items[i]->unit.rank = rank;
}

/* The components by rank; those of the same rank in the table's order. */
static const Component** sort_by_rank(const Component *const *components, size_t *ret_n) {
        const Component **sorted;
        size_t n = 0;

        while (components[n])
                n++;
        sorted = xnew(const Component*, n + 1);
        for (size_t i = 0; i < n; i++) {
                size_t j = i;

                for (; j > 0 && sorted[j - 1]->rank > components[i]->rank; j--)
                        sorted[j] = sorted[j - 1];
                sorted[j] = components[i];
        }
        *ret_n = n;
        return sorted;
}

/**
 * plan_node() - make the plan of one node
 * @components: the table of components, ended by NULL; lent for the plan's life
 * @c:          the node, its facts, and where keys and digests come from
 * @ret:        the plan, finished
 * @reterr:     what went wrong, with the component in front
 *
 * The plan is a function of its arguments: no network, no clock, no randomness. Without store or lock, or
 * where those lack something, it is incomplete and says what is missing.
 *
 * Return: 0 or a negative errno.
 */
int plan_node(const Component *const *components, const PlanContext *c, Plan **ret, Error **reterr) {
        _cleanup_(plan_freep) Plan *p = plan_new(c->cluster, c->node);
        _cleanup_free_ const Component **sorted = NULL;
        size_t n;
        int r;

        p->components = components;
        add_base(p);
        sorted = sort_by_rank(components, &n);
        for (size_t i = 0; i < n; i++) {
                size_t first = p->n_items;

                if (!component_on_node(sorted[i], c->cluster, c->node))
                        continue;
                r = sorted[i]->plan(c, p, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", sorted[i]->name);
                set_ranks(p, first, sorted[i]->rank);
        }

        r = plan_finish(p, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

/**
 * plan_outline() - make the plan of a node of which nothing is known yet
 * @components: as plan_node()
 * @c:          as plan_node(), but for the facts
 * @ret:        the plan: tells what to look at on the node
 * @reterr:     as plan_node()
 *
 * Return: 0 or a negative errno.
 */
int plan_outline(const Component *const *components, const PlanContext *c, Plan **ret, Error **reterr) {
        PlanContext context = *c;
        Facts defaults;
        int r;

        facts_default(c->cluster, c->node, &defaults);
        context.facts = &defaults;
        r = plan_node(components, &context, ret, reterr);
        facts_done(&defaults);
        return r;
}
