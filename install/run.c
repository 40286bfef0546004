/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "install/run.h"

#include <errno.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "plan/drain.h"

/*
 * A run from end to end: look, refuse, lock, look again, change, prove. The parts are in files of their own.
 */

void run_init(InstallRun *run, const InstallRequest *request) {
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
        run->probes.chosen = request->nodes;
        run->probes.n_chosen = request->n_nodes;
        for (size_t i = 0; i < run->n_nodes; i++) {
                NodeRun *n = &run->nodes[i];

                n->run = run;
                n->node = &request->cluster->nodes[i];
                for (size_t k = 0; k < request->n_nodes; k++)
                        if (request->nodes[k] == n->node)
                                n->selected = true;
        }
}

void run_done(InstallRun *run) {
        for (size_t i = 0; i < run->n_nodes; i++) {
                NodeRun *n = &run->nodes[i];

                changes_done(&n->changes);
                plan_free(n->plan);
                plan_free(n->outline);
                free(n->waits_for);
                observation_free(n->observation);
                facts_done(&n->facts);
                error_free(n->unreached);
                error_list_done(&n->errors);
        }
        if (!run->request->hosts)
                host_pool_free(run->hosts); /* releases the nodes' locks too */
        free(run->nodes);
        free(run->identity);
        free(run->cache);
}

/* In the order of the cluster file */
void run_give_errors(InstallRun *run, ErrorList *errors) {
        RUN_FOREACH_NODE(n, run) {
                for (size_t i = 0; i < n->errors.n_errors; i++)
                        error_list_take(errors, TAKE_PTR(n->errors.errors[i]));
                n->errors.n_errors = 0;
        }
}

int run_identity(InstallRun *run, Error **reterr) {
        const InstallRequest *q = run->request;
        int r;

        r = plan_identity(q->store, &run->identity, q->dry_run ? NULL : reterr);
        if (r < 0 && !q->dry_run)
                return error_prefix(reterr, r, "the cluster has no identity yet (hardway pki gen makes it)");
        return 0;
}

/* Certificates that have expired shut everybody out, and a member that has a new one does not talk to those that do
 * not: they cannot be changed one after the other. That it is not this machine's clock that is wrong, the preflight
 * sees to. */
int run_serving(InstallRun *run, Error **reterr) {
        int r;

        RUN_FOREACH_COMPONENT(c, run) {
                Error *error = NULL;
                bool serving = false;

                if (!c->serving)
                        continue;
                r = c->serving(&run->probes, &serving, &error);
                if (r == -EKEYEXPIRED)
                        error = error_free(error);
                else if (r < 0)
                        return error_propagate(reterr, error);
                run->serving = run->serving || serving;
        }
        return 0;
}

/* Those that were to be changed; and the others, too, if somebody was at work: it may have been done by another cluster file. */
static int run_look_again(InstallRun *run) {
        bool overtaken = run->waited;
        int r;

        if (!overtaken) {
                r = crew_each(run, node_differs, node_look);
                if (r < 0)
                        return r;
        }
        RUN_FOREACH_NODE(n, run)
                overtaken = overtaken || n->overtaken;
        return overtaken ? crew_each(run, run->waited ? NULL : node_is_as_planned, node_look) : 0;
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
                r = run_look_again(run);
        if (r >= 0 && !run->serving)
                r = run_serving(run, reterr);
        return r < 0 ? r : run_hold(run, /* wait= */ false, reterr);
}

static int run_change(InstallRun *run, ErrorList *errors) {
        Error *error = NULL;
        int r;

        r = run_take(run, &error);
        if (run->serving)
                run_note_served(run);
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
        RUN_FOREACH_NODE(n, run)
                if (n->waits_for)
                        return true;
        return false;
}

/* The API does not answer, and nothing differs: then a node waits, or something is broken. */
static int run_ask_why(InstallRun *run) {
        int r;

        r = crew_each(run, NULL, node_ready);
        RUN_FOREACH_NODE(n, run)
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

static int run_converge(InstallRun *run, InstallResult *result, ErrorList *errors) {
        int r;

        r = run_record_due(run);
        if (r >= 0)
                r = result->changed ? run_change(run, errors) : crew_each(run, NULL, node_settle);
        return r < 0 ? r : run_finish(run, result, errors);
}

/* A dry run tells what install would refuse before its first change: a cluster that serves and cannot be asked, or
 * lives where the cluster file does not look; and versions that it does not take. All else that cannot be asked has an end
 * elsewhere. */
static int run_foresee(InstallRun *run, const InstallResult *result, ErrorList *errors) {
        Error *error = NULL;
        int r;

        if (!result->changed || !run->request->store)
                return 0;
        r = run_serving(run, &error);
        if (r == -EHOSTUNREACH || r == -EEXIST) {
                error_list_take(errors, error);
                return r;
        }
        error_free(error);
        return run_foresee_versions(run, errors);
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
        RUN_FOREACH_NODE(n, run)
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
        return r < 0 ? r : run_foresee(run, result, errors);
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

        run_give_errors(&run, errors);
        run_done(&run);
        return whole.r;
}
