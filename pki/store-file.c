/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/digest.h"
#include "common/fs.h"
#include "pki/store-internal.h"

#define BUNDLE ".bundle" /* is no file: see pki/store.h */

/**
 * store_open() - use the store of a cluster directory
 * @directory:  where the cluster file is; it exists, the store need not
 * @ret:        the store; store_free()
 * @reterr:     names the directory
 *
 * Nothing is read or made yet.
 *
 * Return: 0, or a negative errno if there is no such directory.
 */
int store_open(const char *directory, Store **ret, Error **reterr) {
        _cleanup_close_ int fd = fs_open_dir(AT_FDCWD, directory, reterr);

        if (fd < 0)
                return fd;
        *ret = xnew(Store, 1);
        (*ret)->directory = xstrdup(directory);
        (*ret)->mutex = (pthread_mutex_t) PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
        return 0;
}

void store_set_cancelled(Store *s, const volatile int *cancelled) {
        s->cancelled = cancelled;
}

/**
 * store_free() - wipe and free
 * @s:          the store, may be NULL; what it has lent goes with it
 *
 * Return: NULL.
 */
Store* store_free(Store *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_files; i++) {
                free(s->files[i]->path);
                buffer_wipe(&s->files[i]->data);
                free(s->files[i]->fingerprint);
                free(s->files[i]);
        }
        free(s->files);
        free(s->directory);
        free(s->cluster_file);
        rotation_done(&s->rotation);
        secret_freep(&s->passphrase);
        strv_free(s->protect);
        (void) pthread_mutex_destroy(&s->mutex);
        free(s);
        return NULL;
}

Store* store_enter(Store *s) {
        (void) pthread_mutex_lock(&s->mutex);
        return s;
}

void store_leave(Store **s) {
        (void) pthread_mutex_unlock(&(*s)->mutex);
}

/* As a person would write it: no "./" in front of what lies in the working directory. */
char* store_path_in_directory(const Store *s, const char *relative) {
        return streq(s->directory, ".") ? xstrdup(relative) : xasprintf("%s/%s", s->directory, relative);
}

/**
 * store_path() - where a file of the store lies
 * @s:          the store
 * @path:       its path in the store
 *
 * Return: its path, relative if that of the store is; the caller frees.
 */
char* store_path(const Store *s, const char *path) {
        _cleanup_free_ char *in_pki = NULL;

        if (startswith(path, STORE_SECRETS) || (endswith(path, ".conf") && !strchr(path, '/')))
                return store_path_in_directory(s, path);
        in_pki = xasprintf("pki/%s", path);
        return store_path_in_directory(s, in_pki);
}

void store_forget(Store *s) {
        s->n_stale = s->n_files;
        s->rotation_known = false;
}

StoreFile* store_keep(Store *s, const char *path, Buffer *data) {
        StoreFile *file = xnew(StoreFile, 1);

        file->path = xstrdup(path);
        file->data = *data;
        *data = BUFFER_NULL;
        s->files = xrealloc(s->files, s->n_files + 1, sizeof(StoreFile*));
        s->files[s->n_files++] = file;
        return file;
}

int store_read(Store *s, const char *path, StoreFile **ret, Error **reterr) {
        _cleanup_free_ char *name = NULL;
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;
        int r;

        for (size_t i = s->n_stale; i < s->n_files; i++)
                if (streq(s->files[i]->path, path)) {
                        *ret = s->files[i];
                        return 1;
                }

        if (endswith(path, BUNDLE)) {
                _cleanup_free_ char *ca = xstrndup(path, strlen(path) - strlen(BUNDLE));

                r = store_ca_bundle(s, ca, &data, reterr);
                if (r < 0 || data.size == 0)
                        return r;
                *ret = store_keep(s, path, &data);
                return 1;
        }

        r = store_rotation_read(s, path, &data, reterr);
        if (r == 0) {
                name = store_path(s, path);
                r = fs_read_optional(AT_FDCWD, name,
                                     endswith(path, ".conf") ? KUBECONFIG_SIZE_MAX : KEY_SIZE_MAX, &data,
                                     reterr);
        }
        if (r <= 0)
                return r == -ENODATA ? 0 : r;

        /* An editor may have ended the line; the secret does not include that. */
        if (startswith(path, STORE_SECRETS) && data.size > 0 && data.data[data.size - 1] == '\n')
                data.data[--data.size] = '\0';
        *ret = store_keep(s, path, &data);
        return 1;
}

