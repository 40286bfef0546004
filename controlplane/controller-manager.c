/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kube-controller-manager as a component (kubernetes cmd/kube-controller-manager/app/options; kubeadm's
 * cmd/kubeadm/app/phases/controlplane/manifests.go for what a cluster needs)
 */

#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "controlplane/controlplane.h"
#include "controlplane/internal.h"
#include "plan/service.h"

#define PKI "/etc/kubernetes/pki/"

static char* cluster_name(const PlanContext *c) {
        return xstrdup(c->cluster->name);
}

static char* pod_networks(const PlanContext *c) {
        return networks_to_string(c->cluster->pods, c->cluster->n_pods);
}

static const InetNetwork* pod_network(const Cluster *c, int family) {
        for (size_t i = 0; i < c->n_pods; i++)
                if (c->pods[i].address.family == family)
                        return c->pods + i;
        return NULL;
}

/* The default, 24, has to lie inside of the pods' network: a smaller one gives sixteen nodes their share. */
static char* node_mask_ipv4(const PlanContext *c) {
        const InetNetwork *pods = pod_network(c->cluster, AF_INET);
        unsigned length;

        if (!pods || pods->prefix_length < 24)
                return NULL;
        length = pods->prefix_length + 4;
        return xasprintf("%u", length < 30 ? length : 30);
}

/* The default, 64, may be at most 16 away from the pods' network (pkg/controller/nodeipam/ipam/cidrset). */
static char* node_mask_ipv6(const PlanContext *c) {
        const InetNetwork *pods = pod_network(c->cluster, AF_INET6);
        unsigned length;

        if (!pods || (pods->prefix_length >= 48 && pods->prefix_length < 64))
                return NULL;
        length = pods->prefix_length + (pods->prefix_length < 48 ? 16 : 8);
        return xasprintf("%u", length < 126 ? length : 126);
}

static bool signs(const PlanContext *c) {
        return !plan_ca_key_stays(c, "ca");
}

static char* signing_certificate(const PlanContext *c) {
        return signs(c) ? xstrdup("%d/signing-ca.crt") : NULL;
}

static char* signing_key(const PlanContext *c) {
        return signs(c) ? xstrdup("%d/ca.key") : NULL;
}

static bool has_bundle(const PlanContext *c) {
        return plan_ca_has_chain(c, "ca");
}

static char* root_ca(const PlanContext *c) {
        return xstrdup(has_bundle(c) ? "%d/ca-bundle.crt" : "%d/ca.crt");
}

static const Flag flags[] = {
        LOOPBACK_FLAGS("controller-manager"),

        { "cluster-name", .function = cluster_name, .why = "The name of the cluster file.",
          .without =
                  "\"kubernetes\", the default; cloud providers put it into the names of what they make." },
        { "controllers", "*,bootstrapsigner,tokencleaner",
          .why = "All that are on by default, and the two that bootstrap tokens of new nodes need.",
          .without =
                  "All that are on by default: bootstrap tokens would not be signed and never expire, and "
                  "new nodes could not find the cluster's CA by one." },
        { "use-service-account-credentials", "true",
          .why = "Each controller has an identity and rights of its own, instead of all having all "
                 "rights.",
          .without = "All controllers would act as one user, with the rights of all of them; the audit log "
                     "could not tell them apart." },
        { "service-account-private-key-file", "%d/sa.key", .why = "Signs the tokens of service accounts.",
          .without = "Service accounts get no long-lived tokens; those of pods come from the apiserver." },
        { "root-ca-file", .function = root_ca,
          .why = "The CA that pods are given, so that they can check the apiserver.",
          .without = "Tokens of service accounts would come without a CA; the ConfigMap kube-root-ca.crt "
                     "would get that of the kubeconfig, which here is the same." },
        { "cluster-signing-cert-file", .function = signing_certificate,
          .why = "Certificates of new nodes are issued by the cluster's CA ...",
          .without = "No certificate request is ever signed: kubelets do not get their certificates, and "
                     "cannot renew them." },
        { "cluster-signing-key-file", .function = signing_key,
          .why = "... with its key: the reason why it is on the controllers. Where the key is kept "
                 "elsewhere, both are left out, and somebody else has to sign.",
          .without = "It does not start: the certificate is of no use for signing without its key." },

        { "allocate-node-cidrs", "true", .why = "Gives each node its share of the pods' network.",
          .without =
                  "Nodes would have no share of the pods' network, which most network plugins wait for." },
        { "cluster-cidr", .function = pod_networks, .why = "The pods' network, of the cluster file.",
          .without = "It does not start: what is allocated has to come from somewhere." },
        { "node-cidr-mask-size-ipv4", .function = node_mask_ipv4,
          .why = "The size of a node's share, where the default does not fit into the pods' network.",
          .without = "/24, the default: it does not start if that is larger than the pods' network." },
        { "node-cidr-mask-size-ipv6", .function = node_mask_ipv6, .why = "The same for IPv6.",
          .without = "/64, the default: it does not start if that is more than 16 bits away from the pods' "
                     "network." },
        { "service-cluster-ip-range", .function = service_networks, .why = "What no node may be given.",
          .without = "Where the networks of pods and Services overlap, a node could be given addresses of "
                     "Services." },

        { "leader-elect", "true", .why = "One of them works, the others wait to take over.",
          .without =
                  "Nothing: it is the default. With false all of them would work at once, and against each "
                  "other." },
        LEASE_FLAGS,
        { "flex-volume-plugin-dir", "/var/lib/kube-controller-manager/flexvolume",
          .why = "It watches this directory, and its default lies in /usr, which is read-only to it.",
          .without =
                  "It would try to watch a directory below /usr/libexec, cannot make it, and logs an error "
                  "about it." },
        PROFILING_FLAG,
};

