/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"
#include "cluster/loader.h"

/*
 * A cluster file that is being read: the Cluster as it grows, and where each of its values stands
 *
 * A Mark of line 0 means that the file does not give this value, and a default takes its place; MARK_REFUSED
 * (below 0) that it gave one that was refused: checks that compare it with others leave it out, or one
 * mistake would be told twice.
 */

#define NODES_MAX 64
#define EXTRA_FLAGS_MAX 200

typedef struct NetworkList {
        InetNetwork networks[2];
        size_t n;
} NetworkList;

typedef struct NodeInput {
        Node node; /* node.name is NULL if it was refused */
        Mark self, name, address, roles, architecture, ssh, user, port, host_key, local, interface;
} NodeInput;

typedef struct Input {
        Cluster cluster; /* nodes and networks are filled in at the end */
        Problems problems;
        unsigned flags; /* of ClusterLoadFlags */

        Mark self, name, kubernetes, etcd, architecture;
        Mark endpoint, endpoint_address, endpoint_port, endpoint_names, endpoint_vrrp_id, endpoint_interface,
                endpoint_prefix, endpoint_external;
        Mark apiserver, apiserver_port;
        Mark network, pods, services, domain;
        Mark ssh, ssh_user, ssh_port;
        Mark profile, network_profile, disk_profile;
        Mark certificates, key_type, ca_days, days, extra_sans;
        Mark watch, watch_textfile;
        Mark snapshots, every, keep, directory;
        Mark mirrors, nodes, extra_flags;

        Architecture default_architecture;
        SshTarget default_ssh;
        NetworkList pods_list, services_list;
        NodeInput *node_inputs;
        size_t n_node_inputs;
} Input;

extern const Key cluster_keys[]; /* schema.c */

void load_extra_flags(Loader *l, const Key *key, yaml_node_t *node, void *target); /* extra-flags.c */

/* check*.c: what can only be said of several values together; defaults are filled in before. */
void check_nodes(Input *in);
void check_host_address(Input *in, Mark mark, const char *what, const InetAddress *a);
int nodes_family(const Input *in);
void check_endpoint(Input *in);
void check_networks(Input *in);
void check_policy(Input *in);
void check_extra_flags(Input *in);
void check_flag_paths(Input *in, const ExtraFlags *e, const ExtraFlag *f); /* flag-paths.c */
void check_flag_directories(Input *in);
void check_flag_files(Input *in, const ExtraFlags *e, const ExtraFlag *f); /* flag-files.c */
void check_weak_flags(Input *in, const ExtraFlags *e);                     /* weak-flags.c */
