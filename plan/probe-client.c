/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Clients that trust a CA of the store and show one of its credentials
 */

#include <pthread.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "plan/probe.h"

/* The store keeps what it has read, and nodes are probed by several threads. */
static pthread_mutex_t store_mutex = PTHREAD_MUTEX_INITIALIZER;

static int find_trust(Store *store, const char *ca, const char *credential, HttpTrust *ret, Error **reterr) {
        _cleanup_free_ char *path = xasprintf("%s.crt", ca);
        int r;

        r = store_file(store, path, &ret->ca, reterr);
        if (r < 0 || !credential)
                return r;
        return store_credential(store, credential, &ret->certificate, &ret->key, reterr);
}

/**
 * probe_client() - an HTTPS client with the trust of the cluster
 * @c:          the context of the probe
 * @ca:         the CA that servers must be certified by: "ca", "etcd/ca"
 * @credential: the certificate or kubeconfig of the store to show, without ending, or NULL
 * @ret:        the client; belongs to one thread
 * @reterr:     what the store lacks
 *
 * May be called by several threads at once.
 *
 * Return: 0 or a negative errno.
 */
int probe_client(const ProbeContext *c, const char *ca, const char *credential, HttpClient **ret,
                 Error **reterr) {
        HttpTrust trust = {};
        int r;

        if (!c->store)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "a probe was asked without a store");
        (void) pthread_mutex_lock(&store_mutex);
        r = find_trust(c->store, ca, credential, &trust, reterr);
        if (r >= 0)
                r = http_client_new(&trust, ret, reterr);
        if (r >= 0 && c->looks_only)
                http_client_set_cancelled(*ret, c->cancelled);
        (void) pthread_mutex_unlock(&store_mutex);
        return r;
}

/**
 * probe_prober() - a prober with the trust of the cluster
 * @c:          the context of the probe
 * @ca:         the CA that servers must be certified by
 * @credential: the certificate or kubeconfig of the store to show, without ending, or NULL
 * @request:    what to ask; its trust is set
 * @ret:        the prober; the caller ends it with prober_free()
 * @reterr:     what the store lacks
 *
 * Return: 0 or a negative errno.
 */
int probe_prober(const ProbeContext *c, const char *ca, const char *credential, ProberRequest *request,
                 Prober **ret, Error **reterr) {
        HttpTrust trust = {};
        int r;

        (void) pthread_mutex_lock(&store_mutex);
        r = find_trust(c->store, ca, credential, &trust, reterr);
        request->trust = &trust;
        if (r >= 0)
                r = prober_start(request, ret, reterr);
        request->trust = NULL;
        (void) pthread_mutex_unlock(&store_mutex);
        return r;
}

/**
 * probe_store_file() - a file of the store, for a probe
 * @c:          the context of the probe
 * @path:       its path in the store
 * @ret:        its bytes; lent by the store
 * @reterr:     why it cannot be read
 *
 * May be called by several threads at once.
 *
 * Return: 0 or a negative errno.
 */
int probe_store_file(const ProbeContext *c, const char *path, const Buffer **ret, Error **reterr) {
        int r;

        if (!c->store)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "a probe was asked without a store");
        (void) pthread_mutex_lock(&store_mutex);
        r = store_file(c->store, path, ret, reterr);
        (void) pthread_mutex_unlock(&store_mutex);
        return r;
}
