/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cluster/input.h"
#include "common/alloc.h"

/*
 * Nodes: that each can be what it is said to be, that no two are the same, and that together they make a
 * cluster.
 */

#define LOADBALANCERS_MAX 7
#define ETCD_MEMBERS_MAX 7

/* An address that a host on a network can have, and others can reach it at. */
static bool is_host_address(const InetAddress *a) {
        uint32_t n;

        if (a->family == AF_INET6)
                return !IN6_IS_ADDR_UNSPECIFIED(&a->in6) && !IN6_IS_ADDR_LOOPBACK(&a->in6) &&
                       !IN6_IS_ADDR_LINKLOCAL(&a->in6) && !IN6_IS_ADDR_MULTICAST(&a->in6) &&
                       !IN6_IS_ADDR_V4MAPPED(&a->in6);
        n = ntohl(a->in.s_addr);
        return n >> 24 != 0 && n >> 24 != 127 && n >> 28 < 14;
}

/**
 * check_host_address() - check an address that a host has or is to have
 * @in:         the input
 * @mark:       where it stands; nothing is said of one that is not given or was refused
 * @what:       its key
 * @a:          the address
 */
void check_host_address(Input *in, Mark mark, const char *what, const InetAddress *a) {
        char buffer[INET_TEXT_SIZE];

        if (mark.line > 0 && !is_host_address(a))
                problem_add(&in->problems, mark, "%s: %s is not an address that a host can have", what,
                            inet_address_format(a, buffer));
}

/**
 * nodes_family() - the family of the nodes' addresses
 * @in:         the input
 *
 * Return: that of the first node which has an address, AF_UNSPEC if none has.
 */
int nodes_family(const Input *in) {
        for (size_t i = 0; i < in->n_node_inputs; i++)
                if (in->node_inputs[i].address.line > 0)
                        return in->node_inputs[i].node.address.family;
        return AF_UNSPEC;
}

static void check_node_family(Input *in, const NodeInput *n) {
        if (n->address.line > 0 && n->node.address.family != nodes_family(in))
                problem_add(&in->problems, n->address,
                            "nodes.address: nodes reach each other by addresses of one family, and that of "
                            "the first is %s",
                            n->node.address.family == AF_INET6 ? "IPv4" : "IPv6");
}

static void check_roles(Input *in, const NodeInput *n) {
        unsigned roles = n->node.roles;

        if (n->roles.line <= 0)
                return;
        if (roles == 0)
                problem_add(&in->problems, n->roles, "nodes.roles: a node needs at least one role");
        else if ((roles & ROLE_ETCD) && (roles & ROLE_LOADBALANCER) && !(roles & ROLE_CONTROLLER))
                problem_add(&in->problems, n->roles,
                            "nodes.roles: etcd and loadbalancer on a node that is no controller are not "
                            "supported yet");
}

static void check_pair(Input *in, const NodeInput *a, const NodeInput *b) {
        char buffer[INET_TEXT_SIZE];

        if (a->name.line > 0 && b->name.line > 0 && streq(a->node.name, b->node.name)) {
                _cleanup_free_ char *line = problem_line(&in->problems, a->name);

                problem_add(&in->problems, b->name, "nodes.name: '%s' is the name of another node too%s",
                            b->node.name, line);
        }
        if (a->address.line > 0 && b->address.line > 0 &&
            inet_address_equal(&a->node.address, &b->node.address)) {
                _cleanup_free_ char *line = problem_line(&in->problems, a->address);

                problem_add(&in->problems, b->address,
                            "nodes.address: %s is the address of another node too%s",
                            inet_address_format(&b->node.address, buffer), line);
        }
        if (a->node.local && b->node.local) {
                _cleanup_free_ char *line = problem_line(&in->problems, a->local);

                problem_add(&in->problems, b->local, "nodes.local: another node is this machine already%s",
                            line);
        }
}

static void check_node(Input *in, const NodeInput *n) {
        check_host_address(in, n->address, "nodes.address", &n->node.address);
        check_node_family(in, n);
        check_roles(in, n);
        if (n->node.local && n->ssh.line > 0)
                problem_add(&in->problems, n->ssh,
                            "nodes.ssh: a node that is this machine (local) has no use for it");
}

/* Is there no node with nothing but etcd? */
static bool nodes_share_etcd(const Input *in) {
        for (size_t i = 0; i < in->n_node_inputs; i++) {
                unsigned roles = in->node_inputs[i].node.roles;

                if ((roles & ROLE_ETCD) && !(roles & ROLE_CONTROLLER))
                        return false;
        }
        return true;
}

static void check_etcd(Input *in, size_t n) {
        _cleanup_free_ char *text = NULL;

        if (n > ETCD_MEMBERS_MAX)
                problem_warn(&in->problems, in->nodes,
                             "nodes: %zu etcd members: more than %d only make writing slower", n,
                             ETCD_MEMBERS_MAX);
        if (n == 0 || n % 2 == 1)
                return;

        text = xasprintf(
                "nodes: an even number of etcd members (%zu) survives no more failures than %zu do: "
                "make it %zu or %zu %s",
                n, n - 1, n - 1, n + 1, nodes_share_etcd(in) ? "controllers" : "nodes with the role etcd");
        if (!(in->flags & CLUSTER_LOAD_SERVING)) {
                problem_add(&in->problems, in->nodes, "%s", text);
                return;
        }
        problem_warn(&in->problems, in->nodes, "%s", text);
        in->cluster.etcd_even = problem_format(&in->problems, in->nodes, text);
}

static void check_counts(Input *in) {
        size_t n_controllers = 0, n_loadbalancers = 0, n_members = 0;
        bool unknown = false;

        for (size_t i = 0; i < in->n_node_inputs; i++) {
                n_controllers += !!(in->node_inputs[i].node.roles & ROLE_CONTROLLER);
                n_loadbalancers += !!(in->node_inputs[i].node.roles & ROLE_LOADBALANCER);
                n_members += !!(in->node_inputs[i].node.roles & ROLE_ETCD);
                unknown = unknown || in->node_inputs[i].roles.line <= 0;
        }

        /* A role that could not be read may be the one that is missing. */
        if (!in->node_inputs || unknown)
                return;

        if (n_controllers == 0)
                problem_add(&in->problems, in->nodes, "nodes: none is a controller");
        check_etcd(in, n_members);

        if (n_loadbalancers > LOADBALANCERS_MAX)
                problem_add(&in->problems, in->nodes,
                            "nodes: more than %d load balancers only make finding the one with the VIP "
                            "slower",
                            LOADBALANCERS_MAX);
        if (n_loadbalancers == 1)
                problem_warn(
                        &in->problems, in->nodes,
                        "nodes: one load balancer is a single point of failure; a second one takes over");
}

/**
 * check_nodes() - check the nodes
 * @in:         the input
 */
void check_nodes(Input *in) {
        for (size_t i = 0; i < in->n_node_inputs; i++) {
                check_node(in, &in->node_inputs[i]);
                for (size_t k = 0; k < i; k++)
                        check_pair(in, &in->node_inputs[k], &in->node_inputs[i]);
        }
        check_counts(in);
}
