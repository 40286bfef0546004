/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/store-internal.h"

/*
 * Renewal: new pairs under their names, and what they replace kept until somebody has seen them at work
 *
 * The old ones lie in pki/.previous under the same paths, all of them 0600. They are complete there before
 * the first of the new ones gets its name, so at any moment each entry has a pair that is whole: killed
 * before, the old ones are in place and merely kept twice; killed amid the renames, pki/.pending tells which
 * pairs to make again. An entry is unproven as long as its secret file lies there. It goes first when an
 * entry is settled: what is left over then is of no use to anybody.
 */

static char* previous_path(const Store *s, const char *path) {
        _cleanup_free_ char *relative = xasprintf(STORE_PREVIOUS "/%s", path);

        return store_path_in_directory(s, relative);
}

static bool is_leaf(const StoreRequest *r) {
        return r->type == STORE_CERTIFICATE || r->type == STORE_KUBECONFIG;
}

/* Whether the entry's old secret file is kept; public: the other one instead. */
static bool is_kept(const Store *s, const StoreRequest *request, bool public) {
        _cleanup_free_ char *path =
                public ? store_entry_public_path(request) : store_entry_secret_path(request);
        _cleanup_free_ char *previous = path ? previous_path(s, path) : NULL;

        return previous && access(previous, F_OK) == 0;
}

static int read_previous(const Store *s, const char *path, Buffer *ret, Error **reterr) {
        _cleanup_free_ char *previous = previous_path(s, path);

        return fs_read_optional(AT_FDCWD, previous,
                                endswith(path, ".conf") ? KUBECONFIG_SIZE_MAX : KEY_SIZE_MAX, ret, reterr);
}

/* Whether the secret file in place is the one that is kept: nothing was renewed then. */
static int is_same(Store *s, const StoreRequest *request, bool *ret, Error **reterr) {
        _cleanup_free_ char *path = store_entry_secret_path(request);
        _cleanup_buffer_secret_ Buffer previous = BUFFER_NULL;
        StoreFile *file = NULL;
        int r;

        r = read_previous(s, path, &previous, reterr);
        if (r < 0)
                return r;
        r = store_read(s, path, &file, reterr);
        if (r < 0)
                return r;
        *ret = r > 0 && file->data.size == previous.size &&
               memcmp(file->data.data, previous.data, previous.size) == 0;
        return 0;
}

/* What an earlier renewal of this entry, cut short, has left to do; leaves e->outcome as it has to be. */
static int resume_entry(StoreRun *run, StoreEntry *e, Error **reterr) {
        bool same = false;
        int r;

        if (e->outcome != STORE_KEPT)
                return 0;
        r = is_same(run->store, e->request, &same, reterr);
        if (r >= 0 && same)
                e->outcome = STORE_REISSUED;
        return r;
}

static int choose_entry(StoreRun *run, StoreEntry *e, StoreChoice choice, void *userdata, Error **reterr) {
        if (!is_leaf(e->request)) {
                _cleanup_free_ char *path = NULL, *name = NULL;

                if (e->outcome == STORE_KEPT)
                        return 0;
                path = store_entry_secret_path(e->request);
                name = store_path(run->store, path);
                return error_set(reterr, ERROR_CONFIG, ENOENT,
                                 "%s is not made yet, so there is nothing to renew (hardway pki gen makes "
                                 "it)",
                                 name);
        }
        if (is_kept(run->store, e->request, false))
                return resume_entry(run, e, reterr);
        if (!choice(userdata, e->request, e->outcome, e->expires)) {
                e->outcome = STORE_KEPT;
                return 0;
        }
        if (store_run_find_ca(run, e->request->issuer)->external)
                return error_set(reterr, ERROR_CONFIG, ENOKEY,
                                 "%s cannot be renewed from here: the key of its CA %s is kept elsewhere "
                                 "(hardway pki csr writes what to ask for)",
                                 e->request->name, e->request->issuer);
        if (e->outcome == STORE_KEPT)
                e->outcome = STORE_REISSUED;
        return 0;
}

static int keep_file(StoreRun *run, FsBatch *batch, const char *path, Error **reterr) {
        _cleanup_free_ char *previous = previous_path(run->store, path);
        StoreFile *file = NULL;
        int r;

        r = store_read(run->store, path, &file, reterr);
        return r <= 0 ? r : store_stage(batch, previous, &file->data, STORE_KEY_MODE, 0, reterr);
}

