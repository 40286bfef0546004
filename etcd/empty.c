/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A node without data: may its member begin?
 *
 * A member that voted has promised to keep what it was sent. With an empty disk it knows nothing of that; a quorum
 * that counts it may lack what was acknowledged, and nobody would notice. While a quorum of the others answers, its
 * list tells who was ever started. Where none does, what lies on the others' disks does: etcd notes a member's client
 * URLs once it has been started (etcdserver publish()), by an entry of the log, which takes a quorum. So data that has
 * none at all is of a cluster that never served, whose members wait for each other: one installation, in one run or in
 * several. Who belongs to that, and comes late, is in there by name; who joins later is not, before it runs. And those
 * that are off say nothing: that is what the mark in the cluster directory is for (plan/served.h).
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "common/shell.h"
#include "etcd/etcd-scripts.h"
#include "etcd/internal.h"
#include "plan/served.h"

/* What is on another member's node. */
typedef struct Trace {
        const ProbeContext *context;
        const Node *node;
        const char *identity, *token;
        bool empty, ours; /* neither: it cannot be asked, or is somebody else's */
        Strv started;     /* members that were, by its data */
        Strv known;       /* those of the first installation that were not */
} Trace;

static int look_for_started(Trace *t) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        int r;

        shell_add_variable(&variables, "data", ETCD_DATA);
        r = probe_exec(t->context, t->node, "which members does its data know as started?", &variables,
                       EMBED_ETCD_STARTED_SH, &out, NULL);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&out), "\n");
        STRV_FOREACH(line, lines) {
                const char *started = startswith(*line, "started "), *known = startswith(*line, "known ");

                if (started)
                        strv_add(&t->started, started);
                if (known)
                        strv_add(&t->known, known);
        }
        return 0;
}

static void look(void *item) {
        Trace *t = item;
        _cleanup_(etcd_data_done) EtcdData data = {};

        if (etcd_data_look(t->context, t->node, &data, NULL) < 0)
                return;
        t->empty = !data.member;
        t->ours = data.member && etcd_data_is_of(&data, t->identity) && streq_null(data.token, t->token) &&
                  look_for_started(t) >= 0;
}

/* By what a list says: client URLs are those of one that has started once. */
static bool lists_as_started(const EtcdMembers *m, const Node *node) {
        for (size_t i = 0; i < m->n_members; i++)
                if (streq_null(m->members[i].name, node->name) && m->members[i].client_urls)
                        return true;
        return false;
}

/* One of the others may have yet to hear that the member was taken out, a moment ago, and still know it as one that was
 * started: so as a quorum has it. Its own word counts where there is none. Return: 1, 0, or -EHOSTUNREACH: nobody can tell. */
static int ask_members(const ProbeContext *c, const Node *node, bool linearizable) {
        CLUSTER_FOREACH_NODE(other, c->cluster, ROLE_ETCD) {
                _cleanup_(etcd_members_done) EtcdMembers members = {};

                if (other != node && etcd_members_of(c, other, ETCD_ASK_USEC, linearizable, &members) >= 0)
                        return lists_as_started(&members, node);
        }
        return -EHOSTUNREACH;
}

/* One that came into the cluster file later would begin a cluster with others of its kind: it has to be let in. */
static bool is_known(const Node *node, const Trace *traces, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strv_contains(traces[i].known, node->name))
                        return true;
        return false;
}

/* Nobody leads. What speaks against it is looked for first; a majority that knows nothing of it is proof. */
static EtcdBeginning judge(const ProbeContext *c, const Node *node, const Trace *traces, size_t n,
                           const Node **ret_other) {
        bool restored = n > 0 && !streq(traces[0].token, traces[0].identity),
             served = plan_has_served(c->store);
        bool blank = true; /* nobody has anything of a cluster that served */
        size_t n_ours = 0;

        *ret_other = NULL;
        if (n == 0) /* all that there was is gone; a reset takes the mark away, too */
                return served ? ETCD_WAS_STARTED : ETCD_BEGINS;
        for (size_t i = 0; i < n; i++) {
                if (!*ret_other && !traces[i].empty)
                        *ret_other = traces[i].node;
                n_ours += traces[i].ours;
                served = served || traces[i].started;
                blank = blank && (traces[i].empty || (traces[i].ours && !traces[i].started));
        }
        if (!*ret_other)
                return ETCD_BEGINS; /* all are empty: all begin anew */
        /* after a restore the first data of a member comes from the snapshot or from the others */
        if (restored)
                return ETCD_NEEDS_OTHERS;
        if (blank)
                return ETCD_BEGINS; /* all begin, and some have got further: as after a reset of all */
        for (size_t i = 0; i < n; i++)
                if (strv_contains(traces[i].started, node->name))
                        return ETCD_WAS_STARTED;
        return served && (!is_known(node, traces, n) || n_ours < etcd_quorum(n + 1)) ? ETCD_NEEDS_OTHERS :
                                                                                       ETCD_BEGINS;
}

static EtcdBeginning judge_by_data(const ProbeContext *c, const Node *node, const Node **ret_other) {
        _cleanup_free_ char *identity = etcd_identity(c->store), *token = etcd_token(c->store);
        _cleanup_free_ Trace *traces = xnew(Trace, cluster_count(c->cluster, ROLE_ETCD) + 1);
        EtcdBeginning beginning;
        size_t n = 0;

        CLUSTER_FOREACH_NODE(other, c->cluster, ROLE_ETCD)
                if (other != node)
                        traces[n++] =
                                (Trace) { .context = c, .node = other, .identity = identity, .token = token };
        parallel_each(look, traces, sizeof(Trace), n);
        beginning = judge(c, node, traces, n, ret_other);
        for (size_t i = 0; i < n; i++) {
                strv_free(traces[i].started);
                strv_free(traces[i].known);
        }
        return beginning;
}

/**
 * etcd_judge_empty() - may a member begin without data?
 * @c:          the context of the probe; its store has the cluster's identity
 * @node:       the node, on which there is none
 * @ret_other:  of ETCD_NEEDS_OTHERS, the first that has some or cannot be asked; else it says nothing
 *
 * Return: what the others, or what lies on their nodes, say to that.
 */
EtcdBeginning etcd_judge_empty(const ProbeContext *c, const Node *node, const Node **ret_other) {
        int r = ask_members(c, node, /* linearizable= */ true);

        if (r >= 0)
                return r ? ETCD_WAS_STARTED : ETCD_BEGINS;
        if (ask_members(c, node, /* linearizable= */ false) > 0)
                return ETCD_WAS_STARTED;
        return judge_by_data(c, node, ret_other);
}
