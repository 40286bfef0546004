/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/digest.h"
#include "common/error.h"

/*
 * The cache: CACHE/sha256/AB/ABCDEF..., each file under its own digest, 0755, never changed once it has its
 * name
 *
 * A file is written as CACHE/partial/KEY, hashed on the way, and gets its name only by cache_file_commit(),
 * which syncs it first: a name in the cache is a promise. KEY says what is being downloaded and the file is
 * locked (flock), so
 *      - what a killed run left behind is taken over by the next run for the same thing,
 *      - two runs at once do not write to one file: the second gets a name of its own.
 *
 * Today what is taken over starts from the beginning. Continuing where it ended belongs here: cache_file_open()
 * would hash what is there and report its size.
 */
typedef struct CacheFile CacheFile;

int cache_file_open(const char *cache, const char *key, CacheFile **ret, Error **reterr);
int cache_file_rewind(CacheFile *f, Error **reterr);                 /* forget what was written */
int cache_file_reserve(CacheFile *f, uint64_t size, Error **reterr); /* is there room on the disk? */
int cache_file_write(CacheFile *f, const void *data, size_t size, Error **reterr);
int cache_file_fd(const CacheFile *f); /* lent; its offset is at the end of what was written */
uint64_t cache_file_size(const CacheFile *f);
void cache_file_digest(const CacheFile *f,
                       char ret[static SHA256_HEX_SIZE]); /* of what was written so far */
int cache_file_commit(CacheFile *f, Error **reterr);
CacheFile* cache_file_free(CacheFile *f); /* without a commit, it leaves nothing behind */
DEFINE_CLEANUP(CacheFile*, cache_file_free)

char* cache_path(const char *cache, const char *sha256);
bool cache_has(const char *cache, const char *sha256, uint64_t size, uint64_t *ret_size); /* size 0: any */
