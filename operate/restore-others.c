/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Load balancers, for whom a restore changes nothing or little
 *
 * They do not keep data from being restored: one that is away is told of before the question, and left as it is. Those
 * that are there are put in order at the end, when the new data serves.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "operate/restore-internal.h"

static void leave(const Restore *s, const Node *node, const Error *why) {
        _cleanup_free_ char *text = xasprintf(
                "%s: %s. It is left as it is: once it is back, hardway install", node->name, why->message);

        restore_warn(s, NULL, text);
}

/**
 * others_look() - see which of the nodes are there that carry neither a member nor an apiserver
 * @s:          the restore; gets them
 *
 * Of those that are not, the user is told.
 */
void others_look(Restore *s) {
        const InstallRequest *q = &s->request->install;
        _cleanup_free_ const Node **nodes = xnew(const Node*, q->n_nodes + 1);
        _cleanup_free_ Error **errors = xnew(Error*, q->n_nodes + 1);
        size_t n = 0;

        for (size_t i = 0; i < q->n_nodes; i++)
                if (!restore_node(s, q->nodes[i]))
                        nodes[n++] = q->nodes[i];
        host_pool_reach(s->hosts, nodes, n, errors);
        s->others = xnew(const Node*, n + 1);
        for (size_t i = 0; i < n; i++) {
                if (errors[i])
                        leave(s, nodes[i], errors[i]);
                else
                        s->others[s->n_others++] = nodes[i];
                error_free(errors[i]);
        }
}

/**
 * others_install() - put the other nodes in order, too
 * @s:          the restore
 * @request:    what all others were installed with; is changed
 * @errors:     what went wrong
 *
 * Return: 0 or a negative errno.
 */
int others_install(const Restore *s, InstallRequest *request, ErrorList *errors) {
        _cleanup_free_ const Node **nodes = xnew(const Node*, request->n_nodes + s->n_others + 1);
        InstallResult result = {};
        size_t n = 0;
        int r;

        if (s->n_others == 0)
                return 0;
        for (size_t i = 0; i < request->n_nodes; i++)
                nodes[n++] = request->nodes[i];
        for (size_t i = 0; i < s->n_others; i++)
                nodes[n++] = s->others[i];
        request->nodes = nodes;
        request->n_nodes = n;
        r = install_run(request, &result, errors);
        install_result_done(&result);
        return r;
}
