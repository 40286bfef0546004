/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Facts: what is taken for granted of a node until it has been asked
 *
 * The defaults are Debian 12 on the architecture that the cluster file names, so that a plan made without
 * any node is the plan of most nodes.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "plan/facts.h"

/**
 * facts_default() - the facts of a node nobody has asked yet
 * @c:          the cluster; not looked at today, a place for cluster-wide defaults
 * @node:       the node
 * @ret:        filled in; freed by facts_done()
 */
void facts_default(const Cluster *c, const Node *node, Facts *ret) {
        *ret = (Facts) {
                .architecture = node->architecture,
                .userland_matches = true,
                .hostname = xstrdup(node->name),
                .systemd_version = 252,
                .interface = xstrdup(node->interface ? node->interface : "eth0"),
                .prefix_length = node->address.family == AF_INET6 ? 64 : 24,
                .has_apt = true,
                .cgroup_memory = true,
                .page_size = 4096,
                .name_resolves = true,
        };
}

/**
 * facts_vip_interface() - the interface on which a load balancer holds the VIP
 * @c:          the cluster
 * @node:       the load balancer
 * @f:          its facts
 *
 * Return: endpoint.interface, else the node's interface of the cluster file, else the observed one. Lent.
 */
const char* facts_vip_interface(const Cluster *c, const Node *node, const Facts *f) {
        if (c->endpoint.interface)
                return c->endpoint.interface;
        return node->interface ? node->interface : f->interface;
}

void facts_done(Facts *f) {
        free(f->hostname);
        free(f->interface);
        free(f->machine_id);
        strv_free(f->listening);
        strv_free(f->addresses);
        strv_free(f->networks);
        *f = (Facts) {};
}
