/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/pool.h"
#include "install/stage.h"
#include "plan/component.h"

/*
 * The rollout: from plans to nodes that are as planned
 *
 * install_run() asks all nodes at once, compares each with its plan, and reports every problem of every node
 * before the first write. If nothing differs, nothing is written. A cluster that does not serve yet gets
 * everything at once, and what waits for a quorum is waited for on probes. A cluster that serves is given
 * its files at once, and then restarted node by node: whoever leads comes last and hands over first, gates
 * are looked at before and after, and the first node that does not come back ends the run.
 *
 * Killed or cancelled at any moment, the next run finishes the work: there is no state but that of the
 * nodes. What is installed is known here only as plan items and components; no component is known by name.
 */
typedef enum InstallEventType {
        INSTALL_STAGE,    /* the node is at another stage; text, if there is one, says more ("12 files") */
        INSTALL_AMOUNT,   /* done and total bytes of this stage */
        INSTALL_WAITING,  /* text: what this stage waits for ("2 of 3 members") */
        INSTALL_NOTE,     /* text for people, of a node or of the whole run */
        INSTALL_WARNING,  /* the same, and somebody should look into it */
        INSTALL_FINISHED, /* the node is done: text says how ("done", "nothing to change") */
        INSTALL_FAILED,   /* the node is done, badly; the Error has more */
} InstallEventType;

typedef enum InstallOutcome {
        INSTALL_UNTOUCHED, /* the run ended before this node's turn */
        INSTALL_UNCHANGED,
        INSTALL_CHANGED,
        INSTALL_WAITS, /* done, and waits for other nodes: waits_for says for what */
        INSTALL_BROKEN,
} InstallOutcome;

typedef struct InstallEvent {
        InstallEventType type;
        const Node *node; /* NULL: the whole run */
        const char *text;
        Stage stage;            /* of INSTALL_STAGE */
        InstallOutcome outcome; /* of INSTALL_FINISHED and INSTALL_FAILED */
        uint64_t done, total;
} InstallEvent;

/*
 * A change that a node may bear without being well with it, such as other certificates. Of a cluster that
 * serves, each node is proven after its change, before the next one is touched: all its components are
 * ready, the gates hold, and prove() finds what it looks for. If any of this fails, take_back() may change
 * what the node's plan is made of (the store); returns it 1, the node is looked at again and made what its
 * plan says now, so that it goes on serving. It is not called where one more restart would put the cluster
 * at risk. Neither is called after the run was cancelled.
 */
typedef struct InstallProof {
        int (*prove)(void *userdata, const ProbeContext *probes, const Node *node, Error **reterr);
        int (*take_back)(void *userdata, const Node *node, Error **reterr);
        void *userdata;
} InstallProof;

/* Instances (etcd's members) that are not in the cluster file any more, and that work. Those that do not are taken
 * out by every run on all nodes. */
typedef enum InstallLeavers {
        LEAVERS_STAY,
        LEAVERS_REFUSE, /* the run is refused before its first change: the cluster file may be an old copy */
        LEAVERS_GO,
} InstallLeavers;

typedef struct InstallRequest {
        const Cluster *cluster;
        Store *store; /* dry_run: NULL or one that lacks things is good enough */
        const Lock *lock;
        const Component *const *components;
        const Node *const *nodes; /* those to be installed */
        size_t n_nodes;
        const char *cache; /* fetch's; NULL: fetch_cache_default() */
        const HostOptions *host;
        HostPool *hosts;    /* with locks that the caller has and keeps; NULL: connections of its own */
        const char *holder; /* for the locks on the nodes: who is at work */
        const char *again;  /* the command that goes on where this one stopped; NULL: "hardway install" */
        bool dry_run;       /* compare, and show; write nothing */
        bool deep;          /* hash every file */
        bool wait;          /* wait for locks that others hold */
        bool joined; /* a node may have, in an earlier run: load balancers hear of it before others stop */
        InstallLeavers leavers;
        const Node *anew;    /* whatever was on it goes, its data too, and does not count; or NULL */
        char *const *ignore; /* checks whose failure is not to stop it: names, or NAME/NODE; or NULL */
        void (*event)(void *userdata, const InstallEvent *event); /* or NULL; by one thread at a time */
        void *userdata;
        const volatile int *cancelled; /* or NULL */
        const InstallProof *proof;     /* or NULL: that all components are ready is proof enough */
} InstallRequest;

typedef struct InstallNode {
        const Node *node;
        InstallOutcome outcome;
        bool touched;    /* something was put there, whatever came of it */
        bool taken_back; /* ... and then the node was made what it was, by the proof's take_back() */
        size_t n_items;
        size_t n_changes;
        char *waits_for; /* "etcd: 1 of 3 members, quorum needs 2"; or NULL */
        char *diff;      /* dry_run: what would change, as text; "" if nothing */
        json_t *changes; /* dry_run: the same for scripts; see changes_to_json() */
        json_t *left;    /* dry_run: what is otherwise and stays; see remarks_to_json() */
        bool known;      /* it was looked at; else nothing is known of how it differs */
        char *error;     /* the first of what went wrong with it, or NULL */
        bool differs;    /* from its plan, by what was changed, or would be, or is left: as last seen */
} InstallNode;

typedef struct InstallResult {
        InstallNode *nodes;
        size_t n_nodes;
        size_t n_items;
        bool changed;   /* something was written, started or applied (dry_run: would be) */
        bool serving;   /* the cluster served before */
        char *outdated; /* the directory is not the newest copy, and how that is known, for people; or NULL */
        Strv leavers;   /* dry_run: what would be taken out, for people; NULL: nothing */
        char *url;      /* where the cluster was asked for its version */
        char *version;  /* what it answered: "v1.36.3"; NULL: it was not asked, or did not answer */
        uint64_t answer_usec;   /* from the start of the run to that answer */
        uint64_t duration_usec; /* of the whole run */
} InstallResult;

const char* install_outcome_to_string(InstallOutcome o);

/* To whoever has event(), by one thread at a time: all events go this way. */
void install_event(const InstallRequest *request, const InstallEvent *event);
void install_tell(const InstallRequest *request, InstallEventType type, const Node *node, const char *text);
void install_stage(const InstallRequest *request, const Node *node, Stage stage);

/* 0, or negative: errors has at least one, at most a few per node. ret is filled in either way. */
int install_run(const InstallRequest *request, InstallResult *ret, ErrorList *errors);
void install_result_done(InstallResult *r);

/* Would install_run() refuse to begin with these nodes, or what it puts there find no place? Asked ahead of what
 * leaves them no way back, and so all that can be asked of those that differ; nothing is changed, and nobody told.
 * 0, or negative: errors has why. */
int install_judge(const InstallRequest *request, ErrorList *errors);

/*
 * What install would refuse for, and more: all that check/ and the components know to look for, on every
 * chosen node, whatever differs there. Nothing is changed; store, lock and cache may lack things. Findings
 * about single nodes come first. 0, or negative: not even a plan could be made.
 */
int install_check(const InstallRequest *request, CheckList *ret, Error **reterr);
