/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "fetch/elf.h"
#include "fetch/item.h"
#include "fetch/kept.h"
#include "fetch/pins.h"
#include "fetch/signature.h"
#include "fetch/unpack.h"

#define READ_SIZE (256U * 1024)

/**
 * program_stamp() - what version a program has to carry
 * @q:          which program
 * @ret:        the search
 */
void program_stamp(const FetchRequest *q, Stamp *ret) {
        stamp_init(ret, q->origin == ORIGIN_ETCD ? STAMP_CONSTANT : STAMP_LINKED, q->version);
}

/**
 * program_not_stamped() - that a program is of another version
 * @q:          which program it should be
 * @what:       its name for the message
 * @reterr:     set
 *
 * Return: -ENOEXEC.
 */
int program_not_stamped(const FetchRequest *q, const char *what, Error **reterr) {
        return error_set(
                reterr, ERROR_VERIFY, ENOEXEC,
                "%s is a program of another version: it does not carry %s, as what is built of that does",
                what, q->version);
}

/**
 * program_check() - whether a file is the program that was asked for
 * @fd:         the file, read from its beginning to its end
 * @q:          which program it should be
 * @sha256:     the digest it should have
 * @what:       its name for the message
 * @reterr:     says what it is instead
 *
 * Return: 0, -EBADMSG or -ENOEXEC, or another negative errno.
 */
int program_check(int fd, const FetchRequest *q, const char *sha256, const char *what, Error **reterr) {
        _cleanup_free_ char *buffer = xmalloc(READ_SIZE), *hex = NULL;
        _cleanup_(digest_freep) Digest *digest = digest_new("SHA256");
        Stamp stamp;
        ssize_t n;

        program_stamp(q, &stamp);
        for (off_t at = 0; (n = pread(fd, buffer, READ_SIZE, at)) != 0; at += n) {
                if (n < 0)
                        return error_set_errno(reterr, errno, "%s", what);
                digest_add(digest, buffer, (size_t) n);
                stamp_add(&stamp, buffer, (size_t) n);
        }
        hex = digest_hex(digest);
        if (!streq(hex, sha256))
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: damaged, its digest is %s", what, hex);
        if (!stamp_found(&stamp))
                return program_not_stamped(q, what, reterr);
        return elf_check(fd, q->architecture, what, reterr);
}

/**
 * item_proof() - what vouches for a binary
 * @item:       the item it came with, verified
 * @q:          which binary
 * @sha256:     its digest; of a member of an archive, that of the archive
 *
 * Return: a word of the lock's, see fetch/lock.h.
 */
const char* item_proof(const Item *item, const FetchRequest *q, const char *sha256) {
        if (item->by_hand || pins_find(item->run->options, q))
                return "hand";
        if (item->is_signed)
                return "signature";
        if (item->known && streq(sha256, item->known))
                return "known";
        if (item_official(item))
                return "official";
        return item->run->options->accept_mirror ? "accepted" : "mirror";
}

/* Pins what was verified. archive is the digest of the archive it came out of, or NULL. */
static void item_pin(const Item *item, const FetchRequest *q, const CacheFile *file, const char *archive) {
        _cleanup_free_ char *sha512 = archive ? NULL : cache_file_digest512(file);
        char sha256[SHA256_HEX_SIZE];
        LockEntry entry = {
                .name = (char*) q->name,
                .version = (char*) q->version,
                .architecture = (char*) q->architecture,
                .url = item->url,
                .archive = (char*) archive,
                .sha256 = sha256,
                .sha512 = sha512,
                .size = cache_file_size(file),
        };
        const LockEntry *old = lock_find(item->run->lock, q->name, q->version, q->architecture);

        cache_file_digest(file, sha256);
        entry.proof = (char*) item_proof(item, q, archive ?: sha256);
        /* The same bytes from another mirror are no news; the lock file is under version control. */
        if (!old || !streq(old->sha256, sha256) || !streq_null(old->archive, archive))
                lock_put(item->run->lock, &entry);
}

static int item_check_512(const Item *item, Error **reterr) {
        _cleanup_free_ char *digest = cache_file_digest512(item->file);
        const char *wanted = item->locked512 ?: *item->published512 ? item->published512 : NULL;
        int r;

        if (!digest || !wanted || streq(digest, wanted))
                return 0;
        r = error_set(reterr, ERROR_VERIFY, EBADMSG,
                      "wrong digest: the file's SHA-512 is not the one %s, although its SHA-256 is",
                      item->locked512 ? "in hardway.lock" : "that is published");
        error_detail(reterr, "%-13s %s", item->locked512 ? "hardway.lock:" : "published:", wanted);
        error_detail(reterr, "the file:     %s (%s)", digest, item->url);
        return r;
}

/**
 * item_has_papers() - whether there is a signature
 * @item:       the item, whose papers have come
 *
 * Return: true if it is there and its certificate, right or wrong.
 */
bool item_has_papers(const Item *item) {
        return item->papers[PAPER_SIGNATURE].data.size > 0 && item->papers[PAPER_CERTIFICATE].data.size > 0;
}

