/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who else claims what is ours: another machine that answers for the VIP, another pair with our virtual
 * router's number
 *
 * Each load balancer listens for itself, all at the same time; what is judged is what they heard together,
 * as each knows its own MAC address, and the one that holds the VIP hears nobody but strangers.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "lbsetup/heard.h"
#include "lbsetup/internal.h"

typedef struct Ear {
        const ProbeContext *c;
        const Node *node;
        Buffer heard; /* nothing, where the node cannot be asked */
} Ear;

static void listen_there(void *item) {
        Ear *e = item;

        (void) lb_listen(e->c, e->node, /* ask= */ true, &e->heard, NULL);
}

/* All lines that were heard, from whichever of them. */
static Strv listen_everywhere(const ProbeContext *c, const LbPair *pair) {
        _cleanup_free_ Ear *ears = xnew(Ear, pair->n_peers + 1);
        _cleanup_buffer_ Buffer all = BUFFER_NULL;
        size_t n = 0;

        LB_FOREACH_PEER(peer, pair) {
                if (peer->result < 0 || !peer->look.installed)
                        continue;
                ears[n++] = (Ear) { .c = c, .node = peer->node };
        }
        parallel_each(listen_there, ears, sizeof(Ear), n);
        for (size_t i = 0; i < n; i++) {
                buffer_addf(&all, "%s\n", buffer_str(&ears[i].heard));
                buffer_done(&ears[i].heard);
        }
        return strv_split(buffer_str(&all), "\n");
}

static void judge_vip(const Cluster *cluster, Strv lines, CheckList *checks) {
        const char *mac = lb_heard_on_vip(cluster, lines);
        char vip[INET_TEXT_SIZE];
        Check *check;

        inet_address_format(&cluster->endpoint.address, vip);
        if (!mac) {
                check_add(checks, CHECK_OK, "lb.vip-foreign", NULL, "VIP", "no other machine answers for %s",
                          vip);
                return;
        }
        check = check_add(checks, CHECK_FAILED, "lb.vip-foreign", NULL, "VIP",
                          "%s is answered by a machine that is none of the load balancers (MAC address %s)",
                          vip, mac);
        check_advise(check,
                     "clients reach that machine or ours, by chance: find it (its MAC address stands in the "
                     "table of the switch or the DHCP server) and take the address off it, or choose a VIP "
                     "that is free and that no DHCP server hands out (endpoint.address)");
        check->data = json_pack("{s:s,s:s}", "address", vip, "mac", mac);
}

static void judge_vrrp(const Cluster *cluster, Strv lines, CheckList *checks) {
        _cleanup_free_ char *who = lb_heard_router(cluster, lines);
        unsigned ours = cluster->endpoint.vrrp_id;
        Check *check;

        if (!who) {
                check_add(checks, CHECK_OK, "lb.vrrp-id", NULL, "VIP",
                          "nobody else uses virtual router id %u", ours);
                return;
        }
        check = check_add(checks, CHECK_WARNING, "lb.vrrp-id", NULL, "VIP",
                          "virtual router id %u is used by %s, too", ours, who);
        check_advise(check,
                     "ours take adverts from each other alone, and keep the VIP; but devices that know "
                     "virtual routers by their number may not. Give one of them another number from 1 to "
                     "255: endpoint.vrrp_id, then hardway install");
        check->data = json_pack("{s:i,s:s}", "vrrp_id", (int) ours, "address", who);
}

static void add_not_looked_at(CheckList *checks, const char *id, const char *what) {
        check_advise(check_add(checks, CHECK_WARNING, id, NULL, "VIP",
                               "whether %s was not looked at: no load balancer could listen", what),
                     "a load balancer that runs listens by perl (in Debian: perl-base): install it there");
}

static void tell_not_looked_at(const Cluster *cluster, CheckList *checks) {
        char vip[INET_TEXT_SIZE];
        _cleanup_free_ char *answered = xasprintf("another machine answers for %s",
                                                  inet_address_format(&cluster->endpoint.address, vip)),
                            *used = xasprintf("others use virtual router id %u", cluster->endpoint.vrrp_id);

        add_not_looked_at(checks, "lb.vip-foreign", answered);
        add_not_looked_at(checks, "lb.vrrp-id", used);
}

/**
 * lb_foreign_verify() - add the checks for what others claim
 * @c:          the context of the probe
 * @pair:       the load balancers, looked at
 * @checks:     lb.vip-foreign and lb.vrrp-id; also where no load balancer could listen
 */
void lb_foreign_verify(const ProbeContext *c, const LbPair *pair, CheckList *checks) {
        _cleanup_strv_ Strv lines = listen_everywhere(c, pair);

        if (!lb_heard_any(lines)) {
                tell_not_looked_at(c->cluster, checks);
                return;
        }
        judge_vip(c->cluster, lines, checks);
        judge_vrrp(c->cluster, lines, checks);
}
