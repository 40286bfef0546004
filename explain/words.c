/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Words that a reader meets and that are no thing of a plan: what they mean, and what they come to in this cluster; and what
 * other guides set and hardway does not
 */

#include <stdlib.h>

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

static void add_aliases(Explanation *e, const char *alias) {
        const char *last;

        if (!alias)
                return;
        explanation_alias(e, "%s", alias);
        last = strrchr(alias, '.');
        if (last)
                explanation_alias(e, "%s", last + 1);
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
