/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/store-internal.h"

#define NODES "nodes"

/**
 * store_nodes() - for which nodes the store has something
 * @s:          the store
 *
 * Also those that the cluster file has no longer: nothing takes what was made for them away.
 *
 * Return: their names in order, or NULL if there are none; the caller frees.
 */
Strv store_nodes(const Store *s) {
        _cleanup_free_ char *directory = store_path(s, NODES);
        _cleanup_dir_ DIR *d = opendir(directory);
        const struct dirent *entry;
        Strv names = NULL;

        while (d && (entry = readdir(d)))
                if (entry->d_name[0] != '.')
                        strv_add(&names, entry->d_name);
        if (names)
                strv_sort(names);
        return names;
}

/**
 * store_addresses() - the addresses that a certificate of the store is good for, and those that it was issued for
 * before
 * @s:          the store
 * @path:       where it is: "nodes/c0/pki/etcd/server.crt"
 * @ret:        they are added to it; certificate_profile_done()
 * @reterr:     names the file
 *
 * Return: 0; -ENOENT if it is not there; or another negative errno.
 */
int store_addresses(Store *s, const char *path, CertificateProfile *ret, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_free_ char *name = store_path(s, path);
        _cleanup_(X509_freep) X509 *certificate = NULL;
        const Buffer *content;
        int r;

        r = store_file(s, path, &content, reterr);
        if (r >= 0)
                r = certificate_from_chain(name, content->data, content->size, &certificate, NULL, reterr);
        if (r < 0)
                return r;
        certificate_names(certificate, ret);
        store_add_former(s, path, ret);
        return 0;
}
