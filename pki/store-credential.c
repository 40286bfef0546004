/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "common/alloc.h"
#include "pki/store-internal.h"

/* A certificate and a key that do not belong together make a TLS client fail with words that help nobody. */
static int check_pair(const char *certificate_name, const Buffer *certificate, const char *key_name,
                      const Buffer *key, Error **reterr) {
        _cleanup_(X509_freep) X509 *x = NULL;
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *k = NULL;
        int r;

        r = certificate_from_chain(certificate_name, certificate->data, certificate->size, &x, NULL, reterr);
        if (r < 0)
                return r;
        r = key_from_pem(key_name, key->data, key->size, &k, reterr);
        if (r < 0)
                return r;
        if (!certificate_has_key(x, k))
                return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s: does not belong to %s", key_name,
                                 certificate_name);
        return 0;
}

static int credential_of_pair(Store *s, const char *certificate_path, const char *key_path,
                              const Buffer **ret_certificate, const Buffer **ret_key, Error **reterr) {
        _cleanup_free_ char *certificate_name = store_path(s, certificate_path),
                            *key_name = store_path(s, key_path);
        const Buffer *certificate = NULL, *key = NULL;
        int r;

        r = store_file(s, certificate_path, &certificate, reterr);
        if (r < 0)
                return r;
        r = store_file(s, key_path, &key, reterr);
        if (r < 0)
                return r;
        r = check_pair(certificate_name, certificate, key_name, key, reterr);
        if (r < 0)
                return r;

        *ret_certificate = certificate;
        *ret_key = key;
        return 0;
}

static int credential_of_kubeconfig(Store *s, const char *path, const Buffer **ret_certificate,
                                    const Buffer **ret_key, Error **reterr) {
        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL;
        _cleanup_free_ char *name = store_path(s, path);
        /* Under names that no file has: "admin.conf/crt". */
        _cleanup_free_ char *certificate_path = xasprintf("%s/crt", path),
                            *key_path = xasprintf("%s/key", path);
        const Buffer *data = NULL;
        int r;

        r = store_file(s, path, &data, reterr);
        if (r < 0)
                return r;
        for (size_t i = s->n_stale; i + 1 < s->n_files; i++)
                if (streq(s->files[i]->path, certificate_path)) {
                        *ret_certificate = &s->files[i]->data;
                        *ret_key = &s->files[i + 1]->data;
                        return 0;
                }

        r = kubeconfig_parse(name, data->data, data->size, &k, reterr);
        if (r < 0)
                return r;
        r = check_pair(name, &k.certificate, name, &k.key, reterr);
        if (r < 0)
                return r;

        *ret_certificate = &store_keep(s, certificate_path, &k.certificate)->data;
        *ret_key = &store_keep(s, key_path, &k.key)->data;
        return 0;
}

/**
 * store_credential() - what a TLS client shows
 * @s:          the store
 * @name:       name of a certificate ("nodes/c0/pki/etcd/healthcheck-client"), or of a kubeconfig
 *              ("super-admin")
 * @ret_certificate: its certificate in PEM, lent as long as the store is
 * @ret_key:    its key in PEM, lent as long as the store is
 * @reterr:     names the file
 *
 * Return: 0; -ENOENT (ERROR_CONFIG) if there is neither; -EBADMSG (ERROR_CONFIG) if a file is not what it
 * should be.
 */
int store_credential(Store *s, const char *name, const Buffer **ret_certificate, const Buffer **ret_key,
                     Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_free_ char *certificate_path = xasprintf("%s.crt", name),
                            *key_path = xasprintf("%s.key", name);
        _cleanup_free_ char *kubeconfig_path = xasprintf("%s.conf", name);
        StoreFile *file = NULL;
        int r;

        r = store_read(s, certificate_path, &file, reterr);
        if (r < 0)
                return r;
        /* Of certificates on a node the name says what they are, also when the file is missing. */
        if (r > 0 || strstr(name, "/pki/"))
                return credential_of_pair(s, certificate_path, key_path, ret_certificate, ret_key, reterr);
        return credential_of_kubeconfig(s, kubeconfig_path, ret_certificate, ret_key, reterr);
}
