/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A node's member, seen from the driving machine
 */

#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "etcd/internal.h"
#include "plan/store-name.h"

char* etcd_peer_url(const Node *node) {
        _cleanup_free_ char *address = inet_endpoint_to_string(&node->address, PORT_ETCD_PEER);

        return xasprintf("https://%s", address);
}

/**
 * etcd_peer_open_url() - get ready to ask a member at some address
 * @c:          the context of the probe
 * @credential: the node whose client certificate is shown, which the store has for each
 * @url:        the member's client URL
 * @timeout_usec: of each question
 * @ret:        closed by etcd_peer_close()
 * @reterr:     what the store lacks
 *
 * Connects to nothing yet.
 *
 * Return: 0 or a negative errno.
 */
int etcd_peer_open_url(const ProbeContext *c, const Node *credential, const char *url, uint64_t timeout_usec,
                       EtcdPeer *ret, Error **reterr) {
        _cleanup_free_ char *name = node_certificate_name(credential->name, "etcd/healthcheck-client");
        EtcdPeer p = {};
        int r;

        r = probe_client(c, "etcd/ca", name, &p.http, reterr);
        if (r < 0)
                return r;
        p.url = xstrdup(url);
        p.endpoint = (EtcdEndpoint) { .http = p.http, .url = p.url, .timeout_usec = timeout_usec };
        *ret = p;
        return 0;
}

/* The same for a node of the cluster file, with its own certificate. */
int etcd_peer_open(const ProbeContext *c, const Node *node, uint64_t timeout_usec, EtcdPeer *ret,
                   Error **reterr) {
        _cleanup_free_ char *address = inet_endpoint_to_string(&node->address, PORT_ETCD_CLIENT);
        _cleanup_free_ char *url = xasprintf("https://%s", address);

        return etcd_peer_open_url(c, node, url, timeout_usec, ret, reterr);
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
        _cleanup_free_ char *address = etcd_peer_url(node), *url = xasprintf("%s/version", address);
        const HttpRequest request = {
                .url = url,
                .timeout_usec = USEC_PER_SEC,
                .connect_timeout_usec = USEC_PER_SEC,
        };

        return http_request(p->http, &request, &response, NULL) >= 0 && response.status == 200;
}

/* Of the cluster that the last restore made; false also if it does not answer, which costs a question after a
 * restore only. */
bool etcd_peer_is_current(const ProbeContext *c, const EtcdPeer *p) {
        _cleanup_(etcd_status_done) EtcdStatus status = {};

        return etcd_restored_id(c->store) == 0 || (etcd_status(&p->endpoint, &status, NULL) >= 0 &&
                                                   etcd_is_current(c->store, status.cluster_id));
}

/**
 * etcd_members_of() - the list of members, as a node's member has it
 * @c:          the context of the probe
 * @node:       the node
 * @timeout_usec: of the question
 * @linearizable: through the quorum
 * @ret:        the list; freed by etcd_members_done()
 *
 * Return: 0; -ESTALE if it is of before the last restore; or another negative errno.
 */
int etcd_members_of(const ProbeContext *c, const Node *node, uint64_t timeout_usec, bool linearizable,
                    EtcdMembers *ret) {
        _cleanup_(etcd_members_done) EtcdMembers members = {};
        _cleanup_(etcd_peer_close) EtcdPeer p = {};
        int r;

        r = etcd_peer_open(c, node, timeout_usec, &p, NULL);
        if (r >= 0)
                r = etcd_members(&p.endpoint, linearizable, &members, NULL);
        if (r < 0)
                return r;
        if (!etcd_is_current(c->store, members.cluster_id))
                return -ESTALE;
        *ret = members;
        members = (EtcdMembers) {};
        return 0;
}
