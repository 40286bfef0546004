/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/input.h"

#include "common/alloc.h"

/*
 * The endpoint: that there is one where it is needed, and that it has what its kind needs
 *
 * Three kinds: a VIP of ours if any node is a loadbalancer; the only controller itself; and else a load
 * balancer that is not ours, of which hardway knows the address or the name and nothing else.
 */

static void check_vip_of_node(Input *in, const NodeInput *n) {
        const Endpoint *e = &in->cluster.endpoint;
        _cleanup_free_ char *line = NULL;
        char buffer[INET_TEXT_SIZE];

        if (n->address.line <= 0 || !inet_address_equal(&n->node.address, &e->address))
                return;
        line = problem_line(&in->problems, n->address);
        problem_add(&in->problems, in->endpoint_address,
                    "endpoint.address: %s is the address of a node%s; %s",
                    inet_address_format(&e->address, buffer), line,
                    e->kind == ENDPOINT_VIP ? "the VIP needs its own" :
                                              "while that is down, clients would find none of the others");
}

/* What only those who hold a VIP have a use for. */
static void check_without_vip(Input *in) {
        const struct {
                const char *key;
                Mark mark;
        } rows[] = {
                { "vrrp_id", in->endpoint_vrrp_id },
                { "interface", in->endpoint_interface },
                { "prefix", in->endpoint_prefix },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].mark.line > 0)
                        problem_add(&in->problems, rows[i].mark,
                                    "endpoint.%s: no node is a loadbalancer, which would use it",
                                    rows[i].key);
}

/* A VIP for which the roles were forgotten looks the same, and nobody would ever hold it. */
static void check_foreign(Input *in) {
        const Endpoint *e = &in->cluster.endpoint;
        char buffer[INET_TEXT_SIZE];

        if (in->endpoint_address.line > 0 && in->endpoint_external.line >= 0 && !e->external)
                problem_warn(
                        &in->problems, in->endpoint_address,
                        "endpoint.address: no node is a loadbalancer, so %s has to be a load balancer that is "
                        "not hardway's (external: true says so); for a VIP of hardway's, give nodes that role",
                        inet_address_format(&e->address, buffer));
}

static void check_external(Input *in) {
        const Endpoint *e = &in->cluster.endpoint;

        if (e->external && e->kind == ENDPOINT_VIP && in->endpoint_external.line > 0)
                problem_add(&in->problems, in->endpoint_external,
                            "endpoint.external: nodes with the role loadbalancer would hold its address");
        else if (e->external && e->kind == ENDPOINT_CONTROLLER)
                problem_add(&in->problems, in->endpoint_external,
                            "endpoint.external: its address is that of the only controller");
}

static void check_controller(Input *in) {
        const Cluster *c = &in->cluster;

        if (in->endpoint_port.line > 0 && in->apiserver_port.line >= 0 &&
            c->endpoint.port != c->apiserver_port)
                problem_add(&in->problems, in->endpoint_port,
                            "endpoint.port: the only controller answers at %u (apiserver.port)",
                            c->apiserver_port);
}

static void check_missing(Input *in) {
        size_t n_controllers = 0, n_loadbalancers = 0;

        for (size_t i = 0; i < in->n_node_inputs; i++) {
                n_controllers += !!(in->node_inputs[i].node.roles & ROLE_CONTROLLER);
                n_loadbalancers += !!(in->node_inputs[i].node.roles & ROLE_LOADBALANCER);
        }
        if (n_loadbalancers > 0)
                problem_add(&in->problems, in->self,
                            "'endpoint' is missing: its address is what load balancers hold");
        else if (n_controllers > 1)
                problem_add(&in->problems, in->self,
                            "'endpoint' is missing: with %zu controllers, clients need a place where one "
                            "that is up answers",
                            n_controllers);
}

/**
 * check_endpoint() - check the endpoint
 * @in:         the input
 */
void check_endpoint(Input *in) {
        const Endpoint *e = &in->cluster.endpoint;

        if (e->kind == ENDPOINT_CONTROLLER)
                check_controller(in);
        else if (in->endpoint.line == 0)
                check_missing(in);
        else if (in->endpoint.line > 0 && in->endpoint_address.line == 0 && e->kind == ENDPOINT_VIP)
                problem_add(&in->problems, in->endpoint,
                            "endpoint: 'address' is missing: it is what load balancers hold");
        else if (in->endpoint.line > 0 && in->endpoint_address.line == 0 && in->endpoint_names.line == 0)
                problem_add(&in->problems, in->endpoint,
                            "endpoint: it needs an 'address', or one of 'names' by which clients find it");

        check_external(in);
        if (e->kind == ENDPOINT_FOREIGN)
                check_foreign(in);
        if (e->kind != ENDPOINT_VIP)
                check_without_vip(in);
        else if (in->endpoint_address.line > 0 && nodes_family(in) != AF_UNSPEC &&
                 e->address.family != nodes_family(in))
                problem_add(&in->problems, in->endpoint_address,
                            "endpoint.address: the VIP is of another address family than the nodes");
        check_host_address(in, in->endpoint_address, "endpoint.address", &e->address);
        if (e->address.family == AF_INET && in->endpoint_prefix.line > 0 && e->prefix_length > 32)
                problem_add(&in->problems, in->endpoint_prefix, "endpoint.prefix: longer than 32");
        for (size_t i = 0;
             in->endpoint_address.line > 0 && e->kind != ENDPOINT_CONTROLLER && i < in->n_node_inputs; i++)
                check_vip_of_node(in, &in->node_inputs[i]);
}
