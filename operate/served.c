/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/served.h"

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "pki/certificate.h"
#include "plan/store-name.h"
#include "verify/served.h"

#define PATIENCE_USEC (20 * USEC_PER_SEC)
#define PAUSE_USEC (500 * USEC_PER_MSEC)

static int compare(const Component *component, const char *where, X509 *wanted, X509 *shown,
                   Error **reterr) {
        _cleanup_free_ char *serial = NULL, *expected = NULL;

        if (X509_cmp(wanted, shown) == 0)
                return 0;
        serial = certificate_serial(shown);
        expected = certificate_serial(wanted);
        return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                         "%s shows another certificate at %s than it was given (serial %s, not %s)",
                         component->name, where, serial, expected);
}

static int check_row(const ProbeContext *probes, const Component *component, const ServedCertificate *row,
                     const Node *node, Error **reterr) {
        _cleanup_free_ char *name = node_certificate_name(node->name, row->credential),
                            *path = xasprintf("%s.crt", name), *file = store_path(probes->store, path),
                            *where = served_address(probes->cluster, node, row);
        _cleanup_(X509_freep) X509 *wanted = NULL, *shown = NULL;
        _cleanup_buffer_ Buffer there = BUFFER_NULL;
        const Buffer *pem;
        int r;

        r = probe_store_file(probes, path, &pem, reterr);
        if (r >= 0)
                r = certificate_from_chain(file, pem->data, pem->size, &wanted, NULL, reterr);
        if (r >= 0)
                r = served_show(probes, component, row, node, &there, reterr);
        if (r >= 0)
                r = certificate_from_chain(where, there.data, there.size, &shown, NULL, reterr);
        return r < 0 ? r : compare(component, where, wanted, shown, reterr);
}

/* One that leads ends itself when its apiserver was away for too long, and is back a moment later. */
static bool may_come_back(const Error *error, int r) {
        return (r == -ENOENT || r == -ECONNREFUSED) && error->kind == ERROR_UNAVAILABLE;
}

static int check_row_patiently(const ProbeContext *probes, const Component *component,
                               const ServedCertificate *row, const Node *node, Error **reterr) {
        uint64_t end = clock_usec() + PATIENCE_USEC;

        for (;;) {
                _cleanup_error_ Error *error = NULL;
                int r = check_row(probes, component, row, node, &error);

                if (r >= 0)
                        return 0;
                if (!may_come_back(error, r) || clock_usec() >= end ||
                    (probes->cancelled && *probes->cancelled))
                        return error_propagate(reterr, TAKE_PTR(error));
                clock_sleep(PAUSE_USEC);
        }
}

static int check_component(const ProbeContext *probes, const Component *component, const Node *node,
                           Error **reterr) {
        int r = 0;

        for (size_t i = 0; i < component->n_served && r >= 0; i++) {
                const ServedCertificate *row = component->served + i;

                /* Whoever asks late, after the rollout, has no way to run something there. */
                if (!row->copy || probes->exec)
                        r = check_row_patiently(probes, component, row, node, reterr);
        }
        return r;
}

/**
 * served_check() - does a node show the certificates that the store has for it?
 * @probes:     the cluster and its store; without exec, what is shown on loopback is not looked at
 * @components: the table of components, ended by NULL
 * @node:       the node; what it serves answers
 * @reterr:     which server shows another one, or cannot be asked
 *
 * Return: 0; -EKEYREJECTED (ERROR_VERIFY) if one shows another certificate; another negative errno.
 */
int served_check(const ProbeContext *probes, const Component *const *components, const Node *node,
                 Error **reterr) {
        int r = 0;

        for (const Component *component; r >= 0 && (component = *components); components++)
                if (component_on_node(component, probes->cluster, node))
                        r = check_component(probes, component, node, reterr);
        return r < 0 ? r : 0;
}
