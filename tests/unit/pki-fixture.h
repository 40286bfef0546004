/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/unit/unit.h"

#include "common/clock.h"
#include "pki/store.h"

/*
 * What the tests of pki/ share: the requests of a whole cluster, as kubeadm would have them, and a point in time.
 */

#define SEC_PER_DAY INT64_C(86400)

static inline int64_t pki_now(void) {
        return clock_build_date() + 1000 * SEC_PER_DAY;
}

static inline void profile_add_ip(CertificateProfile *p, const char *text) {
        InetAddress a = {};

        assert_int_equal(inet_address_parse(text, &a), 0);
        certificate_profile_add_address(p, &a);
}

static inline CertificateProfile profile_new(const char *name, unsigned usage, unsigned days) {
        return (CertificateProfile) { .common_name = xstrdup(name), .usage = usage, .days = days };
}

typedef struct Requests {
        StoreRequest *list;
        size_t n;
        const char *key_type;
} Requests;

static inline void requests_done(Requests *r) {
        for (size_t i = 0; i < r->n; i++)
                store_request_done(r->list + i);
        free(r->list);
        *r = (Requests) {};
}

/* Takes the name. */
static inline StoreRequest* requests_add(Requests *r, StoreEntryType type, char *name, const char *issuer,
                                         const char *common_name, unsigned usage) {
        StoreRequest *q;

        r->list = xrealloc(r->list, r->n + 1, sizeof(StoreRequest));
        q = r->list + r->n++;
        *q = (StoreRequest) {
                .type = type,
                .name = name,
                .issuer = xstrdup_null(issuer),
                .key_type = type == STORE_SECRET ? NULL : xstrdup(r->key_type),
        };
        if (common_name)
                q->profile = profile_new(common_name, usage, usage & USAGE_CA ? 3650 : 365);
        if (usage & USAGE_CA)
                certificate_profile_add_dns(&q->profile, common_name);
        return q;
}

static inline void requests_add_kubeconfig(Requests *r, char *name, const char *user, const char *group,
                                           const char *server) {
        StoreRequest *q = requests_add(r, STORE_KUBECONFIG, name, "ca", user, USAGE_CLIENT);

        q->profile.organization = xstrdup_null(group);
        q->server = xstrdup(server);
        q->cluster = xstrdup("pi");
        q->user = xstrdup(user);
}

static inline void requests_add_node(Requests *r, unsigned i, unsigned n_nodes) {
        static const char *const server_names[] = {
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
                "localhost",
                "k8s.home.lan",
        };
        static const char *const addresses[] = { "127.0.0.1", "::1", "10.96.0.1", "10.77.0.10",
                                                 "fd00:96::1" };
        _cleanup_free_ char *node = xasprintf("c%u", i), *address = xasprintf("10.77.0.%u", 20 + i);
        _cleanup_free_ char *url = xasprintf("https://%s:6443", address);
        StoreRequest *q;

        q = requests_add(r, STORE_CERTIFICATE, xasprintf("nodes/%s/pki/apiserver", node), "ca",
                         "kube-apiserver", USAGE_SERVER);
        for (size_t k = 0; k < ARRAY_SIZE(server_names); k++)
                certificate_profile_add_dns(&q->profile, server_names[k]);
        for (size_t k = 0; k < ARRAY_SIZE(addresses); k++)
                profile_add_ip(&q->profile, addresses[k]);
        for (unsigned k = 0; k < n_nodes; k++) {
                _cleanup_free_ char *other = xasprintf("c%u", k),
                                    *other_address = xasprintf("10.77.0.%u", 20 + k);

                certificate_profile_add_dns(&q->profile, other);
                profile_add_ip(&q->profile, other_address);
        }
        requests_add(r, STORE_CERTIFICATE, xasprintf("nodes/%s/pki/apiserver-kubelet-client", node), "ca",
                     "kube-apiserver-kubelet-client", USAGE_CLIENT);
        requests_add(r, STORE_CERTIFICATE, xasprintf("nodes/%s/pki/front-proxy-client", node),
                     "front-proxy-ca", "front-proxy-client", USAGE_CLIENT);
        requests_add(r, STORE_CERTIFICATE, xasprintf("nodes/%s/pki/apiserver-etcd-client", node), "etcd/ca",
                     "kube-apiserver-etcd-client", USAGE_CLIENT);
        for (unsigned k = 0; k < 2; k++) {
                q = requests_add(r, STORE_CERTIFICATE,
                                 xasprintf("nodes/%s/pki/etcd/%s", node, k ? "peer" : "server"), "etcd/ca",
                                 node, USAGE_SERVER | USAGE_CLIENT);
                certificate_profile_add_dns(&q->profile, node);
                certificate_profile_add_dns(&q->profile, "localhost");
                profile_add_ip(&q->profile, address);
                profile_add_ip(&q->profile, "127.0.0.1");
                profile_add_ip(&q->profile, "::1");
        }
        requests_add(r, STORE_CERTIFICATE, xasprintf("nodes/%s/pki/etcd/healthcheck-client", node),
                     "etcd/ca", "kube-etcd-healthcheck-client", USAGE_CLIENT);
        requests_add_kubeconfig(r, xasprintf("nodes/%s/controller-manager", node),
                                "system:kube-controller-manager", NULL, url);
        requests_add_kubeconfig(r, xasprintf("nodes/%s/scheduler", node), "system:kube-scheduler", NULL,
                                url);
}

/* All that a cluster of so many controllers needs; requests_done(). */
static inline Requests requests_for(unsigned n_nodes, const char *key_type) {
        Requests r = { .key_type = key_type };
        StoreRequest *q;

        requests_add(&r, STORE_CA, xstrdup("ca"), NULL, "kubernetes", USAGE_CA);
        requests_add(&r, STORE_CA, xstrdup("etcd/ca"), NULL, "etcd-ca", USAGE_CA);
        requests_add(&r, STORE_CA, xstrdup("front-proxy-ca"), NULL, "front-proxy-ca", USAGE_CA);
        requests_add(&r, STORE_KEY_PAIR, xstrdup("sa"), NULL, NULL, 0);
        q = requests_add(&r, STORE_SECRET, xstrdup("secrets/encryption-key"), NULL, NULL, 0);
        q->size = 32;
        q = requests_add(&r, STORE_SECRET, xstrdup("secrets/identity"), NULL, NULL, 0);
        q->size = 16;
        q->hex = true;
        requests_add_kubeconfig(&r, xstrdup("admin"), "kubernetes-admin", "hardway:cluster-admins",
                                "https://10.77.0.10:6443");
        requests_add_kubeconfig(&r, xstrdup("super-admin"), "kubernetes-super-admin", "system:masters",
                                "https://10.77.0.10:6443");
        for (unsigned i = 0; i < n_nodes; i++)
                requests_add_node(&r, i, n_nodes);
        return r;
}

/* A directory with a store in it that is made, for n nodes; not 0: failed. */
static inline int make_store(unsigned n, UnitDir **ret_dir, Requests *ret_requests, Store **ret) {
        if (unit_dir_setup((void**) ret_dir) < 0)
                return -1;
        *ret_requests = requests_for(n, "ec:p256");
        if (store_open((*ret_dir)->path, ret, NULL) < 0)
                return -1;
        return store_generate(*ret, ret_requests->list, ret_requests->n, pki_now(), NULL, NULL, NULL) == 1 ?
                       0 :
                       -1;
}

static inline void unmake_store(UnitDir *dir, Requests *requests, Store *store) {
        store_free(store);
        requests_done(requests);
        (void) unit_dir_teardown((void**) &dir);
}
