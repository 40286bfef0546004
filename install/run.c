/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "install/run.h"

#include <errno.h>
#include <string.h>

#include "check/check.h"
#include "common/alloc.h"
#include "common/parallel.h"
#include "plan/drain.h"

/*
 * A run from end to end: look, refuse, lock, look again, change, prove. The parts are in files of their own.
 */

static void run_init(InstallRun *run, const InstallRequest *request) {
        *run = (InstallRun) {
                .request = request,
                .n_nodes = request->cluster->n_nodes,
                .nodes = xnew(NodeRun, request->cluster->n_nodes),
                .start_usec = clock_usec(),
                .hosts = request->hosts ? request->hosts : host_pool_new(request->cluster, request->host),
                .cache = request->cache ? xstrdup(request->cache) : fetch_cache_default(),
        };
        run->probes = host_pool_probes(run->hosts, request->cluster, request->store, request->cancelled);
        run->probes.looks_only = request->dry_run;
        (void) pthread_mutex_init(&run->mutex, NULL);
        for (size_t i = 0; i < run->n_nodes; i++) {
                NodeRun *n = &run->nodes[i];

                n->run = run;
                n->node = &request->cluster->nodes[i];
                for (size_t k = 0; k < request->n_nodes; k++)
                        if (request->nodes[k] == n->node)
                                n->selected = true;
        }
}

static void run_done(InstallRun *run) {
        for (size_t i = 0; i < run->n_nodes; i++) {
                NodeRun *n = &run->nodes[i];

                changes_done(&n->changes);
                plan_free(n->plan);
                plan_free(n->outline);
                free(n->waits_for);
                observation_free(n->observation);
                facts_done(&n->facts);
                error_list_done(&n->errors);
        }
        if (!run->request->hosts)
                host_pool_free(run->hosts); /* releases the nodes' locks too */
        free(run->nodes);
        free(run->identity);
        free(run->cache);
        (void) pthread_mutex_destroy(&run->mutex);
}

static int run_identity(InstallRun *run, Error **reterr) {
        const InstallRequest *q = run->request;
        int r;

        r = plan_identity(q->store, &run->identity, q->dry_run ? NULL : reterr);
        if (r < 0 && !q->dry_run)
                return error_prefix(reterr, r, "the cluster has no identity yet (hardway pki gen makes it)");
        return 0;
}

static int run_serving(InstallRun *run, Error **reterr) {
        int r;

        RUN_FOREACH_COMPONENT(c, run) {
                bool serving = false;

                if (!c->serving)
                        continue;
                r = c->serving(&run->probes, &serving, reterr);
                if (r < 0)
                        return r;
                run->serving = run->serving || serving;
        }
        return 0;
}

static bool was_given_another(const Observation *o, const PlanItem *binary) {
        ArtifactOrigin origin;
        Version version, v;

        return plan_binary_path_parse(binary->path, &origin, &version) >= 0 &&
               observation_version(o, origin, &v) >= 0 && version_compare(&v, &version) != 0;
}

/* Was this node given binaries of another version last? A node that joins is no reason for a snapshot. */
static bool node_changes_version(const NodeRun *n) {
        PLAN_FOREACH(item, n->plan, PLAN_BINARY)
                if (n->observation && was_given_another(n->observation, item))
                        return true;
        return false;
}

static bool run_changes_version(const InstallRun *run) {
        for (const NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++)
                if (node_differs(n) && node_changes_version(n))
                        return true;
        return false;
}

static int run_snapshot(InstallRun *run, Error **reterr) {
        int r;

        if (!run->serving || !run_changes_version(run))
                return 0;
        RUN_FOREACH_COMPONENT(c, run) {
                if (!c->before_rollout)
                        continue;
                r = c->before_rollout(&run->probes, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "before other binaries are rolled out: %s", c->name);
        }
        return 0;
}

