/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdlib.h>

#include "check/check.h"
#include "common/alloc.h"
#include "install/run.h"
#include "plan/edition.h"
#include "plan/served.h"

/*
 * Refuse before the first write
 *
 * Everything that speaks against changing a node, of all nodes at once. What that is, the rules of check/
 * say, and the components; this is where the rules' world is made of a run, and where findings become errors
 * of the run or a list to look at.
 */

typedef struct Preflight {
        InstallRun *run;
        CheckWorld world;
        CheckNode *nodes; /* as those of the run */
        Answers *answers; /* as above */
        Answers here;
        CheckList *found; /* as above: findings about single nodes */
        StoreMisfits misfits;
        bool thorough;
        bool joining; /* a node to a cluster that serves */
        bool beside;  /* others were looked at for its sake */
} Preflight;

static bool is_known(const NodeRun *n) {
        return (n->selected || n->beside) && n->observation && n->plan;
}

/* Nodes that are as they should be have shown that they can live with what a rule says. */
static bool is_judged(const NodeRun *n) {
        return n->selected && is_known(n) && (n->run->checking || node_differs(n));
}

/* Nothing of this one ever ran there, as on a controller that becomes a load balancer. */
static bool node_lacks(const NodeRun *n, const Component *c) {
        for (size_t i = 0; i < n->changes.n_changes; i++) {
                const Change *change = n->changes.changes + i;

                if (change->type == CHANGE_CREATE && change->item->type == PLAN_UNIT &&
                    streq(change->item->unit.name, c->unit))
                        return true;
        }
        return false;
}

/* Some nodes are about to be given what cannot be taken back: they may be other hosts by now, and copies of these. */
static bool run_asks_for_some(const InstallRun *run) {
        return run->asking && !run_is_whole(run);
}

/* To the cluster, or to those that do something in it. */
static bool node_joins(const NodeRun *n) {
        if (!is_known(n))
                return false;
        if (n->selected && run_asks_for_some(n->run))
                return true;
        RUN_FOREACH_COMPONENT(c, n->run)
                if (c->unit && node_lacks(n, c))
                        return true;
        return !n->observation->identity;
}

static bool run_lets_join(const InstallRun *run) {
        RUN_FOREACH_NODE(n, run)
                if (n->selected && node_differs(n) && run->serving && node_joins(n))
                        return true;
        return false;
}

static CheckNode check_node_of(const NodeRun *n) {
        CheckNode node = { .node = n->node,
                           .chosen = n->selected,
                           .reached = n->observation != NULL,
                           .anew = n->node == n->run->request->anew,
                           .judged = is_judged(n),
                           .joins = node_joins(n),
                           .beside = n->beside };

        if (!is_known(n))
                return node;
        node.facts = &n->facts;
        node.observation = n->observation;
        node.plan = n->plan;
        node.put_size = n->changes.put_size;
        return node;
}

static bool run_takes_step(const InstallRun *run) {
        RUN_FOREACH_NODE(n, run) {
                const CheckNode node = check_node_of(n);

                if (n->selected && node_differs(n) && check_takes_step(run->request->cluster, &node))
                        return true;
        }
        return false;
}

/* What is between a node that joins and the others concerns both, also where only the one is to be changed; and how far a
 * node may go hangs on how far the others are. */
static bool run_looks_beside(const InstallRun *run) {
        return !run_is_whole(run) && (run_lets_join(run) || run_takes_step(run));
}

static void preflight_init(InstallRun *run, Preflight *ret) {
        const InstallRequest *q = run->request;
        bool lets_join = run_lets_join(run);

        *ret = (Preflight) {
                .run = run,
                .nodes = xnew(CheckNode, run->n_nodes + 1),
                .answers = xnew(Answers, run->n_nodes + 1),
                .found = xnew(CheckList, run->n_nodes + 1),
                .thorough = run->checking || run->asking,
        };
        ret->world = (CheckWorld) {
                .cluster = q->cluster,
                .components = q->components,
                .nodes = ret->nodes,
                .identity = run->identity,
                .serving = run->serving,
                .served = plan_has_served(q->store),
                .ignore = q->ignore,
                .lock = q->lock,
                .cache = run->cache,
        };
        for (size_t i = 0; i < run->n_nodes; i++) {
                const NodeRun *n = run->nodes + i;

                ret->nodes[i] = check_node_of(n);
                if (!is_known(n))
                        continue;
                ret->beside = ret->beside || (n->beside && lets_join);
                ret->joining = ret->joining || (run->serving && node_joins(n));
        }
        ret->world.joining = ret->joining && !ret->thorough;
        run->preflight = ret;
}

