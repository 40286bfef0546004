/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"
#include "plan/service.h"

/* What the files of lbsetup/ share; nobody else includes this. */

#define HAPROXY_CONFIG "/etc/haproxy/haproxy.cfg"
#define HAPROXY_CA "/etc/haproxy/kube-ca.crt"
#define HAPROXY_UNIT "haproxy.service"
#define HAPROXY_READY "/haproxy_ready"
#define HAPROXY_STATS "/stats"
#define HAPROXY_BACKEND "apiservers"
#define HAPROXY_CHECKS "checks" /* the same servers */

#define KEEPALIVED_CONFIG "/etc/keepalived/keepalived.conf"
#define KEEPALIVED_HEALTH "/etc/keepalived/hardway-health"
#define KEEPALIVED_NOTIFY "/etc/keepalived/hardway-notify"
#define KEEPALIVED_UNIT "keepalived.service"
#define KEEPALIVED_SCRIPT_USER "keepalived_script" /* the name that keepalived itself looks for */

#define LB_TMPFILES "/etc/tmpfiles.d/hardway-lb.conf"
#define LB_RUN "/run/hardway"
#define LB_HAPROXY_DOWN LB_RUN "/haproxy.down"
#define LB_HANDOVER LB_RUN "/handover"
#define LB_STATE LB_RUN "/keepalived.state"

/* haproxy-config.c, keepalived-config.c */
extern const ConfigText haproxy_config;
extern const ConfigText keepalived_config;

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

#define HAPROXY_N_SETTINGS 18
extern const UnitSetting haproxy_settings[HAPROXY_N_SETTINGS];
#define KEEPALIVED_N_SETTINGS 20
extern const UnitSetting keepalived_settings[KEEPALIVED_N_SETTINGS];
#define LB_FENCE_N_SETTINGS 24
extern const UnitSetting lb_fence[LB_FENCE_N_SETTINGS];
int lb_drop_in(const PlanContext *c, const Component *component, UnitFile **ret, Error **reterr);
