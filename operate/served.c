/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/served.h"

#include "common/alloc.h"
#include "common/shell.h"
#include "pki/certificate.h"
#include "plan/store-name.h"

/* One certificate that a component shows. */
typedef struct Shown {
        const ProbeContext *probes;
        const Component *component;
        const ServedCertificate *row;
        const Node *node;
        char *url;
} Shown;

static const char* issuer_of(const Shown *s) {
        for (size_t i = 0; i < s->component->n_credentials; i++) {
                const Credential *c = s->component->credentials + i;

                if (c->type == STORE_CERTIFICATE && c->scope == PER_NODE &&
                    streq(c->name, s->row->credential))
                        return c->issuer;
        }
        return NULL;
}

/* By a handshake over a connection of its own; what is answered does not matter. */
static int look_by_handshake(const Shown *s, Buffer *ret, Error **reterr) {
        _cleanup_free_ char *client = NULL;
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        const HttpRequest request = { .url = s->url };
        int r;

        if (s->row->client)
                client = node_certificate_name(s->node->name, s->row->client);
        r = probe_client(s->probes, issuer_of(s), client, &http, reterr);
        if (r >= 0)
                r = http_request(http, &request, &response, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_GENERIC(response.served, Buffer, BUFFER_NULL);
        return 0;
}

/* On loopback: what systemd handed to the process when it started. */
static int look_at_copy(const Shown *s, Buffer *ret, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL;

        shell_add_variable(&variables, "H_UNIT", s->component->unit);
        shell_add_variable(&variables, "H_NAME", s->row->copy);
        return probe_exec(s->probes, s->node, "which certificate was it handed?", &variables,
                          "cat \"/run/credentials/$H_UNIT/$H_NAME\"\n", ret, reterr);
}

static int compare(const Shown *s, X509 *wanted, X509 *shown, Error **reterr) {
        _cleanup_free_ char *serial = NULL, *expected = NULL;

        if (X509_cmp(wanted, shown) == 0)
                return 0;
        serial = certificate_serial(shown);
        expected = certificate_serial(wanted);
        return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                         "%s shows another certificate at %s than it was given (serial %s, not %s)",
                         s->component->name, s->url, serial, expected);
}

static int check_shown(const Shown *s, Error **reterr) {
        _cleanup_free_ char *name = node_certificate_name(s->node->name, s->row->credential),
                            *path = xasprintf("%s.crt", name);
        _cleanup_free_ char *file = store_path(s->probes->store, path);
        _cleanup_(X509_freep) X509 *wanted = NULL, *shown = NULL;
        _cleanup_buffer_ Buffer there = BUFFER_NULL;
        const Buffer *pem;
        int r;

        r = probe_store_file(s->probes, path, &pem, reterr);
        if (r >= 0)
                r = certificate_from_chain(file, pem->data, pem->size, &wanted, NULL, reterr);
        if (r >= 0)
                r = s->row->copy ? look_at_copy(s, &there, reterr) : look_by_handshake(s, &there, reterr);
        if (r >= 0)
                r = certificate_from_chain(s->url, there.data, there.size, &shown, NULL, reterr);
        return r < 0 ? r : compare(s, wanted, shown, reterr);
}

static int check_row(const ProbeContext *probes, const Component *component, const ServedCertificate *row,
                     const Node *node, Error **reterr) {
        _cleanup_free_ char *endpoint = inet_endpoint_to_string(
                &node->address, row->port ?: (unsigned) probes->cluster->apiserver_port);
        _cleanup_free_ char *url = xasprintf("https://%s/version", endpoint);
        const Shown shown = {
                .probes = probes,
                .component = component,
                .row = row,
                .node = node,
                .url = url,
        };

        /* Whoever asks late, after the rollout, has no way to run something there. */
        return row->copy && !probes->exec ? 0 : check_shown(&shown, reterr);
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
        int r;

        for (const Component *component; (component = *components); components++) {
                if (!component_on_node(component, probes->cluster, node))
                        continue;
                for (size_t i = 0; i < component->n_served; i++) {
                        r = check_row(probes, component, component->served + i, node, reterr);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}
