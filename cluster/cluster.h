/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/version.h"
#include "common/error.h"
#include "common/inet.h"
#include "common/strv.h"

/*
 * The cluster, as its owner wrote it down
 *
 * cluster_load() reads hardway.yaml, the only input written by a person, and reports every problem of it at
 * once, each message beginning with file:line:column. What it returns is complete (defaults filled in),
 * consistent, and const for everybody: strings are never NULL unless said so here.
 *
 * What is legal but unwise stands in its warnings, of the same form. An even number of etcd members is an
 * error; on a cluster that already serves it must not stop anybody from mending it, so verbs that work on
 * living clusters load with CLUSTER_LOAD_SERVING, get it as a warning, and call
 * cluster_check_first_install() once they know that nothing serves.
 */

typedef enum NodeRole {
        ROLE_CONTROLLER = 1 << 0, /* kube-apiserver, kube-controller-manager, kube-scheduler */
        ROLE_ETCD = 1 << 1, /* an etcd member; implied by controller unless some node has only "etcd" */
        ROLE_LOADBALANCER = 1 << 2, /* haproxy and keepalived */
} NodeRole;

/* What the API and its data are made of; a node that only balances carries none of it. */
#define ROLE_CONTROL_PLANE (ROLE_CONTROLLER | ROLE_ETCD)
#define ROLE_ALL (ROLE_CONTROL_PLANE | ROLE_LOADBALANCER)

typedef enum Architecture {
        ARCH_ARM64,
        ARCH_AMD64,
        _ARCH_MAX,
        _ARCH_INVALID = -EINVAL,
} Architecture;

typedef enum NetworkProfile {
        NETWORK_WIRED,
        NETWORK_WIFI
} NetworkProfile;
typedef enum DiskProfile {
        DISK_SSD,
        DISK_SDCARD
} DiskProfile;

typedef enum KeyType {
        KEY_EC_P256,
        KEY_EC_P384,
        KEY_RSA_2048,
        KEY_RSA_3072,
        KEY_RSA_4096,
        _KEY_TYPE_MAX,
        _KEY_TYPE_INVALID = -EINVAL,
} KeyType;

typedef struct SshTarget {
        char *user;     /* NULL: as ~/.ssh/config says */
        unsigned port;  /* 0: as ~/.ssh/config says */
        char *host_key; /* "ssh-ed25519 AAAA...", or NULL */
} SshTarget;

typedef struct Node {
        char *name;
        InetAddress address;
        unsigned roles; /* mask of NodeRole, never 0 */
        Architecture architecture;
        SshTarget ssh;
        bool local;      /* this machine: no ssh */
        char *interface; /* the network interface that carries address, or NULL: the node's facts tell */
        size_t index;    /* position in Cluster.nodes */
} Node;

/* All that a profile sets, in milliseconds unless said so; the two tables stand in cluster/profile.c. */
typedef struct Timings {
        unsigned vrrp_advert_msec;
        unsigned haproxy_connect_msec;
        unsigned haproxy_check_msec;
        unsigned haproxy_inter_msec;     /* from one check to the next */
        unsigned haproxy_fastinter_msec; /* where one has failed */
        unsigned haproxy_fall;           /* failed checks */
        unsigned etcd_heartbeat_msec;
        unsigned etcd_election_msec;
        unsigned etcd_ready_sec; /* apiserver's --etcd-healthcheck-timeout and --etcd-readycheck-timeout */
        unsigned lease_duration_sec;
        unsigned lease_renew_sec;
        unsigned lease_retry_sec;
} Timings;

typedef struct ExtraFlag {
        char *name;  /* without leading dashes */
        char *value; /* NULL: a bare flag */
        int line, column;
} ExtraFlag;

typedef struct ExtraFlags {
        char *component; /* kube-apiserver, kube-controller-manager, kube-scheduler, etcd */
        ExtraFlag *flags;
        size_t n_flags;
} ExtraFlags;

/* What it is that clients find at the endpoint: follows from who has the role loadbalancer. */
typedef enum EndpointKind {
        ENDPOINT_VIP,        /* a virtual IP, which those with the role loadbalancer hold between them */
        ENDPOINT_CONTROLLER, /* the only controller, at its own address: there is no load balancer */
        ENDPOINT_FOREIGN,    /* a load balancer that is not hardway's */
} EndpointKind;

