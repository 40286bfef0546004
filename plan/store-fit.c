/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/store-fit.h"

#include <stdlib.h>

#include "common/alloc.h"

/* A CA or key pair that is being replaced has phases in which kubeconfigs and chains are of the phase before; whoever
 * replaces it sees to that. Names it leaves alone. */
static bool is_misfit(const StoreItem *item, bool rotates, int64_t now) {
        const StoreRequest *r = item->request;

        if (item->error || !item->present || item->outcome == STORE_KEPT ||
            (r->type != STORE_CERTIFICATE && r->type != STORE_KUBECONFIG))
                return false;
        switch (item->fault) {
        case CERTIFICATE_WRONG_NAMES:
        case CERTIFICATE_FORMER_NAMES:
        case CERTIFICATE_WRONG_SUBJECT:
                return true;
        case CERTIFICATE_WRONG_ISSUER:
        case CERTIFICATE_WRONG_KEY:
        case CERTIFICATE_WRONG_USAGE:
                return !rotates;
        case CERTIFICATE_GOOD: /* where a kubeconfig points, or what follows a certificate */
                return !rotates && item->key_type && streq(item->key_type, r->key_type);
        case CERTIFICATE_NOT_VALID: /* one that is not valid yet speaks of a clock, which the preflight compares */
                return !rotates && item->certificate && certificate_not_after(item->certificate) <= now;
        default:
                return false;
        }
}

static void add_misfit(StoreMisfits *m, Store *store, const StoreItem *item) {
        _cleanup_strv_ Strv files = store_request_files(item->request);

        m->misfits = xrealloc(m->misfits, m->n_misfits + 1, sizeof(StoreMisfit));
        m->misfits[m->n_misfits++] = (StoreMisfit) {
                .file = store_path(store, files[0]),
                .why = xstrdup(item->why ?: "does not fit"),
                .waits = item->outcome == STORE_WAITS,
                .harmless = item->fault == CERTIFICATE_FORMER_NAMES,
        };
        m->n_harmless += item->fault == CERTIFICATE_FORMER_NAMES;
}

/**
 * store_find_misfits() - find certificates and kubeconfigs that are not as the cluster file wants them
 * @store:      the store
 * @components: the table of components, ended by NULL
 * @cluster:    the cluster, all of whose nodes are looked at: who has the VIP concerns each
 * @now:        seconds since 1970
 * @ret:        what was found; store_misfits_done()
 * @reterr:     the store as a whole cannot be read
 *
 * Return: 0 or a negative errno.
 */
int store_find_misfits(Store *store, const Component *const *components, const Cluster *cluster, int64_t now,
                       StoreMisfits *ret, Error **reterr) {
        _cleanup_(rotation_done) Rotation rotation = {};
        StoreRequests requests = {};
        StoreItems items = {};
        int rotates, r;

        rotates = store_rotation(store, &rotation, reterr);
        if (rotates < 0)
                return rotates;
        store_requests_for(components, cluster, &requests);
        r = store_inspect(store, requests.requests, requests.n_requests, now, &items, reterr);
        if (r >= 0) {
                *ret = (StoreMisfits) {};
                for (size_t i = 0; i < items.n_items; i++)
                        if (is_misfit(items.items + i, rotates > 0, now))
                                add_misfit(ret, store, items.items + i);
        }
        store_items_done(&items);
        store_requests_done(&requests);
        return r < 0 ? r : 0;
}

/**
 * store_misfits_tell() - say what does not fit, for people
 * @m:          what was found
 * @harmless:   what of it is, or is not
 *
 * Return: "pki/nodes/c0/pki/apiserver.crt and 2 more: lacks the name 10.77.0.9", a line for each reason; the caller
 * frees.
 */
char* store_misfits_tell(const StoreMisfits *m, bool harmless) {
        Buffer out = BUFFER_NULL;

        for (size_t i = 0; i < m->n_misfits; i++) {
                const StoreMisfit *misfit = m->misfits + i;
                size_t n_before = 0, n_after = 0;

                for (size_t k = 0; k < m->n_misfits; k++)
                        if (k != i && streq(m->misfits[k].why, misfit->why))
                                *(k < i ? &n_before : &n_after) += 1;
                if (n_before > 0 || misfit->harmless != harmless)
                        continue;
                buffer_addf(&out, "%s%s", out.size > 0 ? "\n" : "", misfit->file);
                if (n_after > 0)
                        buffer_addf(&out, " and %zu more", n_after);
                buffer_addf(&out, ": %s", misfit->why);
        }
        return buffer_take(&out);
}

bool store_misfits_wait(const StoreMisfits *m) {
        for (size_t i = 0; i < m->n_misfits; i++)
                if (!m->misfits[i].waits)
                        return false;
        return true;
}

/**
 * store_misfits_command() - what has to be run
 * @m:          what was found, which is something
 *
 * Return: "hardway pki gen"; lent.
 */
const char* store_misfits_command(const StoreMisfits *m) {
        return store_misfits_wait(m) ? "hardway pki csr" : "hardway pki gen";
}

bool store_misfits_are_harmless(const StoreMisfits *m) {
        return m->n_misfits == m->n_harmless;
}

void store_misfits_done(StoreMisfits *m) {
        for (size_t i = 0; i < m->n_misfits; i++) {
                free(m->misfits[i].file);
                free(m->misfits[i].why);
        }
        free(m->misfits);
        *m = (StoreMisfits) {};
}
