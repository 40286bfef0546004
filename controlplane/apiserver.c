/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kube-apiserver as a component
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "controlplane/controlplane.h"
#include "controlplane/internal.h"
#include "plan/service.h"

#define PKI "/etc/kubernetes/pki/"

static void add_addresses(CertificateProfile *profile, const char *const *addresses, size_t n) {
        for (size_t i = 0; i < n; i++) {
                InetAddress address;

                if (inet_address_parse(addresses[i], &address) == 0)
                        certificate_profile_add_address(profile, &address);
        }
}

static void ca_names(const Cluster *c, const Node *node, CertificateProfile *profile) {
        certificate_profile_add_dns(profile, "kubernetes");
}

static void front_proxy_ca_names(const Cluster *c, const Node *node, CertificateProfile *profile) {
        certificate_profile_add_dns(profile, "front-proxy-ca");
}

static void add_endpoint_names(const Cluster *c, CertificateProfile *profile) {
        if (c->endpoint.present)
                certificate_profile_add_address(profile, &c->endpoint.address);
        STRV_FOREACH(name, c->endpoint.names)
                certificate_profile_add_dns(profile, *name);
        STRV_FOREACH(name, c->certificates.extra_sans) {
                InetAddress address;

                if (inet_address_parse(*name, &address) == 0)
                        certificate_profile_add_address(profile, &address);
                else
                        certificate_profile_add_dns(profile, *name);
        }
}

/* Every name under which anybody may reach any apiserver: the endpoint, all controllers, and what pods use
 * (kubeadm cmd/kubeadm/app/util/pkiutil/pki_helpers.go, GetAPIServerAltNames()). */
static void apiserver_names(const Cluster *c, const Node *node, CertificateProfile *profile) {
        static const char *const names[] = { "localhost", "kubernetes", "kubernetes.default",
                                             "kubernetes.default.svc" };
        static const char *const loopback[] = { "127.0.0.1", "::1" };
        _cleanup_free_ char *full = xasprintf("kubernetes.default.svc.%s", c->domain);

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                certificate_profile_add_dns(profile, names[i]);
        certificate_profile_add_dns(profile, full);
        certificate_profile_add_dns(profile, "kubernetes.default.svc.cluster.local");
        for (size_t i = 0; i < c->n_services; i++) {
                InetAddress address;

                cluster_service_address(c, i, &address);
                certificate_profile_add_address(profile, &address);
        }
        CLUSTER_FOREACH_NODE(n, c, ROLE_CONTROLLER) {
                certificate_profile_add_dns(profile, n->name);
                certificate_profile_add_address(profile, &n->address);
        }
        add_addresses(profile, loopback, ARRAY_SIZE(loopback));
        add_endpoint_names(c, profile);
}

static const Artifact artifacts[] = {
        { "kube-apiserver", ORIGIN_KUBERNETES },
        { "kubectl", ORIGIN_KUBERNETES },
};

#define CLIENT_CERTIFICATE(n, i, cn, w)                                                   \
        {                                                                                 \
                .type = STORE_CERTIFICATE, .scope = PER_NODE, .name = (n), .issuer = (i), \
                .common_name = (cn), .usage = USAGE_CLIENT, .why = (w)                    \
        }