/* The public half first: what has its secret half there can be put back. */
static int keep_entry(StoreRun *run, FsBatch *batch, const StoreEntry *e, Error **reterr) {
        _cleanup_free_ char *secret = store_entry_secret_path(e->request),
                            *public = store_entry_public_path(e->request);
        int r = 0;

        if (public)
                r = keep_file(run, batch, public, reterr);
        return r < 0 ? r : keep_file(run, batch, secret, reterr);
}

static int keep_all(StoreRun *run, Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        int r;

        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreEntry *e = run->entries + i;

                /* What is kept already is what the node may still have. */
                if (e->outcome != STORE_REISSUED || is_kept(run->store, e->request, false))
                        continue;
                r = keep_entry(run, batch, e, reterr);
                if (r < 0)
                        return r;
        }
        return fs_batch_commit(batch, reterr);
}

static int forget_file(const Store *s, const char *path, Error **reterr) {
        _cleanup_free_ char *previous = previous_path(s, path);

        if (unlink(previous) < 0 && errno != ENOENT)
                return error_set_errno(reterr, errno, "cannot remove %s", previous);
        return 0;
}

static int forget_entry(const Store *s, const StoreRequest *request, Error **reterr) {
        _cleanup_free_ char *secret = store_entry_secret_path(request),
                            *public = store_entry_public_path(request);
        int r;

        r = forget_file(s, secret, reterr);
        return r < 0 || !public ? r : forget_file(s, public, reterr);
}

/* Nothing came of it: what is in place is what is kept. */
static void keep_none(StoreRun *run) {
        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreRequest *request = run->entries[i].request;
                bool same = false;

                if (is_leaf(request) && is_kept(run->store, request, false) &&
                    is_same(run->store, request, &same, NULL) >= 0 && same)
                        (void) forget_entry(run->store, request, NULL);
        }
}

/* Whether it was stopped amid it: what is kept of the others tells which are still to be made. */
static bool is_half_made(StoreRun *run) {
        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreRequest *request = run->entries[i].request;
                bool same = true;

                if (is_leaf(request) && is_kept(run->store, request, false) &&
                    is_same(run->store, request, &same, NULL) >= 0 && !same)
                        return true;
        }
        return false;
}

static int renew(StoreRun *run, const StoreRequest *requests, size_t n_requests, StoreChoice choice,
                 void *userdata, Error **reterr) {
        int r;

        r = store_run_examine(run, requests, n_requests, reterr);
        for (size_t i = 0; r >= 0 && i < run->n_entries; i++)
                r = choose_entry(run, run->entries + i, choice, userdata, reterr);
        return r;
}

/**
 * store_renew() - issue certificates and kubeconfigs anew, each with a new key
 * @s:          the store
 * @requests:   what it holds
 * @n_requests: how many
 * @now:        seconds since 1970
 * @flags:      STORE_RENEW_DRY_RUN: only report
 * @choice:     asked for each certificate and kubeconfig: is it to be renewed?
 * @report:     called for each request in turn when all is on disk, or NULL
 * @userdata:   for @choice and @report
 * @reterr:     names the file
 *
 * What is not chosen is let be, whatever is to be said of it. What an earlier renewal has left unproven is
 * not made again, but where it was cut short, by a kill or as asked (store_set_cancelled()): that is, chosen or not.
 *
 * Return: 0 if nothing was chosen, 1 if something was issued; a negative errno as store_generate().
 */
int store_renew(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now,
                StoreRenewFlags flags, StoreChoice choice, StoreReport report, void *userdata,
                Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_(store_run_done) StoreRun run = { .store = s, .now = now };
        _cleanup_close_ int lock = -EBADF;
        bool dry_run = flags & STORE_RENEW_DRY_RUN;
        int r;

        if (!dry_run) {
                lock = store_lock(s, reterr);
                if (lock < 0)
                        return lock;
        }
        store_forget(s);
        r = renew(&run, requests, n_requests, choice, userdata, reterr);
        if (r >= 0 && !dry_run) {
                r = keep_all(&run, reterr);
                if (r >= 0)
                        r = store_run_issue(&run, reterr);
                store_forget(s);
                if (r < 0 && (r != -ECANCELED || !is_half_made(&run)))
                        keep_none(&run);
        }
        return r < 0 ? r : store_run_report(&run, report, userdata);
}

/**
 * store_unproven() - which entries were renewed and not settled yet
 * @s:          the store
 * @requests:   what it holds
 * @n_requests: how many
 *
 * Of an entry whose old files are kept and still in place nothing has been renewed; it is not among them.
 *
 * Return: their names, NULL if there are none; the caller frees.
 */
