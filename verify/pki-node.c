/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A node's files against the store, and its clock against ours
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "verify/pki-internal.h"

#define CLOCK_WARN_SEC 2      /* as hardway verify: logs cannot be compared */
#define CLOCK_CRITICAL_SEC 60 /* what is issued now is refused, or accepted for too long */
#define PKI_DIRECTORY "/etc/kubernetes"

/* Files of the store, and the directories that keep others from them. */
static bool is_pki(const PlanItem *item) {
        if (item->type == PLAN_DIRECTORY)
                return startswith(item->path, PKI_DIRECTORY) != NULL;
        return item->type == PLAN_FILE && item->store_path;
}

static void plan_restrict(Plan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n_items; i++)
                if (is_pki(plan->items[i]))
                        plan->items[n++] = plan->items[i];
                else
                        plan_item_free(plan->items[i]);
        plan->n_items = n;
}

static int node_plan(const PkiCheckRequest *q, const Node *node, Plan **ret, Error **reterr) {
        PlanContext c = { .cluster = q->cluster, .node = node, .store = q->store };
        _cleanup_(plan_freep) Plan *plan = NULL;
        Facts facts;
        int r;

        facts_default(q->cluster, node, &facts);
        c.facts = &facts;
        r = plan_node(q->components, &c, &plan, reterr);
        facts_done(&facts);
        if (r < 0)
                return r;
        plan_restrict(plan);
        *ret = TAKE_PTR(plan);
        return 0;
}

static int node_look(const PkiCheckRequest *q, HostPool *hosts, const Plan *plan, Facts *ret_facts,
                     Observation **ret, Error **reterr) {
        Host *host;
        int r;

        r = host_pool_take(hosts, plan->node, &host, reterr);
        if (r < 0)
                return r;
        /* The files are small, and what was put there by somebody else is to be found. */
        r = host_look(host, plan, /* deep= */ true, ret_facts, ret, reterr);
        host_pool_give(hosts, plan->node);
        return r;
}

static void check_clock(const Node *node, const Facts *f, CheckList *checks) {
        int64_t distance = f->clock_offset < 0 ? -f->clock_offset : f->clock_offset;
        CheckState state = CHECK_OK;
        Check *check;

        if (distance > CLOCK_WARN_SEC)
                state = distance > CLOCK_CRITICAL_SEC ? CHECK_FAILED : CHECK_WARNING;
        check = check_add_on(checks, state, "clock", node, "clock", "%lld s %s ours", (long long) distance,
                             f->clock_offset < 0 ? "behind" : "ahead of");
        if (state != CHECK_OK)
                check_advise(check, "timedatectl on %s: is it synchronised? Or is it this machine's clock?",
                             node->name);
        check->data = json_pack("{s:I}", "offset_seconds", (json_int_t) f->clock_offset);
}

/* What the store itself lacks has been said already. */
static bool is_in_store(const PkiCheckRequest *q, const PlanItem *item) {
        const Buffer *content;

        return item->type != PLAN_FILE || store_file(q->store, item->store_path, &content, NULL) >= 0;
}

static bool lets_others_in(const PlanItem *item, const Observation *o) {
        const ObservedPath *found = observation_path(o, item->path);

        return (item->secret || item->type == PLAN_DIRECTORY) && found && (found->mode & 077 & ~item->mode);
}

static void add_change(const Change *change, const Observation *o, const Node *node, CheckList *checks) {
        const PlanItem *item = change->item;
        _cleanup_free_ char *id = xasprintf("file/%s%s", node->name, item->path);
        bool attributes = change->type == CHANGE_ATTRIBUTES;
        CheckState state = attributes && !lets_others_in(item, o) ? CHECK_WARNING : CHECK_FAILED;
        const char *what = change->type == CHANGE_UPDATE ? "is not what the store has" : change->reason;
        Check *check = check_add(checks, state, id, node, item->path, "%s", what);

        check_advise(check, "hardway install --node %s mends it", node->name);
}

static void check_files(const PkiCheckRequest *q, const Plan *plan, const Observation *o,
                        CheckList *checks) {
        Changes changes;
        size_t n = 0;

        plan_compare(plan, o, &changes);
        for (size_t i = 0; i < changes.n_changes; i++) {
                const Change *change = changes.changes + i;

                /* Without item: what else is on the node is no matter of ours. */
                if (!change->item || !is_in_store(q, change->item))
                        continue;
                add_change(change, o, plan->node, checks);
                n++;
        }
        changes_done(&changes);
        if (n == 0)
                check_add_on(checks, CHECK_OK, "files", plan->node, "files",
                             "%zu files and directories as in the store", plan->n_items);
}

static void add_failure(CheckState state, const char *what, const Node *node, const char *subject,
                        const Error *error, const char *advice, CheckList *checks) {
        /* "ssh: c0 does not answer" */
        Check *check =
                check_add_on(checks, state, what, node, subject, "%s", error_message_behind(error, subject));

        check_advise(check, "%s", advice);
}

/* May be called by several threads at once, each for another node. */
void pki_check_node(const PkiCheckRequest *q, HostPool *hosts, const Node *node, CheckList *checks) {
        _cleanup_(observation_freep) Observation *o = NULL;
        _cleanup_(facts_done) Facts facts = {};
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_error_ Error *error = NULL;

        if (node_plan(q, node, &plan, &error) < 0) {
                add_failure(CHECK_WARNING, "files", node, "files", error,
                            "the node's files were not compared: mend the store first", checks);
                return;
        }
        if (node_look(q, hosts, plan, &facts, &o, &error) < 0) {
                add_failure(CHECK_WARNING, "reach", node, "ssh", error,
                            "its files and clock were not looked at", checks);
                return;
        }
        check_files(q, plan, o, checks);
        check_clock(node, &facts, checks);
}