static const Credential credentials[] = {
        { .type = STORE_CA,
          .name = "ca",
          .common_name = "kubernetes",
          .usage = USAGE_CA,
          .names = ca_names,
          .why = "The CA of the cluster: apiservers, users, components, kubelets. Its key is on the "
                 "controllers, because kube-controller-manager signs the certificates of new nodes with "
                 "it." },
        { .type = STORE_CA,
          .name = "front-proxy-ca",
          .common_name = "front-proxy-ca",
          .usage = USAGE_CA,
          .names = front_proxy_ca_names,
          .why = "Certifies who may name users in headers to extension apiservers. It signs one kind of "
                 "certificate only." },
        { .type = STORE_KEY_PAIR,
          .name = "sa",
          .why = "Signs and checks the tokens of pods; the same on all controllers." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "apiserver",
          .issuer = "ca",
          .common_name = "kube-apiserver",
          .usage = USAGE_SERVER,
          .names = apiserver_names,
          .why = "What the apiserver shows to its clients, with all names by which they may call it." },
        CLIENT_CERTIFICATE("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client",
                           "What the apiserver shows to kubelets. It is in no group; a role binding gives "
                           "it its rights."),
        CLIENT_CERTIFICATE("front-proxy-client", "front-proxy-ca", "front-proxy-client",
                           "What the apiserver shows to extension apiservers when it passes a request on."),
        CLIENT_CERTIFICATE("apiserver-etcd-client", "etcd/ca", "kube-apiserver-etcd-client",
                           "What the apiserver shows to etcd."),
        { .type = STORE_SECRET,
          .name = "secrets/encryption-key",
          .secret_size = 32,
          .why = "Encrypts secrets in etcd. Without it they cannot be read from any snapshot." },
        { .type = STORE_KUBECONFIG,
          .name = "admin",
          .issuer = "ca",
          .common_name = "kubernetes-admin",
          .organization = "hardway:cluster-admins",
          .usage = USAGE_CLIENT,
          .server_is_endpoint = true,
          .why = "For whoever runs the cluster. Its group gets its power from a role binding, which can be "
                 "taken back." },
        { .type = STORE_KUBECONFIG,
          .name = "super-admin",
          .issuer = "ca",
          .common_name = "kubernetes-super-admin",
          .organization = "system:masters",
          .usage = USAGE_CLIENT,
          .server_is_endpoint = true,
          .why = "For emergencies, and to make that role binding: its group may do everything, whatever "
                 "roles say. It stays on the driving machine." },
};

static const ServedCertificate served[] = { { "apiserver" } };

#define SHOWN "What the apiserver shows to its clients."
#define KUBELET "What the apiserver shows to kubelets."
#define PROXY "What the apiserver shows to extension apiservers."
#define ETCD "What the apiserver shows to etcd."

static const ServiceCredential handed_over[] = {
        { "ca.crt", PKI "ca.crt", .why = "The cluster's CA: who is certified by it is believed." },
        { "front-proxy-ca.crt", PKI "front-proxy-ca.crt",
          .why = "Certifies who may name users in headers." },
        { "etcd-ca.crt", PKI "etcd/ca.crt", .why = "Certifies members and clients of etcd." },
        { "apiserver.crt", PKI "apiserver.crt", .node = true, .why = SHOWN },
        { "apiserver.key", PKI "apiserver.key", .node = true, .why = SHOWN },
        { "apiserver-kubelet-client.crt", PKI "apiserver-kubelet-client.crt", .node = true, .why = KUBELET },
        { "apiserver-kubelet-client.key", PKI "apiserver-kubelet-client.key", .node = true, .why = KUBELET },
        { "front-proxy-client.crt", PKI "front-proxy-client.crt", .node = true, .why = PROXY },
        { "front-proxy-client.key", PKI "front-proxy-client.key", .node = true, .why = PROXY },
        { "apiserver-etcd-client.crt", PKI "apiserver-etcd-client.crt", .node = true, .why = ETCD },
        { "apiserver-etcd-client.key", PKI "apiserver-etcd-client.key", .node = true, .why = ETCD },
        { "sa.pub", PKI "sa.pub", .why = "Checks the tokens of pods." },
        { "sa.key", PKI "sa.key", .why = "Signs the tokens of pods." },
        { "encryption-config.yaml", ENCRYPTION_CONFIG, .added = true,
          .why = "Encrypts secrets before they reach etcd." },
};

static char* own_etcd(const PlanContext *c) {
        return c->node->roles & ROLE_ETCD ? xstrdup("etcd.service") : NULL;
}

