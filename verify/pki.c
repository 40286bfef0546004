/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "verify/pki-internal.h"

/* One question in a thread of its own: about the files of a node, or about what one of its ports shows. */
typedef struct Question {
        const PkiCheckRequest *request;
        const StoreRequests *requests;
        HostPool *hosts;
        const Node *node;
        const Component *component; /* or NULL: the files */
        const ServedCertificate *row;
        CheckList checks;
} Question;

static void ask(void *item) {
        Question *q = item;

        if (q->component)
                pki_check_served(q->request, q->hosts, q->requests, q->component, q->row, q->node,
                                 &q->checks);
        else
                pki_check_node(q->request, q->hosts, q->node, &q->checks);
}

static Question* question_add(Question **list, size_t *n, const Question *q) {
        *list = xrealloc(*list, *n + 1, sizeof(Question));
        (*list)[*n] = *q;
        return *list + (*n)++;
}

static void add_questions(const PkiCheckRequest *request, const StoreRequests *requests, HostPool *hosts,
                          const Node *node, Question **list, size_t *n) {
        Question q = { .request = request, .requests = requests, .hosts = hosts, .node = node };

        question_add(list, n, &q);
        for (const Component *const *c = request->components; *c; c++)
                for (size_t i = 0; component_on_node(*c, request->cluster, node) && i < (*c)->n_served;
                     i++) {
                        q.component = *c;
                        q.row = (*c)->served + i;
                        question_add(list, n, &q);
                }
}

static void ask_nodes(const PkiCheckRequest *request, const StoreRequests *requests, CheckList *checks) {
        _cleanup_(host_pool_freep) HostPool *hosts = host_pool_new(request->cluster, request->host);
        _cleanup_free_ Question *questions = NULL;
        size_t n = 0;

        for (size_t i = 0; i < request->n_nodes; i++)
                add_questions(request, requests, hosts, request->nodes[i], &questions, &n);
        parallel_each(ask, questions, sizeof(Question), n);
        for (size_t i = 0; i < n; i++)
                check_list_append(checks, &questions[i].checks);
}

static json_int_t life_of(const Check *c) {
        const json_t *left = json_object_get(c->data, "seconds_left");

        return left ? json_integer_value(left) : INT64_MAX;
}

/* Sorted by hand, as the order of equals is to stay. */
static void sort(CheckList *l) {
        for (size_t i = 1; i < l->n_checks; i++) {
                Check c = l->checks[i];
                size_t k = i;

                while (k > 0 &&
                       (l->checks[k - 1].state < c.state ||
                        (l->checks[k - 1].state == c.state && life_of(l->checks + k - 1) > life_of(&c)))) {
                        l->checks[k] = l->checks[k - 1];
                        k--;
                }
                l->checks[k] = c;
        }
}

/**
 * pki_check_run() - look at all keys and certificates
 * @request:    what to look at, and from when on to complain
 * @ret:        what was found, worst first; check_list_done()
 * @reterr:     the store as a whole cannot be read
 *
 * Return: 0, whatever was found; negative only where nothing could be looked at.
 */
int pki_check_run(const PkiCheckRequest *request, CheckList *ret, Error **reterr) {
        StoreRequests requests = {};
        StoreItems items = {};
        CheckList checks = {};
        int r;

        store_requests_for(request->components, request->cluster, &requests);
        r = store_inspect(request->store, requests.requests, requests.n_requests, request->now, &items,
                          reterr);
        if (r >= 0) {
                pki_check_store(request, &requests, &items, &checks);
                if (!request->no_nodes)
                        ask_nodes(request, &requests, &checks);
                sort(&checks);
                *ret = checks;
        }
        store_items_done(&items);
        store_requests_done(&requests);
        return r < 0 ? r : 0;
}
