/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdatomic.h>

#include "common/clock.h"
#include "host/pool.h"
#include "install/install.h"

/*
 * One run of install, and its nodes; private to install/
 *
 * Each chosen node is worked on by one thread at a time (crew_each()). Hosts come from a pool, since probes
 * of one node may ask another.
 */
typedef struct InstallRun InstallRun;

typedef struct NodeRun {
        InstallRun *run;
        const Node *node;
        bool selected;
        bool beside; /* not selected, and looked at for the sake of those that join; see preflight.c */
        atomic_bool active;  /* being worked on in this phase of the run */
        atomic_bool blocked; /* ... and waits for other nodes */
        atomic_bool failed;  /* something went wrong with it: nothing comes of it in this run */
        atomic_uint rank;    /* of the component that is waited for; 0: none yet */
        bool overtaken;      /* somebody else has changed it since it was looked at first */
        bool up;             /* all that is to run there was ready when the rollout began */
        bool leads;          /* something: it comes last */
        bool touched;        /* something was put */
        bool taken_back;     /* ... and the node made what it was before */
        bool remarked;       /* what is left alone was told */
        int turn;            /* in a rollout; see turns.c */

        Facts facts;
        Observation *observation;
        Plan *outline; /* made with default facts: tells what to look at */
        Plan *plan;
        Changes changes;
        size_t n_found; /* changes at the first look */
        InstallOutcome outcome;
        char *waits_for; /* other nodes, for what; or NULL */
        char *diff;      /* of a dry run */
        json_t *shown, *left;
        Error *unreached; /* why it could not be connected to for its lock, or NULL */
        ErrorList errors; /* what went wrong with this node */
} NodeRun;

struct InstallRun {
        const InstallRequest *request;
        NodeRun *nodes; /* all of the cluster, in its order */
        size_t n_nodes;
        HostPool *hosts;
        ProbeContext probes;
        char *identity;
        char *cache;
        bool serving;
        atomic_bool noted;           /* ... and that was written down */
        bool waited;                 /* for a lock that somebody else had */
        bool nobody_leaves;          /* as it was before the first change */
        bool checking;               /* nothing will be changed, and all that can be found out is wanted */
        bool asking;                 /* the same, of the nodes that would be changed */
        struct Preflight *preflight; /* while there is one; of preflight.c */
        uint64_t start_usec;
        atomic_uint n_ready; /* components that were waited for and have become ready */
};

/* run.c */
void run_init(InstallRun *run, const InstallRequest *request);
void run_done(InstallRun *run);
void run_give_errors(InstallRun *run, ErrorList *errors); /* those of the nodes */
int run_identity(InstallRun *run, Error **reterr);
int run_serving(InstallRun *run, Error **reterr); /* asks, and sets run->serving */

/* crew.c */
typedef int (*NodeJob)(NodeRun *n, Error **reterr);
typedef bool (*NodeFilter)(const NodeRun *n);
/* Runs job for every selected node that passes filter (or NULL), all at once; errors are kept with their
 * nodes. Return: 0, or the negative result of the first node that failed. */
int crew_each(InstallRun *run, NodeFilter filter, NodeJob job);
void crew_beside(InstallRun *run, void (*job)(NodeRun *n)); /* the same, of those that are not selected */
int node_fail(NodeRun *n, int r, Error *error);             /* takes error */