Strv store_unproven(Store *s, const StoreRequest *requests, size_t n_requests) {
        STORE_LOCKED(s);
        Strv names = NULL;

        for (size_t i = 0; i < n_requests; i++) {
                bool same = false;

                if (is_leaf(requests + i) && is_kept(s, requests + i, false) &&
                    (is_same(s, requests + i, &same, NULL) < 0 || !same))
                        strv_add(&names, requests[i].name);
        }
        return names;
}

static bool any_is_kept(const Store *s, const StoreRequest *requests, size_t n_requests) {
        for (size_t i = 0; i < n_requests; i++)
                if (is_leaf(requests + i) && is_kept(s, requests + i, false))
                        return true;
        return false;
}

static int settle(Store *s, const StoreRequest *requests, size_t n_requests, char *const *names,
                  Error **reterr) {
        _cleanup_free_ char *all = store_path_in_directory(s, STORE_PREVIOUS);
        int r;

        for (size_t i = 0; i < n_requests; i++) {
                if (!is_leaf(requests + i) || !strv_contains(names, requests[i].name))
                        continue;
                r = forget_entry(s, requests + i, reterr);
                if (r < 0)
                        return r;
        }
        return any_is_kept(s, requests, n_requests) ? 0 : fs_remove_tree(AT_FDCWD, all, reterr);
}

/**
 * store_settle() - the new ones do their work: let the old ones go
 * @s:          the store
 * @requests:   what it holds
 * @n_requests: how many
 * @names:      of entries; those of which nothing is kept are let be
 * @reterr:     names the file
 *
 * Return: 0, or a negative errno.
 */
int store_settle(Store *s, const StoreRequest *requests, size_t n_requests, char *const *names,
                 Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_close_ int lock = store_lock(s, reterr);

        return lock < 0 ? lock : settle(s, requests, n_requests, names, reterr);
}

static int put_file_back(Store *s, FsBatch *batch, const char *path, mode_t mode, Error **reterr) {
        _cleanup_free_ char *name = store_path(s, path);
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;
        int r;

        r = read_previous(s, path, &data, reterr);
        if (r <= 0)
                return r;
        r = fs_batch_add(batch, name, data.data, data.size, mode, 0, reterr);
        return r < 0 ? r : 0;
}

/* An entry whose old pair is not whole has been settled by a run that was killed: nothing to put back. */
static bool can_go_back(const Store *s, const StoreRequest *request, char *const *names) {
        return is_leaf(request) && strv_contains(names, request->name) && is_kept(s, request, false) &&
               (request->type == STORE_KUBECONFIG || is_kept(s, request, true));
}

static int stage_back(Store *s, FsBatch *batch, const StoreRequest *request, Error **reterr) {
        _cleanup_free_ char *secret = store_entry_secret_path(request),
                            *public = store_entry_public_path(request);
        int r;

        r = put_file_back(s, batch, secret, STORE_KEY_MODE, reterr);
        return r < 0 || !public ? r : put_file_back(s, batch, public, STORE_PUBLIC_MODE, reterr);
}

static int put_back(Store *s, const StoreRequest *requests, size_t n_requests, char *const *names,
                    Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        _cleanup_strv_ Strv pairs = NULL;
        bool some = false;
        int r;

        for (size_t i = 0; i < n_requests; i++) {
                bool back = can_go_back(s, requests + i, names);

                some = some || back;
                if (back && requests[i].type == STORE_CERTIFICATE)
                        strv_add(&pairs, requests[i].name);
        }
        r = some ? store_stage_edition(s, batch, reterr) : 0;
        if (r >= 0)
                r = store_stage_pending(s, batch, pairs, reterr);
        for (size_t i = 0; r >= 0 && i < n_requests; i++)
                if (can_go_back(s, requests + i, names))
                        r = stage_back(s, batch, requests + i, reterr);
        return r < 0 ? r : store_publish(s, batch, reterr);
}

/**
 * store_revert() - put the old ones back
 * @s:          the store
 * @requests:   what it holds
 * @n_requests: how many
 * @names:      of entries; those of which nothing is kept are let be
 * @reterr:     names the file
 *
 * Killed in between, the next run makes the pairs anew whose halves do not fit.
 *
 * Return: 0, or a negative errno.
 */
int store_revert(Store *s, const StoreRequest *requests, size_t n_requests, char *const *names,
                 Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_close_ int lock = store_lock(s, reterr);
        int r;

        if (lock < 0)
                return lock;
        r = put_back(s, requests, n_requests, names, reterr);
        store_forget(s);
        return r < 0 ? r : settle(s, requests, n_requests, names, reterr);
}
