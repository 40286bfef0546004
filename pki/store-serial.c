/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "common/alloc.h"
#include "pki/store-internal.h"

/*
 * A CA gives each number once (RFC 5280 section 4.1.2.2). Two certificates with one are a copy that lies in
 * the wrong place, or of a CA whose numbers mean nothing; some clients refuse the second one that they see.
 */

static char* file_of(const StoreRun *run, const StoreEntry *e) {
        _cleanup_free_ char *public = store_entry_public_path(e->request),
                            *path = public ? TAKE_PTR(public) : store_entry_secret_path(e->request);

        return store_path(run->store, path);
}

static bool have_one_number(X509 *a, X509 *b) {
        return ASN1_INTEGER_cmp(X509_get0_serialNumber(a), X509_get0_serialNumber(b)) == 0 &&
               X509_NAME_cmp(X509_get_issuer_name(a), X509_get_issuer_name(b)) == 0;
}

static int complain(StoreRun *run, StoreEntry *e, const StoreEntry *other, Error **reterr) {
        _cleanup_free_ char *name = file_of(run, e), *other_name = file_of(run, other),
                            *serial = certificate_serial(e->certificate);
        bool same = X509_cmp(e->certificate, other->certificate) == 0;

        return error_set(run->tolerant ? &e->error : reterr, ERROR_CONFIG, EBADMSG,
                         same ? "%s: is the certificate of %s (serial number %s); remove the one that is in "
                                "the wrong place" :
                                "%s: has the serial number of %s (%s); remove one to have it made again",
                         name, other_name, serial);
}

int store_check_serials(StoreRun *run, Error **reterr) {
        for (size_t i = 0; i < run->n_entries; i++)
                for (size_t k = 0; k < i; k++) {
                        StoreEntry *a = run->entries + i, *b = run->entries + k;
                        int r;

                        if (!a->certificate || !b->certificate ||
                            !have_one_number(a->certificate, b->certificate))
                                continue;
                        r = a->error ? -EBADMSG : complain(run, a, b, reterr);
                        if (!run->tolerant)
                                return r;
                }
        return 0;
}
