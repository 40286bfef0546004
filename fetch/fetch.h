/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"
#include "common/strv.h"
#include "fetch/lock.h"

/*
 * Downloading: from a mirror or the official addresses into the cache, verified before a name appears there
 *
 * The caller asks for artifacts by value; fetch/ knows the layouts of the two sites (facts: dl.k8s.io/release/vX/bin/linux/ARCH/NAME with .sha256
 * beside it; etcd's release tarball with SHA256SUMS) and nothing of clusters. Digest in the lock beats digest published: when
 * they disagree nothing is kept and the Error says which of lock, published and file disagree.
 */
typedef enum ArtifactOrigin {
        ORIGIN_KUBERNETES, /* one file per binary */
        ORIGIN_ETCD,       /* a tarball with several binaries */
} ArtifactOrigin;

typedef struct FetchRequest {
        const char *name;         /* "kube-apiserver"; for ORIGIN_ETCD the member: "etcd", "etcdctl", "etcdutl" */
        ArtifactOrigin origin;
        const char *version;      /* "v1.36.3" */
        const char *architecture; /* "arm64" */
} FetchRequest;

typedef struct FetchProgress {
        const char *name, *architecture; /* NULL: the total */
        uint64_t done, total;            /* bytes; total 0 while unknown */
        bool finished;
        bool cached;                     /* was there already */
} FetchProgress;

typedef struct FetchOptions {
        char *const *mirrors;  /* base URLs, https:// or file://; empty: the official addresses */
        const char *cache;     /* directory; NULL: fetch_cache_default() */
        const char *ca_bundle; /* or NULL: the system's */
        unsigned parallel;     /* downloads at once; 0: the default (4) */
        bool offline;          /* take what is in the cache, never connect */
        void (*progress)(void *userdata, const FetchProgress *progress);
        void *userdata;
        const volatile int *cancelled; /* looked at often; non-zero ends the run with -ECANCELED; may be NULL */
} FetchOptions;

int fetch_run(const FetchRequest *requests, size_t n_requests, const FetchOptions *options, Lock *lock, Error **reterr);
char* fetch_cache_default(void); /* $XDG_CACHE_HOME/hardway or ~/.cache/hardway */
char* fetch_cache_path(const char *cache, const LockEntry *entry); /* where the verified binary lies (or will lie) */
