/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Before the first write: is the VIP free? And who else is a virtual router there?
 *
 * A datagram to the VIP makes the kernel ask the network who has it; the answer stands in the neighbour
 * table. Where the VIP is not on the node's own network nothing can be seen that way, and nothing is said.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "lbsetup/heard.h"
#include "lbsetup/internal.h"
#include "lbsetup/lbsetup-scripts.h"

static void add_variables(const Cluster *cluster, const Node *node, Buffer *variables) {
        _cleanup_strv_ Strv all = NULL;
        char text[INET_TEXT_SIZE];

        shell_add_variable(variables, "vip", inet_address_format(&cluster->endpoint.address, text));
        strv_add(&all, text);
        CLUSTER_FOREACH_NODE(other, cluster, ROLE_LOADBALANCER)
                if (other->index != node->index)
                        strv_add(&all, inet_address_format(&other->address, text));
        shell_add_list(variables, "all", all);
}

static Check* add_finding(CheckList *checks, CheckState state, const char *name, const Node *node,
                          const char *format, ...) _printf_(5, 6);
static Check* add_finding(CheckList *checks, CheckState state, const char *name, const Node *node,
                          const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        return check_add_on(checks, state, name, node, name, "%s", text);
}

/* It would have to let go of it before any of ours can take it, if that comes up at all. */
static void refuse_former(const Node *node, const char *vip, const Node *former, CheckList *checks) {
        check_advise(
                add_finding(checks, CHECK_FAILED, VIP_PREFLIGHT, node,
                            "the VIP %s is held by %s, which is no load balancer any more, and none of "
                            "those that are is installed yet",
                            vip, former->name),
                "Go by steps: give %s the role loadbalancer in the cluster file again, beside the new ones, "
                "and run hardway install; then take it away, and install.",
                former->name);
}

static void judge_vip(const ProbeContext *c, const Node *node, Strv lines, CheckList *checks) {
        const char *mac = lb_heard_on_vip(c->cluster, lines);
        const Node *former = mac ? lb_former_holder(c) : NULL;
        char vip[INET_TEXT_SIZE];

        inet_address_format(&c->cluster->endpoint.address, vip);
        if (former)
                refuse_former(node, vip, former, checks);
        else if (mac)
                check_advise(add_finding(checks, CHECK_FAILED, VIP_PREFLIGHT, node,
                                         "the VIP %s is answered by another machine (MAC address %s)", vip,
                                         mac),
                             "Choose an address that is free, and that no DHCP server hands out "
                             "(endpoint.address), or take it off that machine.");
        else
                add_finding(checks, CHECK_OK, VIP_PREFLIGHT, node, "nobody answers for %s", vip);
}

static int look_for_vip(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        int r;

        add_variables(c->cluster, node, &variables);
        r = probe_exec(c, node, "is the VIP free?", &variables, EMBED_VIP_ASK_SH, &out, reterr);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&out), "\n");
        judge_vip(c, node, lines, checks);
        return 0;
}

static void judge_vrrp(const Cluster *cluster, const Node *node, Strv lines, CheckList *checks) {
        _cleanup_free_ char *who = lb_heard_router(cluster, lines);
        unsigned ours = cluster->endpoint.vrrp_id;

        if (!lb_heard_any(lines))
                add_finding(checks, CHECK_OK, VRRP_PREFLIGHT, node, "not looked at: that takes perl");
        else if (!who)
                add_finding(checks, CHECK_OK, VRRP_PREFLIGHT, node, "no other virtual router %u was heard",
                            ours);
        else
                check_advise(add_finding(checks, CHECK_WARNING, VRRP_PREFLIGHT, node,
                                         "virtual router %u is advertised by %s, too", ours, who),
                             "Choose another number from 1 to 255: endpoint.vrrp_id");
}

static int listen_for_vrrp(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;
        int r;

        r = lb_listen(c, node, /* ask= */ false, &out, reterr);
        if (r < 0)
                return r;
        lines = strv_split(buffer_str(&out), "\n");
        judge_vrrp(c->cluster, node, lines, checks);
        return 0;
}

static void refuse_by_hand(const ProbeContext *c, const Node *node, const Node *holder, CheckList *checks) {
        char vip[INET_TEXT_SIZE];

        lb_advise_by_hand(c->cluster, holder,
                          add_finding(checks, CHECK_FAILED, VIP_PREFLIGHT, node,
                                      "%s has the VIP %s already, and not from hardway's keepalived",
                                      holder->name,
                                      inet_address_format(&c->cluster->endpoint.address, vip)));
}

static bool was_installed(const LbPair *pair) {
        LB_FOREACH_PEER(peer, pair)
                if (peer->result >= 0 && peer->look.installed)
                        return true;
        return false;
}

/**
 * keepalived_preflight() - is the VIP free, do the load balancers hear each other, is the number of the virtual router free?
 * @c:          the context of the probe; the last question is asked if it is thorough
 * @node:       the load balancer from which it is looked for
 * @checks:     gets what was found, and the machine that has it
 * @reterr:     why the node cannot be asked
 *
 * If one of the cluster's own load balancers holds the VIP by our keepalived, all is well.
 *
 * Return: 0 or a negative errno.
 */
int keepalived_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_pair_ LbPair pair = {};
        const LbPeer *holder;
        const Node *former, *by_hand;
        int r;

        lb_pair_look(c, &pair);
        r = lb_preflight_left(c, node, &pair, checks, reterr);
        if (r != 0)
                return r < 0 ? r : 0;
        lb_preflight_told(c, node, &pair, checks);
        if ((by_hand = lb_has_by_hand(c, &pair)))
                refuse_by_hand(c, node, by_hand, checks);
        else if (lb_pair_holders(&pair, &holder) > 0)
                add_finding(checks, CHECK_OK, VIP_PREFLIGHT, node, "held by %s", holder->node->name);
        else if (was_installed(&pair) && (former = lb_former_holder(c)))
                add_finding(checks, CHECK_OK, VIP_PREFLIGHT, node, "held by %s, which is to let go of it",
                            former->name);
        else {
                r = look_for_vip(c, node, checks, reterr);
                if (r < 0)
                        return r;
        }
        lb_preflight_silent(node, &pair, checks);
        r = lb_preflight_reach(c, node, &pair, checks, reterr);
        if (r < 0)
                return r;
        return c->thorough ? listen_for_vrrp(c, node, checks, reterr) : 0;
}
