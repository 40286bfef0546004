/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/served.h"

#include "common/alloc.h"
#include "pki/certificate.h"

/* The certificate that a server shows, whatever it says to the question. */
static int look_at(HttpClient *http, const char *url, X509 **ret, Error **reterr) {
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        const HttpRequest request = { .url = url };
        int r;

        r = http_request(http, &request, &response, reterr);
        if (r < 0)
                return r;
        return certificate_from_pem(url, response.served.data, response.served.size, ret, reterr);
}

static int compare(const Component *component, const char *url, X509 *wanted, X509 *shown, Error **reterr) {
        _cleanup_free_ char *serial = NULL, *expected = NULL;

        if (X509_cmp(wanted, shown) == 0)
                return 0;
        serial = certificate_serial(shown);
        expected = certificate_serial(wanted);
        return error_set(reterr, ERROR_VERIFY, EKEYREJECTED,
                         "%s shows another certificate at %s than it was given (serial %s, not %s)",
                         component->name, url, serial, expected);
}

static int check_one(const ProbeContext *probes, const Component *component, const ServedCertificate *served,
                     const Node *node, Error **reterr) {
        const Credential *credential = served_credential(component, served);
        _cleanup_free_ char *path = xasprintf("nodes/%s/pki/%s.crt", node->name, served->credential);
        _cleanup_free_ char *file = store_path(probes->store, path), *client = NULL;
        _cleanup_free_ char *endpoint =
                inet_endpoint_to_string(&node->address, served_port(probes->cluster, served));
        _cleanup_free_ char *url = xasprintf("https://%s/version", endpoint);
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_(X509_freep) X509 *wanted = NULL, *shown = NULL;
        const Buffer *pem;
        int r;

        if (!credential)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "%s declares no certificate %s",
                                 component->name, served->credential);
        if (served->client)
                client = xasprintf("nodes/%s/pki/%s", node->name, served->client);
        r = probe_client(probes, credential->issuer, client, &http, reterr);
        if (r < 0)
                return r;
        r = probe_store_file(probes, path, &pem, reterr);
        if (r < 0)
                return r;
        r = certificate_from_chain(file, pem->data, pem->size, &wanted, NULL, reterr);
        if (r < 0)
                return r;
        r = look_at(http, url, &shown, reterr);
        return r < 0 ? r : compare(component, url, wanted, shown, reterr);
}

/**
 * served_check() - does a node show the certificates that the store has for it?
 * @probes:     the cluster and its store
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
                        if (component->served[i].copy) /* on loopback only */
                                continue;
                        r = check_one(probes, component, component->served + i, node, reterr);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}
