/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Keys that the secrets in the data are encrypted with
 *
 * A snapshot of before pki rotate-key has secrets that the key of today does not open, and an apiserver that cannot
 * read them never becomes ready. The old one was kept; it is taken back to read with.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "operate/restore-internal.h"
#include "plan/names.h"

static char* names_of(const bool *keys) {
        _cleanup_strv_ Strv names = NULL;

        for (unsigned i = 1; i <= SECRET_NUMBER_MAX; i++)
                if (keys[i])
                        strv_addf(&names, NAME_ENCRYPTION_KEY "%u", i);
        return strv_join(names, ", ");
}

static void tell_taken(const Restore *s, const bool *taken, bool would_be) {
        _cleanup_free_ char
                *names = names_of(taken),
                *text = xasprintf("Secrets in it may be encrypted with %s, replaced since: %s to read them "
                                  "(hardway pki rotate-key lets go again)",
                                  names, would_be ? "would be taken back" : "taken back");

        if (*names)
                install_tell(&s->request->install, INSTALL_NOTE, NULL, text);
}

static void tell_lost(const Restore *s, const bool *lost) {
        _cleanup_free_ char
                *names = names_of(lost),
                *text = xasprintf(
                        "the snapshot has, or once had, secrets that are encrypted with %s, kept neither in "
                        "secrets/encryption-key nor in pki/retired: if it has, apiservers cannot read them, "
                        "and do not become ready. The data of now is kept then",
                        names);

        if (*names)
                restore_warn(s, NULL, text);
}

/**
 * restore_take_keys_back() - have the keys that the snapshot needs
 * @s:          the restore, whose file was examined; learns whether one is lost
 * @ask:        only say which there are, and which are lost: before anybody is asked
 * @reterr:     the store cannot be written
 *
 * Return: 0 or a negative errno.
 */
int restore_take_keys_back(Restore *s, bool ask, Error **reterr) {
        const InstallRequest *q = &s->request->install;
        bool taken[SECRET_NUMBER_MAX + 1] = {}, lost[SECRET_NUMBER_MAX + 1] = {};
        StoreRequests requests = {};
        const StoreRequest *request;
        int r = 0;

        store_requests_for(q->components, s->cluster, &requests);
        request = store_requests_find(&requests, NAME_ENCRYPTION_KEY_FILE);
        for (unsigned i = 1; r >= 0 && request && i <= SECRET_NUMBER_MAX; i++) {
                r = s->keys[i] ? store_secret_readmit(q->store, request, i, ask, reterr) : 1;
                taken[i] = r == 2;
                lost[i] = r == 0;
                s->key_is_lost = s->key_is_lost || lost[i];
        }
        store_requests_done(&requests);
        if (r < 0)
                return r;
        tell_taken(s, taken, ask);
        if (!s->told_keys)
                tell_lost(s, lost);
        s->told_keys = true;
        return 0;
}
