/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The checks of the load balancers
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "lbsetup/internal.h"
#include "plan/left-out.h"

static json_t* servers_to_json(const LbLook *l) {
        json_t *servers = json_object();

        for (size_t i = 0; i < l->n_servers; i++)
                json_object_set_new(
                        servers, l->servers[i].name,
                        json_pack("{s:s,s:s}", "status", l->servers[i].status, "check", l->servers[i].why));
        return json_pack("{s:o}", "servers", servers);
}

/* "controller-1 DOWN (L4CON, Connection refused), controller-2 MAINT" */
static char* list_down(const LbLook *l) {
        _cleanup_strv_ Strv down = NULL;

        for (size_t i = 0; i < l->n_servers; i++) {
                const LbServer *s = l->servers + i;

                if (lb_server_is_up(s))
                        continue;
                if (*s->why)
                        strv_addf(&down, "%s %s (%s)", s->name, s->status, s->why);
                else
                        strv_addf(&down, "%s %s", s->name, s->status);
        }
        return strv_join(down, ", ");
}

static void check_backends(const LbPeer *peer, CheckList *checks) {
        size_t up = lb_look_up(&peer->look), n = peer->look.n_servers;
        _cleanup_free_ char *down = list_down(&peer->look);
        Check *check;

        if (n == 0) {
                check = check_add_on(checks, CHECK_FAILED, "lb.backends", peer->node, "haproxy",
                                     "tells nothing of its backends");
                check_advise(check, "hardway install --node %s", peer->node->name);
        } else if (up == n)
                check = check_add_on(checks, CHECK_OK, "lb.backends", peer->node, "haproxy",
                                     "%zu of %zu apiservers are up", up, n);
        else {
                check = check_add_on(checks, CHECK_FAILED, "lb.backends", peer->node, "haproxy",
                                     "%zu of %zu apiservers are up: %s", up, n, down);
                if (*peer->look.aside)
                        check_advise(check,
                                     "%s is set aside for planned work: if nobody is at it any more, "
                                     "hardway install puts it back",
                                     peer->look.aside);
                else
                        check_advise(check,
                                     "see what is said of these apiservers; if they are well, it is the "
                                     "network between them and %s",
                                     peer->node->name);
        }
        check->data = servers_to_json(&peer->look);
}

/* Well or not, it gets nothing. */
static void check_left_out(const ProbeContext *c, CheckList *checks) {
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_CONTROLLER) {
                if (!plan_left_out(c->store, node))
                        continue;
                check_advise(
                        check_add_on(checks, CHECK_WARNING, "lb.left-out", node, "haproxy",
                                     "was left out by a restore: its apiserver gets no requests until it is "
                                     "replaced"),
                        "hardway etcd replace %s", node->name);
        }
}

static void check_haproxy(const LbPeer *peer, CheckList *checks) {
        const Node *node = peer->node;
        const char *state = peer->look.haproxy;
        Check *check;

        if (peer->result < 0) {
                check = check_add_on(checks, CHECK_FAILED, "lb.haproxy", node, "haproxy",
                                     "cannot be asked: %s", peer->error->message);
                check_advise(check, "see that %s is on, and reached by ssh", node->name);
                return;
        }
        if (peer->look.page != 0) {
                check_add_on(checks, CHECK_OK, "lb.haproxy", node, "haproxy", "answers");
                check_backends(peer, checks);
                return;
        }
        if (!peer->look.installed)
                check = check_add_on(checks, CHECK_FAILED, "lb.haproxy", node, "haproxy",
                                     "is not installed");
        else if (streq(state, "active"))
                check = check_add_on(checks, CHECK_FAILED, "lb.haproxy", node, "haproxy",
                                     "runs, and does not answer");
        else
                check = check_add_on(checks, CHECK_FAILED, "lb.haproxy", node, "haproxy",
                                     "haproxy.service is %s", *state ? state : "not there");
        check_advise(check, "on %s: journalctl -u haproxy; then: hardway install --node %s", node->name,
                     node->name);
}

/**
 * haproxy_verify() - add the checks of every haproxy and its backends
 * @c:          the context of the probe
 * @checks:     lb.haproxy/NODE and lb.backends/NODE
 *
 * Return: 0.
 */
int haproxy_verify(const ProbeContext *c, CheckList *checks) {
        _cleanup_pair_ LbPair pair = {};

        lb_pair_look(c, &pair);
        LB_FOREACH_PEER(peer, &pair)
                check_haproxy(peer, checks);
        check_left_out(c, checks);
        return 0;
}

static void advise_on_keepalived(const LbPeer *peer, Check *check) {
        const char *name = peer->node->name;

        if (peer->look.stopped)
                check_advise(check, "on %s: sudo systemctl restart keepalived", name);
        else
                check_advise(check,
                             "on %s: journalctl -u keepalived -u haproxy; then: hardway install --node %s",
                             name, name);
}

static void check_keepalived(const LbPeer *peer, CheckList *checks) {
        _cleanup_free_ char *problem = NULL;
        const Node *node = peer->node;
        Check *check;

        if (peer->result < 0)
                return; /* said of its haproxy */
        problem = lb_look_vrrp_problem(&peer->look);
        if (!problem)
                check = check_add_on(checks, CHECK_OK, "lb.keepalived", node, "keepalived",
                                     peer->look.holds_vip ? "holds the VIP" : "stands by");
        else {
                check = check_add_on(checks, CHECK_FAILED, "lb.keepalived", node, "keepalived", "%s",
                                     problem);
                advise_on_keepalived(peer, check);
        }
        check->data = json_pack("{s:s,s:b,s:I}", "state", peer->look.vrrp, "holds_vip", peer->look.holds_vip,
                                "since_sec", (json_int_t) peer->look.vrrp_since_sec);
}

