/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * kube-apiserver's command line (kubernetes pkg/controlplane/apiserver/options, apiserver
 * pkg/server/options; kubeadm's cmd/kubeadm/app/phases/controlplane/manifests.go for what a cluster needs)
 */

#include <stdlib.h>

#include "cluster/ports.h"
#include "common/alloc.h"
#include "controlplane/internal.h"
#include "plan/left-out.h"

char* networks_to_string(const InetNetwork *networks, size_t n) {
        _cleanup_strv_ Strv v = NULL;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *text = inet_network_to_string(networks + i);

                strv_add(&v, text);
        }
        return strv_join(v, ",");
}

static char* advertise_address(const PlanContext *c) {
        return inet_address_to_string(&c->node->address);
}

/* Where haproxy is on the same node and wants the same port, it gets the VIP and the apiserver the node's
 * address. */
static char* bind_address(const PlanContext *c) {
        if (cluster_shares_port(c->cluster, c->node))
                return inet_address_to_string(&c->node->address);
        return xstrdup(c->node->address.family == AF_INET6 ? "::" : "0.0.0.0");
}

static char* secure_port(const PlanContext *c) {
        return xasprintf("%u", c->cluster->apiserver_port);
}

static char* etcd_servers(const PlanContext *c) {
        _cleanup_strv_ Strv urls = NULL;

        if (c->node->roles & ROLE_ETCD)
                return xasprintf("https://127.0.0.1:%d", PORT_ETCD_CLIENT);
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                _cleanup_free_ char *endpoint = inet_endpoint_to_string(&node->address, PORT_ETCD_CLIENT);

                if (plan_left_out(c->store, node))
                        continue;
                strv_addf(&urls, "https://%s", endpoint);
        }
        return strv_join(urls, ",");
}

static char* etcd_timeout(const PlanContext *c) {
        return xasprintf("%us", c->cluster->timings.etcd_ready_sec);
}

static char* service_account_issuer(const PlanContext *c) {
        return xasprintf("https://kubernetes.default.svc.%s", c->cluster->domain);
}

char* service_networks(const PlanContext *c) {
        return networks_to_string(c->cluster->services, c->cluster->n_services);
}

/* haproxy has to have seen that the apiserver is not ready any more: its check every half of the check
 * timeout, so many times as it takes to believe it, and one more that was under way. */
static char* shutdown_delay(const PlanContext *c) {
        const Timings *t = &c->cluster->timings;
        unsigned noticed_msec = t->haproxy_fall * t->haproxy_check_msec / 2 + t->haproxy_check_msec;
        unsigned sec = (noticed_msec + 999) / 1000;

        return xasprintf("%us", sec > 3 ? sec : 3);
}

static char* goaway_chance(const PlanContext *c) {
        return cluster_count(c->cluster, ROLE_CONTROLLER) > 1 ? xstrdup(".001") : NULL;
}

