/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/replace-internal.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/shell.h"
#include "etcd/data.h"
#include "etcd/survey.h"
#include "host/pool.h"
#include "operate/hold.h"
#include "operate/left-out.h"
#include "operate/operate-scripts.h"
#include "operate/proven.h"
#include "plan/drain.h"

static void replace_done(Replace *s) {
        etcd_survey_done(&s->survey);
        replace_former_done(&s->former);
        host_pool_free(s->hosts);
}

static void step(const Replace *s, Stage stage) {
        install_stage(&s->request->install, s->node, stage);
}

static int confirm(const Replace *s, Error **reterr) {
        _cleanup_free_ char *what = NULL;

        if (!s->request->confirm)
                return 0;
        what = s->unfinished ?
                       xasprintf("Finish what an earlier run has begun on %s? Its new member votes already.",
                                 s->node->name) :
               s->own->member ?
                       xasprintf(
                               "Take the member of %s (%s) out, and set up a new one there? What is left of "
                               "its data goes.",
                               s->node->name, etcd_state_to_string(s->own->state)) :
                       xasprintf("Set up a new member on %s? etcd data that lies there goes.",
                                 s->node->name);
        return s->request->confirm(s->request->userdata, what, reterr);
}

static int bring_back(const Replace *s, Error **reterr) {
        return drain_bring_back(s->request->install.components, &s->probes, reterr);
}

static int stop(Replace *s, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;
        int r;

        buffer_add_str(&script, "# nothing of the old member runs, and its data is out of the way\n");
        shell_add_variable(&script, "data", ETCD_DATA);
        shell_add_variable(&script, "began", ETCD_BEGAN_PATH);
        buffer_add_str(&script, EMBED_REPLACE_STOP_SH);
        step(s, STAGE_REPLACE_STOP);
        r = replace_stop_former(s, reterr);
        if (r < 0)
                return r;
        s->stopped = true;
        return host_pool_exec(s->hosts, s->node, buffer_str(&script), NULL, reterr);
}

static int take_out(Replace *s, Error **reterr) {
        int r;

        if (s->own->member) {
                step(s, STAGE_REPLACE_OUT);
                r = etcd_member_remove_patiently(&s->one->peer.endpoint, s->own->member->id, reterr);
                if (r < 0)
                        return r;
        }
        s->out = true;
        return 0;
}

/* What is amiss is told by who has failed; what is left to be done after that, here. */
static void say_how_to_go_on(const Replace *s, Error **reterr) {
        if (s->stopped)
                error_detail(
                        reterr,
                        "The old member of %s is stopped%s, and there is no new one that votes yet; the others go "
                        "on without it. The same command goes on from here: hardway etcd replace %s\n",
                        s->node->name, s->out ? " and out of the list" : "", s->node->name);
}

static int install(Replace *s, ErrorList *errors) {
        InstallRequest request = s->request->install;
        _cleanup_(left_out_return_done) LeftOutReturn back = {};
        _cleanup_free_ char *again = NULL;
        InstallResult result = {};
        Error *error = NULL;
        int r;

        if (s->left_out) {
                r = left_out_return(&request, s->node, &back, &error);
                if (r < 0) {
                        error_list_take(errors, error);
                        return r;
                }
                request.store = back.store;
                request.nodes = back.nodes;
                request.n_nodes = back.n_nodes;
        }
        request.hosts = s->hosts;
        request.anew = s->node;
        if (!replace_is_told(s)) {
                request.nodes = &s->node;
                request.n_nodes = 1;
        }
        request.joined = replace_is_told(s);
        again = xasprintf("hardway etcd replace %s", s->node->name);
        request.again = again;
        r = install_run(&request, &result, errors);
        install_result_done(&result);
        if (r < 0 && errors->n_errors > 0)
                say_how_to_go_on(s, errors->errors + errors->n_errors - 1);
        return r;
}

