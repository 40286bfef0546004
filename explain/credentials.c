/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Certificates, kubeconfigs, keys and secrets: what the store has for them, and what is only on the driving
 * machine
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "explain/internal.h"
#include "plan/store-name.h"

static void add_list(Buffer *out, const CertificateProfile *p) {
        const char *separator = "; names: ";

        STRV_FOREACH(name, p->dns_names) {
                buffer_addf(out, "%s%s", separator, *name);
                separator = ", ";
        }
        for (size_t i = 0; i < p->n_addresses; i++) {
                char text[INET_TEXT_SIZE];

                buffer_addf(out, "%s%s", separator, inet_address_format(p->addresses + i, text));
                separator = ", ";
        }
}

/* "CN=kube-apiserver, signed by ca, of a server, for 365 days, for the names ..." */
static char* describe_request(const StoreRequest *r) {
        const CertificateProfile *p = &r->profile;
        Buffer out = BUFFER_NULL;

        if (r->type == STORE_SECRET)
                buffer_addf(&out, "%zu random bytes, in %s", r->size, r->hex ? "hex" : "base64");
        else if (r->type == STORE_KEY_PAIR)
                buffer_addf(&out, "a key of type %s", r->key_type);
        else {
                buffer_addf(&out, "CN=%s%s%s, %s%s, %s%s%s, for %u days", p->common_name,
                            p->organization ? ", O=" : "", p->organization ? p->organization : "",
                            r->issuer ? "signed by " : "signed by itself", r->issuer ? r->issuer : "",
                            p->usage & USAGE_CA     ? "an authority" :
                            p->usage & USAGE_SERVER ? "of a server" :
                                                      "",
                            (p->usage & USAGE_SERVER) && (p->usage & USAGE_CLIENT) ? " and " : "",
                            p->usage & USAGE_CLIENT ? "of a client" : "", p->days);
                add_list(&out, p);
        }
        if (r->type == STORE_KUBECONFIG)
                buffer_addf(&out, "; talks to %s", r->server);
        return buffer_take(&out);
}

/* "; until 2027-..." of a certificate that is there */
static char* expiry(Store *store, const StoreRequest *r) {
        const Buffer *pem, *key;
        _cleanup_(X509_freep) X509 *certificate = NULL;
        _cleanup_free_ char *date = NULL;

        if (!store || r->type == STORE_SECRET || r->type == STORE_KEY_PAIR ||
            store_credential(store, r->name, &pem, &key, NULL) < 0 ||
            certificate_from_pem(r->name, pem->data, pem->size, &certificate, NULL) < 0)
                return NULL;
        date = clock_format_iso(certificate_not_after(certificate));
        return xasprintf("; the one that is there ends on %.10s", date);
}

/* What it is where it lies on no node. */
static const char* kind_of(const Credential *credential) {
        static const char *const kinds[_STORE_ENTRY_TYPE_MAX] = {
                [STORE_CA] = "certificate authority",
                [STORE_CERTIFICATE] = "certificate, with its key",
                [STORE_KUBECONFIG] = "kubeconfig",
                [STORE_KEY_PAIR] = "key pair",
                [STORE_SECRET] = "secret",
        };

        return kinds[credential->type];
}

/* Where kubeadm has it; copies for others (haproxy's) are files like any. */
static char* path_of(const Credential *credential, const char *ending) {
        return xasprintf("/etc/kubernetes/%s%s.%s", credential->type == STORE_KUBECONFIG ? "" : "pki/",
                         credential->name, ending);
}

static const char* shown_ending(const Credential *credential) {
        return credential->type == STORE_KUBECONFIG ? "conf" :
               credential->type == STORE_KEY_PAIR   ? "pub" :
                                                      "crt";
}

/* The entry of the file on the node, or one of its own. */
static Explanation* enter(Catalogue *c, const View *v, const Credential *credential) {
        _cleanup_free_ char *path = path_of(credential, shown_ending(credential)), *name = NULL;
        const PlanItem *item = plan_find_path(v->plan, path);

        if (item)
                return catalogue_enter(c, path, explain_item_kind(item), item->why);
        if (credential->type == STORE_KUBECONFIG)
                name = xasprintf("%s.conf", credential->name);
        else
                name = xstrdup(credential->name);
        return catalogue_enter(c, name, kind_of(credential), credential->why);
}

