/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/survey.h"
#include "pki/secret.h"
#include "plan/plan.h"

/*
 * Snapshots as files
 *
 * A snapshot is a database of etcd (bbolt) with the SHA-256 of it behind. The same without that digest is what
 * lies in a member's data directory; it can be restored, too, but nobody can tell whether it is damaged.
 *
 * Whose it is can be told from what is in it: every cluster of hardway has a ConfigMap kube-system/hardway
 * with its mark, NAME_MARK and the identity, which lies readable in the file.
 */
typedef struct EtcdSnapshotFile {
        uint64_t size;
        bool digest; /* it has one, and it is right */
        Strv marks; /* identities of the clusters whose mark is in it: of another too, if its data came from there */
        bool keys[SECRET_NUMBER_MAX +
                  1]; /* by number: secrets in it are, or once were, encrypted with that one */
} EtcdSnapshotFile;

int etcd_snapshot_inspect(const char *path, EtcdSnapshotFile *ret, Error **reterr);
void etcd_snapshot_file_done(EtcdSnapshotFile *f);

/* snapshot-part.c: begins FILE.part, and removes what killed runs have left of others like it. Return: a descriptor. */
int etcd_snapshot_part(int dir_fd, const char *path, const char *part, int *ret_lock);

/* Looks for marks and for names of keys in bytes that come piece by piece; for etcd_snapshot_inspect() and its fuzz target. */
typedef struct MarkScan {
        char window[128]; /* what a mark could begin with that is cut by the end of a piece */
        size_t n_window;
        Strv marks;
        bool keys[SECRET_NUMBER_MAX + 1];
} MarkScan;

void mark_scan_add(MarkScan *s, const void *data, size_t size);

/* Taking one: from a member that reaches a quorum, rather not from the leader, which has enough to do. */
typedef struct EtcdSaveRequest {
        const Node *node; /* from this member, also if it reaches no quorum; NULL: choose */
        const char *path;
        EtcdSnapshotCheck check;       /* of what arrived, before it is at path; or NULL */
        EtcdSnapshotProgress progress; /* or NULL */
        void *userdata;
} EtcdSaveRequest;

typedef struct EtcdSaved {
        const Node *node;
        bool quorum; /* it reached one: nothing that was acknowledged before is missing */
        bool older;  /* it is of another cluster, with data of before a restore */
        uint64_t size;
        uint64_t revision; /* which it has at least */
} EtcdSaved;

int etcd_save(const ProbeContext *c, const EtcdSaveRequest *request, EtcdSaved *ret, Error **reterr);
char* etcd_save_path(const Cluster *c); /* snapshots/NAME-TIME.db beside the cluster file */
/* Whether there is room for so much where path is to be. */
int etcd_save_space(const char *path, uint64_t size, Error **reterr);

/* What a node tells of the snapshots that it takes by itself; times are in seconds since 1970, by its clock. */
typedef struct EtcdScheduled {
        uint64_t now;
        uint64_t since; /* the timer is there */
        bool failed;    /* the last run */
        bool missing;   /* the last good one is not where it was put */
        uint64_t taken; /* the last good one; 0: there is none */
        uint64_t size, revision;
        char file[32]; /* its name: digits, "T", "Z", "-" and ".db"; or "" */
} EtcdScheduled;

int etcd_scheduled(const ProbeContext *c, const Node *node, EtcdScheduled *ret, Error **reterr);
/* Its parser, for tests; -EBADMSG. */
int etcd_schedule_parse(const char *text, EtcdScheduled *ret);
/* place.c: the directory for them, of a plan; and of an earlier one, as far as can be told */
#define ETCD_PLACE_ID "etcd/snapshots"
bool etcd_is_place(const PlanItem *item);
bool etcd_was_place(const char *path, const char *owner);
