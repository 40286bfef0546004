/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <pthread.h>

#include "common/clock.h"
#include "host/pool.h"
#include "install/install.h"
#include "tests/unit/plan-fixture.h"
#include "units/bus.h"

/*
 * A world of three controllers and two load balancers that exist in memory only
 *
 * Each carries one service: its configuration is the string World.wanted, put into a file. A fake node knows
 * what was put there, what its service was started with, and how it is to misbehave. Time passes when
 * somebody sleeps. What is done to nodes is written into a log, one word for the node and one for the deed.
 */
typedef struct FakeNode {
        const char *put;             /* configuration on the disk; NULL: none */
        const char *_Atomic running; /* what the service was started with; NULL: it does not run */
        bool recorded;               /* applied.json is there */
        bool leads;                  /* until it hands over */
        bool broken;                 /* its service never gets ready */
        bool dying;                  /* ... and is restarted all the time */
        unsigned stalls;             /* so many questions find it not ready, although it works */
        bool unreachable, busy, refuses, starved, full, job_fails;
        bool locked;          /* by us */
        unsigned n_missed;    /* how often it was to be taken, and not reachable */
        bool loose;           /* its files have other modes than planned: nothing is restarted for that */
        const char *dislikes; /* the configuration with which its service does not get ready, or NULL */
        unsigned n_restarts;
        unsigned n_asked;     /* how often its service was asked whether it is ready */
        uint64_t generation;  /* of applied.json */
        const char *identity; /* of applied.json; NULL: ours, if recorded */
        char edition[32];     /* of applied.json; "": none */
        const char *applied;  /* a path in applied.json besides, or NULL */
        const char *retires;  /* a unit file in applied.json that no plan has any more, or NULL */
        bool purged;          /* systemd knows that unit no more */
        bool has_binary;      /* world.binary is there, too: what was put there last */
        bool had_binary;      /* ... before that */
        const char *listener; /* "*:7000 nginx", or NULL */
        Architecture architecture;
        int64_t clock_offset;
        const char *answer; /* to the questions of check/, or NULL: an empty one */
        bool mute;          /* there is none */
} FakeNode;

typedef struct World {
        Node nodes[5];
        Cluster cluster;
        FakeNode fakes[5];
        size_t n_ill[5];    /* of the others, at the last question of the gate */
        const Node *joined; /* in an earlier run, and has no place yet: the gate is closed until then */
        const char *wanted;
        bool gate_closed;
        const char *closes_gate; /* the name of the node whose restart closes it, or NULL */
        const Node *aside;       /* gets no new work */
        bool bring_back_fails;
        int unseen;         /* it serves, and that is why it cannot be asked from here; 0: it can */
        const char *object; /* the API's object says so: "wanted", something else; NULL: it is not there */
        bool api_down;
        volatile int cancelled;
        const char *unproven; /* the name of the node that prove() finds fault with, or NULL */
        bool keeps;           /* take_back() has nothing to give */
        const InstallProof *proof;
        const char *meanwhile; /* what somebody else installs everywhere before we get a lock, or NULL */
        bool sooner;           /* ... and has ended by then: nobody has to wait */
        const char *leaver;    /* is in the cluster and not in the cluster file, or NULL */
        bool leaver_works;
        bool came;           /* somebody, in an earlier run */
        const char *retired; /* the unit that is to be stopped for good */
        bool irreplaceable;  /* the last one is about to go */
        bool peers;          /* the service is told by a reload who is beside it */
        const char *binary;  /* path of one that the plan has besides, or NULL */
        bool lends;          /* its connections to the run */
        bool unserved;       /* nobody has written down that the cluster has served */
        size_t n_noted;      /* ... until it was written down so often */
        bool unwritable;
        const char *history; /* of the store; NULL: it is one of before there was any */
        InstallLeavers leavers;
        size_t asked_members;
        const char *const *ignore;
        const char *cancel_at; /* the deed that is the last before somebody presses Ctrl-C */
        Buffer log;
        pthread_mutex_t mutex;
        InstallResult result;
        ErrorList errors;
} World;

static World world;

static inline void world_log(const Node *node, const char *deed) {
        (void) pthread_mutex_lock(&world.mutex);
        buffer_addf(&world.log, "%s%s %s", world.log.size > 0 ? ", " : "", node->name, deed);
        if (world.cancel_at && streq(world.cancel_at, deed))
                world.cancelled = 1;
        (void) pthread_mutex_unlock(&world.mutex);
}

/* The component: a service that needs two of three controllers */

static inline FakeNode* fake_of(const Node *node) {
        return &world.fakes[node->index];
}

static inline bool works(const Node *node) {
        const FakeNode *f = fake_of(node);

        return f->running && !f->broken && !(f->dislikes && streq(f->running, f->dislikes));
}

static inline size_t n_working(void) {
        size_t n = 0;

        CLUSTER_FOREACH_NODE(node, &world.cluster, ROLE_CONTROLLER)
                n += works(node);
        return n;
}

