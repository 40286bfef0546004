/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/alloc.h"
#include "fetch/fetch.h"
#include "install/run.h"

/*
 * Looking at a node: facts and state in one round trip, then the plan made with the facts, then the
 * difference
 *
 * Which paths to look at does not depend on the facts, so that an outline, the plan made with default facts,
 * tells what to ask.
 */
static PlanContext node_context(const NodeRun *n) {
        const InstallRequest *q = n->run->request;

        return (PlanContext) {
                .cluster = q->cluster,
                .node = n->node,
                .facts = &n->facts,
                .store = q->store,
                .lock = q->lock,
        };
}

/* Where its advice begins: "pki/ca.crt (run: hardway pki gen)". */
static const char* advice_of(const char *missing) {
        return strstr(missing, " (run: ") ?: "";
}

/* What is had by the same command takes one line; more than a few of it are counted. The caller frees. */
static char* sum_up_missing(char *const *missing) {
        Buffer out = BUFFER_NULL;

        for (size_t i = 0; missing[i]; i++) {
                const char *advice = advice_of(missing[i]);
                size_t n_before = 0, n_after = 0;

                for (size_t k = 0; missing[k]; k++)
                        if (k != i && streq(advice_of(missing[k]), advice))
                                *(k < i ? &n_before : &n_after) += 1;
                if (*advice && n_before > 0)
                        continue;
                buffer_addf(&out, "%s%.*s", out.size > 0 ? "\n" : "",
                            (int) (strlen(missing[i]) - strlen(advice)), missing[i]);
                if (*advice && n_after > 0)
                        buffer_addf(&out, " and %zu more", n_after);
                buffer_add_str(&out, advice);
        }
        return buffer_take(&out);
}

/**
 * run_outline() - make every chosen node's plan with default facts
 *
 * Finds what is missing (keys not made, binaries not fetched) once for all nodes, before any of them is
 * asked anything.
 */
int run_outline(InstallRun *run, Error **reterr) {
        _cleanup_strv_ Strv missing = NULL;
        _cleanup_free_ char *text = NULL;
        int r;

        RUN_FOREACH_NODE(n, run) {
                PlanContext context = node_context(n);

                if (!n->selected)
                        continue;
                r = plan_outline(run->request->components, &context, &n->outline, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", n->node->name);
                STRV_FOREACH(m, n->outline->missing)
                        if (!strv_contains(missing, *m))
                                strv_add(&missing, *m);
        }
        if (!missing || run->request->dry_run)
                return 0;
        text = sum_up_missing(missing);
        r = error_set(reterr, ERROR_CONFIG, ENOENT,
                      "the cluster directory is not complete, so nothing can be installed yet");
        error_detail(reterr, "%s\n", text);
        return r;
}

/* All binaries that will travel must be here before the first byte does. */
static int node_binaries_cached(const NodeRun *n, Error **reterr) {
        const InstallRequest *q = n->run->request;

        if (q->dry_run)
                return 0;
        for (size_t i = 0; i < n->changes.n_changes; i++) {
                const PlanItem *item = n->changes.changes[i].item;
                _cleanup_free_ char *path = NULL;
                const LockEntry *entry;

                if (!item || item->type != PLAN_BINARY)
                        continue;
                entry = lock_find(q->lock, item->binary.artifact, item->binary.version,
                                  item->binary.architecture);
                path = entry ? fetch_cache_path(n->run->cache, entry) : NULL;
                if (!path || access(path, R_OK) < 0)
                        return error_set(reterr, ERROR_CONFIG, ENOENT,
                                         "%s %s for %s is not in the cache: run hardway fetch",
                                         item->binary.artifact, item->binary.version,
                                         item->binary.architecture);
        }
        return 0;
}

/* Once a run, however often it is looked at. A dry run has them in its result. */
static void node_tell_remarks(NodeRun *n) {
        if (n->remarked || n->run->request->dry_run)
                return;
        n->remarked = true;
        for (size_t i = 0; i < n->changes.n_remarks; i++) {
                const Remark *remark = n->changes.remarks + i;
                _cleanup_free_ char *text =
                        xasprintf("%s %s: it is left as it is", remark->path, remark->text);

                node_event(n, INSTALL_NOTE, text, 0, 0);
        }
}

/* Fills in facts, observation and plan. */
static int node_observe(NodeRun *n, bool deep, Error **reterr) {
        _cleanup_(observation_freep) Observation *observation = NULL;
        const PlanContext context = node_context(n);
        Facts facts = {};
        Host *host;
        int r;

        r = node_host(n, &host, reterr);
        if (r < 0)
                return r;
        r = host_look(host, n->outline, deep, &facts, &observation, reterr);
        node_release(n);
        if (r < 0)
                return r;

        n->overtaken =
                !n->touched && n->observation && n->observation->generation != observation->generation;
        facts_done(&n->facts);
        n->facts = facts;
        observation_free(n->observation);
        n->observation = TAKE_PTR(observation);
        changes_done(&n->changes);
        n->plan = plan_free(n->plan);

        return plan_node(n->run->request->components, &context, &n->plan, reterr);
}

/**
 * node_look() - learn how a node differs from its plan
 *
 * Fills in facts, observation, plan and changes; may be called again, after the node was locked or changed.
 */
int node_look(NodeRun *n, Error **reterr) {
        int r;

        node_step(n, STAGE_FACTS, NULL);
        r = node_observe(n, n->run->request->deep, reterr);
        if (r < 0)
                return r;
        plan_compare(n->plan, n->observation, &n->changes);
        if (n->n_found == 0)
                n->n_found = n->changes.n_changes;
        node_tell_remarks(n);
        if (node_differs(n) && n->outcome == INSTALL_UNCHANGED)
                n->outcome = INSTALL_UNTOUCHED; /* by now: somebody else was at work */
        if (n->changes.n_changes == 0 && !n->touched)
                node_end(n, INSTALL_UNCHANGED, "nothing to change");
        return node_binaries_cached(n, reterr);
}

/**
 * node_look_beside() - look at a node that is not to be changed
 * @n:          the node, which is not selected; beside is set if it is there, and of this cluster
 *
 * Nobody is told of it, and how it differs is no matter.
 */
void node_look_beside(NodeRun *n) {
        const PlanContext context = node_context(n);

        if (plan_outline(n->run->request->components, &context, &n->outline, NULL) < 0 ||
            node_observe(n, /* deep= */ false, NULL) < 0)
                return;
        n->beside = n->observation->identity && streq_null(n->observation->identity, n->run->identity);
}
