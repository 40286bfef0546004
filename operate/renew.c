/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "operate/proven.h"
#include "operate/renew-internal.h"

typedef struct Renewal {
        const RenewRequest *request;
        RenewResult *result;
        StoreRequests requests;
        bool finish; /* nothing but what an earlier renewal has left */
        bool tell;
} Renewal;

static bool choose(void *userdata, const StoreRequest *request, StoreOutcome outcome, int64_t expires) {
        const Renewal *n = userdata;

        return !n->finish && renew_choose(n->request, request, outcome, expires);
}

static void note(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                 int64_t expires) {
        Renewal *n = userdata;
        const RenewRequest *q = n->request;
        const Node *node = entry_node(q->install.cluster, request->name);

        if (outcome == STORE_KEPT)
                return;
        if (node && !strv_contains(n->result->nodes, node->name))
                strv_add(&n->result->nodes, node->name);
        if (!n->tell)
                return;
        n->result->n_renewed++;
        if (q->report)
                q->report(q->userdata, request, outcome, why, expires);
}

static int make_anew(Renewal *n, bool dry_run, Error **reterr) {
        const RenewRequest *q = n->request;

        n->tell = !dry_run || q->install.dry_run;
        return store_renew(q->install.store, n->requests.requests, n->requests.n_requests, q->now,
                           dry_run ? STORE_RENEW_DRY_RUN : 0, choose, note, n, reterr);
}

/* The nodes concerned, in the order of the cluster file; the caller frees. */
static const Node** concerned(const Renewal *n, size_t *ret_n) {
        const Cluster *c = n->request->install.cluster;
        const Node **nodes = xnew(const Node*, c->n_nodes + 1);

        *ret_n = 0;
        for (size_t i = 0; i < c->n_nodes; i++)
                if (strv_contains(n->result->nodes, c->nodes[i].name))
                        nodes[(*ret_n)++] = c->nodes + i;
        return nodes;
}

/* What an earlier run has left unproven concerns its node, too. */
static void add_unproven(Renewal *n) {
        const RenewRequest *q = n->request;
        _cleanup_strv_ Strv names =
                store_unproven(q->install.store, n->requests.requests, n->requests.n_requests);

        n->result->resumed = names != NULL;
        n->finish = names && !q->names && !q->only_nodes && !q->due;
        STRV_FOREACH(name, names) {
                const Node *node = entry_node(q->install.cluster, *name);

                if (node && !strv_contains(n->result->nodes, node->name))
                        strv_add(&n->result->nodes, node->name);
        }
}

/* Nothing is made before it is known that it can be rolled out. */
static int prepare(Renewal *n, ErrorList *errors) {
        InstallRequest install = n->request->install;
        _cleanup_free_ const Node **nodes = NULL;
        Error *error = NULL;
        int r;

        add_unproven(n);
        r = renew_check_names(n->request, &n->requests, &error);
        if (r >= 0)
                r = make_anew(n, /* dry_run= */ true, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        if (install.dry_run)
                return 0;
        nodes = concerned(n, &install.n_nodes);
        install.nodes = nodes;
        if (install.n_nodes == 0)
                return 0;
        return n->result->resumed ? proven_check_copy(&install, errors) :
                                    proven_check_before(&install, errors);
}

static int carry_out(Renewal *n, ErrorList *errors) {
        InstallRequest install = n->request->install;
        _cleanup_free_ const Node **nodes = NULL;
        Error *error = NULL;
        int r;

        r = make_anew(n, /* dry_run= */ false, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        nodes = concerned(n, &install.n_nodes);
        install.nodes = nodes;
        /* without names, which would be made anew once more: what is made already is looked at and settled */
        install.again = "hardway pki renew";
        return proven_rollout(&install, &n->requests, &n->result->install, errors);
}

/**
 * renew_run() - renew certificates and roll them out
 * @request:    which, and how
 * @ret:        what was done; set in any case, to be released with renew_result_done()
 * @errors:     all that went wrong
 *
 * Return: 0 if all that was chosen is in use (dry_run: could be told), or a negative errno.
 */
int renew_run(const RenewRequest *request, RenewResult *ret, ErrorList *errors) {
        Renewal n = { .request = request, .result = ret };
        int r;

        *ret = (RenewResult) {};
        store_requests_for(request->install.components, request->install.cluster, &n.requests);
        r = prepare(&n, errors);
        if (r >= 0 && !request->install.dry_run)
                r = carry_out(&n, errors);
        store_requests_done(&n.requests);
        return r;
}

void renew_result_done(RenewResult *r) {
        strv_free(r->nodes);
        install_result_done(&r->install);
        *r = (RenewResult) {};
}
