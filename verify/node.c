/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "verify/node.h"
#include "common/alloc.h"
#include "plan/edition.h"

/* Certificates and tokens bear minutes; logs that are to be compared do not */
#define CLOCK_OFFSET_WARN_SEC 2
#define DISK_FULL (UINT64_C(100) * 1000 * 1000)
#define SHOWN_CHANGES 5u /* more are counted */

static PlanContext node_context(const VerifyRequest *q, const Node *node, const Facts *facts) {
        return (PlanContext) {
                .cluster = q->cluster,
                .node = node,
                .facts = facts,
                .store = q->store,
                .lock = q->lock,
        };
}

static int node_look(const VerifyRequest *q, HostPool *hosts, const Node *node, Facts *ret_facts,
                     Observation **ret, Error **reterr) {
        const PlanContext c = node_context(q, node, NULL);
        _cleanup_(plan_freep) Plan *outline = NULL;
        Host *host;
        int r;

        r = plan_outline(q->components, &c, &outline, reterr);
        if (r < 0)
                return r;
        r = host_pool_take(hosts, node, &host, reterr);
        if (r < 0)
                return r;
        r = host_look(host, outline, q->deep, ret_facts, ret, reterr);
        host_pool_give(hosts, node);
        return r;
}

static json_t* unit_data(const ObservedUnit *u) {
        return json_pack("{s:s, s:s, s:s, s:i, s:i}", "unit", u->name, "active",
                         u->active_state ?: "unknown", "sub", u->sub_state ?: "unknown", "pid",
                         (int) u->main_pid, "restarts", (int) u->n_restarts);
}

static void check_unit(const Plan *plan, const Observation *o, const PlanItem *item, CheckList *checks) {
        const ObservedUnit *u = observation_unit(o, item->unit.name);
        _cleanup_free_ char *id = xasprintf("node.unit/%s/%s", plan->node->name, item->unit.name);
        Check *check;

        if (!item->unit.running)
                return;
        if (u && streq_null(u->active_state, "active")) {
                check = check_add(checks, CHECK_OK, id, plan->node, item->unit.name, "runs");
        } else {
                check = check_add(checks, CHECK_FAILED, id, plan->node, item->unit.name, "%s%s%s",
                                  u && u->active_state ? u->active_state : "not there",
                                  u && u->result && !streq(u->result, "success") ? ", last result: " : "",
                                  u && u->result && !streq(u->result, "success") ? u->result : "");
                check_advise(check,
                             "journalctl -u %s on %s; hardway install --node %s starts what does not run",
                             item->unit.name, plan->node->name, plan->node->name);
        }
        if (u)
                check->data = unit_data(u);
}

static char* changes_text(const Changes *c) {
        Buffer text = BUFFER_NULL;

        for (size_t i = 0; i < c->n_changes && i < SHOWN_CHANGES; i++) {
                const Change *x = &c->changes[i];

                buffer_addf(&text, "%s%s %s", i > 0 ? ", " : "", change_type_to_string(x->type),
                            x->path ?: (x->item ? (x->item->path ?: x->item->id) : "systemd"));
        }
        if (c->n_changes > SHOWN_CHANGES)
                buffer_addf(&text, " and %zu more", c->n_changes - SHOWN_CHANGES);
        return buffer_take(&text);
}

/* What makes something otherwise than planned, and is its owner's wish; NULL: nothing. The caller frees. */
static char* left_text(const Changes *c) {
        _cleanup_strv_ Strv left = NULL;

        for (size_t i = 0; i < c->n_remarks; i++)
                if (c->remarks[i].of_the_plan)
                        strv_addf(&left, "%s %s", c->remarks[i].path, c->remarks[i].text);
        return left ? strv_join(left, "; ") : NULL;
}

