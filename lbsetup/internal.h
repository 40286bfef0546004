/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lbsetup/pair.h"
#include "plan/component.h"
#include "plan/names.h"
#include "plan/service.h"

/* What the files of lbsetup/ share; nobody else includes this. */

#define HAPROXY_CONFIG "/etc/haproxy/haproxy.cfg"
#define HAPROXY_CA "/etc/haproxy/kube-ca.crt"
#define HAPROXY_UNIT "haproxy.service"
#define HAPROXY_KEEP "/etc/haproxy/hardway-servers"
#define HAPROXY_READY "/haproxy_ready"
#define HAPROXY_STATS "/stats"
#define HAPROXY_BACKEND "apiservers"
#define HAPROXY_CHECKS "checks" /* the same servers */

#define KEEPALIVED_CONFIG "/etc/keepalived/keepalived.conf"
#define KEEPALIVED_HEALTH "/etc/keepalived/hardway-health"
#define KEEPALIVED_NOTIFY NAME_VRRP_NOTIFY
#define KEEPALIVED_UNIT "keepalived.service"
#define KEEPALIVED_SCRIPT_USER "keepalived_script" /* the name that keepalived itself looks for */

#define LB_TMPFILES "/etc/tmpfiles.d/hardway-lb.conf"
#define LB_RUN "/run/hardway"
#define LB_HAPROXY_DOWN LB_RUN "/haproxy.down"
#define LB_SERVERS LB_RUN "/haproxy.servers"
#define LB_HANDOVER LB_RUN "/handover"
#define LB_STATE NAME_VRRP_STATE

/* haproxy-config.c, keepalived-config.c */
extern const ConfigText haproxy_config;
extern const ConfigText keepalived_config;

/* haproxy-words.c */
#define HAPROXY_N_WORDS 41
extern const ConfigWord haproxy_words[HAPROXY_N_WORDS];

/*
 * haproxy-unit.c, keepalived-unit.c: our drop-ins to the distribution's units; drop-in.c: from table to
 * file, with the fence that both stand in.
 * A row without a reason has that of the row of service_sandbox with the same key. In the file, such rows,
 * and quiet ones, stand below the one whose comment speaks for all of them.
 */
#define LB_SANDBOX(k, v) SETTING_EXEC(k, v, NULL, NULL)
#define LB_QUIET(k, v, w, without_)                                                                \
        {                                                                                          \
                .section = "Service", .key = (k), .value = (v), .why = (w), .without = (without_), \
                .manual = "systemd.exec(5)", .quiet = true                                         \
        }

#define HAPROXY_N_SETTINGS 24
extern const UnitSetting haproxy_settings[HAPROXY_N_SETTINGS];
#define KEEPALIVED_N_SETTINGS 21
extern const UnitSetting keepalived_settings[KEEPALIVED_N_SETTINGS];
#define KEEPALIVED_N_FLAGS 4
extern const Flag keepalived_flags[KEEPALIVED_N_FLAGS];
#define LB_FENCE_N_SETTINGS 24
extern const UnitSetting lb_fence[LB_FENCE_N_SETTINGS];
int lb_drop_in(const PlanContext *c, const Component *component, UnitFile **ret, Error **reterr);

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
