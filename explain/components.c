/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Components as a whole: what they are, and all that belongs to them
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "explain/internal.h"

static char* by_hand(const Component *c) {
        return c->unit ? xasprintf("systemctl status %s\njournalctl -u %s", c->unit, c->unit) : NULL;
}

static void add_value(const Catalogue *c, Explanation *e, const Component *component) {
        const ExplainRequest *q = c->request;
        const View here = {};

        for (size_t i = 0; i < q->n_nodes; i++)
                if (component_on_node(component, q->cluster, q->nodes[i]))
                        explanation_value(e, &here, q->nodes[i]->name, component->unit);
}

/* Of which the flags say most: else its files are told of, too. */
bool explain_has_flags_only(const Component *component) {
        return component->n_flags > 0 && !component->config;
}

void explain_components(Catalogue *c) {
        for (const Component *const *p = c->request->components; *p; p++) {
                const Component *component = *p;
                Explanation *e = catalogue_enter(c, component->name, "component", component->summary);

                explanation_set(&e->without, component->without);
                explanation_set(&e->manual, component->manual);
                if (!e->by_hand)
                        e->by_hand = by_hand(component);
                add_value(c, e, component);
                e->parts_title = explain_has_flags_only(component) ? "Flags" : "What it consists of";
        }
}
