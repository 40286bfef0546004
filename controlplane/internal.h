/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/json.h"
#include "pki/secret.h"
#include "plan/component.h"
#include "plan/service.h"

/* What the files of controlplane/ share; nobody else includes this. */

#define AUDIT_POLICY "/etc/kubernetes/audit-policy.yaml"
#define AUTHENTICATION_CONFIG "/etc/kubernetes/authentication-config.yaml"
#define ENCRYPTION_CONFIG "/etc/kubernetes/encryption-config.yaml"
#define ENCRYPTION_PREFLIGHT "encryption-key" /* the name of what apiserver_preflight() finds */

#define APISERVER_N_FLAGS 42
extern const Flag apiserver_flags[APISERVER_N_FLAGS];

/* Networks of services or pods as the flags want them: "10.96.0.0/16,fd00::/112". The caller frees. */
char* networks_to_string(const InetNetwork *networks, size_t n);
char* service_networks(const PlanContext *c); /* a value of a flag; apiserver-flags.c */

/* apiserver-files.c */
int apiserver_add_files(const PlanContext *c, Plan *plan, Error **reterr);
void apiserver_add_objects(const PlanContext *c, Plan *plan);

int encryption_add(const PlanContext *c, Plan *plan, Error **reterr);

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
int apiserver_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr);
int apiserver_verify(const ProbeContext *c, CheckList *checks);
int upgrade_preflight(const ProbeContext *c, const Node *node, char *const *running, CheckList *checks,
                      Error **reterr);

/* lasting.c: a flag whose value the objects of a cluster that lives depend on */
typedef struct LastingFlag LastingFlag;
struct LastingFlag {
        const char *name;    /* of the finding, as in Component.preflights */
        const char *flag;    /* without dashes */
        const char *key;     /* of the cluster file, from which it follows */
        const char *without; /* what would happen */
        /* of values, neither empty: is the change borne, and else, how is it gone about? */
        bool (*allows)(char *const *before, char *const *after);
        void (*advise)(Check *check, const LastingFlag *row, char *const *before, char *const *after);
};

bool lasting_grows(char *const *before, char *const *after);
bool lasting_is_believed(char *const *before, char *const *after);
void lasting_advise_back(Check *check, const LastingFlag *row, char *const *before, char *const *after);
void lasting_advise_steps(Check *check, const LastingFlag *row, char *const *before, char *const *after);
int running_argv(const ProbeContext *c, const Node *node, const Component *component, Strv *ret,
                 Error **reterr); /* the words of its command line, NULL if it does not run */
void lasting_preflight(const ProbeContext *c, const Node *node, const Component *component,
                       char *const *running, const LastingFlag *rows, size_t n_rows, CheckList *checks);

/* What serves on loopback only is asked on its node, with its own kubeconfig ("scheduler"). */
int loopback_ready(const ProbeContext *c, const Node *node, const char *kubeconfig, unsigned port,
                   ProbeResult *ret, Error **reterr);
void loopback_names(const Cluster *c, const Node *node,
                    CertificateProfile *profile); /* of such a certificate */

/* Rows of tables of a component that serves on loopback only ("scheduler", "kube-scheduler"): flags, ... */
#define LOOPBACK_FLAGS(base)                                                                        \
        { "bind-address", "127.0.0.1", .why = "Health and metrics are for this node's own eyes.",   \
          .without = "All addresses of the node, the default: health and metrics "                  \
                     "would be a port more that the network can reach." },                          \
                { "kubeconfig", "%d/kubeconfig",                                                    \
                  .why = "Who it is, and where the API is: at this node's own apiserver, "          \
                         "so that it does not depend on the endpoint, and is never newer "          \
                         "than the apiserver it talks to.",                                         \
                  .without = "Without a cluster to talk to it ends at once." },                     \
                { "authentication-kubeconfig", "%d/kubeconfig",                                     \
                  .why = "With it, it asks the apiserver who somebody is that asks for "            \
                         "its metrics.",                                                            \
                  .without = "It would know nobody who asks for metrics, and refuse." },            \
                { "authorization-kubeconfig", "%d/kubeconfig", .why = "And whether he may.",        \
                  .without = "It would not know who may read metrics, and refuse." },               \
                { "tls-cert-file", "%d/" base ".crt",                                               \
                  .why = "What it shows to whoever asks for its health; without it, it "            \
                         "would make a certificate that nobody can check.",                         \
                  .without = "It would make a certificate at each start that no CA vouches "        \
                             "for; checks of its health could not know whom they ask." },           \
                { "tls-private-key-file", "%d/" base ".key", .why = "The key of that certificate.", \
                  .without = "It does not start: a certificate is of no use without its key." },    \
                { "tls-min-version", "VersionTLS12",                                                \
                  .why = "Says what is the default, so that it can be seen.",                       \
                  .without = "Nothing: it is the default." },                                       \
                { "client-ca-file", "%d/ca.crt",                                                    \
                  .why = "Who shows a certificate of this CA is the user that its "                 \
                         "subject names.",                                                          \
                  .without = "Who shows a certificate would be a stranger to it, and could "        \
                             "read no metrics." },                                                  \
        {                                                                                           \
                "requestheader-client-ca-file", "%d/front-proxy-ca.crt",                            \
                        .why = "Headers that name a user are believed from holders of a "           \
                               "certificate of this CA alone.",                                     \
                        .without = "It would look this up in the cluster; said here, it does not "  \
                                   "depend on that."                                                \
        }

