/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which certificate a component really shows
 */

#include "verify/served.h"

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/shell.h"
#include "http/http.h"
#include "plan/store-name.h"

#define SHOW_TIMEOUT_USEC (5 * USEC_PER_SEC)

unsigned served_port(const Cluster *cluster, const ServedCertificate *row) {
        return row->port ?: cluster->apiserver_port;
}

char* served_address(const Cluster *cluster, const Node *node, const ServedCertificate *row) {
        return inet_endpoint_to_string(&node->address, served_port(cluster, row));
}

/* What is shown in turn, where a client must have one. */
static int find_client(const ProbeContext *c, const ServedCertificate *row, const Node *node, HttpTrust *ret,
                       Error **reterr) {
        _cleanup_free_ char *name = node_certificate_name(node->name, row->client),
                            *certificate = xasprintf("%s.crt", name), *key = xasprintf("%s.key", name);
        int r;

        r = probe_store_file(c, certificate, &ret->certificate, reterr);
        return r < 0 ? r : probe_store_file(c, key, &ret->key, reterr);
}

static int show_by_handshake(const ProbeContext *c, const ServedCertificate *row, const Node *node,
                             Buffer *ret, Error **reterr) {
        _cleanup_free_ char *address = served_address(c->cluster, node, row);
        HttpTrust trust = {};
        int r;

        if (row->client) {
                r = find_client(c, row, node, &trust, reterr);
                if (r < 0)
                        return r;
        }
        return http_show(address, &trust, SHOW_TIMEOUT_USEC, ret, reterr);
}

/*
 * On loopback only the node can connect, and nothing that speaks TLS and tells of certificates is sure to
 * be there. But systemd handed the process a copy of its own, and keeps it as long as the process lives.
 */
static int show_by_copy(const ProbeContext *c, const Component *component, const ServedCertificate *row,
                        const Node *node, Buffer *ret, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL;
        int r;

        shell_add_variable(&variables, "H_UNIT", component->unit);
        shell_add_variable(&variables, "H_NAME", row->copy);
        r = probe_exec(c, node, "which certificate was it handed?", &variables,
                       "cat \"/run/credentials/$H_UNIT/$H_NAME\" 2>/dev/null || :\n", ret, reterr);
        if (r < 0)
                return r;
        if (ret->size == 0)
                return error_set(reterr, ERROR_UNAVAILABLE, ENOENT, "%s: %s does not run", node->name,
                                 component->unit);
        return 0;
}

/**
 * served_show() - which certificate does a component show?
 * @c:          the context of the probe; with exec for what is shown on loopback
 * @component:  the component
 * @row:        which of those that it shows
 * @node:       the node that carries it
 * @ret:        the chain in PEM, its own certificate first; not verified. The caller calls buffer_done()
 * @reterr:     why that cannot be seen
 *
 * May be called by several threads at once.
 *
 * Return: 0 or a negative errno.
 */
int served_show(const ProbeContext *c, const Component *component, const ServedCertificate *row,
                const Node *node, Buffer *ret, Error **reterr) {
        return row->copy ? show_by_copy(c, component, row, node, ret, reterr) :
                           show_by_handshake(c, row, node, ret, reterr);
}
