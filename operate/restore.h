/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "install/install.h"
#include "operate/snapshot-facts.h"

/*
 * etcd's data out of a snapshot, for the whole cluster
 *
 *     examine    is it a snapshot, whole, and of this cluster?
 *     look       all nodes are locked; are they, and the data that lies there, of this cluster? Is who was left
 *                out gone?
 *     confirm    up to here nothing is changed or stopped
 *     survivor   without a file: what one member has. One that answers nobody is stopped for it, and started
 *                again if it comes to nothing
 *     equip      etcd's programs on hosts that have nothing (all were lost); nothing is started
 *     stop       the control plane and etcd on all nodes; disabled, so that a power cut does not start them
 *     unpack     on each member, beside its data, by etcdutl: a new cluster token, so that a member with data of
 *                before can never join; the revision raised and what is below it marked compacted, so that no
 *                client's watch goes back in time
 *     swap       once all have unpacked it; from here on there is no way back but through
 *     start      by an installation, which waits until everything serves
 *     clean      once etcd is seen to serve the new data: what this restore has put aside goes away
 *
 * Killed anywhere, the same command goes on: what it was about is in secrets/etcd-restore. The same is the same
 * bytes, or the same survivor, and the same members; anything else begins anew, with a new token, and so does a
 * restore whose data serves already. A failure before the swap starts again what was stopped, and so does an
 * installation after a kill; a failure after it says which command goes on. Members whose hosts are gone may be
 * left out; they are not part of the new cluster, and are replaced later.
 */

/* What is about to happen, for whoever is asked. */
typedef struct RestoreQuestion {
        const char *snapshot;       /* NULL: it is yet to be taken of the survivor */
        const SnapshotFacts *facts; /* of it */
        const Node *survivor;       /* or NULL */
        bool stops;                 /* ... which answers nobody, and is stopped to be read */
        const char *state;          /* of etcd, now */
        const char *earlier;        /* of a restore that was begun before, one line; or NULL */
} RestoreQuestion;

typedef struct RestoreRequest {
        InstallRequest install; /* the nodes: all but those left out */
        const char *snapshot;   /* a file; or, if NULL, */
        const Node *survivor;   /* what this member has */
        bool force;             /* of another cluster, or of before the last restore, too */
        /* Told before the first change. Negative: no. */
        int (*confirm)(void *userdata, const RestoreQuestion *question, Error **reterr);
        void *userdata;
} RestoreRequest;

typedef struct RestoreResult {
        char *snapshot; /* the file that was restored; NULL: none was taken */
        char *token;    /* the cluster's new one */
        SnapshotFacts facts;
        size_t n_members;
        uint64_t revision; /* after it */
        bool resumed;      /* an interrupted run was finished */
} RestoreResult;

int restore_run(const RestoreRequest *request, RestoreResult *ret, ErrorList *errors);
void restore_result_done(RestoreResult *r);
