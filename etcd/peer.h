/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/client.h"
#include "plan/probe.h"

/*
 * A node's member, to be asked from the driving machine
 *
 * Opening connects to nothing yet. The certificate that is shown is the node's own client certificate, which
 * the store has for each; for a member that is not in the cluster file that of any node does.
 */
typedef struct EtcdPeer {
        HttpClient *http;
        char *url;
        EtcdEndpoint endpoint;
} EtcdPeer;

int etcd_peer_open(const ProbeContext *c, const Node *node, uint64_t timeout_usec, EtcdPeer *ret,
                   Error **reterr);
int etcd_peer_open_url(const ProbeContext *c, const Node *credential, const char *url, uint64_t timeout_usec,
                       EtcdPeer *ret, Error **reterr);
void etcd_peer_close(EtcdPeer *p);
/* Is the process up at all? Without a quorum a member answers nothing but its peer port. */
bool etcd_peer_is_up(const EtcdPeer *p, const Node *node);
char* etcd_peer_url(const Node *node); /* "https://192.168.3.251:2380", as other members know it */
size_t etcd_quorum(size_t n_members);
