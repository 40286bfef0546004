/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/strv.h"
#include "plan/component.h"

/* One look at one load balancer: all that can only be seen there, in one round trip. */

typedef struct LbServer {
        char *name;   /* of the controller */
        char *status; /* haproxy's word: "UP", "UP 1/2", "DOWN", "MAINT", "DRAIN", "no check" */
        char *why;    /* what the last check found: "L4TOUT", "L7STS", or with more words; or "" */
} LbServer;

typedef struct LbLook {
        bool installed; /* hardway was here */
        char *haproxy;  /* ActiveState of the units, or "" */
        char *keepalived;
        bool stopped;  /* keepalived does not go on: it was sent a SIGSTOP */
        unsigned page; /* status of haproxy's monitor page: 200; 503: no apiserver; 0: it does not answer */
        bool haproxy_down; /* what keepalived is told */
        bool handover;
        char *aside; /* the controller whose apiserver is spared by haproxy, for planned work, or "" */
        char *vrrp;  /* "MASTER", "BACKUP", "FAULT", "STOP", or "" */
        int64_t vrrp_since_sec; /* so long it has been that */
        bool holds_vip;
        unsigned n_vips; /* how often: with another prefix length it can be there twice */
        Strv peers;      /* addresses of the other load balancers, as it was told last */
        char *other_vip; /* what it was told last to hold, where that is another address than the cluster file's; or NULL */
        unsigned router; /* the virtual router id with which keepalived runs, or 0 */
        LbServer *servers;
        size_t n_servers;
} LbLook;

/* Fails only if the node cannot be asked. */
int lb_look(const ProbeContext *c, const Node *node, LbLook *ret, Error **reterr);
/* Of what the script printed; for lb_look() and tests. */
void lb_look_parse(const Cluster *cluster, const char *text, LbLook *ret);
void lb_look_done(LbLook *l);
#define _cleanup_look_ _cleanup_(lb_look_done)

/* Does it hold what was the VIP before the cluster file was changed? */
bool lb_look_holds_other(const LbLook *l);
bool lb_server_is_up(const LbServer *s);
size_t lb_look_up(const LbLook *l); /* how many servers are up */
/* Could it serve if it had the VIP? */
bool lb_look_is_able(const LbLook *l);
/* Why keepalived does not hold or stand by, or NULL if it does. The caller frees. */
char* lb_look_vrrp_problem(const LbLook *l);