static void preflight_done(Preflight *p) {
        for (size_t i = 0; i < p->run->n_nodes; i++) {
                answers_done(p->answers + i);
                check_list_done(p->found + i);
        }
        answers_done(&p->here);
        store_misfits_done(&p->misfits);
        free(p->nodes);
        free(p->answers);
        free(p->found);
        p->run->preflight = NULL;
}

/* Network and disk are asked about where nothing serves yet, and of a node that joins: else the cluster itself is the
 * answer. */
static int node_ask(NodeRun *n, Error **reterr) {
        Preflight *p = n->run->preflight;
        size_t i = n->node->index;
        int r;

        if (!p->thorough && n->run->serving && !node_joins(n))
                return 0;
        node_step(n, STAGE_QUESTIONS, NULL);
        r = check_ask(&n->run->probes, &p->world, p->nodes + i, p->thorough, p->answers + i, reterr);
        if (r >= 0)
                p->nodes[i].answers = p->answers + i;
        return r;
}

static int node_judge(NodeRun *n, Error **reterr) {
        Preflight *p = n->run->preflight;
        size_t i = n->node->index;
        int r;

        r = node_ask(n, reterr);
        if (r < 0)
                return r;
        check_node(&p->world, p->nodes + i, p->found + i);
        return check_components(&p->world, &n->run->probes, n->node, p->found + i, reterr);
}

/* What a node is warned of is said once, when hardway comes to it. */
static void refuse_findings(NodeRun *n, const CheckList *found) {
        for (size_t i = 0; i < found->n_checks; i++) {
                const Check *finding = found->checks + i;

                if (finding->state == CHECK_FAILED)
                        error_list_take(&n->errors, check_to_error(finding));
                else if (finding->state == CHECK_WARNING && node_joins(n))
                        node_event(n, INSTALL_WARNING, finding->text, 0, 0);
        }
}

static int node_judge_and_refuse(NodeRun *n, Error **reterr) {
        int r;

        r = node_judge(n, reterr);
        if (r >= 0)
                refuse_findings(n, n->run->preflight->found + n->node->index);
        return r;
}

/* A node of a cluster that serves, and others join: are the ways to them open? That one cannot be asked is told when
 * it is to be changed, if it is. */
static void ask_ways(NodeRun *n, CheckList *found) {
        Preflight *p = n->run->preflight;
        size_t i = n->node->index;
        CheckNode node = p->nodes[i];

        if (check_ask(&n->run->probes, &p->world, p->nodes + i, false, p->answers + i, NULL) < 0)
                return;
        node.answers = p->answers + i;
        check_reach(&p->world, &node, found);
}

static int node_ask_ways(NodeRun *n, Error **reterr) {
        _cleanup_(check_list_done) CheckList found = {};

        ask_ways(n, &found);
        refuse_findings(n, &found);
        return 0;
}

static void ask_ways_beside(NodeRun *n) {
        if (n->beside)
                ask_ways(n, n->run->preflight->found + n->node->index);
}

static bool node_hears_of_others(const NodeRun *n) {
        return is_known(n) && !node_joins(n);
}

/* After all single nodes were judged: what an old one says of itself counts beside a new one's only. */
static void judge_ways_to_joiners(Preflight *p) {
        if (p->world.joining)
                (void) crew_each(p->run, node_hears_of_others, node_ask_ways);
        if (p->beside)
                crew_beside(p->run, ask_ways_beside);
        RUN_FOREACH_NODE(n, p->run)
                if (n->beside || (p->world.joining && node_hears_of_others(n)))
                        p->nodes[n->node->index].answers = p->answers + n->node->index;
}

/* The caller frees. */
char* run_outdated(const InstallRun *run) {
        _cleanup_free_ const Observation **o = xnew(const Observation*, run->n_nodes + 1);

        for (size_t i = 0; i < run->n_nodes; i++)
                o[i] = run->nodes[i].observation;
        return edition_tell(run->request->store, run->request->cluster, o);
}

static void judge_all(Preflight *p, CheckList *found) {
        _cleanup_free_ char *outdated = run_outdated(p->run);

        if (p->thorough || !p->run->serving || p->joining) {
                check_ask_here(&p->world, &p->here);
                p->world.here = &p->here;
        }
        p->world.editions = p->run->request->store != NULL;
        p->world.outdated = outdated;
        check_all(&p->world, found);
        p->world.outdated = NULL;
}

