/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A load balancer that has the VIP from somebody else than our keepalived: its network configuration, or a keepalived of before
 *
 * It goes on answering for it when the other one has taken over, and clients are cut off just when the pair was to help.
 */

#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "lbsetup/internal.h"

/* A keepalived that begins anew needs some seconds to find out what it is, and may have the VIP of before until then. */
#define LOOKS 5

static bool has_by_hand(const LbLook *l) {
        if (l->n_vips > 1 || !l->holds_vip)
                return l->n_vips > 1;
        return !l->installed ||
               (streq(l->keepalived, "active") && (streq(l->vrrp, "BACKUP") || streq(l->vrrp, "FAULT")));
}

static bool still_has(const ProbeContext *c, const Node *node) {
        for (unsigned i = 0; i < LOOKS; i++) {
                _cleanup_look_ LbLook look = {};

                clock_sleep(USEC_PER_SEC);
                if (lb_look(c, node, &look, NULL) < 0 || !has_by_hand(&look))
                        return false;
        }
        return true;
}

/**
 * lb_has_by_hand() - find a load balancer that has the VIP, and not from our keepalived
 * @c:          the context of the probe
 * @pair:       what was found; who looks as if it had is looked at again, for some seconds
 *
 * Return: the node, or NULL.
 */
const Node* lb_has_by_hand(const ProbeContext *c, const LbPair *pair) {
        LB_FOREACH_PEER(peer, pair)
                if (has_by_hand(&peer->look) && still_has(c, peer->node))
                        return peer->node;
        return NULL;
}

/**
 * lb_advise_by_hand() - say what to do about it
 * @cluster:    the cluster
 * @node:       of lb_has_by_hand()
 * @check:      what was found
 */
void lb_advise_by_hand(const Cluster *cluster, const Node *node, Check *check) {
        char vip[INET_TEXT_SIZE];

        check_advise(
                check,
                "It would go on answering when the VIP is on another load balancer. Take it out of %s's network "
                "configuration (/etc/network/interfaces, netplan, NetworkManager; a keepalived of before), "
                "or choose another address (endpoint.address). On %s: ip addr show to %s",
                node->name, node->name, inet_address_format(&cluster->endpoint.address, vip));
}