/* node.c */
/* Opens the node's Host if need be, and holds it until node_release(). */
int node_host(NodeRun *n, Host **ret, Error **reterr);
void node_release(NodeRun *n);
bool node_differs(const NodeRun *n);
bool node_is_as_planned(const NodeRun *n);
bool node_carries(const NodeRun *n, const Component *c);
void node_event(const NodeRun *n, InstallEventType type, const char *text, uint64_t done, uint64_t total);
void node_step(const NodeRun *n, Stage stage, const char *text);
void node_end(NodeRun *n, InstallOutcome outcome, const char *text);
void run_warn(InstallRun *run, const char *text); /* of no node */
/* Takes the node's lock, unless it is held. */
int node_lock(NodeRun *n, bool wait, Error **reterr);
void node_unlock(NodeRun *n);
bool run_is_whole(const InstallRun *run); /* all nodes of the cluster are selected */
int run_cancelled(const InstallRun *run, Error **reterr);
#define RUN_FOREACH_NODE(n, run) for (NodeRun *n = (run)->nodes; n < (run)->nodes + (run)->n_nodes; n++)
#define RUN_FOREACH_COMPONENT(c, run) \
        for (const Component *const *_p_##c = (run)->request->components, *c; (c = *_p_##c); _p_##c++)

#define CHANGES_FOREACH_OF(c, all, of)                                                     \
        for (const Change *c = (all)->changes; c < (all)->changes + (all)->n_changes; c++) \
                if (!c->item || !streq(c->item->component, (of)->name)) {                  \
                } else

/* hold.c */
int run_hold(InstallRun *run, bool wait, Error **reterr);

/* look.c */
int run_outline(InstallRun *run, Error **reterr);
int node_look(NodeRun *n, Error **reterr);
void node_look_beside(NodeRun *n);

/* show.c */
void run_show(InstallRun *run); /* a dry run: what would change, as text and JSON */

/* preflight.c */
char* run_outdated(
        const InstallRun *run); /* what tells that this is not the newest copy of the directory; or NULL */
int run_judge(InstallRun *run, ErrorList *errors);
int run_foresee_versions(InstallRun *run, ErrorList *errors);
void run_check(InstallRun *run, CheckList *ret);

/* put.c */
int node_put(NodeRun *n, Error **reterr);
int node_put_binaries(NodeRun *n, Error **reterr);
int node_put_component(NodeRun *n, const Component *c, Error **reterr); /* only what is of this one */
int node_record(NodeRun *n, Error **reterr);
int run_record_due(InstallRun *run);

/* served.c */
void run_note_served(InstallRun *run);

/* snapshot.c */
int run_snapshot(InstallRun *run, Error **reterr);

/* retire.c */
int node_retire(NodeRun *n, Error **reterr); /* stops and disables units whose files are about to go */
bool node_retires(const NodeRun *n, const char *unit);
/* units.c */
#define UNITS_TIMEOUT_USEC (240 * USEC_PER_SEC) /* longer than any unit's own start and stop timeouts */
/* daemon-reload, enable, start, restart, reload: what the changes say */
int node_units(NodeRun *n, bool wait, Error **reterr);
/* of that, what is of one component, if it is a reload */
int node_reload(NodeRun *n, const Component *c, Error **reterr);

/* ready.c */
int node_ready(NodeRun *n, Error **reterr);
int node_settle(NodeRun *n, Error **reterr);
bool component_is_ready(const NodeRun *n, const Component *c);
int component_wait(NodeRun *n, const Component *c, Error **reterr);

/* gate.c */
typedef enum GateTime {
        GATE_BEFORE, /* the node is about to be changed */
        GATE_AFTER,  /* it was */
        GATE_BACK,   /* ... and is about to be given back what it had before */
} GateTime;

int node_gates(NodeRun *n, GateTime time, Error **reterr);

/* ahead.c */
bool node_leaves_peers(const NodeRun *n);
bool node_comes_to_peers(const NodeRun *n);
bool node_restarts_peer(const NodeRun *n);
bool node_tells_peer(const NodeRun *n);
int run_tell_peers(InstallRun *run);

/* alone.c */
void node_tell_alone(NodeRun *n);
int node_spares(NodeRun *n, bool pruned, Error **reterr);

/* turns.c: whose turn it is, one node after the other */
/* Nodes in the order of their turns, and what decides on it besides. */
typedef struct Turns {
        NodeRun **nodes;
        size_t n_nodes;
        bool any_joins, any_restarts;
} Turns;

int node_rank(NodeRun *n, Error **reterr);
void turns_find(const InstallRun *run, Turns *t); /* nodes are set, and ranked */
/* Before the turn of the node at i, which may be another one afterwards. */
int turns_look(Turns *t, size_t i, Error **reterr);
bool turns_peers_are_due(const Turns *t, size_t i); /* before it */

/* rollout.c */
int run_together(InstallRun *run); /* a cluster that does not serve */
int run_one_by_one(InstallRun *run);

/* leavers.c: what is in the cluster and not in the cluster file */
int run_refuse_leavers(InstallRun *run, Error **reterr);
void run_show_leavers(InstallRun *run, InstallResult *result); /* of a dry run */
int run_prune(InstallRun *run, Error **reterr);                /* how many were taken out */
int run_prune_lost(InstallRun *run, Error **reterr);           /* the same, of what is lost */
int run_prune_early(InstallRun *run, Error **reterr);          /* the same as the first, before its end */

/* objects.c */
/* insist: try for a while; else -EAGAIN if no apiserver answers */
int run_objects(InstallRun *run, bool insist, size_t *ret_n, Error **reterr);
int run_endpoint(InstallRun *run, InstallResult *result, Error **reterr);

/* result.c */
void run_report(InstallRun *run, InstallResult *result);
