/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/client.h"
#include "plan/component.h"

/* What the files of etcd/ share; nobody else includes this. */

#define ETCD_DATA "/var/lib/etcd"
#define ETCD_IDENTITY "/var/lib/hardway/etcd-identity" /* our mark beside the data */

#define ETCD_PREFLIGHT "etcd-data" /* the name of what etcd_preflight() finds */

#define ETCD_N_FLAGS 26
extern const Flag etcd_flags[ETCD_N_FLAGS];

/* A node's member, to be asked from the driving machine. The caller closes. */
typedef struct EtcdPeer {
        HttpClient *http;
        char *url;
        EtcdEndpoint endpoint;
} EtcdPeer;

int etcd_peer_open(const ProbeContext *c, const Node *node, uint64_t timeout_usec, EtcdPeer *ret,
                   Error **reterr);
void etcd_peer_close(EtcdPeer *p);
/* Is the process up at all? Without a quorum a member answers nothing but its peer port. */
bool etcd_peer_is_up(const EtcdPeer *p, const Node *node);
size_t etcd_quorum(size_t n_members);

int etcd_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int etcd_serving(const ProbeContext *c, bool *ret, Error **reterr);
int etcd_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int etcd_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr);
int etcd_hand_over(const ProbeContext *c, const Node *node, Error **reterr);
int etcd_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr);
int etcd_before_rollout(const ProbeContext *c, Error **reterr);
int etcd_verify(const ProbeContext *c, CheckList *checks);
int etcd_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
               Error **reterr);

/* metrics.c: the 99th percentile of a member's syncs of its log */
int etcd_fsync_percentile(const char *text, double *ret_msec);
int etcd_fsync(const EtcdPeer *p, double *ret_msec);
