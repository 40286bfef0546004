/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/store-internal.h"

/*
 * Whose the store is: the name of its cluster file, in pki/.cluster-file
 *
 * Two cluster files side by side would share CAs, keys and the identity, and each would take the other's nodes for
 * its own.
 */

#define OWNER "pki/.cluster-file"
#define OWNER_SIZE_MAX 4096

/* 0: nothing is written down. */
static int read_owner(const Store *s, char **ret, Error **reterr) {
        _cleanup_free_ char *path = store_path_in_directory(s, OWNER);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        size_t n;
        int r;

        r = fs_read_optional(AT_FDCWD, path, OWNER_SIZE_MAX, &text, reterr);
        if (r <= 0)
                return r;
        n = strcspn(buffer_str(&text), "\n");
        if (n == 0)
                return 0;
        *ret = xstrndup(text.data, n);
        return 1;
}

/* One file may have two names: a symbolic link for short. */
static bool is_same_file(const Store *s, const char *a, const char *b) {
        _cleanup_free_ char *path_a = store_path_in_directory(s, a), *path_b = store_path_in_directory(s, b);
        struct stat st_a, st_b;

        return stat(path_a, &st_a) >= 0 && stat(path_b, &st_b) >= 0 && st_a.st_dev == st_b.st_dev &&
               st_a.st_ino == st_b.st_ino;
}

/* owner: NULL: not known */
static int refuse(const Store *s, const char *cluster_file, const char *owner, Error **reterr) {
        _cleanup_free_ char *path = store_path_in_directory(s, OWNER);

        (void) error_set(reterr, ERROR_CONFIG, EEXIST,
                         "the keys in pki/ and secrets/ are those of another cluster file than %s%s%s",
                         cluster_file, owner ? ": " : "", owner ?: "");
        error_detail(reterr, "Each cluster wants a directory of its own, with its own CAs and keys.");
        error_detail(reterr, "If it is the same cluster, and the file has another name now: echo %s >%s",
                     cluster_file, path);
        return -EEXIST;
}

/**
 * store_claim() - say which cluster file the store is used for
 * @s:          the store
 * @cluster_file: its name in the directory: "hardway.yaml"
 * @reterr:     says whose it is, and what to do
 *
 * Where nothing is written down yet, the next run that writes into the store does that.
 *
 * Return: 1 if it is that one's, 0 if nobody knows, -EEXIST (ERROR_CONFIG) if it is another one's; another
 * negative errno.
 */
int store_claim(Store *s, const char *cluster_file, Error **reterr) {
        _cleanup_free_ char *owner = NULL;
        int r;

        r = read_owner(s, &owner, reterr);
        if (r < 0)
                return r;
        if (r > 0 && !streq(owner, cluster_file) && !is_same_file(s, owner, cluster_file))
                return refuse(s, cluster_file, owner, reterr);
        free(s->cluster_file);
        s->cluster_file = xstrdup(cluster_file);
        return r;
}

/**
 * store_claim_unused() - the same for a cluster file that is about to be made
 * @s:          the store
 * @cluster_file: its name in the directory
 * @reterr:     says whose it is, and what to do
 *
 * What is in a store that says nothing was somebody's nevertheless; pki/ alone may be of anything.
 *
 * Return: 0, or a negative errno as store_claim().
 */
int store_claim_unused(Store *s, const char *cluster_file, Error **reterr) {
        _cleanup_free_ char *identity = store_path_in_directory(s, "secrets/identity");
        int r;

        r = store_claim(s, cluster_file, reterr);
        if (r == 0 && access(identity, F_OK) == 0)
                return refuse(s, cluster_file, NULL, reterr);
        return r < 0 ? r : 0;
}

/* Under the lock, before anything else is written. */
int store_record_owner(const Store *s, Error **reterr) {
        _cleanup_free_ char *owner = NULL, *path = store_path_in_directory(s, OWNER), *line = NULL;
        int r;

        if (!s->cluster_file)
                return 0;
        r = read_owner(s, &owner, reterr);
        if (r != 0)
                return r < 0 ? r : 0;
        line = xasprintf("%s\n", s->cluster_file);
        r = fs_write(AT_FDCWD, path, line, strlen(line), STORE_PUBLIC_MODE, 0, reterr);
        return r < 0 ? r : 0;
}
