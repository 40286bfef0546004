/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/survey.h"
#include "host/pool.h"
#include "install/stage.h"
#include "plan/component.h"

/*
 * Giving back the disk space that etcd's databases do not use, and clearing alarms whose cause is gone
 *
 * A member answers nobody while it does that, so it is one after the other, only while all are healthy, which is
 * looked at before each, and the leader last, after it has handed over. Load balancers send nothing to the apiserver
 * beside it meanwhile. The locks of all these nodes are held: nobody else may stop one. Members whose database would hardly shrink are left alone.
 *
 * A database that has reached its quota (NOSPACE) takes no writes any more, not even those by which apiservers
 * clean up: what is outdated is compacted first, then all members are defragmented, and the alarm is cleared if
 * that has helped. That of a member whose data differs (CORRUPT) is cleared once that member is replaced.
 */
typedef struct DefragRequest {
        const ProbeContext *probes;
        const Component *const *components; /* of which some drain what is beside a member */
        HostPool *hosts;                    /* whose locks are taken */
        const char *holder;                 /* for the error that others get */
        bool wait;                          /* for others who hold them */
        bool all;                           /* also where it hardly pays */
        bool dry_run;
        const volatile int *cancelled; /* or NULL; looked at between two members */
        void (*step)(void *userdata, const EtcdSight *s, Stage stage);
        void (*end)(void *userdata, const EtcdSight *s, bool success, uint64_t before, uint64_t after,
                    const char *text);
        void (*note)(void *userdata, const char *text); /* of alarms */
        void *userdata;
} DefragRequest;

int defrag_run(const DefragRequest *request, Error **reterr);
/* Would it shrink by so much that it is worth the pause? */
bool defrag_pays(const EtcdStatus *status);