/**
 * item_check_signature() - verify the signature, if there is one
 * @item:       the item
 * @sha256:     of the file
 * @reterr:     says what does not hold
 *
 * A mirror's own build may come with the official papers: who accepts the one, or has given its digest by hand,
 * needs no others. Of what is locked it is asked for a bundle only, and one that does not hold is none.
 *
 * Return: 0, also if there is none, or -EKEYREJECTED.
 */
int item_check_signature(Item *item, const char *sha256, Error **reterr) {
        const FetchOptions *o = item->run->options;
        const Paper *signature = item->papers + PAPER_SIGNATURE,
                    *certificate = item->papers + PAPER_CERTIFICATE;
        bool accept = *item->locked || (o->accept_mirror && !item_official(item));
        int r;

        item->is_signed = false;
        if (!item_has_papers(item))
                return 0;
        r = signature_check(o->trust, sha256, &signature->data, &certificate->data, accept ? NULL : reterr);
        item->is_signed = r >= 0;
        if (r >= 0 || accept)
                return 0;
        error_detail(reterr, "the signature: %s", signature->url);
        error_detail(reterr, "the file:      %s (%s)", sha256, item->url);
        return r;
}

/**
 * item_keep_papers() - keep the signature for bundles, if there is one that holds
 * @item:       the item, after item_check_signature()
 * @sha256:     of the file
 * @reterr:     names the path
 *
 * Return: 0 or a negative errno.
 */
int item_keep_papers(const Item *item, const char *sha256, Error **reterr) {
        return item->is_signed ? kept_write(item->run->cache, sha256, &item->papers[PAPER_SIGNATURE].data,
                                            &item->papers[PAPER_CERTIFICATE].data, reterr) :
                                 0;
}

/* Who could exchange a file at the official site could leave its signature out: that shall not go unseen. */
static void item_tell_unsigned(const Item *item) {
        _cleanup_free_ char *line = NULL;

        if (!item_official(item) || !item->layout.papers[PAPER_SIGNATURE] || item->is_signed ||
            *item->locked || !item->run->options->note)
                return;
        line = xasprintf("%s %s: without a signature, only its checksum vouches for it", item->layout.label,
                         item->requests[0]->architecture);
        item->run->options->note(item->run->options->userdata, line);
}

static int item_finish_binary(Item *item, const char *digest, Error **reterr) {
        const FetchRequest *q = item->requests[0];
        int r;

        r = item_check_512(item, reterr);
        if (r >= 0)
                r = item_check_signature(item, digest, reterr);
        if (r >= 0)
                r = elf_check(cache_file_fd(item->file), q->architecture, item->url, reterr);
        if (r >= 0 && !cache_file_stamped(item->file))
                r = program_not_stamped(q, item->url, reterr);
        if (r >= 0)
                r = cache_file_commit(item->file, reterr);
        if (r >= 0)
                r = item_keep_papers(item, digest, reterr);
        if (r < 0)
                return r;
        item_pin(item, q, item->file, NULL);
        item_tell_unsigned(item);
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
                Stamp stamp;

                m->members[i].name = xasprintf("%s/%s", item->layout.folder, item->requests[i]->name);
                r = cache_file_open(item->run->cache, key, m->files + i, reterr);
                if (r < 0)
                        return r;
                m->members[i].userdata = m->files[i];
                program_stamp(item->requests[i], &stamp);
                cache_file_look_for(m->files[i], &stamp);
        }
        return 0;
}

static int member_write(void *userdata, const void *data, size_t size, Error **reterr) {
        return cache_file_write(userdata, data, size, reterr);
}

/*
 * The archive's digest holds, so a member differs only from a digest that somebody wrote by hand, or wrongly. With
 * update_lock the archive may be another, and its members, too.
 */
static int member_check(const Item *item, const FetchRequest *q, CacheFile *file, Error **reterr) {
        const LockEntry *e = item->run->options->update_lock ?
                                     NULL :
                                     lock_find(item->run->lock, q->name, q->version, q->architecture);
        const char *pin = pins_find(item->run->options, q), *wanted = pin ?: e ? e->sha256 : NULL;
        char sha256[SHA256_HEX_SIZE];
        int r;

        cache_file_digest(file, sha256);
        if (wanted && !streq(wanted, sha256)) {
                r = error_set(reterr, ERROR_VERIFY, EBADMSG,
                              "wrong digest: %s is not the one of %s, although its archive is right",
                              q->name, pin ? "--sha256" : "hardway.lock");
                error_detail(reterr, "%-13s %s", pin ? "--sha256:" : "hardway.lock:", wanted);
                error_detail(reterr, "the file:     %s (%s)", sha256, item->url);
                return r;
        }
        if (!cache_file_stamped(file))
                return program_not_stamped(q, q->name, reterr);
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
        return cache_file_rewind(item->file, reterr); /* its members are what is kept */
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
                                      .known = item->known,
                                      .url = item->url,
                                      .checksums_url = item->papers[PAPER_SHA256].url,
                                      .by_hand = item->by_hand,
                                      .official = item_official(item),
                                      .accept = item->run->options->accept_mirror },
                          reterr);
        if (r < 0)
                return r;
        return item->layout.folder ? item_finish_archive(item, digest, reterr) :
                                     item_finish_binary(item, digest, reterr);
}
