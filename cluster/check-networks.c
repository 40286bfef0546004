/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/input.h"

#include "common/alloc.h"

/*
 * Networks: that the addresses of pods, of services and of hosts are three different things. Where they
 * overlap, hosts are reached by some and pods by others, and nobody finds out why.
 */

/*
 * What the programs themselves demand: the apiserver of services, kube-controller-manager (a /24 per node)
 * of pods.
 */
#define SERVICES_PREFIX_MIN 12u
#define SERVICES_PREFIX_MAX 29u
#define PODS_PREFIX_MIN 8u
#define PODS_PREFIX_MAX 24u
/* The same for IPv6: ranges of services of up to 20 bits, and a /64 per node, at most 16 bits away from it
 * (kubernetes cmd/kube-apiserver/app/options/validation.go, pkg/controller/nodeipam/ipam/cidrset). */
#define SERVICES6_PREFIX_MIN 108u
#define SERVICES6_PREFIX_MAX 125u
#define PODS6_PREFIX_MIN 48u
#define PODS6_PREFIX_MAX 64u

/* Networks of which no part may be used. */
static const struct {
        const char *network, *what;
} reserved[] = {
        { "0.0.0.0/8", "is not for use" },     { "127.0.0.0/8", "is each host's own" },
        { "169.254.0.0/16", "is link-local" }, { "224.0.0.0/3", "is for multicast" },
        { "::/8", "is not for use" },          { "fe80::/10", "is link-local" },
        { "ff00::/8", "is for multicast" },
};

static const char* family_name(int family) {
        return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* Two are for two families; and the first is that of the nodes, as the apiserver's own Service has its address
 * from the one and its endpoints from the other. */
static void check_family(Input *in, Mark mark, const char *what, const NetworkList *list) {
        int nodes = nodes_family(in);

        if (list->n == 2 && list->networks[0].address.family == list->networks[1].address.family)
                problem_add(&in->problems, mark, "%s: two networks have to be one of IPv4 and one of IPv6",
                            what);
        if (list->n > 0 && nodes != AF_UNSPEC && list->networks[0].address.family != nodes)
                problem_add(&in->problems, mark, "%s: the first is %s, and the nodes' addresses are %s",
                            what, family_name(list->networks[0].address.family), family_name(nodes));
}

static void check_same_families(Input *in, const NetworkList *pods, const NetworkList *services) {
        if (pods->n == 0 || services->n == 0 || pods->n == services->n)
                return;
        problem_add(&in->problems, in->services.line > 0 ? in->services : in->pods,
                    "network: %s has both families, and %s only one", pods->n == 2 ? "pods" : "services",
                    pods->n == 2 ? "services" : "pods");
}

typedef struct PrefixRange {
        unsigned minimum, maximum;
} PrefixRange;

static void check_size(Input *in, Mark mark, const char *what, const InetNetwork *n, PrefixRange ipv4,
                       PrefixRange ipv6) {
        PrefixRange r = n->address.family == AF_INET6 ? ipv6 : ipv4;

        if (n->prefix_length < r.minimum || n->prefix_length > r.maximum)
                problem_add(&in->problems, mark, "%s: the prefix length must be %u to %u", what, r.minimum,
                            r.maximum);
}

static void check_reserved(Input *in, Mark mark, const char *what, const InetNetwork *n) {
        for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
                InetNetwork r;

                if (inet_network_parse(reserved[i].network, &r) == 0 && inet_network_overlaps(n, &r))
                        problem_add(&in->problems, mark, "%s: %s %s", what, reserved[i].network,
                                    reserved[i].what);
        }
}

static void check_address(Input *in, Mark mark, const char *what, const InetNetwork *n, Mark address_mark,
                          const char *address_what, const InetAddress *address) {
        _cleanup_free_ char *line = NULL;
        char buffer[INET_TEXT_SIZE];

        if (address_mark.line <= 0 || !inet_network_contains(n, address))
                return;
        line = problem_line(&in->problems, address_mark);
        problem_add(&in->problems, mark.line > 0 ? mark : address_mark, "%s: contains %s, %s%s", what,
                    inet_address_format(address, buffer), address_what, line);
}

static void check_network(Input *in, Mark mark, const char *what, const InetNetwork *n) {
        check_reserved(in, mark, what, n);
        check_address(in, mark, what, n, in->endpoint_address, "the endpoint's address",
                      &in->cluster.endpoint.address);
        for (size_t i = 0; i < in->n_node_inputs; i++)
                check_address(in, mark, what, n, in->node_inputs[i].address, "the address of a node",
                              &in->node_inputs[i].node.address);
}

/* Whether the user gave kube-controller-manager another size of a node's network than /24. */
static bool node_size_given(const Cluster *c) {
        const ExtraFlags *e = cluster_extra_flags(c, "kube-controller-manager");

        for (size_t i = 0; e && i < e->n_flags; i++)
                if (startswith(e->flags[i].name, "node-cidr-mask-size"))
                        return true;
        return false;
}

/**
 * check_networks() - check the networks of pods and services
 * @in:         the input, with defaults where the file gives none
 */
void check_networks(Input *in) {
        /* A list that was refused is not complete: no more is said of it. */
        const NetworkList none = {};
        const NetworkList *pods = in->pods.line >= 0 ? &in->pods_list : &none;
        const NetworkList *services = in->services.line >= 0 ? &in->services_list : &none;

        check_family(in, in->pods, "network.pods", pods);
        check_family(in, in->services, "network.services", services);
        check_same_families(in, pods, services);

        for (size_t i = 0; i < pods->n; i++) {
                check_network(in, in->pods, "network.pods", &pods->networks[i]);
                if (!node_size_given(&in->cluster))
                        check_size(in, in->pods, "network.pods", &pods->networks[i],
                                   (PrefixRange) { PODS_PREFIX_MIN, PODS_PREFIX_MAX },
                                   (PrefixRange) { PODS6_PREFIX_MIN, PODS6_PREFIX_MAX });
        }
        for (size_t i = 0; i < services->n; i++) {
                check_network(in, in->services, "network.services", &services->networks[i]);
                check_size(in, in->services, "network.services", &services->networks[i],
                           (PrefixRange) { SERVICES_PREFIX_MIN, SERVICES_PREFIX_MAX },
                           (PrefixRange) { SERVICES6_PREFIX_MIN, SERVICES6_PREFIX_MAX });
                for (size_t k = 0; k < pods->n; k++)
                        if (inet_network_overlaps(&services->networks[i], &pods->networks[k]))
                                problem_add(&in->problems, in->services.line > 0 ? in->services : in->pods,
                                            "network.services: overlaps network.pods");
        }
}
