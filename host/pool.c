/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <pthread.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "host/pool.h"

typedef struct PoolEntry {
        pthread_mutex_t mutex; /* held while the Host is taken */
        Host *host;            /* NULL until first used */
        Error *failure;        /* why it could not be opened: asked once, told to everybody */
        int result;
} PoolEntry;

struct HostPool {
        const Cluster *cluster;
        const HostOptions *options;
        PoolEntry *entries; /* as the cluster's nodes */
        bool insists;
};

HostPool* host_pool_new(const Cluster *cluster, const HostOptions *options) {
        HostPool *p = xnew(HostPool, 1);

        *p = (HostPool) {
                .cluster = cluster,
                .options = options,
                .entries = xnew(PoolEntry, cluster->n_nodes),
        };
        for (size_t i = 0; i < cluster->n_nodes; i++)
                (void) pthread_mutex_init(&p->entries[i].mutex, NULL);
        return p;
}

static int entry_refuse(const PoolEntry *e, Error **reterr) {
        int r;

        r = error_set(reterr, e->failure->kind, e->failure->errnum, "%s", e->failure->message);
        if (e->failure->detail)
                error_detail(reterr, "%s", e->failure->detail);
        return r;
}

/**
 * host_pool_take() - have a node's Host to oneself
 * @ret:        lent until host_pool_give()
 *
 * What is in the way on this machine is found out once per pool. Nothing is sent to the node yet.
 */
int host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr) {
        PoolEntry *e = &p->entries[node->index];
        int r;

        (void) pthread_mutex_lock(&e->mutex);
        if (!e->host && !e->failure)
                (void) host_open(node, p->options, &e->host, &e->failure);
        if (e->host && p->insists)
                host_insist(e->host);
        if (!e->host) {
                r = entry_refuse(e, reterr);
                (void) pthread_mutex_unlock(&e->mutex);
                return r;
        }
        *ret = e->host;
        return 0;
}

void host_pool_insist(HostPool *p) {
        p->insists = true;
}

void host_pool_give(HostPool *p, const Node *node) {
        (void) pthread_mutex_unlock(&p->entries[node->index].mutex);
}

int host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        int r;

        r = host_pool_exec_for(pool, node, script, 0, ret, reterr);
        return r < 0 ? error_prefix(reterr, r, "%s", node->name) : r;
}

static void entry_close(void *item) {
        PoolEntry *e = item;

        e->host = host_free(e->host);
}

HostPool* host_pool_free(HostPool *p) {
        if (!p)
                return NULL;
        parallel_each(entry_close, p->entries, sizeof(PoolEntry), p->cluster->n_nodes);
        for (size_t i = 0; i < p->cluster->n_nodes; i++) {
                error_free(p->entries[i].failure);
                (void) pthread_mutex_destroy(&p->entries[i].mutex);
        }
        free(p->entries);
        free(p);
        return NULL;
}
