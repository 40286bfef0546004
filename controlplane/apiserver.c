/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kube-apiserver as a component
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "controlplane/controlplane.h"
#include "controlplane/internal.h"
#include "plan/names.h"
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
        if (c->endpoint.address.family != AF_UNSPEC)
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

#define CLIENT_CERTIFICATE(n, i, cn, w, without_)                                             \
        {                                                                                     \
                .type = STORE_CERTIFICATE, .scope = PER_NODE, .name = (n), .issuer = (i),     \
                .common_name = (cn), .usage = USAGE_CLIENT, .why = (w), .without = (without_) \
        }

static const Credential credentials[] = {
        { .type = STORE_CA,
          .name = "ca",
          .common_name = "kubernetes",
          .usage = USAGE_CA,
          .names = ca_names,
          .why = "The CA of the cluster: apiservers, users, components, kubelets. Its key is on the "
                 "controllers, because kube-controller-manager signs the certificates of new nodes with "
                 "it.",
          .without =
                  "Nobody can prove to be anybody: no user, component or node is let in, and no client can "
                  "check the apiserver." },
        { .type = STORE_CA,
          .name = "front-proxy-ca",
          .common_name = "front-proxy-ca",
          .usage = USAGE_CA,
          .names = front_proxy_ca_names,
          .why = "Certifies who may name users in headers to extension apiservers. It signs one kind of "
                 "certificate only.",
          .without = "Whoever has a certificate of the cluster's CA could call himself anybody towards "
                     "extension apiservers." },
        { .type = STORE_KEY_PAIR,
          .name = "sa",
          .why = "Signs and checks the tokens of pods; the same on all controllers.",
          .without = "Pods get no tokens, and cannot talk to the API. Made anew, it invalidates all tokens "
                     "there are." },
        { .type = STORE_CERTIFICATE,
          .scope = PER_NODE,
          .name = "apiserver",
          .issuer = "ca",
          .common_name = "kube-apiserver",
          .usage = USAGE_SERVER,
          .names = apiserver_names,
          .why = "What the apiserver shows to its clients, with all names by which they may call it.",
          .without = "Clients cannot check whom they talk to, and refuse." },
        CLIENT_CERTIFICATE("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client",
                           "What the apiserver shows to kubelets. It is in no group; a role binding gives "
                           "it its rights.",
                           "kubectl logs, exec and port-forward do not work: kubelets refuse."),
        CLIENT_CERTIFICATE("front-proxy-client", "front-proxy-ca", "front-proxy-client",
                           "What the apiserver shows to extension apiservers when it passes a request on.",
                           "kubectl top and everything else behind an extension apiserver does not work."),
        CLIENT_CERTIFICATE("apiserver-etcd-client", "etcd/ca", "kube-apiserver-etcd-client",
                           "What the apiserver shows to etcd.",
                           "etcd refuses the apiserver, which never becomes ready."),
        { .type = STORE_SECRET,
          .name = NAME_ENCRYPTION_KEY_FILE,
          .secret_size = 32,
          .why = "Encrypts secrets in etcd. Without it they cannot be read from any snapshot. hardway pki "
                 "rotate-key replaces it; of several lines, as there are meanwhile, the first writes, and the "
                 "others are read with.",
          .without = "Secrets would be stored as they are given. Lost, those that are stored cannot be read "
                     "any more." },
        { .type = STORE_KUBECONFIG,
          .name = "admin",
          .issuer = "ca",
          .common_name = "kubernetes-admin",
          .organization = "hardway:cluster-admins",
          .usage = USAGE_CLIENT,
          .server_is_endpoint = true,
          .why = "For whoever runs the cluster. Its group gets its power from a role binding, which can be "
                 "taken back.",
          .without = "Nobody but the emergency's user could administer the cluster." },
        { .type = STORE_KUBECONFIG,
          .name = "super-admin",
          .issuer = "ca",
          .common_name = "kubernetes-super-admin",
          .organization = "system:masters",
          .usage = USAGE_CLIENT,
          .server_is_endpoint = true,
          .why = "For emergencies, and to make that role binding: its group may do everything, whatever "
                 "roles say. It stays on the driving machine.",
          .without =
                  "When roles are broken, nobody could mend them; nor could hardway make the binding that "
                  "admin.conf needs." },
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
        { "Unit", "Wants", "network-online.target", .why = "The addresses it listens on have to be there.",
          .without =
                  "At boot it may be started before the network, cannot listen, and is started anew until "
                  "it can." },
        { "Unit", "After", "network-online.target time-sync.target",
          .why = "Certificates are judged by the clock.",
          .without = "It would start beside the network and the clock; with an old clock, no certificate is "
                     "valid yet." },
        { "Unit", "After", .function = own_etcd,
          .why = "It uses the member on this node alone: that one comes up first, and goes last.",
          .without = "At boot it would start before its member and fail a few times; at shutdown it would "
                     "lose its member under its feet." },
        { "Unit", "BindsTo", .function = own_etcd,
          .why = "Without its member it could only let clients wait. So it goes, they are refused at once "
                 "and turn to another apiserver. etcd.service starts it again (Upholds=).",
          .without =
                  "Requests to this apiserver would hang until they time out, while haproxy believes that "
                  "it is there." },
        { "Unit", "StartLimitIntervalSec", "0",
          .why = "Never give up: what keeps it down may end at any time.",
          .without = "After five starts within ten seconds systemd gives up, and the apiserver stays down "
                     "when etcd is long back." },
        { "Service", "Type", "notify",
          .why = "It says when it listens. Whether it is ready is asked of /readyz.",
          .without = "systemd would call it started while it does not listen yet, and what comes after it "
                     "would fail first." },
        { "Service", "TimeoutStartSec", "300", .why = "A Raspberry Pi with an SD card takes its time.",
          .without = "90 s, the default: on a slow node systemd would end it before it listens, and begin "
                     "anew." },
        { "Service", "TimeoutStopSec", "75",
          .why = "The shutdown delay, and a minute for the requests that are under way "
                 "(--request-timeout).",
          .without = "90 s, the default. The value follows from the flags, and is said so that both are "
                     "changed together." },
        { "Service", "Restart", "always", .why = "Whatever ended it.",
          .without =
                  "An apiserver that crashes or is killed stays down; haproxy leaves it out, and the next "
                  "loss weighs more." },
        { "Service", "RestartSec", "1", .why = "Soon; not so soon as to heat the node.",
          .without = "100 ms, the default: one that cannot start would keep a processor busy with trying." },
        { "Service", "LogsDirectory", "kubernetes",
          .why = "The one place that it may write to: the audit log, in /var/log/kubernetes.",
          .without = "With everything else read-only it could not open the audit log, and would not start.",
          .manual = "systemd.exec(5)" },
        { "Service", "LogsDirectoryMode", "0700", .why = "Who did what is not for everybody.",
          .without = "0755, the default: everybody on the node could list the audit log.",
          .manual = "systemd.exec(5)" },
        { "Service", "LimitNOFILE", "65536", .why = "Each client and each watch is an open file.",
          .without = "1024 open files, the soft default: too few for the connections and watches of a busy "
                     "cluster.",
          .manual = "systemd.exec(5)" },
        { "Service", "OOMScoreAdjust", "-800",
          .why = "When memory runs out, it goes late; etcd later still.",
          .without =
                  "The kernel would choose by size when memory runs out, and the apiserver is the largest.",
          .manual = "systemd.exec(5)" },
        { "Service", "CPUWeight", "200", .why = "Others wait for it.",
          .without = "Requests wait while the node computes something else; leases run out.",
          .manual = "systemd.resource-control(5)" },
};