/* ... credentials, ... */
#define LOOPBACK_CREDENTIALS(base, program)                                                    \
        { .type = STORE_KUBECONFIG,                                                            \
          .scope = PER_NODE,                                                                   \
          .name = base,                                                                        \
          .issuer = "ca",                                                                      \
          .common_name = "system:" program,                                                    \
          .usage = USAGE_CLIENT,                                                               \
          .why = "Who " program " is to the apiserver; a role binding that every cluster has " \
                 "gives it its rights.",                                                       \
          .without = "It has no cluster to work for, and ends at once." },                     \
        {                                                                                      \
                .type = STORE_CERTIFICATE, .scope = PER_NODE, .name = base, .issuer = "ca",    \
                .common_name = program, .usage = USAGE_SERVER, .names = loopback_names,        \
                .why = "What " program " shows to whoever asks for its health and metrics.",   \
                .without = "It would make one at each start that nobody can check."            \
        }

/* ... and what it is handed over. */
#define LOOPBACK_HANDED_OVER(base)                                                      \
        { "kubeconfig", "/etc/kubernetes/" base ".conf", .node = true,                  \
          .why = "Who it is to the apiserver." },                                       \
                { base ".crt", "/etc/kubernetes/pki/" base ".crt", .node = true,        \
                  .why = "What it shows to whoever asks for its health and metrics." }, \
                { base ".key", "/etc/kubernetes/pki/" base ".key", .node = true,        \
                  .why = "What it shows to whoever asks for its health and metrics." }, \
        {                                                                               \
                "front-proxy-ca.crt", "/etc/kubernetes/pki/front-proxy-ca.crt",         \
                        .why = "Certifies who may name users in headers."               \
        }

/* Rows of flags of a component of which one leads, ... */
#define LEASE_FLAGS                                                                             \
        { "leader-elect-lease-duration", .function = lease_duration,                            \
          .why = "How long others wait for a leader that is silent. From the "                  \
                 "profile: on an SD card a write may take seconds, and a leader "               \
                 "that could not renew in time ends itself.",                                   \
          .without = "15 s, the default: on slow disks a leader would lose its "                \
                     "office while it still works." },                                          \
                { "leader-elect-renew-deadline", .function = lease_renew,                       \
                  .why = "How long the leader tries to renew until it gives up.",               \
                  .without = "10 s, the default; it has to be less than the lease and more "    \
                             "than the tries between." },                                       \
        {                                                                                       \
                "leader-elect-retry-period",                                                    \
                        .function = lease_retry, .why = "How often each tries.",                \
                        .without = "2 s, the default: each try is a write to etcd, which slow " \
                                   "disks feel."                                                \
        }

/* ... and of one that could be looked into. */
#define PROFILING_FLAG                                                                              \
        {                                                                                           \
                "profiling", "false",                                                               \
                        .why = "No profiles over the network; they slow it down and tell of "       \
                               "its memory.",                                                       \
                        .without = "Whoever may read /debug/pprof could see into the process, and " \
                                   "slow it down."                                                  \
        }

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

int64_t lease_time(const char *text); /* of its renewTime, in seconds since 1970; -1: it is none */
/* The timing of leader election, as flags want it. */
char* lease_duration(const PlanContext *c);
char* lease_renew(const PlanContext *c);
char* lease_retry(const PlanContext *c);
/* Ready if somebody leads, by the lease of that name. */
void leader_ready(const ProbeContext *c, const Node *node, const char *lease, ProbeResult *ret);
/* Who leads, by the lease in kube-system, and is the leader alive? id: "scheduler.leader". */
void check_leader(const ProbeContext *c, const char *lease, const char *id, CheckList *checks);
