/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where the files of the store go: read off the plans of all nodes, so that there is no second list of it
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/placement.h"

static void placement_add(Placements *p, const Node *node, const PlanItem *item) {
        p->list = xrealloc(p->list, p->n + 1, sizeof(Placement));
        p->list[p->n++] = (Placement) {
                .store_path = xstrdup(item->store_path),
                .node = node,
                .path = xstrdup(item->path),
                .mode = item->mode,
                .component = item->component,
                .units = strv_copy(item->input_of),
                .why = xstrdup(item->why),
        };
}

/**
 * placements_for() - where the files of the store go
 * @components: the table of components, ended by NULL
 * @c:          the cluster; lent by the result
 * @store:      the store, or NULL; one that lacks things, or holds broken ones, is good enough
 * @ret:        node by node, in the order of their plans; placements_done()
 * @reterr:     no plan can be made
 *
 * Return: 0 or a negative errno.
 */
int placements_for(const Component *const *components, const Cluster *c, Store *store, Placements *ret,
                   Error **reterr) {
        _cleanup_(placements_done) Placements p = {};
        int r;

        for (size_t i = 0; i < c->n_nodes; i++) {
                PlanContext context = { .cluster = c, .node = c->nodes + i, .store = store };
                _cleanup_(plan_freep) Plan *plan = NULL;

                /* What lies where does not depend on the bytes, so broken ones need not be looked at. */
                r = store ? plan_outline(components, &context, &plan, NULL) : -ENOENT;
                context.store = NULL;
                if (r < 0)
                        r = plan_outline(components, &context, &plan, reterr);
                if (r < 0)
                        return r;
                PLAN_FOREACH(item, plan, PLAN_FILE)
                        if (item->store_path)
                                placement_add(&p, c->nodes + i, item);
        }
        *ret = p;
        p = (Placements) {};
        return 0;
}

/* "etcd/signing-ca.crt" is "etcd/ca.crt", but while that CA is being replaced; the caller frees. */
static char* plain_path(const char *store_path) {
        const char *slash = strrchr(store_path, '/'), *base = slash ? slash + 1 : store_path;
        const char *rest = startswith(base, "signing-");

        return rest ? xasprintf("%.*s%s", (int) (base - store_path), store_path, rest) : xstrdup(store_path);
}

/**
 * placement_is_of() - whether a file belongs to an entry of the store
 * @p:          the placement
 * @name:       the entry's name: "ca", "nodes/c0/pki/apiserver", "secrets/identity"
 *
 * Return: whether it does.
 */
bool placement_is_of(const Placement *p, const char *name) {
        _cleanup_free_ char *path = plain_path(p->store_path);
        const char *rest = startswith(path, name);

        return rest && (*rest == '\0' || (*rest == '.' && !strchr(rest, '/')));
}

void placements_done(Placements *p) {
        for (size_t i = 0; i < p->n; i++) {
                free(p->list[i].store_path);
                free(p->list[i].path);
                strv_free(p->list[i].units);
                free(p->list[i].why);
        }
        free(p->list);
        *p = (Placements) {};
}