/* The list says whether there is one, and so whether the old data may go. */
static int prove(Replace *s, Error **reterr) {
        int r;

        r = replace_survey(s, reterr);
        if (r < 0)
                return r;
        if (etcd_sight_is_sound(s->own))
                return 0;
        r = error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "%s: the new member does not vote yet: %s",
                      s->node->name,
                      s->own->state != ETCD_HEALTHY ? etcd_state_to_string(s->own->state) :
                      s->own->member                ? "learner" :
                                                      "it is not in the list of members");
        error_detail(reterr, "The same command goes on: hardway etcd replace %s\n", s->node->name);
        return r;
}

static int finish(Replace *s, Error **reterr) {
        static const char script[] = "# the new member works: what was left of the old goes\n"
                                     "rm -rf " ETCD_DATA "/replaced\n";
        _cleanup_free_ char *directory = fs_path_dirname(s->request->install.cluster->path);
        int r;

        r = prove(s, reterr);
        if (r >= 0)
                r = host_pool_exec(s->hosts, s->node, script, NULL, reterr);
        if (r >= 0 && s->left_out)
                r = left_out_forget(directory, s->node, reterr);
        if (r >= 0)
                r = replace_forget_former(s, reterr);
        return r < 0 ? r : bring_back(s, reterr);
}

/* A learner that has come half way in an earlier run: the installation goes on with it. */
static bool is_under_way(const Replace *s) {
        return s->own->member && s->own->member->learner && !s->moved && s->data;
}

/* While somebody was asked, or waited for, the others may have changed. */
static int lock_and_look_again(Replace *s, Error **reterr) {
        const InstallRequest *q = &s->request->install;
        const HoldRequest hold = {
                .cluster = q->cluster,
                .roles = ROLE_ALL,
                .holder = q->holder,
                .wait = q->wait,
                .lenient = true,
                .firm = &s->node,
                .n_firm = 1,
        };
        int r;

        r = hold_nodes(s->hosts, &hold, reterr);
        return r < 0 ? r : replace_look(s, reterr);
}

static int go_on(const Replace *s, Error **reterr) {
        return error_if_cancelled(s->request->install.cancelled, reterr,
                                  "stopped as asked; the member of %s is as it was", s->node->name);
}

/* From the load balancers; whatever comes of it, it is brought back in the end. */
static int set_aside(Replace *s, Error **reterr) {
        int r;

        step(s, STAGE_REPLACE_ASIDE);
        s->aside = true;
        r = drain_set_aside(s->request->install.components, &s->probes, s->node, reterr);
        return r < 0 ? r : go_on(s, reterr);
}

static int refuse_without(const Replace *s, const Node *node, Error *why, Error **reterr) {
        int r = error_propagate(reterr, why);

        error_detail(reterr,
                     "All nodes have to be told of the new member of %s; nothing was changed. "
                     "Switch it on, or take it out of the cluster file if it is gone for good.\n",
                     s->node->name);
        return error_prefix(reterr, r, "%s", node->name);
}

/* Where others have to be told of the member, none may be missing once the old one is out: then nobody would be started. */
static int refuse_missing(const Replace *s, Error **reterr) {
        const InstallRequest *q = &s->request->install;
        _cleanup_free_ const Node **nodes = xnew(const Node*, q->n_nodes + 1);
        _cleanup_free_ Error **errors = xnew(Error*, q->n_nodes + 1);
        size_t n = 0;
        int r = 0;

        for (size_t i = 0; replace_is_told(s) && i < q->n_nodes; i++)
                if (q->nodes[i] == s->node || !left_out_knows(q->store, q->nodes[i]))
                        nodes[n++] = q->nodes[i];
        host_pool_reach(s->hosts, nodes, n, errors);
        for (size_t i = 0; i < n; i++)
                if (r < 0 || !errors[i])
                        error_free(errors[i]);
                else
                        r = refuse_without(s, nodes[i], errors[i], reterr);
        return r;
}

static void say_unchanged(const Replace *s, ErrorList *errors) {
        if (errors->n_errors > 0)
                error_detail(
                        errors->errors + errors->n_errors - 1,
                        "Asked before the member of %s is taken out%s; nothing was changed. When that is mended: "
                        "hardway etcd replace %s\n",
                        s->node->name,
                        replace_is_told(s) ? ", as the other nodes have to be told where it is now" : "",
                        s->node->name);
}