static const Artifact artifacts[] = { { "kube-controller-manager", ORIGIN_KUBERNETES } };

static const Credential credentials[] = {
        LOOPBACK_CREDENTIALS("controller-manager", "kube-controller-manager"),
};

static const ServedCertificate served[] = {
        { "controller-manager", PORT_CONTROLLER_MANAGER, .copy = "controller-manager.crt" },
};

static const ServiceCredential handed_over[] = {
        LOOPBACK_HANDED_OVER("controller-manager"),
        { "sa.key", PKI "sa.key", .why = "Signs the tokens of service accounts." },
        { "ca.crt", PKI "ca.crt", .why = "The cluster's CA; both of them while it is being replaced." },
        { "signing-ca.crt", PKI "signing-ca.crt", .wanted = signs,
          .why = "The one CA that issues. In this place kube-controller-manager takes exactly one "
                 "certificate (pkg/controller/certificates/signer/ca_provider.go), and ca.crt may hold two.",
          .without = "It does not start: its flag names a file that is not there." },
        { "ca.key", PKI "ca.key", .wanted = signs, .why = "Signs the certificates of new nodes." },
        { "ca-bundle.crt", PKI "ca-bundle.crt", .store_path = "ca.bundle", .wanted = has_bundle,
          .why = "The cluster's CA and those above it, for pods whose clients insist on a root.",
          .without = "Pods whose clients want a chain that ends in a root would refuse the apiserver." },
};

#define STATE "/var/lib/kube-controller-manager"

static const UnitSetting settings[] = {
        ELECTED_SETTINGS,
        { "Service", "StateDirectory", "kube-controller-manager", /* STATE, below */
          .why = "For the directory of volume plugins, which it makes.",
          .without = "It could not make the directory of volume plugins, and would log an error about it.",
          .manual = "systemd.exec(5)" },
        { "Service", "StateDirectoryMode", "0700", .why = "For itself alone.",
          .without = "0755, the default: others could read what is in there.", .manual = "systemd.exec(5)" },
};

static const Service service = {
        .component = &component_kube_controller_manager,
        .documentation =
                "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/",
        .credentials = handed_over,
        .n_credentials = ARRAY_SIZE(handed_over),
        .why = "Runs this node's controller manager.",
};

static int controller_manager_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        PlanItem *unit;
        int r;

        r = service_add(c, plan, &service, &unit, reterr);
        if (r < 0)
                return r;
        plan_unit_listens(unit, PORT_CONTROLLER_MANAGER);
        plan_item_explain(plan_add_directory(plan, "kube-controller-manager", "state", STATE, 0700,
                                             "kube-controller-manager:kube-controller-manager",
                                             "Holds the directory of volume plugins, which it makes."),
                          "The unit makes it at each start (StateDirectory=).", "systemd.exec(5)");
        return 0;
}

static int controller_manager_ready(const ProbeContext *c, const Node *node, ProbeResult *ret,
                                    Error **reterr) {
        return loopback_ready(c, node, "controller-manager", PORT_CONTROLLER_MANAGER, ret, reterr);
}

static int controller_manager_verify(const ProbeContext *c, CheckList *checks) {
        check_leader(c, "kube-controller-manager", "controller-manager.leader", checks);
        return 0;
}

#define SHARES_LOST "nodes keep the shares of it that they have, which lie outside of another one"

static const LastingFlag lasting[] = {
        { "pod-network", "cluster-cidr", "network.pods", SHARES_LOST, lasting_grows, lasting_advise_back },
};

static int controller_manager_preflight(const ProbeContext *c, const Node *node, CheckList *checks,
                                        Error **reterr) {
        _cleanup_strv_ Strv running = NULL;
        int r;

        r = running_argv(c, node, &component_kube_controller_manager, &running, reterr);
        if (r < 0)
                return r;
        lasting_preflight(c, node, &component_kube_controller_manager, running, lasting, ARRAY_SIZE(lasting),
                          checks);
        return 0;
}

static const CheckName preflights[] = {
        { "pod-network",
          "The pods' network is that with which the controller managers run, or has one more of the other family behind it.",
          "Nodes keep the shares of it that they have, which lie outside of another one: new nodes get some that the "
          "others do not route to.",
          "@controller {root} grep cluster-cidr /etc/systemd/system/kube-controller-manager.service" },
};

const Component component_kube_controller_manager = {
        .name = "kube-controller-manager",
        .summary = "Keeps the cluster as its objects say: nodes, endpoints, jobs, certificates",
        .without = "Nothing is brought to what it should be: no pods for a Deployment, no certificates for "
                   "new nodes, no tokens, no cleaning up.",
        .manual =
                "kube-controller-manager, "
                "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/",
        .unit = "kube-controller-manager.service",
        .roles = ROLE_CONTROLLER,
        .rank = 30,
        .artifacts = artifacts,
        .n_artifacts = ARRAY_SIZE(artifacts),
        .credentials = credentials,
        .n_credentials = ARRAY_SIZE(credentials),
        .served = served,
        .n_served = ARRAY_SIZE(served),
        .flags = flags,
        .n_flags = ARRAY_SIZE(flags),
        .settings = settings,
        .n_settings = ARRAY_SIZE(settings),
        .service = &service,
        .plan = controller_manager_plan,
        .preflight = controller_manager_preflight,
        .preflights = preflights,
        .n_preflights = ARRAY_SIZE(preflights),
        .ready = controller_manager_ready,
        .verify = controller_manager_verify,
        .ready_sec = 120,
};
