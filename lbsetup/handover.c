/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Handing the VIP over, before its owner restarts something
 *
 * The tracked file is set only until the VIP has left: as both load balancers have nopreempt, it does not
 * come back when the file is cleared. So nothing is left behind that would have to be undone, whenever
 * this run ends.
 */

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/shell.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"

#define TAKE_OVER_TIMEOUT (5 * USEC_PER_SEC)

/* Of the others: can any take the VIP, and sees as much as the one that has it? */
static const LbPeer* find_heir(const LbPair *pair, const LbPeer *owner) {
        LB_FOREACH_PEER(peer, pair)
                if (peer != owner && peer->result >= 0 && lb_look_is_able(&peer->look) &&
                    (peer->look.page == 200 || owner->look.page != 200))
                        return peer;
        return NULL;
}

static int let_go(const ProbeContext *c, const Node *node, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL;
        char vip[INET_TEXT_SIZE];

        shell_add_variable(&variables, "vip", inet_address_format(&c->cluster->endpoint.address, vip));
        shell_add_variable(&variables, "handover", LB_HANDOVER);
        return probe_exec(c, node, "the VIP goes to another load balancer", &variables, EMBED_VIP_LEAVE_SH,
                          NULL, reterr);
}

/* Those that could not be asked before are not asked again and again: that takes longer than the VIP does. */
static bool another_holds(const ProbeContext *c, const LbPair *pair, const LbPeer *owner) {
        LB_FOREACH_PEER(peer, pair) {
                _cleanup_look_ LbLook look = {};

                if (peer != owner && peer->result >= 0 && lb_look(c, peer->node, &look, NULL) >= 0 &&
                    look.holds_vip)
                        return true;
        }
        return false;
}

/* Where there are three or more, whoever is first takes it: they are only milliseconds behind each other, and nopreempt lets
 * it stay there. */
static int wait_for_heir(const ProbeContext *c, const LbPair *pair, const LbPeer *owner, const LbPeer *heir,
                         Error **reterr) {
        uint64_t deadline = clock_usec() + TAKE_OVER_TIMEOUT;

        do {
                if (another_holds(c, pair, owner))
                        return 0;
                clock_sleep(100 * USEC_PER_MSEC);
        } while (clock_usec() < deadline);
        return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                         "no other load balancer took the VIP over, although %s could", heir->node->name);
}

/**
 * keepalived_hand_over() - let another load balancer hold the VIP
 * @c:          the context of the probe
 * @node:       the load balancer that is about to be restarted
 * @reterr:     the other one did not take it, although it could
 *
 * Return: 0 also where there is nothing to hand over, or nobody to take it; or a negative errno.
 */
int keepalived_hand_over(const ProbeContext *c, const Node *node, Error **reterr) {
        _cleanup_pair_ LbPair pair = {};
        const LbPeer *owner, *heir;
        int r;

        lb_pair_look(c, &pair);
        if (lb_pair_holders(&pair, &owner) != 1 || owner->node->index != node->index)
                return 0;
        heir = find_heir(&pair, owner);
        if (!heir)
                return 0;
        r = let_go(c, node, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "the VIP could not be handed over");
        return wait_for_heir(c, &pair, owner, heir, reterr);
}

/**
 * keepalived_take_back() - see to it that a load balancer may hold the VIP again
 * @c:          the context of the probe
 * @node:       the load balancer
 * @reterr:     it cannot be told
 *
 * Needed only if the script of keepalived_hand_over() was killed in its second.
 *
 * Return: 0 or a negative errno.
 */
int keepalived_take_back(const ProbeContext *c, const Node *node, Error **reterr) {
        return probe_exec(c, node, "the VIP may come back", NULL,
                          "[ ! -e " LB_HANDOVER " ] || echo 0 >" LB_HANDOVER "\n", NULL, reterr);
}
