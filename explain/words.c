/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Words that a reader meets and that are no thing of a plan: what they mean, and what they come to in this cluster; and what
 * other guides set and hardway does not
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "explain/internal.h"

#define NOT_SET "setting of the kernel, which hardway does not set"
#define ETCD_FAQ "Frequently Asked Questions of etcd, https://etcd.io/docs/v3.6/faq/"

char* explain_names(const Cluster *c, unsigned roles) {
        _cleanup_strv_ Strv names = NULL;

        CLUSTER_FOREACH_NODE(n, c, roles)
                strv_add(&names, n->name);
        return strv_join(names, ", ");
}

static char* vip(const Cluster *c) {
        _cleanup_free_ char *url = cluster_endpoint_url(c), *names = explain_names(c, ROLE_LOADBALANCER);

        return c->endpoint.kind == ENDPOINT_VIP ? xasprintf("%s, held by one of %s", url, names) :
                                                  xasprintf("there is none: clients come to %s", url);
}

static char* quorum(const Cluster *c) {
        size_t n = cluster_count(c, ROLE_ETCD), majority = n / 2 + 1;

        return xasprintf("%zu of %zu members: %zu may be lost at a time", majority, n, n - majority);
}

static char* members(const Cluster *c) {
        return explain_names(c, ROLE_ETCD);
}

static char* learners(const Cluster *c) {
        (void) c;
        return xstrdup("none, but while a member joins");
}

static char* vrrp(const Cluster *c) {
        _cleanup_free_ char *names = NULL;

        if (c->endpoint.kind != ENDPOINT_VIP)
                return xstrdup("not spoken: there is no VIP");
        names = explain_names(c, ROLE_LOADBALANCER);
        return xasprintf("virtual router %u, an advert every %u ms, from each of %s to each other",
                         c->endpoint.vrrp_id, c->timings.vrrp_advert_msec, names);
}

static char* drained(const Cluster *c) {
        _cleanup_free_ char *names = explain_names(c, ROLE_CONTROLLER | ROLE_LOADBALANCER);

        return xasprintf("%s, one at a time", names);
}

static char* balancers(const Cluster *c) {
        _cleanup_free_ char *names = explain_names(c, ROLE_LOADBALANCER);

        return xstrdup(*names ? names : "none that is hardway's");
}

static char* authorities(const Cluster *c) {
        return xasprintf("ca, etcd/ca and front-proxy-ca, each for %u days", c->certificates.ca_days);
}

static char* editions(const Cluster *c) {
        (void) c;
        return xstrdup("the last line of pki/history");
}

static char* own_names(const Cluster *c) {
        (void) c;
        return xstrdup("those of the apiservers: hardway explain apiserver.crt");
}

static char* locks(const Cluster *c) {
        return xasprintf("one beside the cluster file, and %zu on the nodes", c->n_nodes);
}

static char* versions(const Cluster *c) {
        char kubernetes[VERSION_TEXT_SIZE], etcd[VERSION_TEXT_SIZE];

        return xasprintf("Kubernetes %s, etcd %s", version_format(&c->kubernetes, kubernetes),
                         version_format(&c->etcd, etcd));
}

static char* workers(const Cluster *c) {
        return xasprintf("none of hardway's; clusterDomain is %s", c->domain);
}

static char* logins(const Cluster *c) {
        const ExtraFlags *extra = cluster_extra_flags(c, "kube-apiserver");

        for (size_t i = 0; extra && i < extra->n_flags; i++)
                if (streq(extra->flags[i].name, "authentication-config"))
                        return xasprintf("by what stands in %s", extra->flags[i].value ?: "");
        return xstrdup("none: certificates, and tokens of service accounts");
}

static char* audit_logs(const Cluster *c) {
        _cleanup_free_ char *names = explain_names(c, ROLE_CONTROLLER);

        return xasprintf("one on each of %s, of what was asked there", names);
}

static char* not_set(const Cluster *c) {
        (void) c;
        return xstrdup("as it is: hardway neither reads nor sets it");
}

