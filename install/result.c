/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a run tells of its nodes at the end
 */

#include "common/alloc.h"
#include "install/run.h"
#include "plan/edition.h"

/* What is told of each node, in the order in which they were asked for. */
void run_report(InstallRun *run, InstallResult *result) {
        const InstallRequest *q = run->request;

        result->nodes = xnew(InstallNode, q->n_nodes + 1);
        result->n_nodes = q->n_nodes;
        for (size_t i = 0; i < q->n_nodes; i++) {
                NodeRun *n = &run->nodes[q->nodes[i]->index];

                if (n->errors.n_errors > 0)
                        n->outcome = INSTALL_BROKEN;
                result->nodes[i] = (InstallNode) {
                        .node = n->node,
                        .outcome = n->outcome,
                        .touched = n->touched,
                        .taken_back = n->taken_back,
                        .n_items = n->plan ? n->plan->n_items : 0,
                        .n_changes = n->n_found,
                        .waits_for = TAKE_PTR(n->waits_for),
                        .diff = TAKE_PTR(n->diff),
                        .changes = TAKE_PTR(n->shown),
                        .left = TAKE_PTR(n->left),
                        .known = n->observation && n->plan,
                        .error = n->errors.n_errors > 0 ? xstrdup(n->errors.errors[0]->message) : NULL,
                        .differs = changes_differ(&n->changes),
                };
                result->n_items += result->nodes[i].n_items;
        }
        result->outdated = strv_contains(q->ignore, EDITION_CHECK) ? NULL : run_outdated(run);
        result->serving = run->serving;
        result->duration_usec = clock_usec() - run->start_usec;
}

const char* install_outcome_to_string(InstallOutcome o) {
        static const char *const names[] = {
                [INSTALL_UNTOUCHED] = "untouched", [INSTALL_UNCHANGED] = "unchanged",
                [INSTALL_CHANGED] = "changed",     [INSTALL_WAITS] = "waits",
                [INSTALL_BROKEN] = "broken",
        };

        return (size_t) o < ARRAY_SIZE(names) ? names[o] : NULL;
}

void install_result_done(InstallResult *r) {
        for (size_t i = 0; i < r->n_nodes; i++) {
                free(r->nodes[i].waits_for);
                free(r->nodes[i].diff);
                free(r->nodes[i].error);
                json_decref(r->nodes[i].changes);
                json_decref(r->nodes[i].left);
        }
        strv_free(r->leavers);
        free(r->outdated);
        free(r->nodes);
        free(r->url);
        free(r->version);
        *r = (InstallResult) {};
}
