/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * May the next node be touched, as far as the load balancers can tell?
 *
 * A load balancer that hardway has not installed yet does not count. One that cannot be asked counts when
 * the node is a load balancer itself: the last one that serves is not to be restarted. One that was ill before, and is about
 * to be mended by this very run, does not.
 */

#include "common/alloc.h"
#include "common/clock.h"
#include "lbsetup/internal.h"

static bool counts(const ProbeContext *c, const LbPeer *peer, const Node *node) {
        if (node_is_among(peer->node, c->ill, c->n_ill))
                return false;
        return peer->result < 0 ? (node->roles & ROLE_LOADBALANCER) != 0 : peer->look.installed;
}

/**
 * lb_apiserver_is_ready() - is a server ready, if it is asked without haproxy?
 * @c:          the context of the probe
 * @http:       of probe_client(), with the cluster's CA
 * @name:       what haproxy calls it: the name of its node
 *
 * Return: true if it is.
 */
bool lb_apiserver_is_ready(const ProbeContext *c, HttpClient *http, const char *name) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        const Node *node = cluster_find_node(c->cluster, name);
        _cleanup_free_ char *base = NULL, *url = NULL;

        if (!node)
                return false;
        base = cluster_apiserver_url(c->cluster, node);
        url = xasprintf("%s/readyz", base);
        return http_request(http,
                            &(HttpRequest) { .url = url,
                                            .timeout_usec = 2 * USEC_PER_SEC,
                                            .connect_timeout_usec = USEC_PER_SEC },
                            &response, NULL) >= 0 &&
               response.status == 200;
}

/*
 * An apiserver that is down is for kube-apiserver's gate; here it is about one that is ready and gets no
 * connections yet.
 */
static const LbServer* find_forgotten(const ProbeContext *c, HttpClient *http, const LbLook *look) {
        for (size_t i = 0; i < look->n_servers; i++)
                if (!lb_server_is_up(look->servers + i) &&
                    lb_apiserver_is_ready(c, http, look->servers[i].name))
                        return look->servers + i;
        return NULL;
}

/**
 * haproxy_gate() - does every haproxy answer, and send connections to all apiservers that are ready?
 * @c:          the context of the probe
 * @node:       the node to be touched, or that was touched
 * @ret:        waiting, and for what
 * @reterr:     what the store lacks
 *
 * Return: 0 or a negative errno.
 */
int haproxy_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_pair_ LbPair pair = {};
        int r;

        r = probe_client(c, "ca", /* credential= */ NULL, &http, reterr);
        if (r < 0)
                return r;
        lb_pair_look(c, &pair);
        LB_FOREACH_PEER(peer, &pair) {
                const LbServer *s;

                if (!counts(c, peer, node))
                        continue;
                if (peer->result < 0 || peer->look.page == 0) {
                        probe_result_set(ret, PROBE_WAITING, "%s: %s", peer->node->name,
                                         peer->result < 0 ? peer->error->message :
                                                            "haproxy does not answer");
                        return 0;
                }
                s = find_forgotten(c, http, &peer->look);
                if (s) {
                        probe_result_set(ret, PROBE_WAITING, "%s: %s is ready, haproxy has it as %s (%s)",
                                         peer->node->name, s->name, s->status, s->why);
                        return 0;
                }
        }
        probe_result_set(ret, PROBE_READY, NULL);
        return 0;
}

/* While the virtual router id changes, those that have the new one do not hear those that have the old one. */
static bool router_changes(const Cluster *cluster, const LbPair *pair) {
        LB_FOREACH_PEER(peer, pair)
                if (peer->look.router != 0 && peer->look.router != cluster->endpoint.vrrp_id)
                        return true;
        return false;
}

/* Does one of those that hold the VIP tell another nothing? What mends that is the change that the gate is asked about. */
static bool has_strangers(const LbPair *pair) {
        LB_FOREACH_PEER(holder, pair)
                LB_FOREACH_PEER(peer, pair)
                        if (holder->look.holds_vip && peer->look.installed && peer != holder &&
                            !lb_knows(peer, holder->node))
                                return true;
        return false;
}

/* Another VIP comes to the first of them in its turn: until then the one of before has to be held. Once a load balancer was
 * told, the new one has to be held before another lets go of the old one, so that clients who try both find one. */
static bool other_vip_does(const ProbeContext *c, const Node *node, const LbPair *pair) {
        bool held = false, changed = false;

        LB_FOREACH_PEER(peer, pair) {
                held = held || lb_look_holds_other(&peer->look);
                changed = changed || (peer->node->index == node->index && !peer->look.other_vip);
        }
        return held && (c->before || !changed);
}

/* Who is a load balancer no more lets go in its turn, and has to be let: what was just changed has let go. */
static bool former_may_hold(const ProbeContext *c, const Node *node) {
        const Node *former = lb_former_holder(c);

        return former && (c->before || former->index != node->index);
}

/**
 * keepalived_gate() - does exactly one load balancer hold the VIP, and could every other?
 * @c:          the context of the probe
 * @node:       the node to be touched, or that was touched
 * @ret:        waiting, and for what
 * @reterr:     not used
 *
 * Return: 0.
 */
int keepalived_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_pair_ LbPair pair = {};
        const LbPeer *holder;
        bool any = false;
        size_t n;

        lb_pair_look(c, &pair);
        LB_FOREACH_PEER(peer, &pair) {
                _cleanup_free_ char *problem = NULL;

                if (!counts(c, peer, node))
                        continue;
                any = true;
                problem =
                        peer->result < 0 ? xstrdup(peer->error->message) : lb_look_vrrp_problem(&peer->look);
                if (problem) {
                        probe_result_set(ret, PROBE_WAITING, "%s: %s", peer->node->name, problem);
                        return 0;
                }
        }
        n = lb_pair_holders(&pair, &holder);
        if (n == 0 && (former_may_hold(c, node) || other_vip_does(c, node, &pair)))
                n = 1;
        if (n > 1 && (router_changes(c->cluster, &pair) || (c->before && has_strangers(&pair))))
                n = 1;
        if (any && n != 1)
                probe_result_set(ret, PROBE_WAITING,
                                 n == 0 ? "nobody holds the VIP" : "more than one holds the VIP");
        else
                probe_result_set(ret, PROBE_READY, NULL);
        return 0;
}
