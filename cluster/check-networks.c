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

/* Networks of which no part may be used. */
static const struct {
        const char *network, *what;
} reserved[] = {
        { "0.0.0.0/8", "is not for use" },
        { "127.0.0.0/8", "is each host's own" },
        { "169.254.0.0/16", "is link-local" },
        { "224.0.0.0/3", "is for multicast" },
};

static void check_family(Input *in, Mark mark, const char *what, const NetworkList *list) {
        if (list->n > 1)
                problem_add(&in->problems, mark, "%s: two networks (dual-stack) are not supported yet",
                            what);
        for (size_t i = 0; i < list->n; i++)
                if (list->networks[i].address.family == AF_INET6) {
                        problem_add(&in->problems, mark, "%s: IPv6 is not supported yet", what);
                        return;
                }
}

static void check_size(Input *in, Mark mark, const char *what, const InetNetwork *n, unsigned minimum,
                       unsigned maximum) {
        if (n->address.family != AF_INET || (n->prefix_length >= minimum && n->prefix_length <= maximum))
                return;
        problem_add(&in->problems, mark, "%s: the prefix length must be %u to %u", what, minimum, maximum);
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

        for (size_t i = 0; i < pods->n; i++) {
                check_network(in, in->pods, "network.pods", &pods->networks[i]);
                if (!node_size_given(&in->cluster))
                        check_size(in, in->pods, "network.pods", &pods->networks[i], PODS_PREFIX_MIN,
                                   PODS_PREFIX_MAX);
        }
        for (size_t i = 0; i < services->n; i++) {
                check_network(in, in->services, "network.services", &services->networks[i]);
                check_size(in, in->services, "network.services", &services->networks[i], SERVICES_PREFIX_MIN,
                           SERVICES_PREFIX_MAX);
                for (size_t k = 0; k < pods->n; k++)
                        if (inet_network_overlaps(&services->networks[i], &pods->networks[k]))
                                problem_add(&in->problems, in->services.line > 0 ? in->services : in->pods,
                                            "network.services: overlaps network.pods");
        }
}
