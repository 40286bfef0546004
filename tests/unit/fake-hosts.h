/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/pool.h"
#include "tests/unit/unit.h"

/*
 * Hosts that are played: a Host is its Node, and a pool is nothing
 *
 * The test says what comes of it: fake_host() of a node's being asked for a sign of life ("reach"), taken ("take") and locked ("lock"), fake_script() of a
 * script; *ret is empty, or ret is NULL.
 *
 * Wraps: host_pool_new host_pool_free host_pool_take host_pool_give host_pool_reach host_pool_exec
 * Wraps: host_lock host_exec host_exec_for
 */
int fake_host(const Node *node, const char *what, Error **reterr);
int fake_script(const Node *node, const char *script, Buffer *ret, Error **reterr);

static inline const Node* fake_node(const Host *h) {
        return (const Node*) (const void*) h;
}

/* Stands for each pool. */
static char fake_pool;

HostPool* __wrap_host_pool_new(const Cluster *cluster, const HostOptions *options);
HostPool* __wrap_host_pool_new(const Cluster *cluster, const HostOptions *options) {
        return (HostPool*) &fake_pool;
}

HostPool* __wrap_host_pool_free(HostPool *p);
HostPool* __wrap_host_pool_free(HostPool *p) {
        return NULL;
}

int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr);
int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr) {
        int r;

        r = fake_host(node, "take", reterr);
        if (r >= 0)
                *ret = (Host*) (void*) node;
        return r;
}

void __wrap_host_pool_give(HostPool *p, const Node *node);
void __wrap_host_pool_give(HostPool *p, const Node *node) {}

/* All answer; which of them does not is found out by taking its lock. */
int __wrap_host_lock(Host *h, const char *holder, bool wait, Error **reterr);
int __wrap_host_lock(Host *h, const char *holder, bool wait, Error **reterr) {
        return fake_host(fake_node(h), "lock", reterr);
}

static inline int fake_run(const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (ret)
                *ret = BUFFER_NULL;
        return fake_script(node, script, ret, reterr);
}

void __wrap_host_pool_reach(HostPool *p, const Node *const *nodes, size_t n_nodes, Error **ret);
void __wrap_host_pool_reach(HostPool *p, const Node *const *nodes, size_t n_nodes, Error **ret) {
        for (size_t i = 0; i < n_nodes; i++)
                (void) fake_host(nodes[i], "reach", &ret[i]);
}

int __wrap_host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr);
int __wrap_host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        int r = fake_run(node, script, ret, reterr);

        return r < 0 ? error_prefix(reterr, r, "%s", node->name) : r;
}

int __wrap_host_exec(Host *h, const char *script, Buffer *ret, Error **reterr);
int __wrap_host_exec(Host *h, const char *script, Buffer *ret, Error **reterr) {
        return fake_run(fake_node(h), script, ret, reterr);
}

int __wrap_host_exec_for(Host *h, const char *script, uint64_t timeout_usec, Buffer *ret, Error **reterr);
int __wrap_host_exec_for(Host *h, const char *script, uint64_t timeout_usec, Buffer *ret, Error **reterr) {
        return fake_run(fake_node(h), script, ret, reterr);
}
