/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"
#include "common/buffer.h"

/*
 * What `hardway init` writes: a cluster file with a comment beside each key, rendered from flags. The text
 * that comes out is always accepted by cluster_load(); init loads it once before it is put on disk, so that
 * a bad flag is refused with the same words as a bad file.
 */
typedef struct ClusterDraftNode {
        char *name;
        char *address;
        unsigned roles;
        bool local;
        char *host_key; /* or NULL */
} ClusterDraftNode;

typedef struct ClusterDraft {
        const char *name; /* all of these: NULL means the default */
        const char *kubernetes;
        const char *architecture;
        const char *vip;
        const char *endpoint; /* instead: address or name of a load balancer that is not ours */
        const char *port;
        Strv vip_names;
        const char *pods, *services, *domain;
        const char *ssh_user;
        const char *network_profile, *disk_profile;
        const char *key_type;
        Strv mirrors;
        ClusterDraftNode *nodes;
        size_t n_nodes;
} ClusterDraft;

void cluster_write_draft(const ClusterDraft *draft, Buffer *out);
/* path: for messages; NULL: they begin with the key instead of file:line:column */
int cluster_load_text(const char *path, const void *data, size_t size, Cluster **ret, ErrorList *errors);
