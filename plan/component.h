/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fetch/fetch.h"
#include "pki/store.h"
#include "plan/config-text.h"
#include "plan/plan.h"
#include "plan/probe.h"
#include "plan/setting.h"

/* What upstream calls its documentation of a cluster's certificates. */
#define MANUAL_PKI \
        "PKI certificates and requirements, https://kubernetes.io/docs/setup/best-practices/certificates/"

/*
 * A component: one program of the cluster, declared
 *
 * A Component is a constant that stands in one table (cli/components.c). All that the rest of hardway does
 * with a component is driven by what is declared here: `pki gen` makes its credentials, `fetch` gets its
 * artifacts, a plan gets its items, the rollout asks its probes and hands over its leadership, `verify` and
 * `status` collect its checks. What else a new component opens, CONTRIBUTING.md says.
 */

typedef struct Artifact {
        const char *name;
        ArtifactOrigin origin;
        bool optional_on_node; /* fetched, but put on no node (kubectl for the driving machine's use) */
} Artifact;

typedef enum CredentialScope {
        PER_CLUSTER, /* one for all; store name as given */
        PER_NODE,    /* one per node with the component's role; store name nodes/NODE/... */
} CredentialScope;

/*
 * A credential row: what the store has to hold for this component. The name is kubeadm's, without ending:
 * PER_NODE certificates "apiserver", "etcd/server" lie in the store as nodes/NODE/pki/NAME.{crt,key} and on
 * the node as /etc/kubernetes/pki/NAME.{crt,key}; PER_NODE kubeconfigs "scheduler" as nodes/NODE/NAME.conf
 * and /etc/kubernetes/NAME.conf. PER_CLUSTER ones: CAs "ca", "etcd/ca", "front-proxy-ca" as
 * pki/NAME.{crt,key}; kubeconfigs "admin" beside the cluster file.
 */
typedef struct Credential {
        StoreEntryType type;
        CredentialScope scope;
        const char *name;
        const char *issuer;       /* NULL for CAs, key pairs and secrets */
        const char *common_name;  /* NULL: the node's name */
        const char *organization; /* or NULL */
        unsigned usage;           /* mask of CertificateUsage */
        void (*names)(const Cluster *c, const Node *node,
                      CertificateProfile *profile); /* adds SANs; or NULL */
        size_t secret_size;
        bool secret_hex;
        bool server_is_endpoint; /* kubeconfig: points at the VIP; else at the node's own apiserver */
        const char *why;
        const char *without; /* what breaks without it, for `explain` */
} Credential;

/*
 * A port of the component, and who connects to it: `check` looks whether the way is open before anything
 * listens there.
 */
typedef struct Reach {
        unsigned port;                         /* or, where it stands in the cluster file: */
        unsigned (*port_of)(const Cluster *c); /* 0: not on this cluster */
        unsigned from;                         /* roles of the other nodes that connect to it; 0: none do */
        bool from_here;                        /* so does the driving machine */
        const char *why;                       /* "etcd's members among each other" */
} Reach;

/*
 * What is looked at before installing: the name is that of its findings, and what --ignore takes. For
 * `explain`: what has to be so, what happens if it is not, and the commands that look at the same thing (a text for
 * explain_fill()).
 */
typedef struct CheckName {
        const char *name, *why, *without, *by_hand;
} CheckName;

/*
 * A port at which a component shows a certificate: `pki check` looks there whether it is the one of the
 * store. Where only the node itself can connect (loopback), systemd's copy of the file tells, which the
 * process was given when it started, and has read since.
 */
typedef struct ServedCertificate {
        const char *credential; /* PER_NODE certificate of this component: "apiserver" */
        unsigned port;          /* 0: that of the apiservers in the cluster file */
        const char *client;     /* another one, shown in turn where a client must have one; or NULL */
        const char *copy;       /* loopback: the ID of LoadCredential=, "scheduler.crt"; NULL: any address */
} ServedCertificate;