static const Service service = {
        .component = &component_kube_apiserver,
        .documentation = "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/",
        .credentials = handed_over,
        .n_credentials = ARRAY_SIZE(handed_over),
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
        plan_item_explain(plan_add_directory(plan, "kube-apiserver", "audit-log", "/var/log/kubernetes",
                                             0700, "kube-apiserver:kube-apiserver", "Holds the audit log."),
                          "The unit makes it at each start (LogsDirectory=).",
                          "Auditing, https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/");
        apiserver_add_objects(c, plan);
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

#define SERVICES_LOST                                                                                                   \
        "Services keep the addresses that they have, that of kubernetes.default too, by which each pod finds the API: " \
        "nobody would route there, and no certificate name it"
#define TOKENS_LOST                                                                                                 \
        "the tokens that pods have would be refused until they are renewed, and those that one apiserver signs by " \
        "the others"

static const LastingFlag lasting[] = {
        { "service-network", "service-cluster-ip-range", "network.services", SERVICES_LOST, lasting_grows,
          lasting_advise_back },
        { "issuer", "service-account-issuer", "network.domain, or extra-args", TOKENS_LOST,
          lasting_is_believed, lasting_advise_steps },
};

static int preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_strv_ Strv running = NULL;
        int r;

        r = apiserver_preflight(c, node, checks, reterr);
        if (r >= 0)
                r = running_argv(c, node, &component_kube_apiserver, &running, reterr);
        if (r >= 0)
                r = upgrade_preflight(c, node, running, checks, reterr);
        if (r < 0)
                return r;
        lasting_preflight(c, node, &component_kube_apiserver, running, lasting, ARRAY_SIZE(lasting), checks);
        return 0;
}

