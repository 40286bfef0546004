/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <poll.h>
#include <stdatomic.h>

#include "common/alloc.h"
#include "plan/component.h"

/* A cluster of two controllers and a load balancer, made by hand: nothing here reads a cluster file. */
static inline Cluster fixture_cluster(Node nodes[static 3]) {
        static char path[] = "hardway.yaml", name[] = "test", domain[] = "cluster.local";
        static char c0[] = "c0", c1[] = "c1", lb[] = "lb0";

        nodes[0] = (Node) { .name = c0, .roles = ROLE_CONTROLLER | ROLE_ETCD, .architecture = ARCH_ARM64 };
        nodes[1] = (Node) { .name = c1, .roles = ROLE_CONTROLLER | ROLE_ETCD, .architecture = ARCH_AMD64 };
        nodes[2] = (Node) { .name = lb, .roles = ROLE_LOADBALANCER, .architecture = ARCH_ARM64 };
        nodes[1].index = 1;
        nodes[2].index = 2;
        (void) inet_address_parse("10.77.0.20", &nodes[0].address);
        (void) inet_address_parse("10.77.0.21", &nodes[1].address);
        (void) inet_address_parse("10.77.0.11", &nodes[2].address);

        Cluster c = {
                .path = path,
                .name = name,
                .domain = domain,
                .kubernetes = { 1, 36, 3 },
                .etcd = { 3, 6, 16 },
                .apiserver_port = 6443,
                .endpoint = { .port = 9000 },
                .certificates = { .key_type = KEY_EC_P256, .ca_days = 3650, .days = 365 },
                .nodes = nodes,
                .n_nodes = 3,
        };
        (void) inet_address_parse("10.77.0.10", &c.endpoint.address);
        return c;
}

static inline UnitFile* fixture_unit(const char *description) {
        UnitFile *u = unit_file_new(NULL);

        unit_file_section(u, "Unit");
        (void) unit_file_set(u, "Description", description, NULL);
        unit_file_section(u, "Service");
        (void) unit_file_set(u, "ExecStart", "/bin/true", NULL);
        unit_file_section(u, "Install");
        (void) unit_file_set(u, "WantedBy", "multi-user.target", NULL);
        return u;
}

static inline const PlanItem* plan_find(const Plan *p, const char *id) {
        for (size_t i = 0; i < p->n_items; i++)
                if (streq(p->items[i]->id, id))
                        return p->items[i];
        return NULL;
}

/* For what is asked of n nodes at once: waits until all of them are being asked. False if, after some seconds, they
 * are not, as one has to answer before the next is asked. */
static inline bool fixture_meet(atomic_uint *here, unsigned n) {
        (*here)++;
        for (unsigned i = 0; i < 5000 && *here < n; i++)
                (void) poll(NULL, 0, 1);
        return *here >= n;
}
