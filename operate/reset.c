/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "operate/reset.h"
#include "common/alloc.h"
#include "common/parallel.h"
#include "host/pool.h"

typedef struct ResetNode {
        const ResetRequest *request;
        HostPool *hosts;
        const Node *node;
        const char *identity; /* ours, or NULL */
        bool serving;         /* our cluster */
        Plan *plan;
        Observation *observation;
        Error *error;
} ResetNode;

static void node_step(const ResetNode *n, const char *text) {
        if (n->request->step)
                n->request->step(n->request->userdata, n->node, text);
}

static int node_look(ResetNode *n, Host *host, Error **reterr) {
        const ResetRequest *q = n->request;
        PlanContext c = {
                .cluster = q->cluster,
                .node = n->node,
                .store = q->store,
                .lock = q->lock,
        };
        Facts facts = {};
        int r;

        r = plan_outline(q->components, &c, &n->plan, reterr);
        if (r < 0)
                return r;
        r = host_look(host, n->plan, false, &facts, &n->observation, reterr);
        facts_done(&facts);
        return r;
}

/* A member of a cluster that serves is not taken away without taking it out of the cluster first. */
static int node_refuse(const ResetNode *n, Error **reterr) {
        bool ours = n->observation->identity && streq_null(n->observation->identity, n->identity);
        int r;

        if (!n->serving || !ours || n->request->force)
                return 0;
        r = error_set(reterr, ERROR_CONFIG, EBUSY,
                      "belongs to a cluster whose etcd serves: reset would take its data");
        error_detail(
                reterr,
                "If all of it can go, for instance after a first try that failed: hardway reset --force\n");
        return r;
}

static int node_prepare(ResetNode *n, Error **reterr) {
        Host *host;
        int r;

        node_step(n, "looked at");
        r = host_pool_take(n->hosts, n->node, &host, reterr);
        if (r < 0)
                return r;
        if (!n->request->dry_run)
                r = host_lock(host, n->request->holder, n->request->wait, reterr);
        if (r >= 0)
                r = node_look(n, host, reterr);
        host_pool_give(n->hosts, n->node);
        return r < 0 ? r : node_refuse(n, reterr);
}

static int node_reset(ResetNode *n, Error **reterr) {
        const ResetRequest *q = n->request;
        _cleanup_buffer_ Buffer script = BUFFER_NULL;
        Host *host;
        int r = 0;

        reset_script(n->plan, n->observation, &script);
        if (!q->dry_run) {
                node_step(n, "taken away");
                r = host_pool_take(n->hosts, n->node, &host, reterr);
                if (r < 0)
                        return r;
                r = host_exec(host, buffer_str(&script), NULL, reterr);
                host_pool_give(n->hosts, n->node);
        }
        if (r >= 0 && q->end)
                q->end(q->userdata, n->node, true, q->dry_run ? buffer_str(&script) : "clean");
        return r;
}

static void node_do(ResetNode *n, int (*f)(ResetNode*, Error **)) {
        int r;

        r = f(n, &n->error);
        if (r >= 0)
                return;
        (void) error_prefix(&n->error, r, "%s", n->node->name);
        if (n->request->end)
                n->request->end(n->request->userdata, n->node, false, "failed");
}

static void job_prepare(void *item) {
        node_do(item, node_prepare);
}

static void job_reset(void *item) {
        node_do(item, node_reset);
}

static bool cluster_serves(const ResetRequest *q, HostPool *hosts) {
        ProbeContext c = {
                .cluster = q->cluster,
                .store = q->store,
                .exec = host_pool_exec,
                .userdata = hosts,
        };

        for (const Component *const *p = q->components; *p; p++) {
                bool serving = false;

                if ((*p)->serving && (*p)->serving(&c, &serving, NULL) >= 0 && serving)
                        return true;
        }
        return false;
}

/* All are looked at before any is changed: a refusal leaves every node as it was. */
static int nodes_run(ResetNode *nodes, size_t n_nodes) {
        _cleanup_free_ void **items = xnew(void*, n_nodes + 1);

        for (size_t i = 0; i < n_nodes; i++)
                items[i] = &nodes[i];
        parallel_run(job_prepare, items, n_nodes);
        for (size_t i = 0; i < n_nodes; i++)
                if (nodes[i].error)
                        return -nodes[i].error->errnum;
        parallel_run(job_reset, items, n_nodes);
        for (size_t i = 0; i < n_nodes; i++)
                if (nodes[i].error)
                        return -nodes[i].error->errnum;
        return 0;
}

/**
 * reset_run() - take hardway off nodes
 * @errors:     one for each node that refused or failed
 *
 * Return: 0 if every node is clean; a negative errno otherwise.
 */
int reset_run(const ResetRequest *request, ErrorList *errors) {
        _cleanup_(host_pool_freep) HostPool *hosts = host_pool_new(request->cluster, request->host);
        _cleanup_free_ char *identity = NULL;
        _cleanup_free_ ResetNode *nodes = xnew(ResetNode, request->n_nodes + 1);
        bool serving = cluster_serves(request, hosts);
        int r;

        (void) plan_identity(request->store, &identity, NULL); /* before pki gen nothing is ours */
        for (size_t i = 0; i < request->n_nodes; i++)
                nodes[i] = (ResetNode) {
                        .request = request,
                        .hosts = hosts,
                        .node = request->nodes[i],
                        .identity = identity,
                        .serving = serving,
                };
        r = nodes_run(nodes, request->n_nodes);
        for (size_t i = 0; i < request->n_nodes; i++) {
                if (nodes[i].error)
                        error_list_take(errors, nodes[i].error);
                plan_free(nodes[i].plan);
                observation_free(nodes[i].observation);
        }
        return r;
}