static const struct {
        const char *name, *kind, *alias, *why, *without, *manual, *by_hand;
        char *(*value)(const Cluster *c);
} rows[] = {
        { "VIP", EXPLAIN_WORD, "virtual IP",
          "Virtual IP: an address that belongs to no machine, but to whichever load balancer holds it at the moment. "
          "Kubeconfigs and certificates name it, so that clients need not know which machines there are.",
          "Clients would have to know the controllers, and to notice themselves when one is gone.",
          "keepalived.conf(5)",
          "@balancer {root} ip -brief address show to {vip}   # its owner shows it\n"
          "curl --cacert pki/ca.crt {endpoint}/version",
          vip },
        { "quorum", EXPLAIN_WORD, "majority",
          "The majority of etcd's members, which has to agree before anything is written. Two majorities always have a "
          "member in common, so none can go on without what the other has written.",
          "etcd takes no writes and, for reads that have to be current, gives no answers: the apiservers are not ready "
          "until enough members are back.",
          ETCD_FAQ,
          "@member {root} etcdctl --endpoints={client} --cacert=/etc/kubernetes/pki/etcd/ca.crt"
          " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"
          " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key endpoint health",
          quorum },
        { "member", EXPLAIN_WORD, "etcd member",
          "One etcd of those that keep the same data. Its identity is in its data directory, not in its address: one that "
          "has lost its data is another member, which hardway etcd replace takes in.",
          "With one member less the others go on, as long as they are a quorum.", ETCD_FAQ,
          "hardway etcd members\n"
          "{this.root} etcdctl --endpoints={endpoints} --cacert=/etc/kubernetes/pki/etcd/ca.crt"
          " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"
          " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key member list",
          members },
        { "learner", EXPLAIN_WORD, NULL,
          "A member that gets all data and has no vote yet. hardway adds members so, and gives them their vote when they "
          "have caught up.",
          "A new member would count for the quorum at once, while it has nothing yet: one more failure and etcd would stop.",
          "Learner, https://etcd.io/docs/v3.6/learning/design-learner/",
          "{this.root} etcdctl --endpoints={others} --cacert=/etc/kubernetes/pki/etcd/ca.crt"
          " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"
          " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key member list   # IS LEARNER",
          learners },
        { "VRRP", EXPLAIN_WORD, "virtual router",
          "Virtual Router Redundancy Protocol: how the load balancers agree who holds the VIP. The owner sends adverts; "
          "when they fail to come, the other takes over. Here they go from address to address, not by multicast.",
          "No load balancer would know of the other: each would hold the VIP, or none.",
          "RFC 9568, keepalived.conf(5)",
          "@balancer {root} timeout 5 tcpdump -ni any vrrp\n@balancer {root} cat /run/hardway/keepalived.state",
          vrrp },
        { "drain", EXPLAIN_WORD, "drained",
          "What is done to a node before something on it is stopped on purpose. Another member becomes etcd's leader, the "
          "load balancers send nothing new to its apiserver, another load balancer takes the VIP. What is under way ends by itself.",
          "Requests would be cut off, and the others would take their time to miss it.", "hardway(1)",
          "@balancer echo 'set server apiservers/{controller.name} state drain; disable health checks/{controller.name}' | {root} "
          "socat - /run/haproxy/admin.sock\n"
          "@balancer {root} systemctl stop keepalived.service   # on the owner of the VIP",
          drained },
        { "edition", EXPLAIN_WORD, "newest copy",
          "What the keys and certificates of the cluster directory are between two changes: each change of what nodes are given makes "
          "a new edition, with a number and a random word. Nodes remember which one they were given, so an older copy of the "
          "directory is known by lacking it.",
          "An older copy would take back what was renewed or rotated since.", "hardway(1)",
          "tail -n 1 pki/history\n@node {root} grep edition /var/lib/hardway/applied.json", editions },
        { "load balancer", EXPLAIN_WORD, "loadbalancer,balancer",
          "What clients connect to, so that they need not know which apiserver works: haproxy asks each whether it is ready, and "
          "passes connections on as they are; keepalived sees to it that one of the load balancers holds the VIP.",
          "Clients would go to one apiserver, and with that one the API would be gone for them.",
          "haproxy, keepalived.conf(5)",
          "@balancer echo 'show servers state apiservers' | {root} socat - /run/haproxy/admin.sock",
          balancers },
        { "leader", EXPLAIN_WORD, "lease",
          "The member of etcd that puts all writes in one order; the others vote for it, and follow. Of kube-controller-manager "
          "and kube-scheduler, of which each controller has one: the one that works, as long as it renews its lease.",
          "etcd writes nothing until another one is voted for, and of the others nobody acts until the lease has run out.",
          ETCD_FAQ,
          "{this.root} etcdctl --endpoints={endpoints} --cacert=/etc/kubernetes/pki/etcd/ca.crt"
          " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"
          " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key endpoint status --write-out=table\n"
          "kubectl --kubeconfig admin.conf get leases --namespace kube-system",
          members },
        { "CA", EXPLAIN_WORD, "certificate authority,authority",
          "Certificate authority: a key that signs certificates, and a certificate that says whose key it is. Who trusts it "
          "believes what it has signed. There are three, so that who is known to one is a stranger to the others: of the cluster, "
          "of etcd, and of the front proxy.",
          "Nobody could tell a member, an apiserver or an administrator from somebody who says to be one.",
          MANUAL_PKI,
          "for ca in pki/ca.crt pki/etcd/ca.crt pki/front-proxy-ca.crt; do openssl x509 -in $ca -noout -subject -enddate; done",
          authorities },
        { "SAN", EXPLAIN_WORD, "san,subject alternative name",
          "Subject alternative name: the names and addresses that a server may be reached by, in its certificate. Clients look "
          "whether the one that they have used is among them.",
          "Who comes by another one is told: certificate is valid for ..., not for ... What has to be there besides goes into "
          "endpoint.names or certificates.extra_sans, and then: hardway pki gen, hardway install.",
          MANUAL_PKI,
          "@controller openssl x509 -in pki/nodes/{name}/pki/apiserver.crt -noout -ext subjectAltName",
          own_names },
        { "rollout", EXPLAIN_WORD, "gate",
          "How a cluster that serves is changed: what differs goes to all nodes; then one after the other is drained, restarted "
          "where need be, and waited for. Before and after each is a gate: every member healthy, every apiserver ready, an owner "
          "of the VIP. Where it does not open, the run ends, and the nodes that come later stay as they are.",
          "What is wrong with a change would be wrong with all nodes at once.", "hardway(1)",
          "hardway explain install   # its steps", drained },
        { "lock", EXPLAIN_WORD, NULL,
          "What keeps two runs of hardway apart: one of the cluster directory and one of each node. Both say who has it, since when "
          "and for what. (hardway.lock is something else: the digests of what was fetched.)",
          "Two runs would each restart a member at the same time, and both together stop etcd.",
          "hardway(1)", "cat .hardway-busy\n@node {root} cat /run/hardway/run.lock", locks },
        { "upgrade", EXPLAIN_WORD, "update",
          "Another version of Kubernetes or etcd: it goes into the cluster file, and is rolled out as any other change, one controller "
          "at a time: etcd, then the apiserver, then what talks to this apiserver alone. To the next minor version, too, one step at a "
          "time and forward only; before it kubelets that would be too old are looked for, and whoever asks for what it has no more.",
          "Security fixes are missing.",
          "Version Skew Policy, https://kubernetes.io/releases/version-skew-policy/",
          "editor hardway.yaml   # kubernetes: {kubernetes} becomes a later one, of the next minor version at most\n"
          "hardway fetch\nhardway plan\nhardway install\nhardway verify",
          versions },
        { "worker", EXPLAIN_WORD, "kubelet,join,CNI,bootstrap token",
          "A machine that runs pods: a kubelet, a container runtime, a network plugin (CNI). hardway sets up none; the control "
          "plane is ready for them: it takes bootstrap tokens and signs kubelets' certificates. By hand: what lets kubelets in, a "
          "token for a day, and the kubeconfig with which a kubelet asks for its certificate. On the worker it is started with "
          "--bootstrap-kubeconfig of that file and --kubeconfig of one that it writes; its configuration names clusterDomain and "
          "the address of your cluster DNS.",
          "kubectl get nodes is empty, and every pod stays Pending.",
          "TLS bootstrapping, https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/",
          "export KUBECONFIG=$PWD/admin.conf id=$(openssl rand -hex 3) secret=$(openssl rand -hex 8)\n"
          "kubectl create clusterrolebinding bootstrap --clusterrole=system:node-bootstrapper --group=system:bootstrappers\n"
          "kubectl create clusterrolebinding bootstrap-approve --group=system:bootstrappers"
          " --clusterrole=system:certificates.k8s.io:certificatesigningrequests:nodeclient\n"
          "kubectl create clusterrolebinding bootstrap-renew --group=system:nodes"
          " --clusterrole=system:certificates.k8s.io:certificatesigningrequests:selfnodeclient\n"
          "kubectl create secret generic bootstrap-token-$id --namespace=kube-system --type=bootstrap.kubernetes.io/token"
          " --from-literal=token-id=$id --from-literal=token-secret=$secret --from-literal=usage-bootstrap-authentication=true"
          " --from-literal=expiration=$(date --utc --date=tomorrow +%FT%TZ)\n"
          "kubectl config --kubeconfig bootstrap.conf set-cluster {cluster} --server {endpoint} --embed-certs"
          " --certificate-authority pki/ca.crt\n"
          "kubectl config --kubeconfig bootstrap.conf set-credentials bootstrap --token $id.$secret\n"
          "kubectl config --kubeconfig bootstrap.conf set-context bootstrap --cluster {cluster} --user bootstrap\n"
          "kubectl config --kubeconfig bootstrap.conf use-context bootstrap",
          workers },
        { "OIDC", EXPLAIN_WORD, "oidc,OpenID Connect,jwt,login",
          "OpenID Connect: people log in elsewhere, and the apiserver believes the tokens that they are given there. It reads "
          "whom to believe in a file of your own, which takes the place of hardway's authentication-config.yaml: the apiserver "
          "does not start with its oidc flags beside one. hardway.yaml(5) has a whole file, under FILES OF YOUR OWN.",
          "People have certificates (hardway kubeconfig --user), which hold until they run out.",
          "Authenticating, https://kubernetes.io/docs/reference/access-authn-authz/authentication/",
          "{controller.root} cat /etc/kubernetes/authentication-config.yaml >authn.yaml   # what is in it stays\n"
          "editor authn.yaml   # jwt: - issuer: ...\n"
          "@controller {root} install -m 0644 /dev/stdin /etc/kubernetes/authn.yaml <authn.yaml\n"
          "editor hardway.yaml   # extra-args: { kube-apiserver: { authentication-config: /etc/kubernetes/authn.yaml } }\n"
          "hardway install",
          logins },
        { "audit log", EXPLAIN_WORD, "audit,audit.log,audit policy",
          "What the apiserver writes of each request: who, what, when, from where. What is worth a line the policy says: "
          "hardway's, or one of your own (audit-policy-file in extra-args), which has to be on each controller before.",
          "Nobody can tell afterwards who has changed something.",
          "Auditing, https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/",
          "@controller {root} tail -n 1 /var/log/kubernetes/audit.log   # unless audit-log-path says otherwise\n"
          "{controller.root} cat /etc/kubernetes/audit-policy.yaml",
          audit_logs },
        { "sysctl net.ipv4.ip_forward", NOT_SET, "net.ipv4.ip_forward",
          "Whether the machine passes packets on from one network to another. Guides set it for a kubelet and its pods: these "
          "nodes have none. An apiserver, etcd and haproxy take connections, and make connections of their own.",
          "Nothing changes here. On a machine that gets a kubelet it has to be 1, and its network plugin says so.",
          "Container Runtimes, https://kubernetes.io/docs/setup/production-environment/container-runtimes/",
          "@node {root} sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding", not_set },
        { "sysctl net.bridge.bridge-nf-call-iptables", NOT_SET, "net.bridge.bridge-nf-call-iptables",
          "Whether packets between the ports of a bridge go through iptables: what kube-proxy needs where pods hang on a "
          "bridge. A control plane without a kubelet has no pods, no bridge and no kube-proxy; the setting does not even "
          "exist before the module br_netfilter is loaded.",
          "Nothing changes here. On a machine that gets a kubelet its network plugin says whether it is needed.",
          "Container Runtimes, https://kubernetes.io/docs/setup/production-environment/container-runtimes/",
          "@node {root} sysctl --all --pattern bridge-nf-call   # nothing, without br_netfilter", not_set },
};

/* One or more, with commas between them. */
static void add_aliases(Explanation *e, const char *list) {
        _cleanup_strv_ Strv aliases = strv_split(list ?: "", ",");

        STRV_FOREACH(alias, aliases) {
                const char *last = strrchr(*alias, '.');

                explanation_alias(e, "%s", *alias);
                if (last)
                        explanation_alias(e, "%s", last + 1);
        }
}

int explain_words(Catalogue *c, Error **reterr) {
        const View here = {};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Explanation *e = catalogue_enter(c, rows[i].name, rows[i].kind, rows[i].why);
                _cleanup_free_ char *value = c->request->cluster ? rows[i].value(c->request->cluster) : NULL;

                add_aliases(e, rows[i].alias);
                explanation_set(&e->without, rows[i].without);
                explanation_set(&e->manual, rows[i].manual);
                if (value)
                        explanation_value(e, &here, NULL, value);
                if (explanation_fill(e, c->request, rows[i].by_hand, reterr) < 0)
                        return -EINVAL;
        }
        return 0;
}
