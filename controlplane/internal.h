/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/json.h"
#include "plan/component.h"
#include "plan/service.h"

/* What the files of controlplane/ share; nobody else includes this. */

#define AUDIT_POLICY "/etc/kubernetes/audit-policy.yaml"
#define AUTHENTICATION_CONFIG "/etc/kubernetes/authentication-config.yaml"
#define ENCRYPTION_CONFIG "/etc/kubernetes/encryption-config.yaml"

#define APISERVER_N_FLAGS 42
extern const Flag apiserver_flags[APISERVER_N_FLAGS];

/* Networks of services or pods as the flags want them: "10.96.0.0/16,fd00::/112". The caller frees. */
char* networks_to_string(const InetNetwork *networks, size_t n);

/* apiserver-files.c */
int apiserver_add_files(const PlanContext *c, Plan *plan, Error **reterr);
void apiserver_add_objects(const PlanContext *c, Plan *plan);

/* What an apiserver answered. */
typedef struct ApiAnswer {
        long status;
        Buffer body;
        Buffer served; /* PEM of the certificate that was shown */
        json_t *tree;  /* the body, if it is JSON */
        uint64_t duration_usec;
} ApiAnswer;

/* An answer of any status is success. */
int api_request(HttpClient *http, const char *method, const char *base, const char *path, const json_t *body,
                ApiAnswer *ret, Error **reterr);
void api_answer_done(ApiAnswer *a);
char* api_answer_text(const ApiAnswer *a); /* of a failure, for people; the caller frees */
char* readyz_text(const char *body);       /* "[-]etcd failed, [-]informer-sync failed" */

int apiserver_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int apiserver_spare(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
                    Error **reterr);
int apiserver_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
int apiserver_verify(const ProbeContext *c, CheckList *checks);

/* What serves on loopback only is asked on its node, with its own kubeconfig ("scheduler"). */
int loopback_ready(const ProbeContext *c, const Node *node, const char *kubeconfig, unsigned port,
                   ProbeResult *ret, Error **reterr);
void loopback_names(const Cluster *c, const Node *node,
                    CertificateProfile *profile); /* of such a certificate */

/* Rows of a UnitSetting table: of a service of which one leads, and which is of use with an apiserver only. */
#define ELECTED_SETTINGS                                                                                \
        { "Unit", "Wants", "network-online.target", .why = "It needs the network.",                     \
          .without = "Before the network, it ends itself a few times." },                               \
                { "Unit", "After", "network-online.target kube-apiserver.service",                      \
                  .why = "It ends itself when the apiserver does not answer: no need to begin so.",     \
                  .without = "At boot it would end itself a few times." },                              \
                { "Unit", "StartLimitIntervalSec", "0",                                                 \
                  .why = "Never give up: what keeps it down may end at any time.",                      \
                  .without = "systemd gives up after five starts within ten seconds." },                \
                { "Service", "Type", "exec",                                                            \
                  .why = "It does not tell systemd when it is ready; its /healthz is asked.",           \
                  .without = "It would count as started even if the program is missing." },             \
                { "Service", "Restart", "always", .why = "It ends itself when it loses the lead, too.", \
                  .without = "It stays down once it has lost its lease." },                             \
        {                                                                                               \
                "Service", "RestartSec", "2",                                                           \
                        .why = "Soon, but others may lead meanwhile.",                                  \
                        .without = "100 ms, the default: ten starts a second while it waits."           \
        }

/* The timing of leader election, as flags want it. */
char* lease_duration(const PlanContext *c);
char* lease_renew(const PlanContext *c);
char* lease_retry(const PlanContext *c);
/* Ready if somebody leads, by the lease of that name. */
void leader_ready(const ProbeContext *c, const Node *node, const char *lease, ProbeResult *ret);
/* Who leads, by the lease in kube-system, and is the leader alive? id: "scheduler.leader". */
void check_leader(const ProbeContext *c, const char *lease, const char *id, CheckList *checks);