/* Also while one alone holds the VIP: it shows when that one is lost. */
static void check_told(const LbPair *pair, const LbPeer *peer, CheckList *checks) {
        const Node *untold = lb_find_untold(pair, peer);

        if (untold)
                check_advise(
                        check_add_on(checks, CHECK_FAILED, "lb.told", peer->node, "keepalived",
                                     "was not told of %s: it does not hear of it, and both may hold the VIP",
                                     untold->name),
                        "it could not be asked when %s was set up; mended by: hardway install --node %s",
                        untold->name, peer->node->name);
}

static const LbPeer* find_stopped(const LbPair *pair) {
        LB_FOREACH_PEER(peer, pair)
                if (peer->result >= 0 && peer->look.stopped)
                        return peer;
        return NULL;
}

static const LbPeer* find_stranger(const LbPair *pair) {
        LB_FOREACH_PEER(peer, pair)
                if (lb_find_untold(pair, peer))
                        return peer;
        return NULL;
}

static void advise_two_holders(const Cluster *cluster, const LbPair *pair, Check *check) {
        const LbPeer *stopped = find_stopped(pair), *stranger = find_stranger(pair);

        if (stopped)
                check_advise(check,
                             "keepalived on %s is stopped, and keeps what it has: sudo systemctl restart "
                             "keepalived there",
                             stopped->node->name);
        else if (stranger)
                check_advise(check, "%s was not told of %s; mended by: hardway install --node %s",
                             stranger->node->name, lb_find_untold(pair, stranger)->name,
                             stranger->node->name);
        else
                check_advise(check,
                             "they do not hear each other: let VRRP (IP protocol 112) through between them "
                             "in both directions, and see "
                             "that nobody else on this network uses virtual router id %u (endpoint.vrrp_id)",
                             cluster->endpoint.vrrp_id);
}

static char* list_holders(const LbPair *pair) {
        _cleanup_strv_ Strv names = NULL;

        LB_FOREACH_PEER(peer, pair)
                if (peer->look.holds_vip)
                        strv_add(&names, peer->node->name);
        return strv_join(names, " and ");
}

/* Those that cannot be asked may hold it, or not. */
static size_t count_silent(const LbPair *pair) {
        size_t n = 0;

        LB_FOREACH_PEER(peer, pair)
                n += peer->result < 0;
        return n;
}

static void check_vip(const ProbeContext *c, const LbPair *pair, CheckList *checks) {
        _cleanup_free_ char *holders = list_holders(pair);
        const LbPeer *holder;
        size_t n = lb_pair_holders(pair, &holder), silent = count_silent(pair);
        const Node *by_hand = lb_has_by_hand(c, pair);
        char vip[INET_TEXT_SIZE];
        Check *check;

        inet_address_format(&c->cluster->endpoint.address, vip);
        if (by_hand) {
                check = check_add(checks, CHECK_FAILED, "lb.vip", by_hand, "VIP",
                                  "%s has %s, and not from hardway's keepalived%s%s", by_hand->name, vip,
                                  n > 1 ? ": it is on " : "", n > 1 ? holders : "");
                lb_advise_by_hand(c->cluster, by_hand, check);
        } else if (n == 1)
                check = check_add(checks, CHECK_OK, "lb.vip", holder->node, "VIP", "%s is on %s", vip,
                                  holder->node->name);
        else if (n > 1) {
                check = check_add(checks, CHECK_FAILED, "lb.vip", NULL, "VIP",
                                  "%s is on %s at the same time", vip, holders);
                advise_two_holders(c->cluster, pair, check);
        } else if (silent > 0) {
                check = check_add(checks, CHECK_FAILED, "lb.vip", NULL, "VIP",
                                  "no load balancer that can be asked holds %s", vip);
                check_advise(check, "see why the other one cannot be asked");
        } else {
                check = check_add(checks, CHECK_FAILED, "lb.vip", NULL, "VIP", "nobody holds %s", vip);
                check_advise(check, "see what is said of keepalived on each load balancer");
        }
        check->data = json_pack("{s:s,s:s}", "address", vip, "holder", holders);
}

/* What is not ours is not looked at, and that is said. */
static void tell_without_vip(const ProbeContext *c, CheckList *checks) {
        _cleanup_free_ char *url = cluster_endpoint_url(c->cluster);

        if (c->cluster->endpoint.kind == ENDPOINT_FOREIGN)
                check_add(checks, CHECK_OK, "lb.foreign", NULL, "load balancer",
                          "the one at %s is not hardway's, and is not looked at", url);
        else
                check_add(checks, CHECK_OK, "lb.none", NULL, "load balancer",
                          "there is none: clients use the only controller, %s", url);
}

/**
 * keepalived_verify() - add the checks of every keepalived and of the VIP
 * @c:          the context of the probe
 * @checks:     lb.keepalived/NODE, lb.told/NODE where it was not told of another, lb.vip, lb.vip-foreign and lb.vrrp-id; or, where there is no VIP of ours,
 *              lb.foreign or lb.none
 *
 * Return: 0.
 */
int keepalived_verify(const ProbeContext *c, CheckList *checks) {
        _cleanup_pair_ LbPair pair = {};

        if (c->cluster->endpoint.kind != ENDPOINT_VIP) {
                tell_without_vip(c, checks);
                return 0;
        }
        lb_pair_look(c, &pair);
        LB_FOREACH_PEER(peer, &pair) {
                check_keepalived(peer, checks);
                check_told(&pair, peer, checks);
        }
        check_vip(c, &pair, checks);
        lb_foreign_verify(c, &pair, checks);
        return 0;
}
