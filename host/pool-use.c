/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is done with a host of a pool, for those who want nothing else of it
 *
 * Apart from pool.c, so that a test that plays the pool is asked here, too: the linker's --wrap takes no call within one file.
 */

#include "host/pool.h"

/**
 * host_pool_lock() - host_lock() on a node of the pool, which keeps the lock
 * @p:          the pool
 * @node:       the node
 * @holder:     who we are, see host_lock()
 * @wait:       wait until it is free
 * @reterr:     names the holder; the node's name is put in front by the caller
 *
 * Return: 0, -EBUSY if somebody else has it, -ECANCELED, or another negative errno.
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
 * @why_not_locked: the error of host_pool_lock()
 *
 * One that is not there is nobody's. One that only refuses us (the login, sudo, its disk) may let somebody else in.
 */
bool host_is_away(const Error *why_not_locked) {
        return why_not_locked->kind == ERROR_UNAVAILABLE;
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
        return (ProbeContext) {
                .cluster = cluster,
                .store = store,
                .exec = host_pool_exec,
                .userdata = p,
                .cancelled = cancelled,
        };
}