/* What the first look promised may be otherwise by the time the locks are held: whoever had them may have installed the
 * cluster. So all that is decided is decided after it, whether the cluster serves above all. Those who are at work
 * on other nodes by then are not waited for: they may wait for us. */
static int run_take(InstallRun *run, Error **reterr) {
        int r;

        r = run_serving(run, reterr);
        if (r >= 0)
                r = run_hold(run, run->request->wait, reterr);
        if (r >= 0)
                r = crew_each(run, node_differs, node_look);
        if (r >= 0 && !run->serving)
                r = run_serving(run, reterr);
        return r < 0 ? r : run_hold(run, /* wait= */ false, reterr);
}

static int run_change(InstallRun *run, ErrorList *errors) {
        Error *error = NULL;
        int r;

        r = run_take(run, &error);
        if (r >= 0)
                r = run_judge(run, errors);
        if (r >= 0 && run->serving)
                r = drain_bring_back(run->request->components, &run->probes,
                                     &error); /* what a run that was killed has set aside */
        if (r >= 0)
                r = run_snapshot(run, &error);
        if (error)
                error_list_take(errors, error);
        if (r < 0)
                return r;
        return run->serving ? run_one_by_one(run) : run_together(run);
}

static bool run_waits(const InstallRun *run) {
        for (const NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++)
                if (n->waits_for)
                        return true;
        return false;
}

/* The API does not answer, and nothing differs: then a node waits, or something is broken. */
static int run_ask_why(InstallRun *run) {
        int r;

        r = crew_each(run, NULL, node_ready);
        for (NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++)
                if (n->waits_for)
                        node_end(n, INSTALL_WAITS, n->waits_for);
        return r;
}

static int run_finish(InstallRun *run, InstallResult *result, ErrorList *errors) {
        size_t n_objects = 0;
        Error *error = NULL;
        int r;

        if (run_waits(run))
                return 0;
        r = run_objects(run, /* insist= */ result->changed, &n_objects, &error);
        if (r == -EAGAIN && !result->changed) {
                error_free(error);
                return run_ask_why(run);
        }
        /* who changed nothing need not ask again */
        if (r >= 0 && (result->changed || !run->nobody_leaves))
                r = run_prune(run, &error);
        result->changed = result->changed || r > 0;
        if (r >= 0 && (result->changed || n_objects > 0)) {
                result->changed = true;
                r = run_endpoint(run, result, &error);
        }
        if (r < 0)
                error_list_take(errors, error);
        return r;
}

static bool node_needs_record(const NodeRun *n) {
        return !node_differs(n) && node_record_is_due(n);
}

/* Whoever holds the lock is about to record, too. */
static int node_lock_and_record(NodeRun *n, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        int r;

        r = host_pool_lock(n->run->hosts, n->node, n->run->request->holder, /* wait= */ false, &error);
        if (r == -EBUSY)
                return 0;
        if (r < 0)
                return error_propagate(reterr, TAKE_PTR(error));
        r = node_record(n, reterr);
        /* what is changed has its locks taken in their order, and none from before; unless the caller had it, who keeps it */
        if (!n->run->request->hosts)
                node_unlock(n);
        return r;
}

static int run_converge(InstallRun *run, InstallResult *result, ErrorList *errors) {
        int r;

        r = crew_each(run, node_needs_record, node_lock_and_record);
        if (r >= 0)
                r = result->changed ? run_change(run, errors) : crew_each(run, NULL, node_settle);
        return r < 0 ? r : run_finish(run, result, errors);
}

static int run_all(InstallRun *run, InstallResult *result, ErrorList *errors) {
        Error *error = NULL;
        int r;

        r = run_outline(run, &error);
        if (r >= 0)
                r = run_identity(run, &error);
        if (r < 0) {
                error_list_take(errors, error);
                return r;
        }
        r = crew_each(run, NULL, node_look);
        if (r < 0 && !run->request->dry_run)
                return r;
        for (const NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++)
                result->changed = result->changed || (n->selected && node_differs(n));
        if (!run->request->dry_run) {
                r = run_refuse_leavers(run, &error);
                if (r < 0) {
                        error_list_take(errors, error);
                        return r;
                }
                return run_converge(run, result, errors);
        }
        run_show_leavers(run, result);
        run_show(run); /* of those that could be looked at */
        return r;
}

