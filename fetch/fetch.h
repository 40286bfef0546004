/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"
#include "common/strv.h"
#include "fetch/lock.h"

/*
 * Downloading: from a mirror or the official addresses into the cache, verified before a name appears there
 *
 * The caller asks for artifacts by value; fetch/ knows the layouts of the two sites (facts:
 * dl.k8s.io/release/vX/bin/linux/ARCH/NAME with .sha256 beside it; etcd's release tarball with SHA256SUMS)
 * and nothing of clusters. Digest in the lock beats digest published: when they disagree nothing is kept and
 * the Error says which of lock, published and file disagree.
 */
typedef enum ArtifactOrigin {
        ORIGIN_KUBERNETES, /* one file per binary */
        ORIGIN_ETCD,       /* a tarball with several binaries */
} ArtifactOrigin;

typedef struct FetchRequest {
        const char *name; /* "kube-apiserver"; for ORIGIN_ETCD the member: "etcd", "etcdctl", "etcdutl" */
        ArtifactOrigin origin;
        const char *version;      /* "v1.36.3" */
        const char *architecture; /* "arm64" */
} FetchRequest;

/*
 * One line of a display is one download: a binary, or the archive with all that is wanted of it ("etcd").
 * What is in the cache already is told once, finished and cached. During a download about ten times a
 * second; the last one of each is finished, unless it fails.
 */
typedef struct FetchProgress {
        const char *name, *architecture; /* NULL: the total */
        uint64_t done, total;            /* bytes; total 0 while unknown */
        bool finished;
        bool cached; /* was there already */
} FetchProgress;

typedef struct FetchOptions {
        char *const *mirrors;  /* base URLs, https:// or file://, in this order; empty: official */
        const char *cache;     /* directory; NULL: fetch_cache_default() */
        const char *ca_bundle; /* or NULL: the system's */
        unsigned parallel;     /* downloads at once; 0: the default (4) */
        bool offline;          /* take what is in the cache, never connect */
        bool deep;             /* hash what is in the cache as well; fetch what is damaged again */
        void (*progress)(void *userdata, const FetchProgress *progress); /* may be NULL */
        /* One line: what is tried again or elsewhere, and why. May be NULL. */
        void (*note)(void *userdata, const char *text);
        void *userdata;
        const volatile int *cancelled; /* looked at often; non-zero ends with -ECANCELED; may be NULL */

        unsigned retries;              /* of each transfer; 0: 3 */
        uint64_t backoff_usec;         /* before the first; 0: 0.5 s */
        uint64_t connect_timeout_usec; /* 0: 15 s */
        uint64_t stall_usec;           /* slower than 1 KiB/s for so long; 0: 30 s */
} FetchOptions;

/*
 * Everything that is asked for is tried, also after one has failed; the Error is a wrong file if there is
 * one, else the first failure, with the others in its detail. What was verified is in the cache and pinned
 * in the lock even then: the caller saves the lock (lock_save()) in either case.
 */
int fetch_run(const FetchRequest *requests, size_t n_requests, const FetchOptions *options, Lock *lock,
              Error **reterr);
char* fetch_cache_default(void); /* $XDG_CACHE_HOME/hardway or ~/.cache/hardway */
char* fetch_cache_path(const char *cache,
                       const LockEntry *entry); /* where the verified binary lies (or will lie) */
/*
 * Reads a binary in the cache again, for who does not want to believe the disk: -ENOENT, or -EBADMSG if it
 * is damaged.
 */
int fetch_verify_cached(const char *cache, const LockEntry *entry, Error **reterr);
