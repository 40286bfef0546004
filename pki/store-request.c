/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/store-internal.h"

/*
 * Asking for what a CA has to certify whose key is not here
 *
 * A request's key is not the one in use: that one is good until the answer has come. So it lies beside, with
 * the request, and both go when the answer is taken. The key gets its name first.
 */

#define REQUESTS "requests"

char* store_request_path(const StoreRequest *request, const char *ending) {
        return xasprintf(REQUESTS "/%s.%s", request->name, ending);
}

int store_request_key(Store *s, const StoreRequest *request, EVP_PKEY **ret, Error **reterr) {
        _cleanup_free_ char *path = store_request_path(request, "key"), *name = store_path(s, path);
        StoreFile *file = NULL;
        int r;

        r = store_read(s, path, &file, reterr);
        if (r <= 0)
                return r;
        r = key_from_pem(name, file->data.data, file->data.size, ret, reterr);
        return r < 0 ? r : 1;
}

int store_request_remove(const Store *s, const StoreRequest *request, Error **reterr) {
        static const char *const endings[] = { "csr", "key" };

        for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
                _cleanup_free_ char *path = store_request_path(request, endings[i]),
                                    *name = store_path(s, path);

                if (unlink(name) < 0 && errno != ENOENT)
                        return error_set_errno(reterr, errno, "cannot remove %s", name);
        }
        return 0;
}

static int stage(Store *s, FsBatch *batch, const StoreRequest *request, const char *ending,
                 const Buffer *data, mode_t mode, Error **reterr) {
        _cleanup_free_ char *path = store_request_path(request, ending), *name = store_path(s, path);

        return store_stage(batch, name, data, mode, 0, reterr);
}

/* Whether what is there asks for just that; the key is set if it can be used. */
static int is_asked(StoreRun *run, StoreEntry *e, Error **reterr) {
        const StoreRequest *request = e->request;
        _cleanup_free_ char *path = store_request_path(request, "csr"), *name = NULL;
        StoreFile *file = NULL;
        int r;

        r = store_request_key(run->store, request, &e->key, reterr);
        if (r <= 0)
                return r;
        if (!streq(key_type_name(e->key), request->key_type)) {
                EVP_PKEY_freep(&e->key);
                return 0;
        }
        r = store_read(run->store, path, &file, reterr);
        if (r <= 0)
                return r;
        name = store_path(run->store, path);
        return certificate_request_asks(name, file->data.data, file->data.size, &request->profile, e->key,
                                        reterr);
}

static int ask(StoreRun *run, StoreEntry *e, FsBatch *batch, Error **reterr) {
        _cleanup_buffer_secret_ Buffer key = BUFFER_NULL;
        _cleanup_buffer_ Buffer request = BUFFER_NULL;
        int r;

        if (!e->key) {
                r = store_make_key(run, e->request, &e->key, reterr);
                if (r < 0)
                        return r;
        }
        r = key_to_pem(e->key, &key, reterr);
        if (r >= 0)
                r = certificate_request_make(&e->request->profile, e->key, &request, reterr);
        if (r >= 0)
                r = stage(run->store, batch, e->request, "key", &key, STORE_KEY_MODE, reterr);
        if (r >= 0)
                r = stage(run->store, batch, e->request, "csr", &request, STORE_PUBLIC_MODE, reterr);
        return r;
}

/* asked: which were there already, one for each entry */
static int ask_all(StoreRun *run, FsBatch *batch, bool dry_run, bool *asked, Error **reterr) {
        for (size_t i = 0; i < run->n_entries; i++) {
                StoreEntry *e = run->entries + i;
                int r;

                if (e->outcome != STORE_WAITS)
                        continue;
                r = is_asked(run, e, reterr);
                if (r < 0)
                        return r;
                asked[i] = r > 0;
                if (asked[i] || dry_run)
                        continue;
                r = ask(run, e, batch, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", e->request->name);
        }
        return 0;
}

/* Of what waits no more: nothing will come of it. */
static int remove_settled(const StoreRun *run, Error **reterr) {
        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreEntry *e = run->entries + i;
                int r;

                if (!e->request->issuer || e->outcome == STORE_WAITS)
                        continue;
                r = store_request_remove(run->store, e->request, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int publish(StoreRun *run, FsBatch *batch, Error **reterr) {
        int r = fs_batch_commit(batch, reterr);

        store_forget(run->store);
        return r < 0 ? r : remove_settled(run, reterr);
}

static int tell(const StoreRun *run, const bool *asked, StoreCsrReport report, void *userdata) {
        int n = 0;

        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreEntry *e = run->entries + i;
                _cleanup_free_ char *path = NULL, *name = NULL;

                if (e->outcome != STORE_WAITS)
                        continue;
                path = store_request_path(e->request, "csr");
                name = store_path(run->store, path);
                if (report)
                        report(userdata, e->request, name, !asked[i]);
                n += !asked[i];
        }
        return n > 0;
}

/**
 * store_csr() - write requests for what CAs elsewhere have to certify
 * @s:          the store
 * @requests:   what it shall hold
 * @n_requests: how many
 * @now:        seconds since 1970
 * @dry_run:    only report
 * @report:     called for each certificate that is waited for, when all is on disk; or NULL
 * @userdata:   for @report
 * @reterr:     names the file
 *
 * Return: 0 if all were there already, or nothing is waited for; 1 if some were written; a negative errno as
 * store_generate().
 */
int store_csr(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now, bool dry_run,
              StoreCsrReport report, void *userdata, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_(store_run_done) StoreRun run = { .store = s, .now = now };
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        _cleanup_free_ bool *asked = xnew(bool, n_requests + 1);
        _cleanup_error_ Error *error = NULL;
        _cleanup_close_ int lock = -EBADF;
        int r;

        if (!dry_run) {
                lock = store_lock(s, reterr);
                if (lock < 0)
                        return lock;
        }
        store_forget(s);
        r = store_run_examine(&run, requests, n_requests, reterr);
        if (r >= 0 && !dry_run)
                store_sweep(&run);
        if (r < 0)
                return r;
        r = ask_all(&run, batch, dry_run, asked, &error);
        if (r < 0 && r != -ECANCELED)
                return error_propagate(reterr, TAKE_PTR(error));
        if (!dry_run) {
                int published = publish(&run, batch, reterr);

                if (published < 0)
                        return published;
        }
        if (r < 0)
                return error_set(
                        reterr, ERROR_TEMPORARY, ECANCELED,
                        "stopped as asked; what was made by then is kept, the same command makes the others");
        return tell(&run, asked, report, userdata);
}