struct PlanContext {
        const Cluster *cluster;
        const Node *node;
        const Facts *facts;
        Store *store;     /* NULL: placeholders instead of keys and certificates, the plan is incomplete */
        const Lock *lock; /* NULL: the same for digests of binaries */
};

typedef struct Component {
        const char *name;    /* "kube-apiserver" */
        const char *summary; /* one line */
        const char *without; /* what breaks without it, for `explain` */
        const char *manual;  /* what upstream's documentation of it is called, and where it is */
        const char *unit;    /* "kube-apiserver.service"; NULL: no unit of its own */
        unsigned roles;      /* nodes that carry it: mask of NodeRole */
        int rank; /* order in a plan and in a rollout: the lower goes first; each component says its own */
        const Artifact *artifacts;
        size_t n_artifacts;
        const Credential *credentials;
        size_t n_credentials;
        const ServedCertificate *served;
        size_t n_served;
        const Flag *flags; /* for explain; rendered by plan */
        size_t n_flags;
        const UnitSetting *settings; /* of its unit, or of our drop-in to it; the same */
        size_t n_settings;
        const UnitSetting *others; /* of a further unit that it has */
        size_t n_others;
        const UnitSetting *timer; /* of the timer that starts one of them */
        size_t n_timer;
        const UnitSetting *fence; /* those behind them that it shares with others, beside service_sandbox */
        size_t n_fence;
        const struct Service *service; /* of plan/service.h, where the whole unit is ours; or NULL */
        const ConfigText *config;      /* its configuration file, line by line; or NULL */
        const Reach *reaches;
        size_t n_reaches;
        const char *data;      /* the directory whose disk every write of the cluster waits for, or NULL */
        const char *data_mark; /* the file beside it that says whose data it is, or NULL */

        int (*plan)(const PlanContext *c, Plan *plan, Error **reterr);

        /* Asked of the living cluster, all optional (NULL); see plan/probe.h for what each must do. */
        int (*ready)(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
        int (*serving)(const ProbeContext *c, bool *ret, Error **reterr);
        int (*gate)(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
        int (*leads)(const ProbeContext *c, const Node *node, bool *ret, Error **reterr);
        int (*hand_over)(const ProbeContext *c, const Node *node, Error **reterr);
        int (*take_back)(const ProbeContext *c, const Node *node, Error **reterr);
        int (*set_aside)(const ProbeContext *c, const Node *node, Error **reterr);
        int (*bring_back)(const ProbeContext *c, Error **reterr);
        int (*verify)(const ProbeContext *c, CheckList *checks);

        /* Instances that make up one thing (etcd's members): join, before a unit is started in a cluster that
         * serves, after everything was put: 1 if this instance is new and about to join. settle, once it is
         * ready: asked again until it says ready. leavers: those that are not in the cluster file any more. prune,
         * when all nodes are as planned, and before something that works is stopped: takes them out, those that
         * work only if that is wanted, and says so; returns how many. */
        int (*join)(const ProbeContext *c, const Node *node, Error **reterr);
        int (*settle)(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr);
        int (*leavers)(const ProbeContext *c, Strv *ret_working, Strv *ret_lost, Error **reterr);
        int (*prune)(const ProbeContext *c, bool working, Strv *ret_notes, Error **reterr);

        /* What on this node speaks against installing (data of another cluster): asked through exec, by
         * `check` and before the first write of a run that is about to change the node. Adds findings whose
         * ids are NAME/NODE, each name one of preflights; CHECK_FAILED keeps install from going on. Fails
         * only if the node cannot be asked. */
        int (*preflight)(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr);
        const CheckName *preflights;
        size_t n_preflights;
        /* Once, before a cluster that serves is given other binaries (etcd: a snapshot beside the cluster
         * file). */
        int (*before_rollout)(const ProbeContext *c, Error **reterr);
        /* May all of these nodes go at once from a cluster that serves? PROBE_READY, and the text says what is
         * left then, if that is worth a word; or PROBE_FAILED, and it says what would be lost. */
        int (*spare)(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, ProbeResult *ret,
                     Error **reterr);
        bool peers; /* its instances know each other by what they are told, and one that the others do not know
                     * does its work beside them: those that run are told before one is started (its configuration is
                     * taken in by a reload), and after one has stopped for good */
        unsigned ready_sec; /* how long ready may say "waiting" without its text changing; 0: 60 */
} Component;

/* plan/planner.c */
int plan_node(const Component *const *components, const PlanContext *c, Plan **ret, Error **reterr);
const Component* component_find(const Component *const *components, const char *name); /* or NULL */
const Flag* component_flag(const Component *component, const char *name); /* or NULL: not of ours */
bool component_on_node(const Component *component, const Cluster *c, const Node *node);

/* plan/planner.c: the same with default facts. Which paths, units and users there are to be looked at does not depend on
 * what the node tells of itself. */
int plan_outline(const Component *const *components, const PlanContext *c, Plan **ret, Error **reterr);

/* plan/credentials.c: from the rows to what pki/ and the plan need */
typedef struct StoreRequests {
        StoreRequest *requests;
        size_t n_requests;
        struct StoreOrigin *origins; /* of each request: the row that it comes from */
} StoreRequests;

typedef struct StoreOrigin {
        const struct Component *component; /* the first that declares it */
        const Credential *credential;
        const Node *node; /* NULL: PER_CLUSTER */
} StoreOrigin;

void store_requests_for(const Component *const *components, const Cluster *c,
                        StoreRequests *ret);                                       /* CAs first */
const StoreRequest* store_requests_find(const StoreRequests *r, const char *name); /* or NULL */
void store_requests_done(StoreRequests *r);

/* The cluster's identity (secrets/identity), by which its nodes and its data are known. The caller frees. */
int plan_identity(Store *store, char **ret, Error **reterr);

/* Adds the files of a credential to a node's plan; unit: whose input they are. The key item may be left
 * out (certificate only). */
int plan_add_credential(const PlanContext *c, Plan *plan, const Component *component, const char *name,
                        bool with_key, const char *unit, Error **reterr);
/* Adds one file of the store ("ca.crt", "sa.pub") under its path on the node; mode 0600 and secret if it
 * is a key. */
int plan_add_store_file(const PlanContext *c, Plan *plan, const char *component, const char *noun,
                        const char *store_path, const char *path, const char *unit, const char *why,
                        Error **reterr);
/* Whether the key of a CA is not for the nodes (elsewhere, or under a passphrase); and whether there are certificates above it, so that a bundle
 * ("ca.bundle" of the store) is needed by whoever insists on a root. False without a store. */
bool plan_ca_key_stays(const PlanContext *c, const char *ca);
bool plan_ca_has_chain(const PlanContext *c, const char *ca);
/* Adds a binary item with digest from the lock, at plan_binary_path(). */
int plan_add_binary(const PlanContext *c, Plan *plan, const char *component, const char *artifact,
                    const char *unit, const char *why, Error **reterr);
const Version* plan_origin_version(const Cluster *c,
                                   ArtifactOrigin origin); /* of the cluster file; plan/binary-path.c */

/* /opt/hardway/kubernetes-v1.36.3/kube-apiserver: one directory per version, so that an upgrade is
 * visible in the unit */
char* plan_binary_path(const Cluster *c, ArtifactOrigin origin, const char *artifact);
int plan_binary_path_parse(const char *path, ArtifactOrigin *ret_origin,
                           Version *ret); /* -EINVAL: is none */

/* plan/requests.c: all binaries that the cluster's nodes need, each once */
void fetch_requests_for(const Component *const *components, const Cluster *c, FetchRequest **ret,
                        size_t *ret_n);
void fetch_requests_free(FetchRequest *requests, size_t n);
