/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "fetch/elf.h"
#include "fetch/item.h"
#include "fetch/unpack.h"

/* Pins what was verified. archive is the digest of the archive it came out of, or NULL. */
static void item_pin(const Item *item, const FetchRequest *q, const CacheFile *file, const char *archive) {
        char sha256[SHA256_HEX_SIZE];
        const LockEntry entry = {
                .name = (char*) q->name,
                .version = (char*) q->version,
                .architecture = (char*) q->architecture,
                .url = item->url,
                .archive = (char*) archive,
                .sha256 = sha256,
                .size = cache_file_size(file),
        };
        const LockEntry *old = lock_find(item->run->lock, q->name, q->version, q->architecture);

        cache_file_digest(file, sha256);
        /* The same bytes from another mirror are no news; the lock file is under version control. */
        if (!old || !streq(old->sha256, sha256) || !streq_null(old->archive, archive))
                lock_put(item->run->lock, &entry);
}

static int item_finish_binary(Item *item, Error **reterr) {
        const FetchRequest *q = item->requests[0];
        int r;

        r = elf_check(cache_file_fd(item->file), q->architecture, item->url, reterr);
        if (r < 0)
                return r;
        r = cache_file_commit(item->file, reterr);
        if (r < 0)
                return r;
        item_pin(item, q, item->file, NULL);
        return 0;
}

typedef struct Members {
        UnpackMember *members;
        CacheFile **files;
        size_t n;
} Members;

static void members_done(Members *m) {
        for (size_t i = 0; i < m->n; i++) {
                free((char*) m->members[i].name);
                cache_file_free(m->files[i]);
        }
        free(m->members);
        free(m->files);
}

static int members_open(Item *item, Members *m, Error **reterr) {
        int r;

        m->members = xnew(UnpackMember, item->n_requests);
        m->files = xnew(CacheFile*, item->n_requests);
        m->n = item->n_requests;
        for (size_t i = 0; i < m->n; i++) {
                _cleanup_free_ char *key = xasprintf("%s.%s", item->layout.folder, item->requests[i]->name);

                m->members[i].name = xasprintf("%s/%s", item->layout.folder, item->requests[i]->name);
                r = cache_file_open(item->run->cache, key, m->files + i, reterr);
                if (r < 0)
                        return r;
                m->members[i].userdata = m->files[i];
        }
        return 0;
}

static int member_write(void *userdata, const void *data, size_t size, Error **reterr) {
        return cache_file_write(userdata, data, size, reterr);
}

/* The archive's digest holds, so this only fails if somebody wrote the lock by hand, or wrongly. */
static int member_check(const Item *item, const FetchRequest *q, const CacheFile *file, Error **reterr) {
        const LockEntry *e = lock_find(item->run->lock, q->name, q->version, q->architecture);
        char sha256[SHA256_HEX_SIZE];
        int r;

        cache_file_digest(file, sha256);
        if (e && !streq(e->sha256, sha256)) {
                r = error_set(reterr, ERROR_VERIFY, EBADMSG,
                              "wrong digest: %s is not the one of hardway.lock, although its archive is",
                              q->name);
                error_detail(reterr, "hardway.lock: %s", e->sha256);
                error_detail(reterr, "the file:     %s (%s)", sha256, item->url);
                return r;
        }
        return elf_check(cache_file_fd(file), q->architecture, q->name, reterr);
}

static int item_finish_archive(Item *item, const char *digest, Error **reterr) {
        _cleanup_(members_done) Members m = {};
        int r;

        r = members_open(item, &m, reterr);
        if (r < 0)
                return r;
        if (lseek(cache_file_fd(item->file), 0, SEEK_SET) < 0)
                return error_set_errno(reterr, errno, "%s", item->layout.basename);
        r = unpack(cache_file_fd(item->file), m.members, m.n, UNPACK_SIZE_MAX, member_write, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", item->url);

        /* All of them are right, or none gets its name. */
        for (size_t i = 0; i < m.n; i++) {
                r = member_check(item, item->requests[i], m.files[i], reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < m.n; i++) {
                r = cache_file_commit(m.files[i], reterr);
                if (r < 0)
                        return r;
                item_pin(item, item->requests[i], m.files[i], digest);
        }
        return 0;
}

/**
 * item_finish() - verify a complete file, and let it appear
 * @item:       the item
 * @reterr:     says what is not as it should be
 *
 * Return: 0 or a negative errno, and then nothing has appeared.
 */
int item_finish(Item *item, Error **reterr) {
        char digest[SHA256_HEX_SIZE];
        int r;

        cache_file_digest(item->file, digest);
        r = verdict_check(&(Verdict) { .locked = item->locked,
                                      .published = item->published,
                                      .file = digest,
                                      .url = item->url,
                                      .checksums_url = item->checksums_url },
                          reterr);
        if (r < 0)
                return r;
        return item->layout.folder ? item_finish_archive(item, digest, reterr) :
                                     item_finish_binary(item, reterr);
}
