/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Do the load balancers that run know the one that is about to be started?
 *
 * With vrrp_check_unicast_src keepalived drops an advert whose sender is not among its unicast_peer, and it sends
 * its own to those alone; one without peers speaks multicast, which one with peers does not take (keepalived,
 * keepalived/vrrp/vrrp.c, vrrp_in_chk()). So who is known to nobody hears of nobody, and is master after three
 * adverts. A peer that is not there yet costs nothing.
 */

#include "common/alloc.h"
#include "lbsetup/internal.h"

/**
 * lb_knows() - was a load balancer told of another?
 * @peer:       as it was found
 * @other:      the other one
 *
 * Return: true if so, by what its configuration says.
 */
bool lb_knows(const LbPeer *peer, const Node *other) {
        char text[INET_TEXT_SIZE];

        return strv_contains(peer->look.peers, inet_address_format(&other->address, text));
}

static bool runs(const LbPeer *peer) {
        return peer->result >= 0 && peer->look.installed && streq_null(peer->look.keepalived, "active");
}

/**
 * lb_find_untold() - does one that runs not know of another that is installed?
 * @pair:       all load balancers, as they were found
 * @peer:       the one
 *
 * As one that could not be asked when the other was set up: it came back with the list that it had. Its adverts do not get to
 * the other, and it takes none of the other's, so that both may hold the VIP.
 *
 * Return: the first that it does not know, or NULL.
 */
const Node* lb_find_untold(const LbPair *pair, const LbPeer *peer) {
        if (!runs(peer))
                return NULL;
        LB_FOREACH_PEER(other, pair)
                if (other != peer && other->result >= 0 && other->look.installed &&
                    !lb_knows(peer, other->node))
                        return other->node;
        return NULL;
}

static bool is_chosen(const ProbeContext *c, const Node *node) {
        return !c->chosen || node_is_among(node, c->chosen, c->n_chosen);
}

/* Of those that run and are not to be changed: which does not know node? */
static const Node* find_unaware(const ProbeContext *c, const Node *node, const LbPair *pair,
                                bool chosen_too) {
        LB_FOREACH_PEER(peer, pair)
                if (peer->node->index != node->index && runs(peer) && !lb_knows(peer, node) &&
                    (chosen_too || !is_chosen(c, peer->node)))
                        return peer->node;
        return NULL;
}

/* Which does node know that is a load balancer no more, runs, and is not to be changed? */
static const Node* find_remaining(const ProbeContext *c, const LbPeer *own) {
        for (const Node *other = c->cluster->nodes; other < c->cluster->nodes + c->cluster->n_nodes;
             other++) {
                LbPeer peer = { .node = other };
                bool found;

                if ((other->roles & ROLE_LOADBALANCER) || is_chosen(c, other) || !lb_knows(own, other))
                        continue;
                peer.result = lb_look(c, other, &peer.look, NULL);
                found = runs(&peer);
                lb_look_done(&peer.look);
                if (found)
                        return other;
        }
        return NULL;
}

static void refuse_beside(const Node *node, const Node *other, const char *state, CheckList *checks) {
        check_advise(check_add_on(checks, CHECK_FAILED, TOLD_PREFLIGHT, node, TOLD_PREFLIGHT,
                                  "%s %s, and is not changed by this run: both would hold the VIP",
                                  other->name, state),
                     "Install both: hardway install, or with --node %s as well.", other->name);
}

/**
 * lb_preflight_told() - would a load balancer be left by itself, as others are not part of this run?
 * @c:          the context of the probe
 * @node:       the load balancer that is about to be changed
 * @pair:       all of the cluster file, as they were found
 * @checks:     gets what was found; nothing where there is nobody to be told
 */
void lb_preflight_told(const ProbeContext *c, const Node *node, const LbPair *pair, CheckList *checks) {
        const LbPeer *own = lb_pair_find(pair, node);
        const Node *other;

        if (!own || own->result < 0)
                return;
        if (!runs(own) && (other = find_unaware(c, node, pair, /* chosen_too= */ false)))
                refuse_beside(node, other, "runs, does not know of this load balancer yet", checks);
        else if ((other = find_remaining(c, own)))
                refuse_beside(node, other, "is a load balancer no more, runs still", checks);
}

/**
 * lb_preflight_silent() - may one that cannot be asked come back, and not know of a load balancer that is set up meanwhile?
 * @node:       the load balancer that is about to be changed
 * @pair:       all of the cluster file, as they were found
 * @checks:     gets a warning, if so
 */
void lb_preflight_silent(const Node *node, const LbPair *pair, CheckList *checks) {
        const LbPeer *own = lb_pair_find(pair, node);

        if (!own || own->result < 0 || runs(own))
                return;

        LB_FOREACH_PEER(peer, pair)
                if (peer->node->index != node->index && peer->result < 0) {
                        check_advise(
                                check_add_on(
                                        checks, CHECK_WARNING, TOLD_PREFLIGHT, node, TOLD_PREFLIGHT,
                                        "%s cannot be asked whether it knows of this load balancer: if it comes back "
                                        "without having been told, both may hold the VIP. Then: hardway install "
                                        "--node %s",
                                        peer->node->name, peer->node->name),
                                "Switch it on first, or take it out of the cluster file if it is gone for good.");
                        return;
                }
}

/**
 * keepalived_join() - may keepalived be started here, without a second one holding the VIP?
 * @c:          the context of the probe
 * @node:       the node, on which everything is put
 * @reterr:     who has not been told of it
 *
 * Return: 0, as nobody has to wait for it, or a negative errno.
 */
int keepalived_join(const ProbeContext *c, const Node *node, Error **reterr) {
        _cleanup_pair_ LbPair pair = {};
        const LbPeer *own;
        const Node *other;

        lb_pair_look(c, &pair);
        own = lb_pair_find(&pair, node);
        if (!own || runs(own))
                return 0;
        other = find_unaware(c, node, &pair, /* chosen_too= */ true);
        if (!other)
                return 0;
        return error_set(reterr, ERROR_UNAVAILABLE, EBUSY,
                         "not started, as %s runs and has not been told of it: both would hold the VIP",
                         other->name);
}
