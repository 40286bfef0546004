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
        const char *identity; /* of applied.json; NULL: ours, if recorded */
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
        const char *leaver;    /* is in the cluster and not in the cluster file, or NULL */
        bool leaver_works;
        const char *retired; /* the unit that is to be stopped for good */
        bool irreplaceable;  /* the last one is about to go */
        bool peers;          /* the service is told by a reload who is beside it */
        const char *binary;  /* path of one that the plan has besides, or NULL */
        bool lends;          /* its connections to the run */
        InstallLeavers leavers;
        size_t asked_members;
        const char *const *ignore;
        const char *cancel_at; /* the deed that is the last before somebody presses Ctrl-C */
        Buffer log;
        pthread_mutex_t mutex;
        InstallResult result;
        ErrorList errors;
} World;

extern World world;

void world_log(const Node *node, const char *deed);
extern const Component *const fake_components[];
