/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From the credentials that components declare to requests for the store
 *
 * Names in the store follow from scope and type: what is there once keeps its name ("ca", "admin"), what
 * every node has lies as it will lie on the node ("nodes/c0/pki/apiserver", "nodes/c0/scheduler").
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/component.h"
#include "plan/store-name.h"

#define IDENTITY "secrets/identity"
#define NODES "nodes/"

char* credential_store_name(const Credential *credential, const Node *node) {
        if (credential->scope == PER_CLUSTER)
                return xstrdup(credential->name);
        if (credential->type == STORE_CERTIFICATE)
                return node_certificate_name(node->name, credential->name);
        return xasprintf(NODES "%s/%s", node->name, credential->name);
}

char* node_certificate_name(const char *node, const char *certificate) {
        return xasprintf(NODES "%s/pki/%s", node, certificate);
}

const char* store_name_split(const char *name, const char **ret_node, size_t *ret_n) {
        const char *node = startswith(name, NODES), *slash = node ? strchr(node, '/') : NULL;

        if (!slash)
                return NULL;
        *ret_node = node;
        *ret_n = (size_t) (slash - node);
        return slash + 1;
}

static void fill_profile(const Cluster *c, const Credential *credential, const Node *node,
                         CertificateProfile *profile) {
        const char *common_name = credential->common_name;

        if (!common_name)
                common_name = node ? node->name : credential->name;
        profile->common_name = xstrdup(common_name);
        profile->organization = xstrdup_null(credential->organization);
        profile->usage = credential->usage;
        profile->days = credential->type == STORE_CA ? c->certificates.ca_days : c->certificates.days;
        if (credential->names)
                credential->names(c, node, profile);
}

const StoreRequest* store_requests_find(const StoreRequests *r, const char *name) {
        for (size_t i = 0; i < r->n_requests; i++)
                if (streq(r->requests[i].name, name))
                        return r->requests + i;
        return NULL;
}

static void add_request(StoreRequests *r, const Cluster *c, const Component *component,
                        const Credential *credential, const Node *node) {
        _cleanup_free_ char *name = credential_store_name(credential, node);
        StoreRequest *request;

        if (store_requests_find(r, name))
                return;
        r->requests = xrealloc(r->requests, r->n_requests + 1, sizeof(StoreRequest));
        r->origins = xrealloc(r->origins, r->n_requests + 1, sizeof(StoreOrigin));
        r->origins[r->n_requests] = (StoreOrigin) { component, credential, node };
        request = r->requests + r->n_requests++;
        *request = (StoreRequest) {
                .type = credential->type,
                .name = TAKE_PTR(name),
                .issuer = xstrdup_null(credential->issuer),
                .size = credential->secret_size,
                .hex = credential->secret_hex,
        };
        if (credential->type != STORE_SECRET)
                request->key_type = xstrdup(key_type_to_string(c->certificates.key_type));
        if (credential->type == STORE_CA || credential->type == STORE_CERTIFICATE ||
            credential->type == STORE_KUBECONFIG)
                fill_profile(c, credential, node, &request->profile);
        if (credential->type == STORE_KUBECONFIG) {
                request->server = credential->server_is_endpoint || !node ? cluster_endpoint_url(c) :
                                                                            cluster_apiserver_url(c, node);
                request->cluster = xstrdup(c->name);
                request->user = xstrdup(request->profile.common_name);
        }
}

/* One pass over all rows of components that some node carries. */
static void add_requests(StoreRequests *r, const Component *const *components, const Cluster *c, bool cas,
                         const Node *node) {
        for (; *components; components++) {
                if (node ? !component_on_node(*components, c, node) :
                           cluster_count(c, (*components)->roles) == 0)
                        continue;
                for (size_t i = 0; i < (*components)->n_credentials; i++) {
                        const Credential *credential = (*components)->credentials + i;

                        if ((credential->type == STORE_CA) == cas &&
                            (credential->scope == PER_NODE) == (node != NULL))
                                add_request(r, c, *components, credential, node);
                }
        }
}

/**
 * store_requests_for() - what the store has to hold for a cluster
 * @components: the table of components, ended by NULL
 * @c:          the cluster
 * @ret:        the requests: CAs first, then what there is one of, then node by node; each name once
 */
void store_requests_for(const Component *const *components, const Cluster *c, StoreRequests *ret) {
        *ret = (StoreRequests) {};
        add_requests(ret, components, c, true, NULL);
        add_requests(ret, components, c, false, NULL);
        for (size_t i = 0; i < c->n_nodes; i++)
                add_requests(ret, components, c, false, c->nodes + i);
}

void store_requests_done(StoreRequests *r) {
        for (size_t i = 0; i < r->n_requests; i++)
                store_request_done(r->requests + i);
        free(r->requests);
        free(r->origins);
        *r = (StoreRequests) {};
}

/**
 * plan_identity() - the cluster's identity
 * @store:      the store, or NULL
 * @ret:        its hex digits, without anything around them
 * @reterr:     what the store lacks
 *
 * Return: 0, -ENOENT if it was not made yet, or another negative errno.
 */
int plan_identity(Store *store, char **ret, Error **reterr) {
        const Buffer *content;
        size_t n;
        int r;

        if (!store)
                return error_set(reterr, ERROR_CONFIG, ENOENT, "%s is not there", IDENTITY);
        r = store_file(store, IDENTITY, &content, reterr);
        if (r < 0)
                return r;
        n = strspn(buffer_str(content), "0123456789abcdefABCDEF");
        if (n == 0)
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s has no hex digits in it", IDENTITY);
        *ret = xstrndup(content->data, n);
        return 0;
}
