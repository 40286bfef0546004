/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "verify/node.h"
#include "verify/store.h"
#include "verify/verify.h"

/* One question asked in a thread of its own: of a component, or of a node. */
typedef struct Question {
        const VerifyRequest *request;
        HostPool *hosts;
        const Component *component; /* or */
        const Node *node;
        CheckList checks;
} Question;

static void ask_component(Question *q) {
        const VerifyRequest *v = q->request;
        ProbeContext c = host_pool_probes(q->hosts, v->cluster, v->store, v->host->cancelled);
        int r;

        c.looks_only = v->host->looks_only;
        c.deep = v->deep;
        r = q->component->verify(&c, &q->checks);
        if (r < 0)
                check_add(&q->checks, CHECK_FAILED, q->component->name, NULL, q->component->name,
                          "could not be asked: %s", strerror(-r));
}

static void ask(void *item) {
        Question *q = item;

        if (q->component)
                ask_component(q);
        else
                verify_node(q->request, q->hosts, q->node, &q->checks);
}

/* What users see comes first, whoever has looked at it. */
static void gather(Question *questions, size_t n_questions, CheckList *ret) {
        CheckList rest = {};

        for (size_t i = 0; i < n_questions; i++)
                for (size_t k = 0; k < questions[i].checks.n_checks; k++) {
                        Check *check = &questions[i].checks.checks[k];
                        CheckList one = { .checks = xmemdup(check, sizeof(Check)), .n_checks = 1 };

                        check_list_append(startswith(check->id, "endpoint.") ? ret : &rest, &one);
                        free(one.checks);
                        *check = (Check) {};
                }
        check_list_append(ret, &rest);
        check_list_done(&rest);
}

/**
 * verify_run() - all checks of all components and nodes
 * @request:    what to look at
 * @ret:        what was found, also that nothing could be asked; to be released with check_list_done()
 */
void verify_run(const VerifyRequest *request, CheckList *ret) {
        _cleanup_(host_pool_freep) HostPool *hosts = host_pool_new(request->cluster, request->host);
        _cleanup_free_ Question *questions = NULL;
        size_t n = 0, max = request->cluster->n_nodes;

        for (const Component *const *c = request->components; *c; c++)
                max++;
        questions = xnew(Question, max);

        for (const Component *const *c = request->components; *c; c++)
                if ((*c)->verify)
                        questions[n++] = (Question) { .request = request, .hosts = hosts, .component = *c };
        if (!request->no_nodes)
                for (size_t i = 0; i < request->cluster->n_nodes; i++)
                        questions[n++] = (Question) { .request = request,
                                                     .hosts = hosts,
                                                     .node = &request->cluster->nodes[i] };
        parallel_each(ask, questions, sizeof(Question), n);

        gather(questions, n, ret);
        if (request->store)
                verify_store(request, ret);
        for (size_t i = 0; i < n; i++)
                check_list_done(&questions[i].checks);
}
