/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "operate/reset-internal.h"

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "operate/hold.h"
#include "plan/drain.h"
#include "plan/served.h"

typedef struct ResetNode {
        const ResetRequest *request;
        HostPool *hosts;
        const Node *node;
        const char *identity; /* ours, or NULL */
        bool serving;         /* our cluster */
        bool drains;          /* it goes on without this node: nobody is to notice that it goes */
        Plan *plan;
        Observation *observation;
        ResetKeep keep;
        Error *error;
} ResetNode;

static void node_step(const ResetNode *n, Stage stage) {
        if (n->request->step)
                n->request->step(n->request->userdata, n->node, stage);
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

/* One that does not say whose it is may have been installed by hand, and serve: it counts until it is shown to be another's. */
static bool node_may_be_ours(const ResetNode *n) {
        return !n->observation || !n->observation->identity ||
               streq_null(n->observation->identity, n->identity);
}

static int node_prepare(ResetNode *n, Error **reterr) {
        Host *host;
        int r;

        node_step(n, STAGE_RESET_FACTS);
        r = host_pool_take(n->hosts, n->node, &host, reterr);
        if (r < 0)
                return r;
        r = node_look(n, host, reterr);
        host_pool_give(n->hosts, n->node);
        if (r >= 0 && n->request->keep_data)
                reset_keep_data(n->request->components, n->plan, n->observation, &n->keep);
        return r;
}

static ProbeContext probes_of(const ResetRequest *q, HostPool *hosts) {
        return host_pool_probes(hosts, q->cluster, q->store, q->cancelled);
}

static int go_on(const ResetNode *n, Error **reterr) {
        return error_if_cancelled(n->request->cancelled, reterr, "stopped as asked; nothing was removed");
}

/* One that does not hand over keeps what it has, unless it is to go in any case. */
static int node_drain(const ResetNode *n, Error **reterr) {
        const ResetRequest *q = n->request;
        ProbeContext c = probes_of(q, n->hosts);
        _cleanup_error_ Error *error = NULL;
        int r;

        r = go_on(n, reterr);
        if (r < 0)
                return r;
        node_step(n, STAGE_RESET_DRAIN);
        r = drain_hand_over(q->components, &c, n->node, &error);
        if (r >= 0 || q->force) {
                error = error_free(error);
                r = drain_set_aside(q->components, &c, n->node, &error);
        }
        if (r < 0 && !q->force) {
                r = error_propagate(reterr, TAKE_PTR(error));
                error_detail(reterr, "Nothing was removed from it. Nevertheless: hardway reset --force\n");
                return r;
        }
        return go_on(n, reterr);
}

/* haproxy checks again what was set aside, and finds that it is gone. */
static int node_undrain(const ResetNode *n, Error **reterr) {
        ProbeContext c = probes_of(n->request, n->hosts);

        return drain_bring_back(n->request->components, &c, reterr);
}

/* Of what was there before not all may be as it was; the caller frees. */
static char* clean_text(const char *said) {
        _cleanup_strv_ Strv lines = strv_split(said, "\n"), troubles = NULL;
        _cleanup_free_ char *list = NULL;

        STRV_FOREACH(line, lines)
                if (startswith(*line, "trouble "))
                        strv_add(&troubles, *line + strlen("trouble "));
        list = strv_join(troubles, ", ");
        return troubles ? xasprintf("clean, but %s", list) : xstrdup("clean");
}

static int node_reset(ResetNode *n, Error **reterr) {
        const ResetRequest *q = n->request;
        _cleanup_buffer_ Buffer script = BUFFER_NULL, said = BUFFER_NULL;
        _cleanup_free_ char *text = NULL;
        int r = 0, k = 0;

        reset_script(n->plan, n->observation, &n->keep, &script);
        if (n->drains)
                r = node_drain(n, reterr);
        if (r >= 0 && !q->dry_run) {
                node_step(n, STAGE_RESET_REMOVAL);
                r = host_pool_exec_for(n->hosts, n->node, buffer_str(&script), 0, &said, reterr);
        }
        if (n->drains)
                k = node_undrain(n, r < 0 ? NULL : reterr);
        if (r >= 0)
                r = k;
        text = clean_text(buffer_str(&said));
        if (r >= 0 && q->end)
                q->end(q->userdata, n->node, true, q->dry_run ? buffer_str(&script) : text);
        return r;
}

static void node_do(ResetNode *n, int (*f)(ResetNode*, Error **)) {
        int r;

        r = f(n, &n->error);
        if (r >= 0)
                return;
        (void) error_prefix_once(&n->error, r, n->node->name);
        if (n->request->end)
                n->request->end(n->request->userdata, n->node, false, "failed");
}

static void job_prepare(void *item) {
        node_do(item, node_prepare);
}

static void job_reset(void *item) {
        node_do(item, node_reset);
}

/* Those that were installed for this cluster, or may have been; the caller frees. */
static const Node** find_ours(const ResetNode *nodes, size_t n_nodes, size_t *ret_n) {
        const Node **ours = xnew(const Node*, n_nodes + 1);

        *ret_n = 0;
        for (size_t i = 0; i < n_nodes; i++)
                if (node_may_be_ours(nodes + i))
                        ours[(*ret_n)++] = nodes[i].node;
        return ours;
}

static void tell_last(const ResetNode *nodes, size_t n_nodes, Buffer *text) {
        size_t n_ours;
        _cleanup_free_ const Node **ours = find_ours(nodes, n_nodes, &n_ours);
        ProbeContext c = probes_of(nodes[0].request, nodes[0].hosts);

        reset_tell_last(&c, ours, n_ours, text);
}

/* Return: 1 if the cluster goes on without these nodes, 0 if it does not, and is not to. */
static int spare(const ResetNode *nodes, size_t n_nodes, Buffer *text, Error **reterr) {
        const ResetRequest *q = nodes[0].request;
        size_t n_ours;
        _cleanup_free_ const Node **ours = find_ours(nodes, n_nodes, &n_ours);
        ProbeContext c = probes_of(q, nodes[0].hosts);

        return reset_spare(q, &c, ours, n_ours, text, reterr);
}

/* What will be done, and what that means for the cluster, before anything is. */
static int nodes_confirm(const ResetNode *nodes, size_t n_nodes, Error **reterr) {
        const ResetRequest *q = nodes[0].request;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r = 0;

        for (size_t i = 0; i < n_nodes && !q->force && r >= 0; i++)
                r = reset_is_ours(nodes[i].node, nodes[i].observation, nodes[i].identity, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_nodes; i++)
                reset_tell(nodes[i].plan, nodes[i].observation, &nodes[i].keep, &text);
        if (nodes[0].serving)
                r = spare(nodes, n_nodes, &text, reterr);
        else
                tell_last(nodes, n_nodes, &text);
        return r >= 0 && q->confirm ? q->confirm(q->userdata, buffer_str(&text), reterr) : r;
}

/* The nodes (all, or those that are left), and of a cluster that serves all others: they are what is counted on. All in
 * the order of the cluster file, so that two who wait do not wait for each other. */
static int nodes_hold(const ResetNode *nodes, size_t n_nodes, bool serving, bool wait, Error **reterr) {
        const ResetRequest *q = nodes[0].request;
        const HoldRequest hold = {
                .cluster = q->cluster,
                .roles = serving ? ROLE_ALL : 0,
                .holder = q->holder,
                .wait = wait,
                .lenient = true,
                .firm = q->nodes + (q->n_nodes - n_nodes),
                .n_firm = n_nodes,
        };

        return q->dry_run ? 0 : hold_nodes(nodes[0].hosts, &hold, reterr);
}

/* Of a cluster that serves: does it still go on without these? Locks may be gone, and a member, since that was asked last. */
static int nodes_spare_again(ResetNode *nodes, size_t n_nodes, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = nodes_hold(nodes, n_nodes, /* serving= */ true, /* wait= */ false, reterr);
        if (r < 0)
                return r;
        r = spare(nodes, n_nodes, &text, reterr);
        for (size_t i = 0; i < n_nodes; i++)
                nodes[i].drains = r > 0 && node_may_be_ours(nodes + i);
        return r < 0 ? r : 0;
}

/* While somebody was asked, a member may have been lost, or a cluster have begun to serve; and a lock is gone when this
 * machine was asleep. What it serves with is counted once more, whatever it says of itself by now. */
static int nodes_look_again(ResetNode *nodes, size_t n_nodes, Error **reterr) {
        ProbeContext c = probes_of(nodes[0].request, nodes[0].hosts);

        if (nodes[0].serving || reset_cluster_serves(nodes[0].request, &c))
                return nodes_spare_again(nodes, n_nodes, reterr);
        return nodes_hold(nodes, n_nodes, /* serving= */ false, /* wait= */ false, reterr);
}

/* Of a cluster that goes on without them: an apiserver is spared while the others have its clients. One may take minutes,
 * and what was true of the cluster before need not be after it. */
static int nodes_in_turn(ResetNode *nodes, size_t n_nodes) {
        const ResetRequest *q = nodes[0].request;
        int r = 0;

        for (size_t i = 0; i < n_nodes; i++) {
                if (r >= 0 && i > 0)
                        r = nodes_spare_again(nodes + i, n_nodes - i, &nodes[i].error);
                if (r < 0) {
                        if (q->end)
                                q->end(q->userdata, nodes[i].node, false, "not touched");
                        continue;
                }
                job_reset(nodes + i);
                if (nodes[i].error)
                        r = -nodes[i].error->errnum;
        }
        return r;
}

static int nodes_together(ResetNode *nodes, size_t n_nodes) {
        parallel_each(job_reset, nodes, sizeof(ResetNode), n_nodes);
        for (size_t i = 0; i < n_nodes; i++)
                if (nodes[i].error)
                        return -nodes[i].error->errnum;
        return 0;
}

static bool any_drains(const ResetNode *nodes, size_t n_nodes) {
        for (size_t i = 0; i < n_nodes; i++)
                if (nodes[i].drains)
                        return true;
        return false;
}

/* All are looked at before any is changed: a refusal leaves every node as it was. */
static int nodes_run(ResetNode *nodes, size_t n_nodes, Error **reterr) {
        int r;

        r = nodes_hold(nodes, n_nodes, nodes[0].serving, nodes[0].request->wait, reterr);
        if (r < 0)
                return r;
        parallel_each(job_prepare, nodes, sizeof(ResetNode), n_nodes);
        for (size_t i = 0; i < n_nodes; i++)
                if (nodes[i].error)
                        return -nodes[i].error->errnum;
        r = nodes_confirm(nodes, n_nodes, reterr);
        if (r >= 0 && !nodes[0].request->dry_run)
                r = nodes_look_again(nodes, n_nodes, reterr);
        if (r >= 0)
                r = go_on(nodes, reterr);
        if (r < 0)
                return r;
        return any_drains(nodes, n_nodes) ? nodes_in_turn(nodes, n_nodes) : nodes_together(nodes, n_nodes);
}

static bool takes(const ResetRequest *q, const Node *node) {
        for (size_t i = 0; i < q->n_nodes; i++)
                if (q->nodes[i] == node)
                        return true;
        return false;
}

/* The data of all members is gone: whoever installs again begins anew. */
static int forget_served(const ResetRequest *q, Error **reterr) {
        if (q->dry_run || q->keep_data)
                return 0;
        CLUSTER_FOREACH_NODE(node, q->cluster, ROLE_ETCD)
                if (!takes(q, node))
                        return 0;
        return plan_forget_served(q->store, reterr);
}

/**
 * reset_run() - take hardway off nodes
 * @request:    which nodes, and what is to stay
 * @errors:     one for each node that failed, or why the cluster cannot do without them
 *
 * Return: 0 if every node is clean; a negative errno otherwise.
 */
int reset_run(const ResetRequest *request, ErrorList *errors) {
        _cleanup_(host_pool_freep) HostPool *hosts = host_pool_new(request->cluster, request->host);
        _cleanup_free_ char *identity = NULL;
        _cleanup_free_ ResetNode *nodes = xnew(ResetNode, request->n_nodes + 1);
        ProbeContext c = probes_of(request, hosts);
        bool serving = reset_cluster_serves(request, &c);
        Error *error = NULL;
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
        r = nodes_run(nodes, request->n_nodes, &error);
        if (r >= 0)
                r = forget_served(request, &error);
        if (error)
                error_list_take(errors, error);
        for (size_t i = 0; i < request->n_nodes; i++) {
                if (nodes[i].error)
                        error_list_take(errors, nodes[i].error);
                plan_free(nodes[i].plan);
                observation_free(nodes[i].observation);
                reset_keep_done(&nodes[i].keep);
        }
        return r;
}
