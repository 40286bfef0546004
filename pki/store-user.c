/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "common/alloc.h"
#include "pki/certificate-internal.h"
#include "pki/store-internal.h"

/* Kubeconfigs for other people: they are handed out, and nothing of them stays here. */

static int check_ca(const StoreRun *run, const StoreEntry *ca, Error **reterr) {
        _cleanup_free_ char *path = store_ca_path(ca->request->name, "crt"),
                            *name = store_path(run->store, path);

        if (ca->outcome == STORE_MADE)
                return error_set(reterr, ERROR_CONFIG, ENOENT, "%s is missing (hardway pki gen makes it)",
                                 name);
        if (ca->external) {
                (void) error_set(
                        reterr, ERROR_CONFIG, ENOKEY,
                        "%s: the key of this CA is kept elsewhere, so nothing can be certified here", name);
                error_detail(reterr,
                             "Whoever has the key certifies a request of that person's: hardway explain "
                             "kubeconfig tells how one is made.");
                return -ENOKEY;
        }
        return 0;
}

static int issue(StoreRun *run, StoreEntry *e, const StoreEntry *ca, Buffer *ret, Error **reterr) {
        int r;

        r = store_make_pair(run, e, ca, reterr);
        if (r >= 0)
                r = store_check_above(ca, e->certificate, reterr);
        return r < 0 ? r : store_kubeconfig_text(run, e, ca, ret, reterr);
}

/**
 * store_issue_user() - make a kubeconfig that is not kept
 * @s:          the store; nothing is written into it
 * @ca:         the request of the CA that certifies
 * @user:       a STORE_KUBECONFIG of that CA, by a name that no file of the store has
 * @now:        seconds since 1970
 * @ret:        the kubeconfig; the caller wipes
 * @ret_expires: when its certificate ends
 * @reterr:     what cannot be
 *
 * Return: 0; -ENOENT (ERROR_CONFIG) if there is no CA yet, -ENOKEY if its key is kept elsewhere; another negative
 * errno.
 */
int store_issue_user(Store *s, const StoreRequest *ca, const StoreRequest *user, int64_t now, Buffer *ret,
                     int64_t *ret_expires, Error **reterr) {
        STORE_LOCKED(s);
        const StoreRequest requests[] = { *ca, *user }; /* lent */
        _cleanup_(store_run_done) StoreRun run = { .store = s, .now = now };
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        int r;

        store_forget(s);
        r = store_run_examine(&run, requests, ARRAY_SIZE(requests), reterr);
        if (r < 0)
                return r;
        r = check_ca(&run, run.entries, reterr);
        if (r < 0)
                return r;
        r = store_open_keys(&run, reterr);
        if (r < 0)
                return r;
        r = issue(&run, run.entries + 1, run.entries, &text, reterr);
        if (r < 0)
                return r;
        *ret = text;
        text = BUFFER_NULL;
        *ret_expires = run.entries[1].expires;
        return 0;
}