/* As files are called in the cluster directory; the key's own name only if it has an entry of its own. */
static void add_file_names(Explanation *e, const StoreRequest *request, bool of_key) {
        _cleanup_strv_ Strv files = store_request_files(request);

        STRV_FOREACH(file, files)
                if (of_key == endswith(*file, ".key")) {
                        explanation_alias(e, "%s", *file);
                        explanation_alias(e, "pki/%s", *file);
                }
}

static void add_aliases(Explanation *e, const View *v, const Credential *credential,
                        const StoreRequest *request) {
        _cleanup_free_ char *key = path_of(credential, "key");

        explanation_alias(e, "%s", credential->name);
        explanation_alias(e, "%s", request->name);
        if (credential->type == STORE_SECRET)
                explanation_alias(e, "%s", fs_path_basename(request->name));
        add_file_names(e, request, false);
        if (!plan_find_path(v->plan, key))
                add_file_names(e, request, true); /* it never leaves the driving machine */
}

/* The commands are about file names without a directory: in which they are run, and where that goes which they make. */
static char* made_where(const Credential *credential, const StoreRequest *request) {
        _cleanup_strv_ Strv files = store_request_files(request);
        _cleanup_free_ char *list = strv_join(files, ", "),
                            *commands = by_hand_credential(credential, request),
                            *folder = fs_path_dirname(request->name);

        if (request->type == STORE_SECRET)
                return xasprintf("# in secrets/ of the cluster directory\n%s", commands);
        if (request->issuer)
                return xasprintf("# in pki/ of the cluster directory; what it makes goes there to: %s\n%s",
                                 list, commands);
        return xasprintf("# in pki/%s of the cluster directory\n%s",
                         strchr(request->name, '/') ? folder : "", commands);
}

static void add_request(Catalogue *c, const View *v, const Credential *credential,
                        const StoreRequest *request, const char *where) {
        _cleanup_free_ char *text = describe_request(request), *until = NULL, *value = NULL;
        Explanation *e = enter(c, v, credential);

        add_aliases(e, v, credential, request);
        explanation_set(&e->without, credential->without);
        explanation_set(&e->manual, MANUAL_PKI);
        until = expiry(v->context.store, request);
        value = xasprintf("%s%s", text, until ? until : "");
        explanation_value(e, v, where, value);
        if (!e->by_hand)
                e->by_hand = made_where(credential, request);
}

/* A key is made together with its certificate. */
static void add_key(Catalogue *c, const View *v, const Credential *credential, const StoreRequest *request) {
        _cleanup_free_ char *path = path_of(credential, "key");
        const PlanItem *item = plan_find_path(v->plan, path);
        Explanation *e;

        if (!item)
                return;
        e = catalogue_enter(c, path, explain_item_kind(item), item->why);
        add_file_names(e, request, true);
        if (!e->by_hand)
                e->by_hand = made_where(credential, request);
}

/* "ca" is in the plan of a load balancer, too, as a file of another name: said of controllers alone. */
static bool is_said_here(const Component *component, const View *v, const Credential *credential) {
        return component_on_node(component, v->context.cluster, v->context.node) ||
               (credential->scope == PER_CLUSTER &&
                cluster_count(v->context.cluster, component->roles) == 0);
}

void explain_credentials(Catalogue *c, const View *v) {
        StoreRequests requests;

        store_requests_for(c->request->components, v->context.cluster, &requests);
        for (const Component *const *p = c->request->components; *p; p++)
                for (size_t i = 0; i < (*p)->n_credentials; i++) {
                        const Credential *credential = (*p)->credentials + i;
                        _cleanup_free_ char *name = credential_store_name(credential, v->context.node);
                        const StoreRequest *request = store_requests_find(&requests, name);

                        if (!request || !is_said_here(*p, v, credential))
                                continue;
                        add_request(c, v, credential, request,
                                    credential->scope == PER_NODE ? v->context.node->name : NULL);
                        add_key(c, v, credential, request);
                }
        store_requests_done(&requests);
}