typedef struct Endpoint {
        EndpointKind kind;
        InetAddress address; /* of a foreign one that has only names: of no family */
        unsigned port;
        Strv names;             /* DNS names, may be empty */
        unsigned vrrp_id;       /* of a VIP, these three: 1 to 255 */
        char *interface;        /* or NULL */
        unsigned prefix_length; /* of the VIP on the interface; 32 or 128 by default */
        bool external; /* said to be no load balancer of ours, rather than only following from roles */
} Endpoint;

typedef struct CertificatePolicy {
        KeyType key_type;
        unsigned ca_days;
        unsigned days;
        Strv extra_sans; /* DNS names or IP addresses for the apiserver's certificate */
} CertificatePolicy;

/* Snapshots of etcd that the nodes take of their members by themselves. */
typedef struct SnapshotPolicy {
        unsigned every_hours; /* 0: never */
        unsigned keep;
        char *directory; /* on the nodes */
} SnapshotPolicy;

/* Without a new one for so long something is wrong: one may fail, and the next may be late. */
static inline uint64_t snapshots_late_sec(const SnapshotPolicy *p) {
        return 2 * (uint64_t) p->every_hours * 3600 + 3600;
}

typedef struct Cluster {
        char *path; /* of the cluster file, as given */
        char *name;
        Version kubernetes;
        Version etcd;
        Endpoint endpoint;
        unsigned apiserver_port; /* on the controllers; 6443 */
        InetNetwork pods[2], services[2];
        size_t n_pods, n_services; /* 1 or 2; the first is the primary one */
        char *domain;              /* cluster.local */
        NetworkProfile network_profile;
        DiskProfile disk_profile;
        Timings timings;
        CertificatePolicy certificates;
        SnapshotPolicy snapshots;
        char *watch_textfile; /* where node_exporter looks for metrics on the nodes, or NULL */
        Strv mirrors;         /* https:// or file:// URLs, instead of the official addresses; may be empty */
        Node *nodes;
        size_t n_nodes;
        ExtraFlags *extra_flags;
        size_t n_extra_flags;
        ErrorList warnings; /* messages that begin with file:line:column */
        char *etcd_even;    /* such a message if the number of members is even, or NULL */
} Cluster;

typedef enum ClusterLoadFlags {
        CLUSTER_LOAD_SERVING = 1 << 0, /* an even number of etcd members is a warning */
} ClusterLoadFlags;

#define CLUSTER_FILE_SIZE_MAX (256u * 1024u)

/* negative: errors has all of them; flags: a mask of ClusterLoadFlags, without which it is as before the first installation */
int cluster_load(const char *path, unsigned flags, Cluster **ret, ErrorList *errors);
int cluster_check_first_install(const Cluster *c,
                                Error **reterr); /* refuses an even number of etcd members */
Cluster* cluster_free(Cluster *cluster);
DEFINE_CLEANUP(Cluster*, cluster_free)

const Node* cluster_find_node(const Cluster *c, const char *name);              /* NULL if there is none */
bool node_is_among(const Node *node, const Node *const *nodes, size_t n_nodes); /* all of one cluster */
size_t cluster_count(const Cluster *c, unsigned role);
/* Do haproxy and an apiserver share this node and want the same port? Then each gets an address of its own. */
bool cluster_shares_port(const Cluster *c, const Node *node);
const ExtraFlags* cluster_extra_flags(const Cluster *c, const char *component); /* NULL if there are none */
Strv cluster_flag_directories(const Cluster *c, const char *component); /* that the service may write to */
Strv cluster_flag_files(const Cluster *c, const char *component);       /* that it reads */
char* cluster_endpoint_url(const Cluster *c); /* https://VIP:port, or whatever the endpoint is */
char* cluster_apiserver_url(const Cluster *c, const Node *node);
void cluster_service_address(const Cluster *c, size_t family_index,
                             InetAddress *ret); /* first address of services */

#define CLUSTER_FOREACH_NODE(n, c, role)                                     \
        for (const Node *n = (c)->nodes; n < (c)->nodes + (c)->n_nodes; n++) \
                if (n->roles & (role))

const char* architecture_to_string(Architecture a);   /* "arm64" */
Architecture architecture_from_string(const char *s); /* also aarch64, x86_64; _ARCH_INVALID */
const char* key_type_to_string(KeyType t);            /* "ec:p256", "rsa:2048" */
KeyType key_type_from_string(const char *s);
const char* node_role_to_string(NodeRole role);
