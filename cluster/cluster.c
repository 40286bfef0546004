/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/cluster.h"

#include <stdlib.h>

#include "common/alloc.h"

static void node_done(Node *n) {
        free(n->name);
        free(n->ssh.user);
        free(n->ssh.host_key);
        free(n->interface);
}

static void extra_flags_done(ExtraFlags *e) {
        for (size_t i = 0; i < e->n_flags; i++) {
                free(e->flags[i].name);
                free(e->flags[i].value);
        }
        free(e->flags);
        free(e->component);
}

/**
 * cluster_free() - free a cluster
 * @cluster:    the cluster, complete or half built, or NULL
 *
 * Return: NULL.
 */
Cluster* cluster_free(Cluster *cluster) {
        if (!cluster)
                return NULL;

        free(cluster->path);
        free(cluster->name);
        strv_free(cluster->endpoint.names);
        free(cluster->endpoint.interface);
        free(cluster->domain);
        strv_free(cluster->certificates.extra_sans);
        free(cluster->watch_textfile);
        free(cluster->snapshots.directory);
        strv_free(cluster->mirrors);
        for (size_t i = 0; i < cluster->n_nodes; i++)
                node_done(&cluster->nodes[i]);
        free(cluster->nodes);
        for (size_t i = 0; i < cluster->n_extra_flags; i++)
                extra_flags_done(&cluster->extra_flags[i]);
        free(cluster->extra_flags);
        error_list_done(&cluster->warnings);
        free(cluster->etcd_even);
        free(cluster);
        return NULL;
}

/**
 * cluster_check_first_install() - refuse what may only stand in the file of a cluster that serves
 * @c:          the cluster, loaded with CLUSTER_LOAD_SERVING
 * @reterr:     an even number of etcd members
 *
 * With an even number a cluster survives no more failures than with one member less, and each more member is
 * one more that can fail; but a serving cluster that is on its way from three members to five has four of
 * them.
 *
 * Return: 0, or -EINVAL.
 */
int cluster_check_first_install(const Cluster *c, Error **reterr) {
        if (!c->etcd_even)
                return 0;
        return error_set(reterr, ERROR_CONFIG, EINVAL, "%s", c->etcd_even);
}

/**
 * cluster_find_node() - look a node up
 * @c:          the cluster
 * @name:       its name
 *
 * Return: the node, or NULL if there is none of this name.
 */
const Node* cluster_find_node(const Cluster *c, const char *name) {
        for (size_t i = 0; i < c->n_nodes; i++)
                if (streq(c->nodes[i].name, name))
                        return &c->nodes[i];
        return NULL;
}

/**
 * node_is_among() - is a node one of several?
 * @node:       the node
 * @nodes:      nodes of the same cluster
 * @n_nodes:    how many
 */
bool node_is_among(const Node *node, const Node *const *nodes, size_t n_nodes) {
        for (size_t i = 0; i < n_nodes; i++)
                if (nodes[i]->index == node->index)
                        return true;
        return false;
}

/**
 * cluster_count() - count the nodes with a role
 * @c:          the cluster
 * @role:       mask of NodeRole: any of these
 *
 * Return: how many.
 */
size_t cluster_count(const Cluster *c, unsigned role) {
        size_t n = 0;

        CLUSTER_FOREACH_NODE(node, c, role)
                n++;
        return n;
}

bool cluster_shares_port(const Cluster *c, const Node *node) {
        return (node->roles & ROLE_CONTROLLER) && (node->roles & ROLE_LOADBALANCER) &&
               c->endpoint.port == c->apiserver_port;
}

/**
 * cluster_extra_flags() - the user's own flags for a component
 * @c:          the cluster
 * @component:  "kube-apiserver"
 *
 * Return: the flags, or NULL if there are none.
 */
const ExtraFlags* cluster_extra_flags(const Cluster *c, const char *component) {
        for (size_t i = 0; i < c->n_extra_flags; i++)
                if (streq(c->extra_flags[i].component, component))
                        return &c->extra_flags[i];
        return NULL;
}

static char* https_url(const InetAddress *address, unsigned port) {
        _cleanup_free_ char *endpoint = inet_endpoint_to_string(address, port);

        return xasprintf("https://%s", endpoint);
}

/**
 * cluster_endpoint_url() - where clients of the cluster connect to
 * @c:          the cluster
 *
 * Return: the URL of the endpoint, by its address where it has one, else by its first name; the caller frees.
 */
char* cluster_endpoint_url(const Cluster *c) {
        const Endpoint *e = &c->endpoint;

        if (e->address.family == AF_UNSPEC && e->names)
                return xasprintf("https://%s:%u", e->names[0], e->port);
        return https_url(&e->address, e->port);
}

/**
 * cluster_apiserver_url() - where one apiserver listens
 * @c:          the cluster
 * @node:       a controller
 *
 * Return: its URL; the caller frees.
 */
char* cluster_apiserver_url(const Cluster *c, const Node *node) {
        return https_url(&node->address, c->apiserver_port);
}

/**
 * cluster_service_address() - the address that the apiserver's own service gets
 * @c:          the cluster
 * @family_index: 0 for the primary network of services, 1 for the second
 * @ret:        the first address of that network, or one of no family if there is no such network
 */
void cluster_service_address(const Cluster *c, size_t family_index, InetAddress *ret) {
        if (family_index >= c->n_services || inet_network_nth(&c->services[family_index], 1, ret) < 0)
                *ret = (InetAddress) { .family = AF_UNSPEC };
}
