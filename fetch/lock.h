/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/buffer.h"
#include "common/error.h"

/*
 * hardway.lock: what was fetched once is what is fetched ever after
 *
 * One entry per binary, version and architecture, with its URL, size and digests; JSON, sorted, made to be
 * committed. An entry of a tarball's member has the tarball in "archive". Read strictly, written atomically.
 *
 * "proof" is what vouched for the bytes when they were pinned:
 *      signature       the signature of Kubernetes' releases, see fetch/signature.h
 *      known           this program knows the digest of the official release, see fetch/known.c
 *      official        the checksum file of the official site, and no more
 *      mirror          the checksum file of a mirror, and no more: etcd's, and what older versions took
 *      accepted        the word of a mirror or a bundle, which may have a build of its own, by --accept-mirror
 *      bundle          the lock of an offline bundle, and no more: etcd's, and what older versions took
 *      hand            --sha256
 */
typedef struct LockEntry {
        char *name;         /* "kube-apiserver", "etcd" */
        char *version;      /* "v1.36.3" */
        char *architecture; /* "arm64" */
        char *url;          /* where the bytes came from */
        char *archive;      /* digest of the archive it came out of, or NULL */
        char *sha256;       /* of the binary itself */
        char *sha512;       /* the same, if it was published; or NULL */
        char *proof;        /* see above; or NULL, in older files */
        uint64_t size;      /* of the binary itself */
} LockEntry;

typedef struct Lock Lock;

Lock* lock_new(const char *path);                            /* empty */
int lock_load(const char *path, Lock **ret, Error **reterr); /* an absent file is an empty lock */
int lock_parse(const char *path, const void *data, size_t size, Lock **ret, Error **reterr);
const LockEntry* lock_find(const Lock *l, const char *name, const char *version, const char *architecture);
void lock_put(
        Lock *l,
        const LockEntry *entry); /* copies; replaces the entry of the same name, version, architecture */
size_t lock_count(const Lock *l);
const LockEntry* lock_nth(const Lock *l, size_t index); /* sorted by name, version, architecture */
bool lock_changed(const Lock *l);
void lock_write(const Lock *l, Buffer *ret); /* as text */
int lock_save(Lock *l, Error **reterr);      /* 1: written, 0: nothing had changed */
Lock* lock_copy(const Lock *l);
/* What has changed in entries that were there: lines with "-" and "+" in front. Returns how many have. */
size_t lock_diff(const Lock *before, const Lock *after, Buffer *ret);
Lock* lock_free(Lock *l);
DEFINE_CLEANUP(Lock*, lock_free)