static const UnitSetting settings[] = {
        { "Unit", "Wants", "network-online.target", .why = "The addresses it listens on have to be there." },
        { "Unit", "After", "network-online.target time-sync.target",
          .why = "Certificates are judged by the clock." },
        { "Unit", "After", .function = own_etcd,
          .why = "It uses the member on this node alone: that one comes up first, and goes last." },
        { "Unit", "BindsTo", .function = own_etcd,
          .why = "Without its member it could only let clients wait. So it goes, they are refused at once "
                 "and turn to another apiserver. etcd.service starts it again (Upholds=)." },
        { "Unit", "StartLimitIntervalSec", "0",
          .why = "Never give up: what keeps it down may end at any time." },
        { "Service", "Type", "notify",
          .why = "It says when it listens. Whether it is ready is asked of /readyz." },
        { "Service", "TimeoutStartSec", "300", .why = "A Raspberry Pi with an SD card takes its time." },
        { "Service", "TimeoutStopSec", "75",
          .why = "The shutdown delay, and a minute for the requests that are under way "
                 "(--request-timeout)." },
        { "Service", "Restart", "always", .why = "Whatever ended it." },
        { "Service", "RestartSec", "1", .why = "Soon; not so soon as to heat the node." },
        { "Service", "LogsDirectory", "kubernetes",
          .why = "The one place that it may write to: the audit log, in /var/log/kubernetes." },
        { "Service", "LogsDirectoryMode", "0700", .why = "Who did what is not for everybody." },
        { "Service", "LimitNOFILE", "65536", .why = "Each client and each watch is an open file." },
        { "Service", "OOMScoreAdjust", "-800",
          .why = "When memory runs out, it goes late; etcd later still." },
        { "Service", "CPUWeight", "200", .why = "Others wait for it." },
};

static const Service service = {
        .component = &component_kube_apiserver,
        .documentation = "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/",
        .credentials = handed_over,
        .n_credentials = ARRAY_SIZE(handed_over),
        .settings = settings,
        .n_settings = ARRAY_SIZE(settings),
        .why = "Runs this node's apiserver.",
};

static int apiserver_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *unit;
        int r;

        r = apiserver_add_files(c, plan, reterr);
        if (r < 0)
                return r;
        r = service_add(c, plan, &service, &unit, reterr);
        if (r < 0)
                return r;
        plan_unit_listens(unit, c->cluster->apiserver_port);
        plan_add_directory(plan, "kube-apiserver", "audit-log", "/var/log/kubernetes", 0700,
                           "kube-apiserver:kube-apiserver", "Holds the audit log.");
        apiserver_add_objects(plan);
        return 0;
}

static unsigned apiserver_port(const Cluster *c) {
        return c->apiserver_port;
}

static const Reach reaches[] = {
        { .port_of = apiserver_port,
          .from = ROLE_LOADBALANCER,
          .from_here = true,
          .why = "what the load balancers pass on to the apiservers, and hardway's questions to each" },
};

const Component component_kube_apiserver = {
        .name = "kube-apiserver",
        .summary = "The API of the cluster: all others, and you, talk to it alone",
        .unit = "kube-apiserver.service",
        .roles = ROLE_CONTROLLER,
        .rank = 20,
        .artifacts = artifacts,
        .n_artifacts = ARRAY_SIZE(artifacts),
        .credentials = credentials,
        .n_credentials = ARRAY_SIZE(credentials),
        .served = served,
        .n_served = ARRAY_SIZE(served),
        .flags = apiserver_flags,
        .n_flags = APISERVER_N_FLAGS,
        .reaches = reaches,
        .n_reaches = ARRAY_SIZE(reaches),
        .plan = apiserver_plan,
        .ready = apiserver_ready,
        .gate = apiserver_gate,
        .verify = apiserver_verify,
        .ready_sec = 120,
};
