/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/clock.h"
#include "etcd/peer.h"

/*
 * All members at a glance
 *
 * Every member of the cluster file is asked at the same time, each for its own view, and the list of members
 * is had from whichever gives it: through the quorum if there is one. Members of the list that are not in the
 * cluster file are asked, too. After a restore only those are believed who are of the cluster that it made:
 * members that come back with the data of before may be a quorum among themselves. A survey changes nothing and
 * works however few answer.
 */

/* So long a member may take for an answer. */
#define ETCD_ASK_USEC (3 * USEC_PER_SEC)

typedef enum EtcdState {
        ETCD_HEALTHY,   /* reaches a quorum */
        ETCD_UNHEALTHY, /* answers, and says what is wrong */
        ETCD_WAITING,   /* its process runs; it has found no quorum since its start, and answers no client */
        ETCD_AWAY,      /* does not answer */
        ETCD_NOT_STARTED, /* is in the list, but was never started */
        ETCD_STRANGER, /* answers, and is of another cluster than the list: with data of before a restore */
        _ETCD_STATE_MAX,
} EtcdState;

typedef struct EtcdSight {
        const Node *node;         /* NULL: a member that is not in the cluster file */
        const EtcdMember *member; /* of the survey's list; NULL: it is not in the list, or there is none */
        EtcdState state;
        char *why;             /* it is not healthy, or NULL */
        int errnum;            /* of the question that it did not answer; 0: it answers, or waits */
        bool answers;          /* status is filled in */
        EtcdStatus status;     /* its own view */
        uint64_t latency_usec; /* of a read through the quorum, on an open connection; 0: there was none */
        EtcdPeer peer;         /* open for further questions; http NULL: nobody knows its address */
} EtcdSight;

typedef struct EtcdSurvey {
        const Cluster *cluster;
        EtcdSight *sights; /* the nodes in the order of the cluster file, then other members */
        size_t n_sights;
        uint64_t restored_id; /* what the cluster has to be since the last restore; 0: there was none */
        EtcdMembers list;     /* n_members 0: nobody gave one */
        bool agreed;          /* the list was had through the quorum */
        size_t n_voters;      /* by the list; without one, the members of the cluster file */
        size_t n_healthy;     /* voters that reach a quorum */
        size_t n_up;          /* voters whose process runs, these included */
        size_t quorum;        /* voters that are needed */
} EtcdSurvey;

int etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr);
void etcd_survey_done(EtcdSurvey *s);
#define ETCD_FOREACH_SIGHT(s, survey) \
        for (const EtcdSight *s = (survey)->sights; s < (survey)->sights + (survey)->n_sights; s++)

const char* etcd_sight_name(const EtcdSight *s); /* its node's, or by the list */
bool etcd_sight_votes(const EtcdSight *s);
bool etcd_sight_is_sound(const EtcdSight *s); /* votes, and reaches a quorum */
/* The first sound one but @except, which may be NULL; NULL: there is none. */
const EtcdSight* etcd_survey_sound(const EtcdSurvey *s, const EtcdSight *except);
size_t etcd_survey_count_sound(const EtcdSurvey *s, const EtcdSight *except);
const EtcdSight* etcd_survey_find(const EtcdSurvey *s, const Node *node); /* NULL: is no member */
const EtcdSight* etcd_survey_leader(const EtcdSurvey *s); /* NULL: there is none, or no agreement */
const char* etcd_state_to_string(EtcdState state);        /* "healthy", "waits for a quorum" */

/* No member reaches a quorum: *ret_text says it in one line, *ret_advice which members would restore it, and
 * what else there is. */
bool etcd_survey_lost(const EtcdSurvey *s, char **ret_text, char **ret_advice);
