/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A node's member, seen from the driving machine
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "etcd/internal.h"
#include "plan/ports.h"

size_t etcd_quorum(size_t n_members) {
        return n_members / 2 + 1;
}

/**
 * etcd_peer_open() - get ready to ask a node's member
 * @c:          the context of the probe
 * @node:       the node
 * @timeout_usec: of each question
 * @ret:        closed by etcd_peer_close()
 * @reterr:     what the store lacks
 *
 * Connects to nothing yet. It shows the node's own client certificate, which the store has for each.
 *
 * Return: 0 or a negative errno.
 */
int etcd_peer_open(const ProbeContext *c, const Node *node, uint64_t timeout_usec, EtcdPeer *ret,
                   Error **reterr) {
        _cleanup_free_ char *credential = xasprintf("nodes/%s/pki/etcd/healthcheck-client", node->name);
        _cleanup_free_ char *address = inet_endpoint_to_string(&node->address, PORT_ETCD_CLIENT);
        EtcdPeer p = {};
        int r;

        r = probe_client(c, "etcd/ca", credential, &p.http, reterr);
        if (r < 0)
                return r;
        p.url = xasprintf("https://%s", address);
        p.endpoint = (EtcdEndpoint) { .http = p.http, .url = p.url, .timeout_usec = timeout_usec };
        *ret = p;
        return 0;
}

void etcd_peer_close(EtcdPeer *p) {
        http_client_free(p->http);
        free(p->url);
        *p = (EtcdPeer) {};
}

/**
 * etcd_peer_is_up() - does the member's process run?
 * @p:          the member
 * @node:       its node
 *
 * A member that has found no quorum since its start accepts clients and answers none of them; its peer port
 * answers at once (etcd server/embed/etcd.go: servePeers() does not wait for ReadyNotify(), serve() does).
 *
 * Return: true if it does.
 */
bool etcd_peer_is_up(const EtcdPeer *p, const Node *node) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_free_ char *address = inet_endpoint_to_string(&node->address, PORT_ETCD_PEER);
        _cleanup_free_ char *url = xasprintf("https://%s/version", address);
        const HttpRequest request = {
                .url = url,
                .timeout_usec = USEC_PER_SEC,
                .connect_timeout_usec = USEC_PER_SEC,
        };

        return http_request(p->http, &request, &response, NULL) >= 0 && response.status == 200;
}
