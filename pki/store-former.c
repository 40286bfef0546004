/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/store-internal.h"

/*
 * Addresses that were given up
 *
 * A certificate that is issued anew for other addresses was the last to know where its owner is until the next
 * installation, or still is if that never comes. So it stays, in pki/former under the same path, the newest first:
 * store_addresses() tells its addresses, too.
 */

#define FORMER_MAX 8 /* certificates of one path; who changes it oftener has seen what becomes of it */

static char* former_path(const char *path) {
        return xasprintf("former/%s", path);
}

/* Nothing, where there is none or it cannot be read: it is no part of what the store has to hold. */
static void read_former(Store *s, const char *path, CertificateChain *ret) {
        _cleanup_free_ char *former = former_path(path);
        StoreFile *file = NULL;

        if (store_read(s, former, &file, NULL) > 0)
                (void) certificate_chain_from_pem(former, file->data.data, file->data.size, FORMER_MAX, ret,
                                                  NULL);
}

/* Adds the addresses that certificates under this path were good for. */
void store_add_former(Store *s, const char *path, CertificateProfile *ret) {
        _cleanup_(certificate_chain_done) CertificateChain former = {};

        read_former(s, path, &former);
        for (size_t i = 0; i < former.n_certificates; i++)
                certificate_names(former.certificates[i], ret);
}

static bool gives_up_addresses(X509 *old, X509 *new) {
        _cleanup_(certificate_profile_done) CertificateProfile before = CERTIFICATE_PROFILE_NULL,
                                                               after = CERTIFICATE_PROFILE_NULL;
        size_t n;

        certificate_names(new, &after);
        certificate_names(old, &before);
        n = after.n_addresses;
        for (size_t i = 0; i < before.n_addresses; i++)
                certificate_profile_add_address(&after, before.addresses + i);
        return after.n_addresses > n;
}

/**
 * store_stage_former() - keep what is known of the addresses of a certificate that is replaced
 * @run:        the run
 * @batch:      where the new one will be staged, after this
 * @e:          its entry, with the new one
 * @reterr:     names the file
 *
 * Return: 0 or a negative errno.
 */
int store_stage_former(StoreRun *run, FsBatch *batch, const StoreEntry *e, Error **reterr) {
        _cleanup_free_ char *path = store_entry_public_path(e->request), *former = NULL, *name = NULL;
        _cleanup_(certificate_chain_done) CertificateChain earlier = {};
        _cleanup_(X509_freep) X509 *old = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        StoreFile *file = NULL;
        int r;

        if (!path || store_read(run->store, path, &file, NULL) <= 0 ||
            certificate_from_chain(path, file->data.data, file->data.size, &old, NULL, NULL) < 0 ||
            !gives_up_addresses(old, e->certificate))
                return 0;
        read_former(run->store, path, &earlier);
        r = certificate_to_pem(old, &text, reterr);
        for (size_t i = 0; r >= 0 && i < earlier.n_certificates && i + 1 < FORMER_MAX; i++)
                r = certificate_to_pem(earlier.certificates[i], &text, reterr);
        if (r < 0)
                return r;
        former = former_path(path);
        name = store_path(run->store, former);
        return store_stage(batch, name, &text, STORE_PUBLIC_MODE, 0, reterr);
}

/**
 * store_forget_former() - what was at the addresses that a certificate was good for before is gone
 * @s:          the store
 * @path:       of the certificate: "nodes/c0/pki/etcd/server.crt"
 * @reterr:     names the file
 *
 * Return: 0, also if there are none, or a negative errno.
 */
int store_forget_former(Store *s, const char *path, Error **reterr) {
        _cleanup_free_ char *former = former_path(path), *name = store_path(s, former);

        return fs_remove_file(AT_FDCWD, name, reterr);
}
