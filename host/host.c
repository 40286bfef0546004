/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One node, from host_open() to host_free(). */

#include <stdlib.h>

#include "common/alloc.h"
#include "host/host-internal.h"

/**
 * host_open() - prepare to work on a node
 * @node:       the node; lent for as long as the host lives
 * @options:    see HostOptions; what it points to is lent, but for the sudo password
 * @ret:        the host
 * @reterr:     what is in the way on this machine
 *
 * Nothing is sent to the node yet.
 *
 * Return: 0, or a negative errno.
 */
int host_open(const Node *node, const HostOptions *options, Host **ret, Error **reterr) {
        return host_open_at(node, options, "", ret, reterr);
}

/* A password that is good on many nodes is not told to those that have no use for it. */
static bool wants_password(const Node *node) {
        return !node->local && !streq_null(node->ssh.user, "root");
}

/**
 * host_open_at() - the same for a node whose root directory is elsewhere: for tests, on the local transport
 * @root:       the directory, "" for the real one
 */
int host_open_at(const Node *node, const HostOptions *options, const char *root, Host **ret,
                 Error **reterr) {
        _cleanup_(host_freep) Host *h = xnew(Host, 1);
        int r;

        *h = (Host) {
                .node = node,
                .options = *options,
                .cancelled = options->cancelled,
                .password = wants_password(node) ? xstrdup_null(options->sudo_password) : NULL,
                .root = xstrdup(root),
        };
        r = transport_prepare(h, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(h);
        return 0;
}

void host_insist(Host *h) {
        h->cancelled = NULL;
}

Host* host_free(Host *h) {
        if (!h)
                return NULL;
        host_unlock(h);
        h->bus = unit_bus_free(h->bus);
        h->bus_process = process_free(h->bus_process);
        transport_close(h);
        applied_free(h->applied, h->n_applied);
        applied_free(h->known, h->n_known);
        strv_free(h->taken);
        strv_free(h->traces);
        free(h->record);
        free(h->control);
        free(h->socket);
        free(h->known_hosts);
        free(h->root);
        secret_freep(&h->password);
        free(h);
        return NULL;
}