/* What is told of each node, in the order in which they were asked for. */
static void run_report(InstallRun *run, InstallResult *result) {
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
        result->serving = run->serving;
        result->duration_usec = clock_usec() - run->start_usec;
}

typedef struct Whole {
        InstallRun *run;
        InstallResult *result;
        ErrorList *errors;
        int r;
} Whole;

/* In a thread of its own, which gets no signals: so what is at work is not interrupted, and looks at the
 * flag that the signal has set once it is done. */
static void run_whole(void *userdata) {
        Whole *w = userdata;

        w->r = run_all(w->run, w->result, w->errors);
}

/**
 * install_run() - bring nodes to what the cluster file says
 * @request:    what, where, and whom to tell
 * @ret:        what was found and done; set in any case, to be released with install_result_done()
 * @errors:     all that went wrong, nodes in the order of the cluster file
 *
 * Return: 0 if every chosen node is as planned and does its work, or waits only for nodes that were not
 * chosen; a negative errno otherwise.
 */
int install_run(const InstallRequest *request, InstallResult *ret, ErrorList *errors) {
        InstallRun run;
        Whole whole = { .run = &run, .result = ret, .errors = errors };

        *ret = (InstallResult) {};
        run_init(&run, request);
        parallel_each(run_whole, &whole, sizeof(whole), 1);
        run_report(&run, ret);

        for (NodeRun *n = run.nodes; n < run.nodes + run.n_nodes; n++) {
                for (size_t i = 0; i < n->errors.n_errors; i++)
                        error_list_take(errors, TAKE_PTR(n->errors.errors[i]));
                n->errors.n_errors = 0;
        }
        run_done(&run);
        return whole.r;
}

typedef struct Checking {
        InstallRun *run;
        CheckList *found;
        Error **reterr;
        int r;
} Checking;

/* The cluster serves, and this machine cannot ask it: install refuses that. */
static void check_unseen(const Error *error, CheckList *found) {
        Check *finding =
                check_add(found, CHECK_FAILED, CHECK_SERVING, NULL, CHECK_SERVING, "%s", error->message);

        finding->kind = error->kind;
        if (error->detail)
                check_advise(finding, "%.*s", (int) strcspn(error->detail, "\n"), error->detail);
}

static void check_whole(void *userdata) {
        Checking *c = userdata;
        _cleanup_error_ Error *error = NULL;
        int r;

        c->r = run_outline(c->run, c->reterr);
        if (c->r < 0)
                return;
        (void) run_identity(c->run, NULL);
        (void) crew_each(c->run, NULL, node_look);
        r = run_serving(c->run, &error);
        c->run->serving = c->run->serving || r == -EHOSTUNREACH;
        run_check(c->run, c->found);
        if (r == -EHOSTUNREACH)
                check_unseen(error, c->found);
}

/**
 * install_check() - look for everything that speaks against installing
 * @request:    whose nodes; dry_run is taken for granted
 * @ret:        gets the findings
 * @reterr:     why no plan could be made
 *
 * Return: 0, or a negative errno.
 */
int install_check(const InstallRequest *request, CheckList *ret, Error **reterr) {
        InstallRequest q = *request;
        InstallRun run;
        Checking checking = { .run = &run, .found = ret, .reterr = reterr };

        q.dry_run = true;
        run_init(&run, &q);
        run.checking = run.probes.thorough = run.probes.looks_only = true;
        parallel_each(check_whole, &checking, sizeof(checking), 1);
        run_done(&run);
        return checking.r;
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
        free(r->nodes);
        free(r->url);
        free(r->version);
        *r = (InstallResult) {};
}
