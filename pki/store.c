/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pki/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/holder.h"
#include "pki/store-internal.h"

/**
 * store_request_done() - free what a request holds
 * @r:          the request, empty afterwards
 */
void store_request_done(StoreRequest *r) {
        free(r->name);
        free(r->issuer);
        free(r->key_type);
        certificate_profile_done(&r->profile);
        free(r->server);
        free(r->cluster);
        free(r->user);
        *r = (StoreRequest) {};
}

void store_run_done(StoreRun *run) {
        for (size_t i = 0; i < run->n_entries; i++) {
                free(run->entries[i].why);
                buffer_done(&run->entries[i].above);
                EVP_PKEY_free(run->entries[i].key);
                X509_free(run->entries[i].certificate);
                error_free(run->entries[i].error);
        }
        free(run->entries);
        strv_free(run->pending);
        key_maker_done(&run->maker);
        *run = (StoreRun) {};
}

char* store_entry_secret_path(const StoreRequest *r) {
        switch (r->type) {
        case STORE_KUBECONFIG:
                return xasprintf("%s.conf", r->name);
        case STORE_SECRET:
                return xstrdup(r->name);
        default:
                return xasprintf("%s.key", r->name);
        }
}

char* store_entry_public_path(const StoreRequest *r) {
        switch (r->type) {
        case STORE_CA:
        case STORE_CERTIFICATE:
                return xasprintf("%s.crt", r->name);
        case STORE_KEY_PAIR:
                return xasprintf("%s.pub", r->name);
        default:
                return NULL;
        }
}

/**
 * store_request_files() - which files an entry consists of
 * @r:          the request
 *
 * Return: their paths in the store, what is public first; the caller frees.
 */
Strv store_request_files(const StoreRequest *r) {
        _cleanup_free_ char *public = store_entry_public_path(r), *secret = store_entry_secret_path(r);
        Strv files = NULL;

        if (public)
                strv_add(&files, public);
        strv_add(&files, secret);
        return files;
}

StoreEntry* store_run_find_ca(const StoreRun *run, const char *name) {
        for (size_t i = 0; i < run->n_entries; i++)
                if (run->entries[i].request->type == STORE_CA && streq(run->entries[i].request->name, name))
                        return run->entries + i;
        return NULL;
}

/* Only now, when all is on disk, has anything happened that is worth telling. */
int store_run_report(const StoreRun *run, StoreReport report, void *userdata) {
        int changes = 0;

        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreEntry *e = run->entries + i;

                if (report)
                        report(userdata, e->request, e->outcome, e->why, e->expires);
                changes |= e->outcome != STORE_KEPT && e->outcome != STORE_WAITS;
        }
        return changes;
}

/**
 * store_examine() - what store_generate() would do
 * @s:          the store
 * @requests:   what it shall hold
 * @n_requests: how many
 * @now:        seconds since 1970
 * @report:     called for each request in turn, or NULL
 * @userdata:   for @report
 * @reterr:     names the file
 *
 * Nothing is written or locked, so a run of store_generate() at the same time may show half its work here.
 *
 * Return: 0 if all would be kept, 1 if something would be made or reissued; a negative errno as
 * store_generate().
 */
int store_examine(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now, StoreReport report,
                  void *userdata, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_(store_run_done) StoreRun run = { .store = s, .now = now };
        int r;

        store_forget(s);
        r = store_run_examine(&run, requests, n_requests, reterr);
        if (r < 0)
                return r;
        return store_run_report(&run, report, userdata);
}

int store_lock(const Store *s, Error **reterr) {
        _cleanup_free_ char *pki = store_path_in_directory(s, "pki");
        _cleanup_free_ char *path = store_path_in_directory(s, STORE_LOCK);
        _cleanup_free_ char *holder = holder_format("hardway");
        _cleanup_close_ int lock = -EBADF;
        int r;

        /* What is going to lie there is made durable with it, by one flush. */
        r = fs_mkdir_all(AT_FDCWD, pki, STORE_DIRECTORY_MODE, /* sync= */ false, reterr);
        if (r < 0)
                return r;
        lock = fs_lock(AT_FDCWD, path, holder, /* wait= */ false, reterr);
        if (lock < 0)
                return lock;
        r = store_record_owner(s, reterr);
        return r < 0 ? r : TAKE_FD(lock);
}

/**
 * store_generate() - make the store hold what is asked for
 * @s:          the store
 * @requests:   what it shall hold; what else is there is let be
 * @n_requests: how many
 * @now:        seconds since 1970
 * @report:     called for each request in turn when all is on disk, or NULL
 * @userdata:   for @report
 * @reterr:     names the file
 *
 * All is looked at before anything is written. What was lent by store_file() before keeps the old bytes.
 *
 * Return: 0 if all was so already, 1 if something was made; -EBUSY (ERROR_TEMPORARY) if another run is at
 * it; -EBADMSG (ERROR_CONFIG) if a file is not what it should be; -ENOENT (ERROR_CONFIG) if one is missing
 * that cannot be made again; -ETIME (ERROR_TEMPORARY) if the clock is wrong; another negative errno.
 */
int store_generate(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now,
                   StoreReport report, void *userdata, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_(store_run_done) StoreRun run = { .store = s, .now = now };
        _cleanup_close_ int lock = store_lock(s, reterr);
        int r;

        if (lock < 0)
                return lock;

        store_forget(s);
        r = store_run_examine(&run, requests, n_requests, reterr);
        if (r < 0)
                return r;
        r = store_run_issue(&run, reterr);
        store_forget(s);
        if (r < 0)
                return r;
        return store_run_report(&run, report, userdata);
}
