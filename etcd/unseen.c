/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A cluster that serves, and that this machine cannot ask
 *
 * A firewall in front of port 2379, or a store that is older than etcd's CA, looks from here as a cluster that
 * does not serve; and such a one is changed all at once. So where no member answers, the nodes are asked
 * themselves: each member tells there, without a certificate, whether it has a leader.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/parallel.h"
#include "common/shell.h"
#include "etcd/etcd-scripts.h"
#include "etcd/internal.h"

typedef struct Unseen {
        const ProbeContext *context;
        const Node *node;
        const char *identity;
        bool runs, serves;
} Unseen;

/* Controllers also where etcd has hosts of its own: it may have been on them until now. */
#define ASKED (ROLE_ETCD | ROLE_CONTROLLER)

/* Whoever has another cluster's member is refused for that, later. One that does not answer tells nothing. */
static void ask(void *item) {
        Unseen *u = item;
        _cleanup_free_ char *ours = xasprintf("of %s", u->identity);
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;

        u->runs = u->serves = false;
        shell_add_variable(&variables, "mark", ETCD_MARK_PATH);
        shell_add_number(&variables, "port", PORT_ETCD_METRICS);
        if (probe_exec(u->context, u->node,
                       "is there a member of this cluster that serves, whoever may ask it?", &variables,
                       EMBED_ETCD_LEADER_SH, &out, NULL) < 0)
                return;
        lines = strv_split(buffer_str(&out), "\n");
        u->runs = strv_length(lines) > 1 && streq(lines[0], ours);
        u->serves = u->runs && startswith(lines[1], "etcd_server_has_leader 1");
}

/* It serves; so once more from here. What answers with the data of before a restore is no part of the cluster.
 * Return: 1 if it is, 0 if not, or why it cannot be asked. */
static int ask_from_here(const ProbeContext *c, const Node *node, const Node *credential, Error **reterr) {
        _cleanup_free_ char *address = inet_endpoint_to_string(&node->address, PORT_ETCD_CLIENT),
                            *url = xasprintf("https://%s", address);
        _cleanup_(etcd_peer_close) EtcdPeer p = {};
        _cleanup_(etcd_status_done) EtcdStatus status = {};
        _cleanup_error_ Error *error = NULL;
        int r;

        r = etcd_peer_open_url(c, credential, url, ETCD_ASK_USEC, &p, reterr);
        if (r < 0)
                return r;
        if (etcd_status(&p.endpoint, &status, &error) >= 0)
                return etcd_is_current(c->store, status.cluster_id);
        if (error->errnum == EKEYEXPIRED)
                return error_set(reterr, ERROR_VERIFY, EKEYEXPIRED, "%s: %s", node->name, error->message);
        r = error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH,
                      "etcd serves on %s, and this machine cannot ask it: %s", node->name, error->message);
        error_detail(
                reterr,
                "A cluster that serves is changed one node after the other, by what its members say. This "
                "machine has to reach port %d of their nodes, and to have pki/ as it is today, not an "
                "older copy.\n",
                PORT_ETCD_CLIENT);
        return r;
}

/* The same; where the cluster file has no member, there must be none. */
static int judge(const ProbeContext *c, const Node *node, const Node *credential, Error **reterr) {
        _cleanup_free_ char *address = inet_address_to_string(&node->address);
        int r = ask_from_here(c, node, credential, reterr);

        return r <= 0 || node->roles & ROLE_ETCD ? r : etcd_refuse_former(node->name, address, reterr);
}

/* Return: whether it is worth another question: none leads, and those that run are enough to have a leader soon. */
static bool ask_all(const ProbeContext *c, Unseen *unseen, size_t n) {
        size_t n_run = 0, n_serve = 0;

        parallel_each(ask, unseen, sizeof(Unseen), n);
        for (size_t i = 0; i < n; i++) {
                n_run += unseen[i].runs;
                n_serve += unseen[i].serves;
        }
        return n_serve == 0 && n_run >= etcd_quorum(cluster_count(c->cluster, ROLE_ETCD));
}

/*
 * Members whose certificates have expired are changed together, as they serve nobody; so one that serves, and cannot be asked for
 * another reason, comes first: the first may only have been off when all others got new ones.
 */
static int judge_each(const ProbeContext *c, const Unseen *unseen, size_t n, const Node *credential,
                      Error **reterr) {
        _cleanup_error_ Error *expired = NULL;
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++) {
                _cleanup_error_ Error *error = NULL;

                if (!unseen[i].serves)
                        continue;
                r = judge(c, unseen[i].node, credential, &error);
                if (r < 0 && r != -EKEYEXPIRED)
                        return error_propagate(reterr, TAKE_PTR(error));
                if (r < 0 && !expired)
                        expired = TAKE_PTR(error);
                r = r > 0;
        }
        return r == 0 && expired ? error_propagate(reterr, TAKE_PTR(expired)) : r;
}

/* Return: 1 if a member that serves answers by now, 0 if there is none, or why one cannot be asked. */
static int ask_each(const ProbeContext *c, const char *identity, Error **reterr) {
        size_t n = 0, max = cluster_count(c->cluster, ASKED);
        _cleanup_free_ Unseen *unseen = xnew(Unseen, max + 1);
        uint64_t deadline = clock_usec() + etcd_election_usec(c->cluster);
        const Node *credential = NULL;

        CLUSTER_FOREACH_NODE(node, c->cluster, ASKED) {
                if (!credential && node->roles & ROLE_ETCD)
                        credential = node;
                unseen[n++] = (Unseen) { .context = c, .node = node, .identity = identity };
        }
        while (ask_all(c, unseen, n) && clock_usec() < deadline && !(c->cancelled && *c->cancelled))
                clock_sleep(USEC_PER_SEC);
        return judge_each(c, unseen, n, credential, reterr);
}

/**
 * etcd_serving_unseen() - does the cluster serve, although no member says so to this machine?
 * @c:          the context of the probe
 * @ret:        false if no node knows of a leader either; true if a member answers by now
 * @reterr:     it does, and why it cannot be asked
 *
 * Return: 0, -EHOSTUNREACH, -EKEYEXPIRED if what it shows has expired, or another negative errno.
 */
int etcd_serving_unseen(const ProbeContext *c, bool *ret, Error **reterr) {
        _cleanup_free_ char *identity = c->store ? etcd_identity(c->store) : NULL;
        int r;

        r = c->exec && identity ? ask_each(c, identity, reterr) : 0;
        if (r < 0)
                return r;
        *ret = r > 0;
        return 0;
}
