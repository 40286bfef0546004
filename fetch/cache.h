/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/digest.h"
#include "common/error.h"
#include "fetch/origin.h"
#include "fetch/stamp.h"

/*
 * The cache: CACHE/sha256/AB/ABCDEF..., each file under its own digest, 0755, never changed once it has its
 * name
 *
 * A file is written as CACHE/partial/KEY, hashed on the way, and gets its name only by cache_file_commit(),
 * which syncs it first: a name in the cache is a promise. KEY says what is being downloaded and the file is
 * locked (flock), so
 *      - what a killed run left behind is taken over by the next run for the same thing,
 *      - two runs at once do not write to one file: the second gets a name of its own, and leaves nothing behind.
 *
 * A file whose bytes come from somewhere (cache_file_begin()) can be gone on with: KEY.from beside it says where
 * they are from. The owner looks at cache_file_origin() and cache_file_size(), and either takes what is there
 * into the digests (cache_file_resume()) or begins anew. What lies there without an origin is thrown away.
 */
typedef struct CacheFile CacheFile;

int cache_file_open(const char *cache, const char *key, CacheFile **ret, Error **reterr);
const Origin* cache_file_origin(const CacheFile *f);        /* lent; NULL: there is nothing */
void cache_file_look_for(CacheFile *f, const Stamp *stamp); /* before the first byte; copied */
void cache_file_hash512(CacheFile *f);                      /* before the first byte: SHA-512, too */
int cache_file_begin(CacheFile *f, const Origin *origin, Error **reterr); /* from the first byte on */
int cache_file_resume(CacheFile *f, Error **reterr); /* takes in what is there; then write on */
int cache_file_rewind(CacheFile *f, Error **reterr); /* forget what was written, and its origin */
int cache_file_reserve(CacheFile *f, uint64_t size, Error **reterr); /* is there room on the disk? */
int cache_file_write(CacheFile *f, const void *data, size_t size, Error **reterr);
int cache_file_fd(const CacheFile *f); /* lent; its offset is at the end of what was written */
uint64_t cache_file_size(const CacheFile *f);
void cache_file_digest(const CacheFile *f,
                       char ret[static SHA256_HEX_SIZE]); /* of what was written so far */
char* cache_file_digest512(const CacheFile *f);           /* NULL unless it was asked for */
bool cache_file_stamped(CacheFile *f);                    /* was the stamp in it? */
int cache_file_commit(CacheFile *f, Error **reterr);
CacheFile* cache_file_free(CacheFile *f); /* without a commit, only what has an origin stays */
DEFINE_CLEANUP(CacheFile*, cache_file_free)

char* cache_path(const char *cache, const char *sha256);
bool cache_has(const char *cache, const char *sha256, uint64_t size, uint64_t *ret_size); /* size 0: any */
int cache_check_room(const char *cache, uint64_t size, Error **reterr);
