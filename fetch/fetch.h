/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"
#include "common/strv.h"
#include "fetch/lock.h"

/*
 * Downloading: from a mirror or the official addresses into the cache, verified before a name appears there
 *
 * The caller asks for artifacts by value; fetch/ knows the layouts of the two sites (facts:
 * dl.k8s.io/release/vX/bin/linux/ARCH/NAME with .sha256, .sha512, .sig and .cert beside it; etcd's release tarball
 * with SHA256SUMS) and nothing of clusters.
 *
 * What a file has to agree with: the lock, or the digest that the caller pins by hand; what its publisher says of
 * it; what this program knows of the official release (a mirror may have another build, but only if the caller
 * accepts that); the signature, without which nothing is taken of a mirror that could have one (fetch/vouch.h); the processor and the version that stand in the program
 * itself. When any of them disagree nothing is kept, and the Error says which. An entry of the lock is only ever
 * changed with update_lock.
 *
 * What has arrived of a download that did not come to its end is kept in the cache, and gone on with.
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
        uint64_t resumed;                /* of done: what an earlier run had left */
        bool finished;
        bool cached; /* was there already */
} FetchProgress;

/* What a person says the digest is, see fetch/pins.h. */
typedef struct FetchPin {
        const char *name;         /* of a binary, or the file name of an archive */
        const char *architecture; /* NULL: any */
        const char *sha256;
} FetchPin;

typedef struct FetchOptions {
        char *const *mirrors;  /* base URLs, https:// or file://, in this order; empty: official */
        const char *cache;     /* directory; NULL: fetch_cache_default() */
        const char *ca_bundle; /* or NULL: the system's */
        unsigned parallel;     /* downloads at once; 0: the default (4) */
        bool offline;          /* take what is in the cache, never connect */
        bool deep;             /* hash what is in the cache as well; fetch what is damaged again */
        bool update_lock;      /* believe the publisher, not the lock, and change the lock */
        bool accept_mirror;    /* a mirror's or a bundle's word is enough, also for builds of its own */
        bool papers; /* for a bundle: signatures that are not kept are wanted, too; if they can be had */
        const FetchPin *pins;
        size_t n_pins;
        void (*progress)(void *userdata, const FetchProgress *progress); /* may be NULL */
        /* One line: what is tried again or elsewhere, and why. May be NULL. */
        void (*note)(void *userdata, const char *text);
        void *userdata;
        const volatile int *cancelled; /* looked at often; non-zero ends with -ECANCELED; may be NULL */

        unsigned retries;                   /* of each transfer; 0: 3 */
        uint64_t backoff_usec;              /* before the first; 0: 0.5 s */
        uint64_t connect_timeout_usec;      /* 0: 15 s */
        uint64_t stall_usec;                /* slower than 1 KiB/s for so long; 0: 30 s */
        uint64_t deadline_usec;             /* for all of it; 0: none */
        const struct SignatureTrust *trust; /* NULL: signature_trust_kubernetes */
} FetchOptions;

/*
 * Everything that is asked for is tried, also after one has failed; the Error is a wrong file if there is
 * one, else the first failure, with the others in its detail. What was verified is in the cache and pinned
 * in the lock even then: the caller saves the lock (lock_save()) in either case.
 */
int fetch_run(const FetchRequest *requests, size_t n_requests, const FetchOptions *options, Lock *lock,
              Error **reterr);

/*
 * All that a set of requests comes to as one archive (a tar file with the lock in front), and back. The same pins
 * give the same bytes, whenever and wherever.
 */
int fetch_bundle(const char *path, const FetchRequest *requests, size_t n_requests,
                 const FetchOptions *options, const Lock *lock, size_t *ret_n_accept, Error **reterr);
int fetch_from(const char *path, const FetchRequest *requests, size_t n_requests,
               const FetchOptions *options, Lock *lock, Error **reterr);

/*
 * While something is fetched, and until the lock is saved, nothing of it may be pruned: who fetches shares the
 * cache, who prunes has it alone. lock_path is remembered: what that file names is in use.
 */
int fetch_cache_share(const char *cache, const char *lock_path,
                      Error **reterr); /* >= 0: the caller closes, afterwards */

typedef struct FetchPruned {
        size_t n_files;
        uint64_t bytes;
} FetchPruned;

/* Removes what no lock names that ever shared the cache, and downloads that nobody goes on with. */
int fetch_prune(const char *cache, bool wait, bool dry_run, FetchPruned *ret, Error **reterr);

char* fetch_cache_default(void); /* $XDG_CACHE_HOME/hardway or ~/.cache/hardway */
char* fetch_cache_path(const char *cache,
                       const LockEntry *entry); /* where the verified binary lies (or will lie) */
/*
 * Reads a binary in the cache again, for who does not want to believe the disk: -ENOENT, or -EBADMSG if it
 * is damaged.
 */
int fetch_verify_cached(const char *cache, const LockEntry *entry, Error **reterr);
/* The same, and the descriptor that was read, for who runs it; the caller closes. */
int fetch_open_cached(const char *cache, const LockEntry *entry, Error **reterr);
/* By the bytes of the program: which of these names cannot be flags of it. */
int fetch_knows_flags(const char *cache, const LockEntry *entry, char *const *names, Strv *ret);