/*
 * Nor may anything else speak against it, for the same reason: a disk that is full, a package that is not to be had, or the
 * old host, which was left on, and may hold the VIP still. That the node's data is of a member that is to go is why all
 * this is done. Of one that was left out only the copy of the directory is asked about: the rest is judged when it comes back.
 */
static int judge(const Replace *s, ErrorList *errors) {
        InstallRequest request = s->request->install;
        _cleanup_strv_ Strv ignore = NULL;
        int r;

        request.hosts = s->hosts;
        request.anew = s->node;
        if (s->left_out) {
                r = proven_check_copy(&request, errors);
                if (r < 0)
                        say_unchanged(s, errors);
                return r;
        }
        STRV_FOREACH(name, request.ignore)
                strv_add(&ignore, *name);
        strv_addf(&ignore, ETCD_PREFLIGHT "/%s", s->node->name);
        request.ignore = ignore;
        request.dry_run = false; /* binaries that are not here are no reason for a plan to be refused */
        if (!replace_is_told(s)) {
                request.nodes = &s->node;
                request.n_nodes = 1;
        }
        r = install_judge(&request, errors);
        if (r < 0)
                say_unchanged(s, errors);
        return r;
}

/* The new member is on its way already, or there. */
static bool is_begun(const Replace *s) {
        return s->unfinished || is_under_way(s);
}

/* All that can be found out while nothing is changed. */
static int ask_ahead(Replace *s, bool *ret_apiserver, ErrorList *errors, Error **reterr) {
        int r;

        r = replace_check_node(s, ret_apiserver, reterr);
        if (r >= 0)
                r = refuse_missing(s, reterr);
        return r < 0 || is_begun(s) ? r : judge(s, errors);
}

/* While it can still be asked to; else it costs an election. */
static void hand_over(const Replace *s) {
        const EtcdPeer *peer = s->former.peer.url ? &s->former.peer : &s->own->peer;

        if (s->own == etcd_survey_leader(&s->survey))
                (void) etcd_transfer_leadership(&peer->endpoint, s->one->member->id, NULL);
}

static int prepare(Replace *s, ErrorList *errors, Error **reterr) {
        bool apiserver = false, former_apiserver = false;
        int r;

        step(s, STAGE_REPLACE_LOOK);
        r = lock_and_look_again(s, reterr);
        if (r >= 0)
                r = ask_ahead(s, &apiserver, errors, reterr);
        if (r >= 0)
                r = go_on(s, reterr);
        if (r < 0 || is_begun(s))
                return r;
        replace_find_former(s, &former_apiserver);
        hand_over(s);
        if (apiserver || former_apiserver)
                r = set_aside(s, reterr);
        if (r >= 0)
                r = stop(s, reterr);
        if (r >= 0)
                r = take_out(s, reterr);
        if (r < 0)
                say_how_to_go_on(s, reterr);
        return r;
}

/**
 * replace_run() - set up a new member in place of a lost one
 * @request:    which, and how
 * @errors:     why not
 *
 * Return: 0 once the new member votes and its node does its work; a negative errno otherwise.
 */
int replace_run(const ReplaceRequest *request, ErrorList *errors) {
        const InstallRequest *q = &request->install;
        _cleanup_(replace_done) Replace s = {
                .request = request,
                .node = request->node,
                .hosts = host_pool_new(q->cluster, q->host),
        };
        bool apiserver;
        Error *error = NULL;
        int r;

        s.probes = host_pool_probes(s.hosts, q->cluster, q->store, q->cancelled);
        s.left_out = left_out_knows(q->store, s.node);
        r = replace_look(&s, &error);
        if (r >= 0 && q->dry_run)
                r = ask_ahead(&s, &apiserver, errors, &error);
        if (r >= 0)
                r = confirm(&s, &error);
        if (r >= 0 && !q->dry_run)
                r = prepare(&s, errors, &error);
        if (r >= 0 && !q->dry_run)
                r = install(&s, errors);
        if (r >= 0 && !q->dry_run)
                r = finish(&s, &error);
        if (r < 0 && s.aside)
                (void) bring_back(&s, NULL);
        if (error)
                error_list_take(errors, error);
        return r;
}
