/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/profile.h"
#include "tests/unit/plan-fixture.h"

/* Two controllers behind a pair of load balancers, made by hand. */
typedef struct LbFixture {
        Node nodes[4];
        Cluster cluster;
        Facts facts;
        PlanContext context;
} LbFixture;

static inline void lb_fixture_set_up(LbFixture *f) {
        static char lb1[] = "lb1", interface[] = "eth0";
        Node *nodes = f->nodes;

        f->cluster = fixture_cluster(nodes);
        nodes[3] = (Node) { .name = lb1, .roles = ROLE_LOADBALANCER, .architecture = ARCH_ARM64, .index = 3 };
        (void) inet_address_parse("10.77.0.12", &nodes[3].address);
        f->cluster.n_nodes = 4;
        f->cluster.endpoint.vrrp_id = 51;
        f->cluster.endpoint.prefix_length = 32;
        timings_for(NETWORK_WIRED, DISK_SSD, &f->cluster.timings);
        f->facts = (Facts) { .interface = interface };
        f->context = (PlanContext) { .cluster = &f->cluster, .node = &f->nodes[2], .facts = &f->facts };
}

static inline void lb_fixture_address(InetAddress *a, const char *text) {
        assert_int_equal(inet_address_parse(text, a), 0);
}
