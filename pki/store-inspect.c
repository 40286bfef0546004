/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "common/alloc.h"
#include "pki/store-internal.h"

/* Moves what a list or a check wants to know out of the entry. */
static StoreItem item_take_from(StoreEntry *e) {
        return (StoreItem) {
                .request = e->request,
                .present = e->present,
                .loose = e->loose,
                .external = e->external,
                .sealed = e->sealed,
                .outcome = e->outcome,
                .fault = e->fault,
                .why = TAKE_PTR(e->why),
                .error = TAKE_PTR(e->error),
                .certificate = TAKE_PTR(e->certificate),
                .key_type = e->key_type,
        };
}

/**
 * store_inspect() - look at every entry by itself
 * @s:          the store
 * @requests:   what it shall hold; lent by the result
 * @n_requests: how many
 * @now:        seconds since 1970
 * @ret:        one item for each request; store_items_done()
 * @reterr:     the store as a whole cannot be read
 *
 * Nothing is written or locked. A file that is not what it should be is an error of its item.
 *
 * Return: 0 or a negative errno.
 */
int store_inspect(Store *s, const StoreRequest *requests, size_t n_requests, int64_t now, StoreItems *ret,
                  Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_(store_run_done) StoreRun run = { .store = s, .now = now, .tolerant = true };
        int r;

        store_forget(s);
        r = store_run_examine(&run, requests, n_requests, reterr);
        if (r < 0)
                return r;

        *ret = (StoreItems) { .items = xnew(StoreItem, n_requests), .n_items = n_requests };
        for (size_t i = 0; i < n_requests; i++)
                ret->items[i] = item_take_from(run.entries + i);
        return 0;
}

void store_items_done(StoreItems *items) {
        for (size_t i = 0; i < items->n_items; i++) {
                free(items->items[i].why);
                error_free(items->items[i].error);
                X509_free(items->items[i].certificate);
        }
        free(items->items);
        *items = (StoreItems) {};
}
