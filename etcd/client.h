/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/strv.h"
#include "http/http.h"

/*
 * etcd's API, spoken to one member through its JSON gateway
 * (https://etcd.io/docs/latest/dev-guide/api_grpc_gateway/)
 *
 * An EtcdEndpoint is one member: what it answers is its own view, and a snapshot is of its own data. It is a
 * value that borrows the HttpClient, which trusts the CA "etcd/ca" and shows a certificate of it: without
 * etcd's own authentication any such certificate is root. Like the HttpClient it belongs to one thread at a
 * time.
 *
 * Errors are those of http/http.h; the member's own message stands in the text. Ids are numbers here and
 * strings in the JSON, where they exceed 2^53. What etcd leaves out of its JSON because it is zero, false or
 * empty is zero, false or NULL here.
 */
typedef struct EtcdEndpoint {
        HttpClient *http;
        const char *url;       /* "https://192.168.3.251:2379" */
        uint64_t timeout_usec; /* of one request; 0: 5 s */
} EtcdEndpoint;

typedef struct EtcdMember {
        uint64_t id;
        char *name; /* NULL: added, never started */
        Strv peer_urls;
        Strv client_urls; /* NULL: never started */
        bool learner;
} EtcdMember;

typedef struct EtcdMembers {
        uint64_t cluster_id;
        EtcdMember *members;
        size_t n_members;
} EtcdMembers;

/* linearizable: needs a quorum, and is the truth; else what this member knows. */
int etcd_members(const EtcdEndpoint *e, bool linearizable, EtcdMembers *ret, Error **reterr);
const EtcdMember* etcd_members_find(const EtcdMembers *m, uint64_t id);
const EtcdMember* etcd_members_find_name(const EtcdMembers *m, const char *name);
const EtcdMember* etcd_members_find_peer(const EtcdMembers *m,
                                         const char *peer_url); /* also one that never started */
void etcd_members_done(EtcdMembers *m);

typedef struct EtcdStatus {
        uint64_t cluster_id, member_id;
        uint64_t leader; /* 0: none is known */
        uint64_t revision;
        uint64_t raft_term, raft_index, raft_applied_index;
        uint64_t db_size, db_size_in_use, db_quota; /* bytes; quota 0: not told */
        char *version;                              /* "3.6.16" */
        Strv errors;                                /* alarms and "etcdserver: no leader"; NULL: healthy */
        bool learner;
} EtcdStatus;

const char* etcd_role(const EtcdStatus *s); /* "leader", "follower" or "learner" */
int etcd_status(const EtcdEndpoint *e, EtcdStatus *ret, Error **reterr); /* answered without a quorum too */
void etcd_status_done(EtcdStatus *s);

/* GET /health. serializable: is the member itself well, whether or not there is a quorum? 1 healthy; 0 not,
 * *ret_reason says why or is NULL. */
int etcd_health(const EtcdEndpoint *e, bool serializable, char **ret_reason, Error **reterr);
/* The store's revision, by reading: linearizable (through the quorum) or this member's own. */
int etcd_revision(const EtcdEndpoint *e, bool linearizable, uint64_t *ret, Error **reterr);
/* Asked of the leader: target becomes the leader. */
int etcd_transfer_leadership(const EtcdEndpoint *e, uint64_t target, Error **reterr);

/*
 * Changes of the membership (change.c), through the quorum. etcd refuses what would risk it; while members have
 * not been connected for 5 s it refuses everything, which passes: -EAGAIN.
 */
int etcd_member_add(const EtcdEndpoint *e, const char *peer_url, EtcdMembers *ret,
                    Error **reterr);                                        /* a learner */
int etcd_member_remove(const EtcdEndpoint *e, uint64_t id, Error **reterr); /* also if there is none */
int etcd_member_add_patiently(const EtcdEndpoint *e, const char *peer_url, EtcdMembers *ret, Error **reterr);
int etcd_member_remove_patiently(const EtcdEndpoint *e, uint64_t id, Error **reterr);
int etcd_member_promote(const EtcdEndpoint *e, uint64_t id, Error **reterr); /* 1; 0: not in sync yet */

/* Forgets all revisions below this one, of the whole cluster, before it answers. */
int etcd_compact(const EtcdEndpoint *e, uint64_t revision, Error **reterr);
/* Asked of one member: gives the disk space back that its database does not use; it serves nobody meanwhile. */
int etcd_defragment(const EtcdEndpoint *e, uint64_t timeout_usec, Error **reterr);

typedef enum EtcdAlarm {
        ETCD_ALARM_NOSPACE = 1, /* the database is full: the cluster reads and deletes only */
        ETCD_ALARM_CORRUPT = 2, /* this member's data differs from that of the others */
} EtcdAlarm;

typedef struct EtcdAlarmed {
        uint64_t member;
        EtcdAlarm alarm;
} EtcdAlarmed;

int etcd_alarms(const EtcdEndpoint *e, EtcdAlarmed **ret, size_t *ret_n,
                Error **reterr); /* the caller frees */
int etcd_disarm(const EtcdEndpoint *e, const EtcdAlarmed *alarm, Error **reterr);

/*
 * etcd_snapshot() streams the member's data to path (relative to dir_fd): written beside it, 0600, its own
 * SHA-256 recomputed, synced, looked at by check, then renamed; a stream that fails half way leaves nothing, and
 * what was at path stays. The file is what
 * `etcdutl snapshot restore` takes.
 */
typedef int (*EtcdSnapshotCheck)(void *userdata, const char *part, Error **reterr);
typedef void (*EtcdSnapshotProgress)(void *userdata, uint64_t done, uint64_t total);

int etcd_snapshot(const EtcdEndpoint *e, int dir_fd, const char *path, EtcdSnapshotCheck check,
                  EtcdSnapshotProgress progress, void *userdata, uint64_t *ret_size, Error **reterr);
