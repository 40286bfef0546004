/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "check/answers.h"
#include "plan/component.h"
#include "plan/observation.h"
#include "plan/store-fit.h"

/* Of a cluster that serves and cannot be asked from here; found by install, which would take it for a new one. */
#define CHECK_SERVING "serving"

/* Of the store against the cluster file; looked at by whoever rolls something out before anything else. */
#define CHECK_CERTIFICATES "certificates"

/*
 * What speaks against installing: a table of rules over what is known of the nodes
 *
 * A rule is a pure function of a CheckWorld: facts, observation and plan of every node that could be looked
 * at, and their answers to further questions (check_ask(), check_ask_here()). It adds a finding for each
 * node it is about: CHECK_OK with what was found, CHECK_WARNING, or CHECK_FAILED, which keeps `install` from
 * going on. `check` shows the findings and `install` refuses because of them: both ask the same rules.
 *
 * A finding's id is NAME/NODE, or NAME alone where it is about several nodes; NAME is a rule's or one of a
 * component's preflights, is stable, and is what --ignore takes: an ignored finding counts for one step
 * less, and says so.
 */
typedef struct CheckNode {
        const Node *node;
        bool chosen;                    /* this run is about it, whether it could be looked at or not */
        bool reached;                   /* it could, whatever is there */
        bool anew;                      /* what was on it does not count */
        const Facts *facts;             /* NULL: it is not part of this run, or could not be looked at */
        const Observation *observation; /* the same */
        const Plan *plan;               /* made with the facts */
        uint64_t put_size;              /* bytes that are about to be put there */
        bool judged; /* rules about single nodes apply: `install` leaves out nodes that it does not change */
        bool joins;  /* was not part of the cluster so far, or not with all that it is to do */
        bool beside; /* is looked at for the sake of those that join: only what is between it and them counts */
        const Answers *answers; /* NULL: it was not asked */
} CheckNode;

typedef struct CheckWorld {
        const Cluster *cluster;
        const Component *const *components;
        CheckNode *nodes;     /* as the cluster's */
        const char *identity; /* of our cluster, or NULL */
        bool serving;         /* the cluster serves already */
        bool served;          /* ... or did once, and what it has served is there */
        bool joining;         /* ... and only ways from and to nodes that join count */
        const Answers *here;  /* what was asked of this machine, or NULL */
        const StoreMisfits
                *misfits;     /* what of the store does not fit the cluster file; NULL: not looked at */
        bool editions;        /* of the nodes were compared with the store's, and */
        const char *outdated; /* ... it lacks some, for people; NULL: none */
        char *const *ignore;  /* names, or ids of findings about one node; or NULL */
        const Lock *lock;     /* of the binaries, or NULL */
        const char *cache;    /* where they are; NULL: the default */
} CheckWorld;

/* table.c */
/* The rules about one node that was looked at; and those about all nodes together. */
void check_node(const CheckWorld *w, const CheckNode *n, CheckList *findings);
void check_all(const CheckWorld *w, CheckList *findings);
/* Of the first, only the ways to other nodes. */
void check_reach(const CheckWorld *w, const CheckNode *n, CheckList *findings);
/* A node could not be looked at; not to be ignored. */
void check_failure(const Node *node, const Error *error, CheckList *findings);
/* Asks the node's components for their preflights, who uses directories of services, and whether files that flags name are there.
 * Fails only if the node cannot be asked. */
int check_components(const CheckWorld *w, const ProbeContext *c, const Node *node, CheckList *findings,
                     Error **reterr);
/* The failed finding as an Error for people: "NODE: text", with the advice as its detail. */
Error* check_to_error(const Check *finding);
/* What there is to be looked at: of rules, and of components. The caller frees; the texts are constants. */
void check_names_list(const Component *const *components, CheckName **ret, size_t *ret_n);
/* Refuses a name that no finding can have. */
int check_names_exist(const Component *const *components, char *const *names, Error **reterr);

/* versions.c: whether it has another minor version of something than the cluster file wants */
bool check_takes_step(const Cluster *c, const CheckNode *n);

/* ask.c */
/* Further questions, in one round trip; ret is set if it succeeds. thorough: also what takes seconds. */
int check_ask(const ProbeContext *c, const CheckWorld *w, const CheckNode *n, bool thorough, Answers *ret,
              Error **reterr);
/* Tries the ways from this machine to the nodes. */
void check_ask_here(const CheckWorld *w, Answers *ret);

/* ways.c: which ports somebody connects to */
typedef struct CheckWay {
        const Node *to;
        unsigned port;
        const char *why;
} CheckWay;

/* From a node, or from this machine (NULL), to the nodes that were looked at. The caller frees. */
size_t check_ways(const CheckWorld *w, const Node *from, CheckWay **ret);