/* Whether something speaks against going on with nodes that can be reached. */
static int end_refused(InstallRun *run, int r) {
        RUN_FOREACH_NODE(n, run) {
                if (n->errors.n_errors == 0 || n->outcome == INSTALL_BROKEN)
                        continue;
                node_end(n, INSTALL_BROKEN, "refused");
                r = r < 0 ? r : -n->errors.errors[0]->errnum;
        }
        return r;
}

static bool is_of(const Check *finding, const char *name) {
        const char *rest = startswith(finding->id, name);

        return rest && *rest == '/';
}

/* name: of the one check that counts, "versions" of "versions/c0"; NULL: all do. */
static void take_failures(const CheckList *found, const char *name, ErrorList *errors) {
        for (size_t i = 0; i < found->n_checks; i++)
                if (found->checks[i].state == CHECK_FAILED && (!name || is_of(found->checks + i, name)))
                        error_list_take(errors, check_to_error(found->checks + i));
}

/**
 * run_judge() - look for what speaks against changing the nodes that differ
 * @run:        the run, which has their locks
 * @errors:     gets what is not of a single node
 *
 * Return: 0, or a negative errno if there are errors now; nothing was written anywhere.
 */
int run_judge(InstallRun *run, ErrorList *errors) {
        size_t before = errors->n_errors;
        CheckList found = {};
        Preflight p;
        int r;

        if (run_looks_beside(run))
                crew_beside(run, node_look_beside);
        preflight_init(run, &p);
        r = crew_each(run, node_differs, node_judge_and_refuse);
        judge_ways_to_joiners(&p);
        judge_all(&p, &found);
        take_failures(&found, NULL, errors);
        RUN_FOREACH_NODE(n, run)
                if (n->beside)
                        take_failures(p.found + n->node->index, NULL, errors);
        check_list_done(&found);
        preflight_done(&p);

        r = end_refused(run, r);
        if (r >= 0 && errors->n_errors > before)
                r = -errors->errors[before]->errnum;
        return r;
}

/**
 * run_foresee_versions() - would an installation refuse the versions of the cluster file?
 * @run:        a dry run, which has looked at the nodes and knows whether the cluster serves
 * @errors:     gets why
 *
 * Of all that speaks against an installation this is what the cluster file alone decides on: it is told of whoever asks what
 * would be changed. Asks the nodes nothing but what others run that are not chosen.
 *
 * Return: 0, or a negative errno if there are errors now.
 */
int run_foresee_versions(InstallRun *run, ErrorList *errors) {
        size_t before = errors->n_errors;
        Preflight p;

        if (run_looks_beside(run))
                crew_beside(run, node_look_beside);
        preflight_init(run, &p);
        RUN_FOREACH_NODE(n, run) {
                size_t i = n->node->index;

                if (!n->selected || !node_differs(n))
                        continue;
                check_node(&p.world, p.nodes + i, p.found + i);
                take_failures(p.found + i, VERSIONS_CHECK, errors);
        }
        preflight_done(&p);
        return errors->n_errors > before ? -errors->errors[before]->errnum : 0;
}

/* Whoever installs has looked before anything else. A store that cannot be read is no business of this. */
static void find_misfits(Preflight *p) {
        const InstallRequest *q = p->run->request;

        if (q->store && store_find_misfits(q->store, q->components, q->cluster, clock_realtime(),
                                           &p->misfits, NULL) >= 0)
                p->world.misfits = &p->misfits;
}

/* A node that could not be looked at, or not be asked: its errors are the finding. */
static void check_failures(NodeRun *n, CheckList *found) {
        for (size_t i = 0; i < n->errors.n_errors; i++)
                check_failure(n->node, n->errors.errors[i], found);
}

/**
 * run_check() - look for what speaks against installing, on every chosen node
 * @run:        the run; its nodes were looked at, as far as they could be
 * @ret:        gets the findings: of each node, then of all of them
 */
void run_check(InstallRun *run, CheckList *ret) {
        CheckList all = {};
        Preflight p;

        if (!run_is_whole(run) && run_takes_step(run))
                crew_beside(run, node_look_beside);
        preflight_init(run, &p);
        find_misfits(&p);
        (void) crew_each(run, is_judged, node_judge);
        judge_all(&p, &all);
        for (size_t i = 0; i < run->n_nodes; i++) {
                if (run->nodes[i].selected)
                        check_failures(run->nodes + i, ret);
                check_list_append(ret, p.found + i);
        }
        check_list_append(ret, &all);
        preflight_done(&p);
}
