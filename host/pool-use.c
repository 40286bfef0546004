/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is done with a host of a pool, for those who want nothing else of it
 *
 * Apart from pool.c, so that a test that plays the pool is asked here, too: the linker's --wrap takes no call within one file.
 */

#include <errno.h>

#include "common/alloc.h"
#include "common/parallel.h"
#include "host/pool.h"

typedef struct Reaching {
        HostPool *pool;
        const Node *node;
        Error *error;
} Reaching;

static void reach(void *item) {
        Reaching *r = item;

        if (host_pool_exec_for(r->pool, r->node, ":\n", 0, NULL, &r->error) != -ECONNRESET)
                return;
        /* a kept connection tells that it is dead, and nothing of the node */
        r->error = error_free(r->error);
        (void) host_pool_exec_for(r->pool, r->node, ":\n", 0, NULL, &r->error);
}

/**
 * host_pool_reach() - connect to nodes, all at once
 * @p:          the pool
 * @nodes:      which; those that are connected are asked for a sign of life
 * @n_nodes:    how many
 * @ret:        for each of them NULL, or why it cannot be reached; freed by the caller
 *
 * For who is about to go from one to the next: those that are away cost their time here, the same for all.
 */
void host_pool_reach(HostPool *p, const Node *const *nodes, size_t n_nodes, Error **ret) {
        _cleanup_free_ Reaching *all = xnew(Reaching, n_nodes + 1);

        for (size_t i = 0; i < n_nodes; i++)
                all[i] = (Reaching) { .pool = p, .node = nodes[i] };
        parallel_each(reach, all, sizeof(Reaching), n_nodes);
        for (size_t i = 0; i < n_nodes; i++)
                ret[i] = all[i].error;
}

/**
 * host_pool_lock() - host_lock() on a node of the pool, which keeps the lock
 * @p:          the pool
 * @node:       the node
 * @holder:     who we are, see host_lock()
 * @wait:       wait until it is free
 * @reterr:     names the holder; the node's name is put in front by the caller
 *
 * Return: 0, 1 if that had to be waited for, -EBUSY if somebody else has it, -ECANCELED, or another negative errno.
 */
int host_pool_lock(HostPool *p, const Node *node, const char *holder, bool wait, Error **reterr) {
        Host *host;
        int r;

        r = host_pool_take(p, node, &host, reterr);
        if (r < 0)
                return r;
        r = host_lock(host, holder, wait, reterr);
        host_pool_give(p, node);
        return r;
}

/**
 * host_is_away() - can a node do without its lock, because nobody is at work there?
 * @unreached:  the error of host_pool_reach()
 *
 * One at whose address nobody takes a connection is nobody's. One that takes it and then lets us wait (its memory is used up), refuses us
 * (the login, sudo, its disk) or cannot do what is asked is there, and may have let somebody else in; so is one whose lock
 * cannot be had, whatever the reason, once it was reached.
 */
bool host_is_away(const Error *unreached) {
        switch (unreached->errnum) {
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
                return unreached->kind == ERROR_UNAVAILABLE;
        default:
                return false;
        }
}

/**
 * host_pool_exec_for() - host_exec_for() on a node of the pool
 * @timeout_usec: 0: five minutes
 * @reterr:     the node's name is put in front by the caller
 *
 * Return: 0, or a negative errno.
 */
int host_pool_exec_for(HostPool *p, const Node *node, const char *script, uint64_t timeout_usec, Buffer *ret,
                       Error **reterr) {
        Host *host;
        int r;

        r = host_pool_take(p, node, &host, reterr);
        if (r < 0)
                return r;
        r = host_exec_for(host, script, timeout_usec, ret, reterr);
        host_pool_give(p, node);
        return r;
}

ProbeContext host_pool_probes(HostPool *p, const Cluster *cluster, Store *store,
                              const volatile int *cancelled) {
        ProbeContext c = probe_context(cluster, store, cancelled);

        c.exec = host_pool_exec;
        c.userdata = p;
        return c;
}