static inline int fake_plan(const PlanContext *c, Plan *p, Error **reterr) {
        PlanItem *unit = plan_add_unit(p, "alpha", "alpha.service", fixture_unit("alpha"), "w"), *conf;

        if (world.binary) {
                PlanItem *binary = plan_add(p, PLAN_BINARY, "alpha", "binary", "w");

                binary->path = xstrdup(world.binary);
                binary->owner = xstrdup("root:root");
                binary->mode = 0755;
        }
        unit->unit.drop_in = (c->node->roles & ROLE_LOADBALANCER) != 0;
        plan_unit_listens(unit, 7000);
        conf = plan_add_file(p, "alpha", "conf", "/etc/alpha", 0644, world.wanted, "w");
        conf->reload = world.peers;
        plan_item_input_of(conf, "alpha.service");
        if (c->node->roles & ROLE_CONTROLLER)
                plan_add_object(p, "alpha", "object", "/api/x", json_pack("{ss}", "says", "wanted"), "w");
        return 0;
}

static inline int fake_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        size_t n = n_working();

        world.fakes[node->index].n_asked++;
        if (world.fakes[node->index].stalls > 0) {
                world.fakes[node->index].stalls--;
                probe_result_set(ret, PROBE_WAITING, "no answer in time");
        } else if (!works(node))
                probe_result_set(ret, PROBE_WAITING, "not up");
        else if (n < 2)
                probe_result_set(ret, PROBE_BLOCKED, "%zu of 3", n);
        else
                probe_result_set(ret, PROBE_READY, NULL);
        return 0;
}

static inline int fake_serving(const ProbeContext *c, bool *ret, Error **reterr) {
        if (world.unseen)
                return error_set(reterr, ERROR_UNAVAILABLE, world.unseen, "it serves, and cannot be asked");
        *ret = n_working() >= 2;
        return 0;
}

static inline int fake_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        world_log(node, "gate");
        world.n_ill[node->index] = c->n_ill;
        probe_result_set(ret, world.gate_closed ? PROBE_WAITING : PROBE_READY, "a member is away");
        return 0;
}

static inline int fake_settle(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        probe_result_set(ret, PROBE_READY, NULL);
        if (world.joined != node)
                return 0;
        world_log(node, "settled");
        world.joined = NULL;
        world.gate_closed = false;
        return 0;
}

static inline int fake_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
        *ret = fake_of(node)->leads;
        return 0;
}

static inline int fake_hand_over(const ProbeContext *c, const Node *node, Error **reterr) {
        if (fake_of(node)->leads)
                world_log(node, "hands-over");
        return 0;
}

/* Of a component that stands in front of the controllers */
static inline int fake_set_aside(const ProbeContext *c, const Node *node, Error **reterr) {
        if (node->roles & ROLE_LOADBALANCER)
                return 0;
        world_log(node, "aside");
        world.aside = node;
        return 0;
}

static inline int fake_bring_back(const ProbeContext *c, Error **reterr) {
        if (!world.aside)
                return 0;
        if (world.bring_back_fails)
                return error_set(reterr, ERROR_UNAVAILABLE, EIO, "lb0: it does not answer");
        world_log(world.aside, "back");
        world.aside = NULL;
        return 0;
}

static inline int fake_before_rollout(const ProbeContext *c, Error **reterr) {
        world_log(world.nodes, "snapshot");
        return 0;
}

static inline int fake_leavers(const ProbeContext *c, Strv *ret_working, Strv *ret_lost, Error **reterr) {
        world.asked_members++;
        if (world.leaver)
                strv_add(world.leaver_works ? ret_working : ret_lost, world.leaver);
        return world.leaver != NULL;
}

static inline int fake_prune(const ProbeContext *c, bool working, Strv *ret_notes, Error **reterr) {
        world.asked_members++;
        if (!world.leaver || (world.leaver_works && !working))
                return 0;
        world_log(world.nodes, "prune");
        world.leaver = NULL;
        return 1;
}

static Component alpha = {
        .name = "alpha",
        .unit = "alpha.service",
        .roles = ROLE_CONTROLLER | ROLE_LOADBALANCER,
        .rank = 10,
        .plan = fake_plan,
        .ready = fake_ready,
        .serving = fake_serving,
        .gate = fake_gate,
        .settle = fake_settle,
        .leads = fake_leads,
        .hand_over = fake_hand_over,
        .set_aside = fake_set_aside,
        .bring_back = fake_bring_back,
        .before_rollout = fake_before_rollout,
        .leavers = fake_leavers,
        .prune = fake_prune,
};

/* Of a component that stops with alpha's unit */
static inline int fake_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes,
                             ProbeResult *ret, Error **reterr) {
        assert_int_equal(n_nodes, 1);
        if (world.irreplaceable)
                probe_result_set(ret, PROBE_FAILED, "none would be left");
        else
                probe_result_set(ret, PROBE_READY, NULL);
        return 0;
}

static const Component beta = { .name = "beta", .unit = "alpha.service", .rank = 20, .spare = fake_spare };
static const Component *const fake_components[] = { &alpha, &beta, NULL };
