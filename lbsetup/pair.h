/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lbsetup/look.h"

/* All load balancers of the cluster, looked at together. */

typedef struct LbPeer {
        const Node *node; /* lent */
        int result;       /* of lb_look() */
        Error *error;     /* why it cannot be asked */
        LbLook look;
} LbPeer;

typedef struct LbPair {
        LbPeer *peers;
        size_t n_peers;
} LbPair;

void lb_pair_look(const ProbeContext *c, LbPair *ret);
const LbPeer* lb_pair_find(const LbPair *pair, const Node *node); /* of that node; or NULL */
void lb_pair_done(LbPair *p);
#define _cleanup_pair_ _cleanup_(lb_pair_done)

/* How many hold the VIP; *ret is the first of them, or NULL. */
size_t lb_pair_holders(const LbPair *p, const LbPeer **ret);

void lb_look_at_former(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, LbPair *ret);
const Node* lb_former_holder(const ProbeContext *c);

/* Is this the address of one of them? */
bool lb_is_address(const Cluster *cluster, const char *address);

#define LB_FOREACH_PEER(peer, pair) \
        for (const LbPeer *peer = (pair)->peers; peer < (pair)->peers + (pair)->n_peers; peer++)

/* gate.c */
bool lb_apiserver_is_ready(const ProbeContext *c, HttpClient *http, const char *name);
int haproxy_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int keepalived_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
/* probes.c */
int haproxy_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int keepalived_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int keepalived_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr);
/* aside.c */
int haproxy_set_aside(const ProbeContext *c, const Node *node, Error **reterr);
int haproxy_bring_back(const ProbeContext *c, Error **reterr);
/* handover.c */
int keepalived_hand_over(const ProbeContext *c, const Node *node, Error **reterr);
int keepalived_take_back(const ProbeContext *c, const Node *node, Error **reterr);
/* preflight.c */
#define VIP_PREFLIGHT "vip" /* the names of what keepalived_preflight() finds */
#define VRRP_REACH_PREFLIGHT "vrrp-reach"
#define VRRP_PREFLIGHT "vrrp-id"
int keepalived_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr);
/* vrrp-reach.c */
int lb_preflight_reach(const ProbeContext *c, const Node *node, const LbPair *pair, CheckList *checks,
                       Error **reterr);
/* configs.c */
#define CONFIGS_PREFLIGHT "lb-config"
int haproxy_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr);
/* left.c */
#define LEFT_PREFLIGHT "lb-left"
int lb_preflight_left(const ProbeContext *c, const Node *node, const LbPair *pair, CheckList *checks,
                      Error **reterr);
/* by-hand.c */
const Node* lb_has_by_hand(const ProbeContext *c, const LbPair *pair);
void lb_advise_by_hand(const Cluster *cluster, const Node *node, Check *check);

/* told.c */
#define TOLD_PREFLIGHT "lb-told"
void lb_preflight_told(const ProbeContext *c, const Node *node, const LbPair *pair, CheckList *checks);
void lb_preflight_silent(const Node *node, const LbPair *pair, CheckList *checks);
int keepalived_join(const ProbeContext *c, const Node *node, Error **reterr);
bool lb_knows(const LbPeer *peer, const Node *other);
const Node* lb_find_untold(const LbPair *pair, const LbPeer *peer);
/* spare.c */
int haproxy_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
                  Error **reterr);
/* foreign.c */
void lb_foreign_verify(const ProbeContext *c, const LbPair *pair, CheckList *checks);
/* verify.c */
int haproxy_verify(const ProbeContext *c, CheckList *checks);
int keepalived_verify(const ProbeContext *c, CheckList *checks);
