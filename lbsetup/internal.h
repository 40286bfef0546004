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

/* haproxy-config.c, keepalived-config.c: pure, text out */
void haproxy_config(const PlanContext *c, Buffer *out);
void keepalived_config(const PlanContext *c, Buffer *out);

/* A row of the section [Service]; without a reason it shares that of the row above. */
#define SERVICE(k, v, w) \
        { .section = "Service", .key = (k), .value = (v), .why = (w) }

/* haproxy-unit.c, keepalived-unit.c: our drop-ins to the distribution's units; drop-in.c: from table to file,
 * with the fence that both stand in. */
int lb_drop_in(const PlanContext *c, const UnitSetting *settings, size_t n_settings, UnitFile **ret,
               Error **reterr);
int haproxy_drop_in(const PlanContext *c, UnitFile **ret, Error **reterr);
int keepalived_drop_in(const PlanContext *c, UnitFile **ret, Error **reterr);
