/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "etcd/data.h"
#include "etcd/survey.h"
#include "plan/component.h"

/* What the files of etcd/ share; nobody else includes this. */

/* besides ETCD_PREFLIGHT, what etcd_preflight() finds */
#define SNAPSHOTS_PREFLIGHT "snapshots-directory"

#define ETCD_N_FLAGS 26
extern const Flag etcd_flags[ETCD_N_FLAGS];

/* What is said of a member in the state ETCD_STRANGER. */
#define ETCD_STRANGER_TEXT "its data is of another cluster, or of before a restore: it must not serve"

void etcd_survey_count(EtcdSurvey *s); /* fills in n_voters and what follows */

/* peer.c: only what is said for the cluster that the last restore made */
bool etcd_peer_is_current(const ProbeContext *c, const EtcdPeer *p);
int etcd_members_of(const ProbeContext *c, const Node *node, uint64_t timeout_usec, bool linearizable,
                    EtcdMembers *ret);

void etcd_say_older(const Node *node, ProbeResult *ret); /* failed: of before a restore */

int etcd_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
uint64_t etcd_election_usec(const Cluster *c);
int etcd_serving(const ProbeContext *c, bool *ret, Error **reterr);
int etcd_serving_unseen(const ProbeContext *c, bool *ret, Error **reterr); /* where nobody answers */
int etcd_former(const ProbeContext *c, Error **reterr);                    /* the same, elsewhere */
int etcd_refuse_former(const char *name, const char *address, Error **reterr);
int etcd_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int etcd_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr);
int etcd_hand_over(const ProbeContext *c, const Node *node, Error **reterr);
int etcd_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr);
int etcd_preflight_place(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr);

/* empty.c: a member without data */
typedef enum EtcdBeginning {
        ETCD_BEGINS,
        ETCD_WAS_STARTED,  /* before, with data that is gone */
        ETCD_NEEDS_OTHERS, /* the cluster has served, and who could say more is away */
} EtcdBeginning;

EtcdBeginning etcd_judge_empty(const ProbeContext *c, const Node *node, const Node **ret_other);

/* moved.c: hosts that were renumbered, with their data */
int etcd_data_elsewhere(const ProbeContext *c, const Node *node, char **ret, Error **reterr);
const Node* etcd_furthest(const ProbeContext *c, const Node *otherwise);
int etcd_join(const ProbeContext *c, const Node *node, Error **reterr);
int etcd_settle(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int etcd_leavers(const ProbeContext *c, Strv *ret_working, Strv *ret_lost, Error **reterr);
int etcd_prune(const ProbeContext *c, bool working, Strv *ret_notes, Error **reterr);
#define ETCD_SCHEDULE_N_SETTINGS 14
extern const UnitSetting etcd_schedule_settings[ETCD_SCHEDULE_N_SETTINGS];
#define ETCD_SCHEDULE_N_TIMER 5
extern const UnitSetting etcd_schedule_timer[ETCD_SCHEDULE_N_TIMER];
int etcd_plan_schedule(const PlanContext *c, Plan *plan, Error **reterr);
void etcd_verify_schedule(const ProbeContext *c, CheckList *checks);

int etcd_before_rollout(const ProbeContext *c, Error **reterr);
int etcd_verify(const ProbeContext *c, CheckList *checks);
int etcd_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
               Error **reterr);

/* metrics.c: the 99th percentile of a member's syncs of its log */
int etcd_fsync_percentile(const char *text, double *ret_msec);
int etcd_fsync(const EtcdPeer *p, double *ret_msec);
int etcd_is_in_touch(const EtcdPeer *p, uint64_t id); /* with the other of this id; 1 or 0 */