static void check_plan(const Plan *plan, const Observation *o, CheckList *checks) {
        _cleanup_free_ char *text = NULL, *left = NULL;
        Changes changes;
        Check *check;

        plan_compare(plan, o, &changes);
        left = left_text(&changes);
        if (changes.n_changes == 0) {
                check = check_add_on(checks, CHECK_OK, "node.plan", plan->node, "plan",
                                     "%zu items as planned%s%s", plan->n_items,
                                     left ? "; left as it is: " : "", left ?: "");
        } else {
                text = changes_text(&changes);
                check = check_add_on(checks, CHECK_FAILED, "node.plan", plan->node, "plan",
                                     "%zu of %zu items differ: %s", changes.n_changes, plan->n_items, text);
                check_advise(check, "hardway plan --node %s shows how, hardway install mends it",
                             plan->node->name);
        }
        check->data = json_pack("{s:I, s:I}", "items", (json_int_t) plan->n_items, "differ",
                                (json_int_t) changes.n_changes);
        changes_done(&changes);
}

/* Said only where it is so. */
static void check_edition(const VerifyRequest *q, const Node *node, const Observation *o,
                          CheckList *checks) {
        _cleanup_free_ const Observation **all = xnew(const Observation*, q->cluster->n_nodes);
        _cleanup_free_ char *text = NULL;

        all[node->index] = o;
        text = edition_tell(q->store, q->cluster, all);
        if (text)
                check_advise(
                        check_add_on(checks, CHECK_FAILED, "node.edition", node, EDITION_CHECK, "%s", text),
                        "%s", EDITION_ADVICE);
}

static void check_clock(const Node *node, const Facts *f, CheckList *checks) {
        int64_t distance = f->clock_offset < 0 ? -f->clock_offset : f->clock_offset;
        bool well = distance <= CLOCK_OFFSET_WARN_SEC;
        Check *check;

        check = check_add_on(checks, well ? CHECK_OK : CHECK_WARNING, "node.clock", node, "clock",
                             "%lld s %s ours", (long long) distance,
                             f->clock_offset < 0 ? "behind" : "ahead of");
        if (!well)
                check_advise(check, "timedatectl on %s: is it synchronised?", node->name);
}

/* Whatever writes stops there: etcd, and with it the rest; and what they say of it scrolls by in their journals. */
static void check_disk(const Node *node, const Facts *f, CheckList *checks) {
        unsigned long long megabytes = f->disk_free / 1000000;
        Check *check;

        if (f->disk_free == 0)
                return;
        if (f->disk_free >= DISK_FULL) {
                check_add_on(checks, CHECK_OK, "node.disk", node, "disk", "%llu MB are free", megabytes);
                return;
        }
        check = check_add_on(checks, CHECK_FAILED, "node.disk", node, "disk",
                             "full: %llu MB are free where /var/lib and /opt lie", megabytes);
        check_advise(
                check,
                "make room on %s (du -xh / | sort -h | tail; journalctl --vacuum-size=100M): what stopped "
                "for it comes back by itself",
                node->name);
}

static void check_away(const Node *node, const Error *error, CheckList *checks) {
        const char *text = error ? error->message : "cannot be looked at";
        Check *check;

        check = check_add_on(checks, CHECK_FAILED, "node.reach", node, "ssh", "%s",
                             startswith(text, "ssh: ") ?: text);
        check_advise(check, "%s",
                     error && error->detail ? error->detail : "is it on, and does its network work?");
}

/**
 * verify_node() - compare one node with its plan
 */
void verify_node(const VerifyRequest *request, HostPool *hosts, const Node *node, CheckList *checks) {
        _cleanup_(observation_freep) Observation *o = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_error_ Error *error = NULL;
        Facts facts = {};
        const PlanContext c = node_context(request, node, &facts);
        int r;

        r = node_look(request, hosts, node, &facts, &o, &error);
        if (r >= 0)
                r = plan_node(request->components, &c, &plan, &error);
        if (r < 0) {
                check_away(node, error, checks);
        } else {
                PLAN_FOREACH(item, plan, PLAN_UNIT)
                        check_unit(plan, o, item, checks);
                check_plan(plan, o, checks);
                check_edition(request, node, o, checks);
                check_clock(node, &facts, checks);
                check_disk(node, &facts, checks);
        }
        facts_done(&facts);
}