static int store_read_present(Store *s, const char *path, StoreFile **ret, Error **reterr) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = store_read(s, path, ret, reterr);
        if (r != 0)
                return r < 0 ? r : 0;

        name = store_rotation_path(s, path);
        return error_set(reterr, ERROR_CONFIG, ENOENT, "%s is missing (hardway pki gen makes it)", name);
}

/**
 * store_file() - the bytes of a file
 * @s:          the store
 * @path:       its path in the store
 * @ret:        its content, lent as long as the store is; of a secret without the newline that an editor may
 *              have added
 * @reterr:     names the file
 *
 * Return: 0; -ENOENT (ERROR_CONFIG) if it is missing; another negative errno.
 */
int store_file(Store *s, const char *path, const Buffer **ret, Error **reterr) {
        STORE_LOCKED(s);
        StoreFile *file = NULL;
        int r;

        r = store_read_present(s, path, &file, reterr);
        if (r < 0)
                return r;
        *ret = &file->data;
        return 0;
}

static int fingerprint_of_key(const char *name, const Buffer *data, char **ret, Error **reterr) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        int r;

        r = key_from_pem(name, data->data, data->size, &key, reterr);
        if (r < 0)
                return r;
        *ret = key_fingerprint(key);
        return 0;
}

/* The certificate stands for the key, which is made anew with each. */
static int fingerprint_of_kubeconfig(const char *name, const Buffer *data, char **ret, Error **reterr) {
        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL;
        _cleanup_(digest_freep) Digest *digest = NULL;
        int r;

        r = kubeconfig_parse(name, data->data, data->size, &k, reterr);
        if (r < 0)
                return r;
        digest = digest_new("SHA256");
        digest_add_str(digest, buffer_str(&k.certificate));
        digest_add_str(digest, buffer_str(&k.ca));
        digest_add_str(digest, k.server);
        *ret = digest_hex(digest);
        return 0;
}

/*
 * Secrets are random and long: nobody finds them by trying. The word in front makes it another hash than
 * that of the file.
 */
static char* fingerprint_of_bytes(const Buffer *data) {
        _cleanup_(digest_freep) Digest *digest = digest_new("SHA256");

        digest_add(digest, "hardway:", strlen("hardway:"));
        digest_add(digest, data->data, data->size);
        return digest_hex(digest);
}

/**
 * store_fingerprint() - what stands for a file where it must not be seen
 * @s:          the store
 * @path:       its path in the store
 * @ret:        hex, lent as long as the store is; changes when and only when what the file means changes
 * @reterr:     names the file
 *
 * Return: 0, or a negative errno as store_file(); -EBADMSG (ERROR_CONFIG) if the file is not what it should
 * be.
 */
int store_fingerprint(Store *s, const char *path, const char **ret, Error **reterr) {
        STORE_LOCKED(s);
        _cleanup_free_ char *name = store_path(s, path);
        StoreFile *file = NULL;
        int r;

        r = store_read_present(s, path, &file, reterr);
        if (r < 0)
                return r;
        if (!file->fingerprint) {
                if (endswith(path, ".key"))
                        r = fingerprint_of_key(name, &file->data, &file->fingerprint, reterr);
                else if (endswith(path, ".conf"))
                        r = fingerprint_of_kubeconfig(name, &file->data, &file->fingerprint, reterr);
                else
                        file->fingerprint = fingerprint_of_bytes(&file->data);
                if (r < 0)
                        return r;
        }
        *ret = file->fingerprint;
        return 0;
}
