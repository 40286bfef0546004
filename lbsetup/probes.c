/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Is a load balancer ready, does it hold the VIP?
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "lbsetup/internal.h"

/* So long after it became a backup, an election may still be going on: three lost adverts and the skew. */
#define ELECTION_SEC 2

/**
 * haproxy_ready() - does this node's haproxy answer, and has it an apiserver?
 * @c:          the context of the probe
 * @node:       the load balancer
 * @ret:        blocked while no apiserver is ready
 * @reterr:     not used: a node that does not answer is waited for
 *
 * Return: 0.
 */
int haproxy_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_look_ LbLook look = {};

        if (lb_look(c, node, &look, &error) < 0)
                probe_result_set(ret, PROBE_WAITING, "%s", error->message);
        else if (!streq(look.haproxy, "active"))
                probe_result_set(ret, PROBE_WAITING, "is %s", *look.haproxy ? look.haproxy : "not there");
        else if (look.page == 0)
                probe_result_set(ret, PROBE_WAITING, "does not answer");
        else if (look.page != 200)
                probe_result_set(ret, PROBE_BLOCKED, "no apiserver is ready yet");
        else
                probe_result_set(ret, PROBE_READY, "%zu of %zu apiservers", lb_look_up(&look),
                                 look.n_servers);
        return 0;
}

static bool other_holds(const ProbeContext *c, const Node *node) {
        CLUSTER_FOREACH_NODE(other, c->cluster, ROLE_LOADBALANCER) {
                _cleanup_look_ LbLook look = {};

                if (other->index != node->index && lb_look(c, other, &look, NULL) >= 0 && look.holds_vip)
                        return true;
        }
        return false;
}

/**
 * keepalived_ready() - has this node's keepalived found its place?
 * @c:          the context of the probe
 * @node:       the load balancer
 * @ret:        ready if it holds the VIP or stands by
 * @reterr:     not used: a node that does not answer is waited for
 *
 * Return: 0.
 */
int keepalived_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_look_ LbLook look = {};
        _cleanup_free_ char *problem = NULL;
        char vip[INET_TEXT_SIZE];

        if (lb_look(c, node, &look, &error) < 0) {
                probe_result_set(ret, PROBE_WAITING, "%s", error->message);
                return 0;
        }
        problem = lb_look_vrrp_problem(&look);
        if (problem)
                probe_result_set(ret, PROBE_WAITING, "%s", problem);
        else if (look.holds_vip)
                probe_result_set(ret, PROBE_READY, "holds %s",
                                 inet_address_format(&c->cluster->endpoint.address, vip));
        else if (lb_look_holds_other(&look))
                probe_result_set(ret, PROBE_READY, "holds %s still", look.other_vip);
        else if (streq(look.vrrp, "BACKUP") && (look.vrrp_since_sec >= ELECTION_SEC || other_holds(c, node)))
                probe_result_set(ret, PROBE_READY, "standby");
        else
                probe_result_set(ret, PROBE_WAITING, "election");
        return 0;
}

/**
 * keepalived_leads() - does this node hold the VIP, or what was that before the cluster file was changed?
 * @c:          the context of the probe
 * @node:       the load balancer
 * @ret:        false also if it cannot be asked
 * @reterr:     not used
 *
 * Return: 0.
 */
int keepalived_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
        _cleanup_look_ LbLook look = {};

        *ret = lb_look(c, node, &look, NULL) >= 0 && (look.holds_vip || lb_look_holds_other(&look));
        return 0;
}