const Flag apiserver_flags[] = {
        { "advertise-address", .function = advertise_address,
          .why = "The address that goes into the Service \"kubernetes\", by which pods reach this "
                 "apiserver.",
          .without = "The apiserver would guess: the address of the interface with the default route, which "
                     "may be another network." },
        { "bind-address", .function = bind_address,
          .why = "All addresses of the node; or only its own where haproxy shares the node and the port.",
          .without =
                  "Nothing where the node is no load balancer: all addresses is the default. Where it is "
                  "one, haproxy and the apiserver would want the same port of the same address, and one of "
                  "them does not start." },
        { "secure-port", .function = secure_port, .why = "The one port, always TLS.",
          .without = "6443, the default; haproxy and every kubeconfig have the port of the cluster file." },

        { "etcd-servers", .function = etcd_servers,
          .why = "Only the member on this node: when that is gone, so is this apiserver, and the load "
                 "balancer turns to another at once. With all members listed, a silent one makes requests "
                 "hang on every apiserver. All of them only where etcd has hosts of its own.",
          .without = "The apiserver does not start: it is required." },
        { "etcd-cafile", "%d/etcd-ca.crt", .why = "etcd has a CA of its own.",
          .without =
                  "The certificate of etcd would be judged by the node's list of public CAs, and refused: "
                  "no data, no API." },
        { "etcd-certfile", "%d/apiserver-etcd-client.crt", .why = "What the apiserver shows to etcd.",
          .without = "etcd refuses whoever shows no certificate: the apiserver does not become ready." },
        { "etcd-keyfile", "%d/apiserver-etcd-client.key", .why = "The key of that certificate.",
          .without = "The apiserver does not start: a certificate is of no use without its key." },
        { "etcd-healthcheck-timeout", .function = etcd_timeout,
          .why = "Longer than an election of etcd lasts: shorter, and each change of leader makes all "
                 "apiservers unready at the same time.",
          .without =
                  "2 s, the default: on slow disks an election lasts longer, and all apiservers would call "
                  "themselves sick at once." },
        { "etcd-readycheck-timeout", .function = etcd_timeout,
          .why = "The same, for /readyz, which haproxy looks at.",
          .without = "2 s, the default: during an election on slow disks haproxy would take all apiservers "
                     "out at once." },
        { "encryption-provider-config", "%d/encryption-config.yaml",
          .why = "Secrets are encrypted before they reach etcd, its disk and its snapshots.",
          .without = "Secrets would lie in etcd, and in each of its snapshots and backups, as they were "
                     "given." },

        { "tls-cert-file", "%d/apiserver.crt", .why = "What the apiserver shows to its clients.",
          .without = "The apiserver would make a certificate that no CA vouches for: no client that looks "
                     "would accept it." },
        { "tls-private-key-file", "%d/apiserver.key", .why = "The key of that certificate.",
          .without = "The apiserver does not start: a certificate is of no use without its key." },
        { "tls-min-version", "VersionTLS12", .why = "Says what is the default, so that it can be seen.",
          .without = "Nothing: it is the default." },
        { "client-ca-file", "%d/ca.crt",
          .why = "Who shows a certificate of this CA is the user that its subject names.",
          .without =
                  "Certificates would say nothing about who somebody is: admin.conf, the scheduler and the "
                  "controller manager are all anonymous." },

        { "authentication-config", AUTHENTICATION_CONFIG,
          .why = "Lets anonymous requests through to health and version only. It replaces --anonymous-auth, "
                 "and the two must not be set together.",
          .without = "Anonymous requests would reach authorization for every path, and one careless role "
                     "binding would open the cluster to everybody." },
        { "authorization-mode", "Node,RBAC",
          .why = "Kubelets may touch what belongs to their own node; everybody else what roles say.",
          .without = "AlwaysAllow, the default: whoever is authenticated, and with it every pod, may do "
                     "everything." },
        { "enable-admission-plugins", "NodeRestriction",
          .why = "Keeps a kubelet from labelling or changing other nodes; the other half of Node "
                 "authorization.",
          .without =
                  "A node that is broken into could change the labels and objects of all others, and draw "
                  "their pods and secrets to itself." },
        { "enable-bootstrap-token-auth", "true", .why = "Lets new nodes in by a short-lived token.",
          .without =
                  "New nodes could not introduce themselves by a token: each would need a certificate made "
                  "by hand." },
        { "allow-privileged", "true", .why = "Network plugins and kube-proxy run as privileged pods.",
          .without = "Privileged pods are refused: most network plugins, kube-proxy and storage drivers do "
                     "not run." },

        { "service-account-issuer", .function = service_account_issuer,
          .why = "The name of the issuer in the tokens of pods; required since 1.20.",
          .without = "The apiserver does not start: it is required." },
        { "service-account-key-file", "%d/sa.pub",
          .why = "Checks the tokens of pods; the same on all apiservers.",
          .without =
                  "The key of the TLS certificate would be tried instead: no token that sa.key has signed "
                  "would hold." },
        { "service-account-signing-key-file", "%d/sa.key",
          .why = "Signs the tokens of pods; the same on all apiservers, or a token would hold on one of "
                 "them alone.",
          .without = "The apiserver does not start: it is required." },
        { "service-cluster-ip-range", .function = service_networks,
          .why = "Where the addresses of Services come from. Its first address is in the apiserver's "
                 "certificate.",
          .without = "10.0.0.0/24, the default: it may overlap with real networks, and its first address is "
                     "in no certificate." },

        { "kubelet-client-certificate", "%d/apiserver-kubelet-client.crt",
          .why = "What the apiserver shows to kubelets, for logs and exec.",
          .without = "Kubelets refuse the apiserver: kubectl logs, exec and port-forward do not work." },
        { "kubelet-client-key", "%d/apiserver-kubelet-client.key", .why = "The key of that certificate.",
          .without = "The apiserver does not start: a certificate is of no use without its key." },
        { "kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname",
          .why = "Addresses first: names of nodes are seldom in the DNS.",
          .without =
                  "Hostname first, the default: kubectl logs and exec fail wherever node names are not in "
                  "the DNS." },

        { "proxy-client-cert-file", "%d/front-proxy-client.crt",
          .why = "What the apiserver shows to extension apiservers (metrics-server) when it passes a "
                 "request on.",
          .without = "Extension apiservers cannot know who asks, and refuse: kubectl top does not work." },
        { "proxy-client-key-file", "%d/front-proxy-client.key", .why = "The key of that certificate.",
          .without = "The apiserver does not start: a certificate is of no use without its key." },
        { "requestheader-client-ca-file", "%d/front-proxy-ca.crt",
          .why = "Headers that name a user are believed from holders of a certificate of this CA alone; so "
                 "it is none of the others.",
          .without =
                  "No header would be believed, and extension apiservers, which read this setting from the "
                  "cluster, would refuse all that is passed on to them." },
        { "requestheader-allowed-names", "front-proxy-client", .why = "And only under this name.",
          .without =
                  "Any holder of a certificate of that CA would be believed; it signs one only, so little "
                  "changes." },
        { "requestheader-username-headers", "X-Remote-User", .why = "The header with the user's name.",
          .without = "Extension apiservers would not find who asks, and refuse." },
        { "requestheader-group-headers", "X-Remote-Group", .why = "The header with the user's groups.",
          .without = "The groups of who asks would be lost on the way, and with them most rights." },
        { "requestheader-extra-headers-prefix", "X-Remote-Extra-",
          .why = "Headers with what else is known of the user.",
          .without = "What else is known of the user, such as scopes, would be lost on the way." },

        { "audit-policy-file", AUDIT_POLICY,
          .why = "What is written to the audit log: who changed what, and no secrets.",
          .without = "No request would be recorded: without a policy the audit log is off." },
        { "audit-log-path", "/var/log/kubernetes/audit.log", .why = "Where, on this node.",
          .without = "No request would be recorded on this node." },
        { "audit-log-maxage", "30", .why = "Days that old files are kept.",
          .without = "Old files would be kept as long as the program's own default says, which is not the "
                     "same in all versions." },
        { "audit-log-maxbackup", "10",
          .why = "How many old files are kept; with maxsize, one gigabyte at most.",
          .without = "So many files would be kept as the program's own default says; a small disk is full "
                     "before somebody looks." },
        { "audit-log-maxsize", "100", .why = "Megabytes after which a new file is begun.",
          .without = "Nothing: it is the default." },

        { "shutdown-delay-duration", .function = shutdown_delay,
          .why = "Between saying \"not ready\" and closing the door, so that haproxy has stopped sending "
                 "new connections: a planned restart fails no request.",
          .without = "Nothing is waited for, the default: connections that haproxy still sends during a "
                     "restart are refused, and requests fail." },
        { "shutdown-send-retry-after", "true",
          .why = "Requests on old connections are told to come again, and come to another apiserver.",
          .without =
                  "Requests on connections that stay open during the delay would be served until the door "
                  "closes, and then cut off." },
        { "goaway-chance", .function = goaway_chance,
          .why = "One request in a thousand is asked to open a new connection, so that load spreads again "
                 "after an apiserver was away. Only with a load balancer in front, as it would come back to "
                 "the same apiserver otherwise.",
          .without = "Clients keep their connections for days: the apiserver that was restarted last has "
                     "none, the others carry all." },
        { "profiling", "false",
          .why = "No profiles over the network; they slow the server down and tell of its memory.",
          .without = "Whoever may read /debug/pprof could see into the process, and slow it down." },
};
