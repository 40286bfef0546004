/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/data.h"
#include "host/pool.h"
#include "operate/restore.h"

/* What the files of a restore share. */

/* restore-journal.c: what was begun, beside the other secrets of the cluster */
typedef struct RestoreJournal {
        char *snapshot; /* path, as given */
        char *digest;   /* SHA-256 of the file, hex: the same restore goes on, another one begins anew */
        char *token;
        bool fresh; /* nothing was begun before */
} RestoreJournal;

int journal_open(const char *directory, const char *snapshot, const char *digest, RestoreJournal *ret,
                 Error **reterr);
int journal_read(const char *directory, RestoreJournal *ret, Error **reterr); /* 0: there is none, 1 */
int journal_commit(const char *directory, const RestoreJournal *j,
                   Error **reterr); /* the token is the cluster's */
int journal_end(const char *directory, Error **reterr);
void journal_done(RestoreJournal *j);

/* restore-node.c: what is done on each node */
typedef struct RestoreNode {
        const struct Restore *restore;
        const Node *node;
        Error *error;
        bool installed; /* etcdutl is there */
        bool swapped;   /* it has the new data already */
} RestoreNode;

typedef struct Restore {
        const RestoreRequest *request;
        const Cluster *cluster;
        const char *directory; /* of the cluster */
        char *identity;
        RestoreJournal journal;
        bool digest; /* the snapshot has one */
        HostPool *hosts;
        RestoreNode *nodes; /* controllers and members that take part */
        size_t n_nodes;
} Restore;

int restore_look(RestoreNode *n, Error **reterr);
int restore_stop(RestoreNode *n, Error **reterr);
int restore_unpack(RestoreNode *n, Error **reterr);
int restore_swap(RestoreNode *n, Error **reterr);
int restore_clean(RestoreNode *n, Error **reterr);
/* All at once; each error goes into errors. */
int restore_each(Restore *s, int (*job)(RestoreNode*, Error **), ErrorList *errors);

/* restore-survivor.c: what a member has, also one that does not answer */
int survivor_save(Restore *s, char **ret_path, Error **reterr);

/* The scripts, for tests. */
void restore_script_stop(const Component *const *components, const Node *node, const Cluster *c,
                         Buffer *out);
void restore_script_unpack(const Restore *s, const Node *node, Buffer *out);
void restore_script_swap(const Restore *s, Buffer *out);