static const CheckName preflights[] = {
        { ENCRYPTION_PREFLIGHT,
          "The apiserver that runs encrypts secrets with the key of secrets/encryption-key.",
          "It would be given another one, and no secret in etcd could be read any more.",
          "cat secrets/encryption-key   # a secret\n"
          "@controller {root} grep secret: /etc/kubernetes/encryption-config.yaml" },
        { "service-network",
          "The network of Services is that with which the apiservers run, or has one more of the other family behind it.",
          "Services keep the addresses that they have, that of kubernetes.default too, by which each pod finds the API: "
          "nobody would route there, and no certificate name it.",
          "@controller {root} grep service-cluster-ip-range /etc/systemd/system/kube-apiserver.service" },
        { "issuer",
          "Who signs the tokens of service accounts is believed by all apiservers, before and after a change.",
          "The tokens that pods have would be refused until they are renewed, and those that one apiserver signs by the "
          "others.",
          "@controller {root} grep service-account-issuer /etc/systemd/system/kube-apiserver.service" },
        { "kubelets",
          "Before a step to the next minor version: no kubelet is more than three minor versions behind it.",
          "Such a kubelet asks for what the new apiserver does not have any more, and its node is lost to the cluster.",
          "kubectl --kubeconfig admin.conf get nodes" },
        { "removed-apis",
          "Before a step to the next minor version: nobody has asked this apiserver for an API that the next one does not "
          "have any more.",
          "Whoever uses it would get \"not found\" from then on.",
          "kubectl --kubeconfig super-admin.conf get --raw /metrics | grep apiserver_requested_deprecated_apis" },
};

const Component component_kube_apiserver = {
        .name = "kube-apiserver",
        .summary = "The API of the cluster: all others, and you, talk to it alone",
        .without = "Nobody can see or change the cluster. What runs goes on, as it is.",
        .manual = "kube-apiserver, "
                  "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/",
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
        .settings = settings,
        .n_settings = ARRAY_SIZE(settings),
        .service = &service,
        .reaches = reaches,
        .n_reaches = ARRAY_SIZE(reaches),
        .plan = apiserver_plan,
        .preflight = preflight,
        .preflights = preflights,
        .n_preflights = ARRAY_SIZE(preflights),
        .ready = apiserver_ready,
        .gate = apiserver_gate,
        .spare = apiserver_spare,
        .verify = apiserver_verify,
        .ready_sec = 120,
};
