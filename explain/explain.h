/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * What everything is, and why: the declarations of components, plans and the cluster file as a catalogue
 * that can be asked by word
 *
 * Nothing is told here that does not stand where the fact itself stands: flags, settings, credentials and
 * lines of configuration in the tables of components, items in plans, keys in the table of the cluster file.
 * What nothing declares has tables here: files beside the cluster file (explain/directory.c), what hardway keeps on the
 * nodes for itself (explain/node-files.c), and words that a reader meets (explain/words.c, explain/ports.c).
 * A thing that the cluster at hand does not have is known from the plan of an example cluster, and has no
 * values.
 */
typedef struct ExplainValue {
        Strv where; /* nodes or units; NULL: everywhere */
        char *text;
} ExplainValue;

/* A part of the thing, which may be asked for in turn: a flag of a component, a step of a command. */
typedef struct ExplainPart {
        char *name;
        char *text;
        char *by_hand; /* commands, one a line; or NULL */
} ExplainPart;

typedef struct Explanation {
        char *name;    /* tells it from everything else: "kube-apiserver --etcd-servers" */
        Strv aliases;  /* words that it is found by, too */
        char *kind;    /* "flag of kube-apiserver" */
        char *why;     /* what it is, and why it is there */
        char *without; /* what breaks without it */
        char *manual;  /* what upstream's documentation of it is called */
        char *by_hand; /* commands that do the same, one a line; of a command: what its steps take for granted */
        char *usage;   /* of a command: its command line; or NULL */
        char *read_by; /* units whose input it is, and what happens to them when it changes; or NULL */
        ExplainValue *values;
        size_t n_values;
        bool absent;  /* not in the cluster at hand */
        bool is_line; /* of a file: found by all of it, too, as it stands there, whatever its value */
        const char *parts_title;
        const Node *parts_of; /* where a part looks otherwise on each node: the one that is shown; or NULL */
        ExplainPart *parts;
        size_t n_parts;
        Strv hints; /* words that it is found by where nothing else is */
} Explanation;

typedef struct Catalogue Catalogue;

typedef struct ExplainRequest {
        const Component *const *components;
        const Cluster *cluster;   /* NULL: no values */
        const Node *const *nodes; /* whose values are wanted */
        size_t n_nodes;
        Store *store;     /* or NULL */
        const Lock *lock; /* or NULL */
} ExplainRequest;

int catalogue_new(const ExplainRequest *request, Catalogue **ret, Error **reterr);
Catalogue* catalogue_free(Catalogue *c);
DEFINE_CLEANUP(Catalogue*, catalogue_free)

/* Adds what is not known here (commands); lent, for fields to be set. */
Explanation* catalogue_add(Catalogue *c, const char *name, const char *kind);
#define EXPLAIN_WORD "word" /* the kind of what is no thing */
/* How it is done by hand, from a text for explain_fill(): 1 if this cluster has nothing of it, and it is that of the example. */
int explanation_fill(Explanation *e, const ExplainRequest *request, const char *text, Error **reterr);
void explanation_say(Explanation *e, const char *text); /* what it is in the cluster at hand, on all nodes */
void explanation_add_part(Explanation *e, const char *name, const char *text);
void explanation_add_step(Explanation *e, const char *name, const char *text, const char *by_hand);

/*
 * Commands with the names and addresses of the cluster at hand, or of the example.
 *
 * What is written as {word} is filled in; see the table in explain/fill.c. A line that begins with "@who " stands once for
 * each such node, and not at all where there is none: @node, @member (of etcd), @controller, @balancer, @control (either of
 * the first two), @other (members but {this}), @spares (load balancers, if {this} has an apiserver behind them).
 * {this.name} is of the first member of etcd that was chosen (--node), {controller.name} of the first controller.
 *
 * Return: the text; the caller frees. NULL with an Error if it has a word that nobody knows.
 */
char* explain_fill(const ExplainRequest *request, const char *text, Error **reterr);

/* All in the order in which they were added. */
size_t catalogue_size(const Catalogue *c);
const Explanation* catalogue_get(const Catalogue *c, size_t index);

/*
 * What a word means. Found by its name, it is that alone, and others that could be meant are in ret_others;
 * found by shorter words, all are returned. The arrays are the caller's, what they point to is lent.
 */
typedef struct Found {
        const Explanation **matches;
        size_t n_matches;
        const Explanation **others;
        size_t n_others;
} Found;

void catalogue_find(const Catalogue *c, const char *word, Found *ret);
bool found_is_one_thing(const Found *f); /* several entries of the same name are one thing */
void found_done(Found *f);
char* catalogue_nearest(const Catalogue *c, const char *word); /* NULL if none is near; the caller frees */

json_t* explanation_to_json(const Explanation *e);
