/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"
#include "plan/probe.h"

/*
 * The hosts of a cluster, opened when first used, shared by threads
 *
 * A Host belongs to one thread at a time; a probe that is asked for one node may have to look at another
 * (which load balancer holds the VIP?). host_pool_take() opens the node's Host if need be and holds it until
 * host_pool_give(). Take one at a time.
 */
typedef struct HostPool HostPool;

HostPool* host_pool_new(const Cluster *cluster, const HostOptions *options); /* both lent */
int host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr);
void host_pool_give(HostPool *p, const Node *node);
void host_pool_reach(HostPool *p, const Node *const *nodes, size_t n_nodes, Error **ret);
int host_pool_lock(HostPool *p, const Node *node, const char *holder, bool wait, Error **reterr);
bool host_is_away(const Error *unreached);
int host_pool_exec_for(HostPool *p, const Node *node, const char *script, uint64_t timeout_usec, Buffer *ret,
                       Error **reterr);
/* From now on what is begun on any host goes to its end, whoever asks to stop. By one thread. */
void host_pool_insist(HostPool *p);
/* The exec of a ProbeContext, whose userdata is the pool. Errors begin with the node's name. */
int host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr);
/* To ask components, by the hosts of the pool; all is lent. */
ProbeContext host_pool_probes(HostPool *p, const Cluster *cluster, Store *store,
                              const volatile int *cancelled);
HostPool* host_pool_free(HostPool *p); /* closes all connections, all at once */
DEFINE_CLEANUP(HostPool*, host_pool_free)
