/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/data.h"
#include "etcd/survey.h"
#include "host/pool.h"
#include "operate/restore.h"
#include "pki/secret.h"

/* What the files of a restore share. */

/* restore-journal.c: what was begun, beside the other secrets of the cluster */
typedef struct RestoreJournal {
        char *snapshot; /* absolute path of the file */
        char *survivor; /* name of the node of which it was taken; "": it was given */
        char *digest;   /* SHA-256 of the file, hex */
        char *members;  /* names of those that the new cluster begins with, with commas */
        char *token;
        char *begun; /* "2026-11-25T16:47:00Z" */
        bool served; /* the new data was seen to serve */
} RestoreJournal;

/* Of something that begins now: with a new token. Consumes nothing, writes nothing. */
int journal_new(const char *survivor, const char *members, RestoreJournal *ret, Error **reterr);
int journal_read(const char *directory, RestoreJournal *ret, Error **reterr); /* 0: there is none, 1 */
int journal_write(const char *directory, const RestoreJournal *j, Error **reterr);
/* The token becomes the cluster's, which has this id from then on. */
int journal_commit(const char *directory, const RestoreJournal *j, uint64_t id, char *const *left_out,
                   Error **reterr);
bool journal_is_committed(const char *directory, const RestoreJournal *j); /* also after a failure */
int journal_end(const char *directory, Error **reterr);
void journal_done(RestoreJournal *j);

/* restore-look.c, restore-node.c: what is done on each node */
typedef struct RestoreNode {
        const struct Restore *restore;
        const Node *node;
        Error *error;
        bool installed; /* etcdutl is there */
        bool data;      /* a member's data is there */
        bool swapped;   /* it has the new data already */
        bool started;   /* again, after a failure */
        char *token;    /* of the data, by its mark; or NULL */
        Strv asides;    /* tokens of restores that have put data aside here */
        Observation *observation;
} RestoreNode;

typedef struct Restore {
        const RestoreRequest *request;
        const Cluster *cluster;
        const char *directory; /* of the cluster */
        char *identity;
        char *path;             /* the file that is sent: examined in this run. NULL: not taken yet */
        RestoreJournal journal; /* of this restore */
        RestoreJournal earlier; /* of another one, which this one does not go on with; token NULL: none */
        bool resumed;           /* an interrupted restore goes on */
        bool finished;          /* the earlier one serves: what it has put aside may go */
        bool digest;            /* the snapshot has one */
        uint64_t size;          /* of the snapshot */
        bool keys[SECRET_NUMBER_MAX + 1]; /* by number: those that its secrets may need */
        bool told_keys;                   /* somebody knows which are lost, */
        bool key_is_lost;                 /* if any is */
        EtcdSurvey survey;
        HostPool *hosts;
        bool begun;         /* the answer was yes: from here on something may be stopped */
        bool committed;     /* the new token is the cluster's: from here on there is no way back */
        RestoreNode *nodes; /* controllers and members that take part */
        size_t n_nodes;
        const Node **others; /* that are to be installed with them, and are there */
        size_t n_others;
} Restore;

#define SNAPSHOT "/var/lib/hardway/restore.db"
#define NOTE "/var/lib/hardway/restore-stopped"

void restore_step(const RestoreNode *n, Stage stage);
char* restore_etcdutl(const Cluster *c); /* its path on the nodes */

/* restore-keys.c */
int restore_take_keys_back(Restore *s, bool ask, Error **reterr);
/* restore-look.c: before anything is stopped */
int restore_look(RestoreNode *n, Error **reterr);
int restore_equip(RestoreNode *n, Error **reterr);
int restore_room(RestoreNode *n, Error **reterr);
int restore_refuse_older(const Restore *s, Error **reterr); /* a copy of the directory */
/* restore-node.c */
int restore_stop(RestoreNode *n, Error **reterr);
int restore_unpack(RestoreNode *n, Error **reterr);
int restore_swap(RestoreNode *n, Error **reterr);
int restore_clean(RestoreNode *n, Error **reterr);
/* All at once; each error goes into errors. */
int restore_each(Restore *s, int (*job)(RestoreNode*, Error **), ErrorList *errors);
void restore_warn(const Restore *s, const Node *node, const char *text);
const RestoreNode* restore_node(const Restore *s, const Node *node); /* NULL: does not take part */
Strv restore_peer_urls(const Restore *s); /* of the new cluster's members; the caller frees */

/* restore-source.c: which data, and whether it is what it should be. Nothing is changed on any node. */
int source_open(Restore *s, RestoreResult *result, Error **reterr);
int source_examine(Restore *s, RestoreResult *result, Error **reterr);
int source_refuse_running(const Restore *s, Error **reterr); /* left out, and not gone */

/* restore-survivor.c: what a member has, also one that does not answer */
int survivor_check(const Restore *s, Error **reterr);
bool survivor_answers(const Restore *s); /* else it has to be stopped */
int survivor_save(Restore *s, Error **reterr);
int survivor_take(Restore *s, Error **reterr); /* stops it */

/* restore-others.c: load balancers */
void others_look(Restore *s);
int others_install(const Restore *s, InstallRequest *request, ErrorList *errors);

/* restore-end.c: once the data is in place */
size_t restore_count_members(const Restore *s);
/* The members that take part, of those that answer for the cluster that the restore made. */
size_t restore_count_serving(const Restore *s, const EtcdSurvey *survey, uint64_t *ret_revision);
int restore_finish(Restore *s, RestoreResult *result, ErrorList *errors);

/* restore-undo.c: after a failure */
void restore_fail(Restore *s, ErrorList *errors);
/* ... of the second look: what an earlier run has stopped stays so. */
void restore_leave(const Restore *s, ErrorList *errors);

/* The scripts, also for tests: values in front of what stands in operate/scripts. */
void restore_script_begin(const char *title, Buffer *out); /* and where things are on a node */
void restore_script_note(const char *units,
                         Buffer *out);  /* what of them runs; in front of what stops them */
void restore_script_start(Buffer *out); /* what was noted; prints "started" if it was anything */
void restore_script_forget(Buffer *out);
void restore_script_stop(const Component *const *components, Buffer *out);
void restore_script_look(const Restore *s, Buffer *out);
void restore_script_room(const Restore *s, Buffer *out);
void restore_script_unpack(const Restore *s, const Node *node, Buffer *out);
void restore_script_swap(const Restore *s, Buffer *out);
void restore_script_clean(const Restore *s, Buffer *out);
