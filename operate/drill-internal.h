/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/process.h"
#include "operate/drill.h"

/* What the files of drills share; nobody else includes this. */

/* drill-leader.c: who leads, by the name of a component. identity tells an heir on the same node, too. */
typedef struct DrillLeader {
        const Node *node;
        char *identity;
} DrillLeader;

/* except: a node that is not asked, as it is away; or NULL. Return: false if nobody leads. */
bool drill_leader(const ProbeContext *c, const Component *const *components, const char *component,
                  const Node *except, DrillLeader *ret);
void drill_leader_done(DrillLeader *l);

/* drill-hit.c */
#define DRILL_POWER_SEC 120 /* so long the command of --power may take: a host may boot meanwhile */
#define DRILL_KILL_SEC 5    /* ... and one that does not end then, until the guard kills it */
#define DRILL_GUARD_TRIES 20
#define DRILL_GUARD_PAUSE_SEC 5
/* No guard is at work for longer. */
#define DRILL_GUARD_SEC (DRILL_GUARD_TRIES * (DRILL_POWER_SEC + DRILL_KILL_SEC + DRILL_GUARD_PAUSE_SEC))

typedef struct DrillHit {
        const DrillRequest *request;
        const ProbeContext *probes;
        const Drill *drill;
        const Component *component;
        const Node *node;
        Process *guard;              /* puts a host back if we do not */
        const char *power_directory; /* where the command of --power is run; NULL: here */
} DrillHit;

int drill_prepare(DrillHit *h, Error **reterr);
/* since: of clock_usec(), when it was begun; set to when the host fell silent, where that is what is broken */
int drill_hit(DrillHit *h, uint64_t *since, Error **reterr);
int drill_put_back(DrillHit *h, Error **reterr);
void drill_hit_done(DrillHit *h);
char* drill_power_line(const DrillHit *h); /* that puts a host back, for people; the caller frees */

/* drill-pulse.c: when a host fell silent */
typedef struct Pulse Pulse;
Pulse* drill_pulse_start(const InetAddress *address, unsigned port);
uint64_t drill_pulse_end(Pulse *p);

/* drill-pending.c: what is broken now, in request->pending */
int drill_pending_write(const DrillHit *h, Error **reterr);
int drill_pending_rest(const DrillRequest *q, Error **reterr);
int drill_pending_end(const DrillRequest *q, bool back, Error **reterr);

/* drill-map.c: what is written to while drills are under way; removing what is not there is no error */
#define DRILL_CONFIG_MAP "hardway-failover"
#define DRILL_CONFIG_MAP_PATH "/api/v1/namespaces/kube-system/configmaps/" DRILL_CONFIG_MAP
int drill_make_config_map(const ProbeContext *c, Error **reterr);
int drill_remove_config_map(const ProbeContext *c, Error **reterr);

/* drill-node.c: which node is hit */
int drill_choose_node(DrillHit *h, DrillLeader *ret_leader, Error **reterr);
bool drill_takes_vip(const DrillHit *h); /* its host goes, and holds the VIP */
