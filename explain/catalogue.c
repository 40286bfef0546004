/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The catalogue: made once from all declarations, then asked
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "explain/example.h"
#include "explain/internal.h"

static Explanation* explanation_free(Explanation *e) {
        for (size_t i = 0; i < e->n_values; i++) {
                strv_free(e->values[i].where);
                free(e->values[i].text);
        }
        for (size_t i = 0; i < e->n_parts; i++) {
                free(e->parts[i].name);
                free(e->parts[i].text);
                free(e->parts[i].by_hand);
        }
        free(e->values);
        free(e->parts);
        free(e->name);
        strv_free(e->aliases);
        strv_free(e->hints);
        free(e->kind);
        free(e->why);
        free(e->without);
        free(e->manual);
        free(e->by_hand);
        free(e->usage);
        free(e->read_by);
        free(e);
        return NULL;
}

Catalogue* catalogue_free(Catalogue *c) {
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_entries; i++)
                explanation_free(c->entries[i]);
        free(c->entries);
        free(c);
        return NULL;
}

Explanation* catalogue_add(Catalogue *c, const char *name, const char *kind) {
        Explanation *e = xnew(Explanation, 1);

        e->name = xstrdup(name);
        e->kind = xstrdup(kind);
        e->absent = true;
        c->entries = xrealloc(c->entries, c->n_entries + 1, sizeof(Explanation*));
        c->entries[c->n_entries++] = e;
        return e;
}

Explanation* catalogue_enter(Catalogue *c, const char *name, const char *kind, const char *why) {
        Explanation *e;

        for (size_t i = 0; i < c->n_entries; i++) {
                e = c->entries[i];
                if (streq(e->name, name) && streq(e->kind, kind) && streq_null(e->why, why))
                        return e;
        }
        e = catalogue_add(c, name, kind);
        e->why = xstrdup_null(why);
        return e;
}

void explanation_alias(Explanation *e, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        if (!strv_contains(e->aliases, text))
                strv_add(&e->aliases, text);
}

void explanation_hint(Explanation *e, const char *word) {
        if (!strv_contains(e->hints, word))
                strv_add(&e->hints, word);
}

void explanation_set(char **field, const char *text) {
        if (!*field)
                *field = xstrdup_null(text);
}

int explanation_fill(Explanation *e, const ExplainRequest *request, const char *text, Error **reterr) {
        const ExplainRequest example = { .components = request->components };
        char *filled = explain_fill(request, text, reterr);
        bool none = filled && !*filled;

        if (none) {
                free(filled);
                filled = explain_fill(&example, text, reterr);
        }
        if (!filled)
                return error_prefix(reterr, -EINVAL, "%s", e->name);
        free(e->by_hand);
        e->by_hand = filled;
        return none;
}

void explanation_value(Explanation *e, const View *v, const char *where, const char *text) {
        ExplainValue *value = NULL;

        if (v->example)
                return;
        e->absent = false;
        if (!text)
                return;
        for (size_t i = 0; i < e->n_values && !value; i++)
                if (streq(e->values[i].text, text))
                        value = e->values + i;
        if (!value) {
                e->values = xrealloc(e->values, e->n_values + 1, sizeof(ExplainValue));
                value = e->values + e->n_values++;
                *value = (ExplainValue) { .text = xstrdup(text) };
        }
        if (where && !strv_contains(value->where, where))
                strv_add(&value->where, where);
}

void explanation_say(Explanation *e, const char *text) {
        const View here = {};

        explanation_value(e, &here, NULL, text);
}

void explanation_add_part(Explanation *e, const char *name, const char *text) {
        for (size_t i = 0; i < e->n_parts; i++)
                if (streq(e->parts[i].name, name) && streq_null(e->parts[i].text, text))
                        return;
        e->parts = xrealloc(e->parts, e->n_parts + 1, sizeof(ExplainPart));
        e->parts[e->n_parts++] = (ExplainPart) { xstrdup(name), xstrdup_null(text), NULL };
}

void explanation_add_step(Explanation *e, const char *name, const char *text, const char *by_hand) {
        e->parts = xrealloc(e->parts, e->n_parts + 1, sizeof(ExplainPart));
        e->parts[e->n_parts++] = (ExplainPart) { xstrdup(name), xstrdup(text), xstrdup_null(by_hand) };
}

void explanation_part(Explanation *e, const View *v, const char *name, const char *text) {
        if (!e->parts_of)
                e->parts_of = v->context.node;
        if (e->parts_of == v->context.node)
                explanation_add_part(e, name, text);
}

static int add_view(Catalogue *c, const Cluster *cluster, const Node *node, bool example, Error **reterr) {
        View v = {
                .context = {
                        .cluster = cluster,
                        .node = node,
                        .store = example ? NULL : c->request->store,
                        .lock = example ? NULL : c->request->lock,
                },
                .example = example,
        };
        int r;

        facts_default(cluster, node, &v.facts);
        v.context.facts = &v.facts;
        r = plan_node(c->request->components, &v.context, &v.plan, reterr);
        if (r >= 0) {
                explain_items(c, &v);
                explain_credentials(c, &v);
                explain_items_by_hand(c, &v);
                explain_flags(c, &v);
                explain_settings(c, &v);
                explain_config(c, &v);
        }
        plan_free(v.plan);
        facts_done(&v.facts);
        return r < 0 ? error_prefix(reterr, r, "node %s", node->name) : 0;
}

/* The example's nodes are about to go. */
static void forget_nodes(Catalogue *c, const Cluster *example) {
        for (size_t i = 0; i < c->n_entries; i++) {
                const Node *node = c->entries[i]->parts_of;

                if (node >= example->nodes && node < example->nodes + example->n_nodes)
                        c->entries[i]->parts_of = NULL;
        }
}

static int add_example(Catalogue *c, Error **reterr) {
        _cleanup_(cluster_freep) Cluster *example = NULL;
        int r;

        r = example_cluster(&example, reterr);
        for (size_t i = 0; r >= 0 && i < example->n_nodes; i++)
                r = add_view(c, example, example->nodes + i, true, reterr);
        if (r >= 0)
                forget_nodes(c, example);
        return r;
}

/**
 * catalogue_new() - everything that can be explained
 * @request:    the components, and the cluster whose values are wanted, if there is one
 * @ret:        the catalogue
 * @reterr:     why a plan could not be made
 *
 * Return: 0 or a negative errno.
 */
int catalogue_new(const ExplainRequest *request, Catalogue **ret, Error **reterr) {
        _cleanup_(catalogue_freep) Catalogue *c = xnew(Catalogue, 1);
        int r = 0;

        c->request = request;
        explain_components(c);
        for (size_t i = 0; r >= 0 && i < request->n_nodes; i++)
                r = add_view(c, request->cluster, request->nodes[i], false, reterr);
        if (r >= 0)
                r = add_example(c, reterr);
        if (r < 0)
                return r;
        explain_cluster_file(c);
        explain_directory(c);
        r = explain_node_files(c, reterr);
        if (r >= 0)
                r = explain_words(c, reterr);
        if (r >= 0)
                r = explain_ports(c, reterr);
        if (r < 0)
                return r;
        c->request = NULL;
        *ret = TAKE_PTR(c);
        return 0;
}

size_t catalogue_size(const Catalogue *c) {
        return c->n_entries;
}

const Explanation* catalogue_get(const Catalogue *c, size_t index) {
        return c->entries[index];
}
