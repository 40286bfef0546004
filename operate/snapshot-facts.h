/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"
#include "common/error.h"
#include "fetch/lock.h"

/*
 * What etcdutl says of a snapshot, asked here: the cache has it, if some node has this machine's architecture
 */
typedef struct SnapshotFacts {
        bool known; /* false: there is no etcdutl that runs here */
        uint64_t revision, keys, size;
        char hash[16];    /* as etcdutl prints it */
        char version[16]; /* of the storage: "3.6.0"; or empty */
} SnapshotFacts;

int snapshot_facts(const Cluster *c, const Lock *lock, const char *path, SnapshotFacts *ret, Error **reterr);
/* The answer of `etcdutl snapshot status --write-out=json`. */
int snapshot_facts_parse(const char *what, const void *data, size_t size, SnapshotFacts *ret,
                         Error **reterr);
/* Can the cluster's etcd read it? -EPROTO: it is of a later one. */
int snapshot_facts_fit(const char *what, const SnapshotFacts *facts, const Version *etcd, Error **reterr);
