/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "install/install.h"
#include "operate/snapshot-facts.h"

/*
 * etcd's data out of a snapshot, for the whole cluster
 *
 *     examine    is it a snapshot, whole, and of this cluster?
 *     install    nodes on which nothing is installed yet (all hosts were lost)
 *     stop       the control plane and etcd on all nodes; disabled, so that a power cut does not start them
 *     unpack     on each member, beside its data, by etcdutl: a new cluster token, so that a member with data of
 *                before can never join; the revision raised and what is below it marked compacted, so that no
 *                client's watch goes back in time
 *     swap       once all have unpacked it; from here on there is no way back but through
 *     start      by an installation, which waits until everything serves
 *     clean      once etcd is seen to serve the new data: the old goes away
 *
 * Killed anywhere, the same command goes on: what it was about is in secrets/etcd-restore. Until the swap an
 * installation starts everything as it was. Members whose hosts are gone may be left out; they are not part of
 * the new cluster, and are replaced later.
 */
typedef struct RestoreRequest {
        InstallRequest install; /* the nodes: all but those left out */
        const char *snapshot;   /* a file; or, if NULL, */
        const Node *survivor;   /* what this member has */
        bool force;             /* of another cluster, too */
        /* Told before the first change: what is about to be restored, into what. Negative: no. */
        int (*confirm)(void *userdata, const char *snapshot, const SnapshotFacts *facts, const char *state,
                       Error **reterr);
        void *userdata;
} RestoreRequest;

typedef struct RestoreResult {
        char *snapshot; /* the file that was restored */
        char *token;    /* the cluster's new one */
        SnapshotFacts facts;
        size_t n_members;
        uint64_t revision; /* after it */
        bool resumed;      /* an interrupted run was finished */
} RestoreResult;

int restore_run(const RestoreRequest *request, RestoreResult *ret, ErrorList *errors);
void restore_result_done(RestoreResult *r);
