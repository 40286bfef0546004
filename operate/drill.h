/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <jansson.h>

#include "host/host.h"
#include "http/prober.h"
#include "install/stage.h"
#include "plan/component.h"

/*
 * Drills: what the cluster is there for, tried out
 *
 * A drill breaks one thing of a healthy cluster, looks from outside what a client notices of it (new
 * connections through the endpoint, reads and writes), puts the thing back and waits until the cluster is
 * healthy again. Which drills there are is a table (drill-table.c); how a thing is broken and put back
 * depends on its action alone (drill-hit.c).
 *
 * Whatever ends hardway meanwhile, what was taken comes back by itself: what is killed is restarted by
 * systemd, what is frozen by a timer on its node, and a host whose power or link is cut by a child of ours
 * that ends when we do. If that child does not get to it either, as the machine has died that we run on, a
 * file among the secrets still says what is left to do: drill_recover().
 */
typedef enum DrillAction {
        DRILL_KILL,   /* all processes of the unit, by SIGKILL */
        DRILL_FREEZE, /* all processes of the unit, by SIGSTOP */
        DRILL_CUT,    /* the power of the host */
        DRILL_UNPLUG, /* its network */
} DrillAction;

/* In milliseconds; 0: there is none. */
typedef struct DrillAim {
        unsigned read_gap, write_gap; /* the longest time without a read, a write that succeeds */
        unsigned read_failing;        /* after so long no read fails any more */
        unsigned takeover;            /* until somebody else leads */
} DrillAim;

typedef struct Drill {
        const char *name; /* "haproxy" */
        const char *what; /* "haproxy is killed on the owner of the VIP" */
        DrillAction action;
        const char *component; /* the one that is hit, or the one for whose sake its host is */
        const char *leader;    /* hit where this component leads; NULL: where etcd does not lead */
        bool moves;            /* somebody else leads then: waited for */
        unsigned least;        /* so many nodes with that component, or nobody could take over; 0: two */
        DrillAim aim;          /* with the timings of the profile wired, ssd */
} Drill;

extern const Drill drills[]; /* ended by one without a name */

const Drill* drill_find(const char *name);
bool drill_is_of_host(const Drill *d); /* it takes a command of the user's, for power and link */
/* With its timings; takes_vip: the host that is hit holds the VIP, too. */
void drill_aim(const Drill *d, const Cluster *c, bool takes_vip, DrillAim *ret);

typedef struct DrillResult {
        const Drill *drill;
        const Node *node; /* which was hit; NULL: the drill was not begun */
        DrillAim aim;
        ProberSum reads, writes; /* from the hit until it was put back */
        unsigned failed_after;   /* requests that failed while it was put back */
        char *heir;              /* who leads now, or NULL */
        uint64_t takeover_usec;
        uint64_t healthy_usec; /* from the hit; 0: it has not become healthy */
        bool skipped;
        char *text; /* why it was skipped, or what is not well; or NULL */
} DrillResult;

bool drill_met(const DrillResult *r,
               char **ret_why); /* "gap in reads 0.31 s (aim: 0.20 s)"; the caller frees */

typedef struct DrillReport {
        int64_t begun; /* seconds since 1970 */
        DrillResult *results;
        size_t n_results;
} DrillReport;

typedef struct DrillRequest {
        const Cluster *cluster;
        const Component *const *components;
        Store *store;
        const Lock *lock;
        const HostOptions *host;
        const char *holder; /* of the nodes' locks */
        bool wait;          /* for them */
        const Drill *const *drills;
        size_t n_drills;
        bool chosen;         /* by name: one that is not possible is an error, and not passed over */
        const char *power;   /* words of the command that cuts hosts off, or NULL: no such drills */
        const char *pending; /* path of the file that says what is broken now; or NULL */
        /* drill_recover() only: may this command be run, which stands in that file? 0, or why not; NULL: it may not */
        int (*allow)(void *userdata, const char *line, Error **reterr);
        const volatile int *cancelled;
        void (*begin)(void *userdata, const Drill *d, const char *node);
        void (*step)(void *userdata, Stage stage);
        void (*end)(void *userdata, const DrillResult *r);
        void *userdata;
} DrillRequest;

char* drill_why_not(const DrillRequest *q, const Drill *d); /* drill-node.c; NULL: it is possible */

/* Refuses on a cluster that is not healthy. ret is set in any case, to be released with drill_report_done(). */
int drill_run(const DrillRequest *request, DrillReport *ret, Error **reterr);
void drill_report_done(DrillReport *r);

/* drill-pending.c: what a drill has left that did not get to put it back, and nothing else did */
#define DRILL_PENDING "secrets/failover.pending"
int drill_recover(const DrillRequest *q, char **ret_what, Error **reterr);
/* What is broken now, of the file at path; NULL: nothing. The caller frees. */
char* drill_pending_text(const char *path);

/* drill-record.c: the report as JSON, and the last of each drill, kept beside the cluster file */
#define DRILL_RECORD "failover.json"
json_t* drill_report_to_json(const Cluster *c, const DrillReport *r);
json_t* drill_record_merge(const json_t *known, const json_t *seen, bool stopped);
/* "8 drills on 2026-11-25, longest gap in reads 0.31 s (haproxy-hung), in writes 1.90 s (etcd-leader)": of
 * such JSON; NULL if it is none. The caller frees. */
char* drill_record_text(const json_t *tree);
