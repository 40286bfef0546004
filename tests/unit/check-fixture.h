/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "check/check.h"
#include "common/clock.h"
#include "tests/unit/plan-fixture.h"

/* Two controllers and a load balancer that exist in memory only and that nothing speaks against, for the rules of check/ */

typedef struct World {
        Node nodes[3];
        Cluster cluster;
        Facts facts[3];
        Observation observations[3];
        Plan *plans[3];
        Answers answers[3], here;
        CheckNode checked[3];
        CheckWorld world;
        CheckList found;
} World;

static World w;

static inline unsigned port_of(const Cluster *c) {
        return c->apiserver_port;
}

static const Reach reaches[] = {
        { 2380, .from = ROLE_ETCD, .why = "members" },
        { .port_of = port_of, .from = ROLE_LOADBALANCER, .from_here = true, .why = "the API" },
};

static inline int no_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        return 0;
}

static const CheckName preflights[] = { { "store-data", "Whose data?", "It is lost." } };

static inline int fake_preflight(const ProbeContext *c, const Node *node, CheckList *checks,
                                 Error **reterr) {
        check_add(checks, CHECK_FAILED, "store-data/c0", node, "store-data", "is of others");
        return 0;
}

static const Component store = {
        .name = "store",
        .unit = "store.service",
        .roles = ROLE_CONTROLLER,
        .reaches = reaches,
        .n_reaches = ARRAY_SIZE(reaches),
        .data = "/var/lib/store",
        .plan = no_plan,
        .preflight = fake_preflight,
        .preflights = preflights,
        .n_preflights = 1,
};
static const Component *const fakes[] = { &store, NULL };

static inline int setup(void **state) {
        w = (World) {};
        w.cluster = fixture_cluster(w.nodes);
        w.cluster.endpoint.prefix_length = 32;
        for (size_t i = 0; i < 3; i++) {
                facts_default(&w.cluster, w.nodes + i, w.facts + i);
                w.facts[i].clock = clock_build_date() + 1000;
                w.facts[i].clock_synchronized = true;
                w.facts[i].memory = 4000000000;
                w.facts[i].disk_free = 20000000000;
                w.facts[i].machine_id = xasprintf("%032zu", i + 1);
                strv_addf(&w.facts[i].networks, "eth0 10.77.0.%zu/24", 20 + i);
                w.plans[i] = plan_new(&w.cluster, w.nodes + i);
                w.answers[i].cgroup2 = true;
                w.answers[i].mac = xasprintf("02:00:00:00:00:0%zu", i);
                w.checked[i] = (CheckNode) {
                        .node = w.nodes + i,
                        .facts = w.facts + i,
                        .observation = w.observations + i,
                        .plan = w.plans[i],
                        .answers = w.answers + i,
                        .judged = true,
                };
        }
        w.world = (CheckWorld) { .cluster = &w.cluster,
                                .components = fakes,
                                .nodes = w.checked,
                                .identity = "0123456789abcdef" };
        return 0;
}

static inline int teardown(void **state) {
        for (size_t i = 0; i < 3; i++) {
                facts_done(w.facts + i);
                plan_free(w.plans[i]);
                answers_done(w.answers + i);
        }
        answers_done(&w.here);
        check_list_done(&w.found);
        return 0;
}

#define rule_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static inline const Check* find(const char *id) {
        for (size_t i = 0; i < w.found.n_checks; i++)
                if (streq(w.found.checks[i].id, id))
                        return w.found.checks + i;
        return NULL;
}

static inline void ask_all(void) {
        check_list_done(&w.found);
        for (size_t i = 0; i < 3; i++)
                if (w.checked[i].facts)
                        check_node(&w.world, w.checked + i, &w.found);
        check_all(&w.world, &w.found);
}

/* Only this finding is not well; text and advice have these words. */
static inline void assert_only(const char *id, CheckState state, const char *text, const char *advice) {
        const Check *found;

        ask_all();
        found = find(id);
        assert_non_null(found);
        assert_int_equal(found->state, state);
        assert_contains(found->text, text);
        assert_non_null(found->advice);
        assert_contains(found->advice, advice);
        for (size_t i = 0; i < w.found.n_checks; i++)
                if (w.found.checks + i != found && w.found.checks[i].state != CHECK_OK)
                        fail_msg("%s: %s", w.found.checks[i].id, w.found.checks[i].text);
}

static inline void answer(size_t i, const char *text) {
        answers_done(w.answers + i);
        answers_parse(text, w.answers + i);
}
