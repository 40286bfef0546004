/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/unit/install-hosts.h"
#include "tests/unit/install-world.h"

/* A rollout over the fake nodes, and what has become of it */

static inline int setup(void **state) {
        static char names[5][4] = { "c0", "c1", "c2", "lb0", "lb1" };
        Node unused[3];

        world = (World) { .cluster = fixture_cluster(unused), .wanted = "one" };
        (void) pthread_mutex_init(&world.mutex, NULL);
        world.cluster.nodes = world.nodes;
        world.cluster.n_nodes = 5;
        for (size_t i = 0; i < 5; i++) {
                world.nodes[i] = (Node) { .name = names[i], .index = i, .architecture = ARCH_ARM64 };
                world.nodes[i].roles = i < 3 ? ROLE_CONTROLLER | ROLE_ETCD : ROLE_LOADBALANCER;
                (void) inet_address_parse("10.77.0.20", &world.nodes[i].address);
                world.fakes[i].architecture = ARCH_ARM64;
        }
        return 0;
}

static inline int teardown(void **state) {
        install_result_done(&world.result);
        error_list_done(&world.errors);
        buffer_done(&world.log);
        return 0;
}

#define install_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static inline int run_request(const Node *const *nodes, size_t n_nodes, bool dry_run) {
        static const HostOptions host = {};
        InstallRequest request = {
                .cluster = &world.cluster,
                .store = (Store*) &world,
                .components = fake_components,
                .nodes = nodes,
                .n_nodes = n_nodes,
                .cache = "/nonexistent",
                .host = &host,
                .hosts = world.lends ? (HostPool*) &world : NULL,
                .holder = "the test",
                .dry_run = dry_run,
                .cancelled = &world.cancelled,
                .proof = world.proof,
                .leavers = world.leavers,
                .joined = world.came,
                .ignore = (char *const *) world.ignore,
        };

        alpha.peers = world.peers;
        install_result_done(&world.result);
        error_list_done(&world.errors);
        buffer_clear(&world.log);
        return install_run(&request, &world.result, &world.errors);
}

static inline int run_all(void) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3,
                                      world.nodes + 4 };

        return run_request(nodes, 5, false);
}

static inline int run_dry(size_t n) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3,
                                      world.nodes + 4 };

        return run_request(nodes, n, true);
}

static inline int run_some(size_t first, size_t n) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3,
                                      world.nodes + 4 };

        return run_request(nodes + first, n, false);
}

/* A cluster that serves and is as planned; a change of world.wanted is then rolled out. */
static inline void make_serving(void) {
        for (size_t i = 0; i < 5; i++) {
                world.fakes[i].put = world.wanted;
                world.fakes[i].running = world.wanted;
                world.fakes[i].recorded = true;
        }
        world.object = "wanted";
}

static inline size_t count_of(const char *deed) {
        size_t n = 0;

        for (const char *p = buffer_str(&world.log); (p = strstr(p, deed)); p++)
                n++;
        return n;
}

static inline void assert_outcomes(InstallOutcome c0, InstallOutcome c1, InstallOutcome c2) {
        assert_int_equal(world.result.nodes[0].outcome, c0);
        assert_int_equal(world.result.nodes[1].outcome, c1);
        assert_int_equal(world.result.nodes[2].outcome, c2);
}

static inline void assert_error(size_t i, const char *text) {
        assert_true(i < world.errors.n_errors);
        assert_contains(world.errors.errors[i]->message, text);
}
