/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "pki/store-internal.h"

/* What is not as the store leaves it: modes of what was copied here, and what a run that was killed had staged. */

static int tighten_path(const char *path, mode_t mode, Error **reterr) {
        struct stat st;

        if (stat(path, &st) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, errno, "cannot stat %s", path);
        if ((st.st_mode & 077) && chmod(path, mode) < 0)
                return error_set_errno(reterr, errno, "cannot set the mode of %s", path);
        return 0;
}

/* Secrets that others may read: copied here without their modes, say. New files are born right. */
int store_tidy(StoreRun *run, Error **reterr) {
        static const char *const directories[] = { "pki", "secrets" };

        for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
                _cleanup_free_ char *path = store_path_in_directory(run->store, directories[i]);
                int r = tighten_path(path, STORE_DIRECTORY_MODE, reterr);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < run->n_entries; i++) {
                _cleanup_free_ char *secret = NULL, *path = NULL;
                int r;

                if (!run->entries[i].loose)
                        continue;
                secret = store_entry_secret_path(run->entries[i].request);
                path = store_rotation_path(run->store, secret);
                r = tighten_path(path, STORE_KEY_MODE, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * Whether this is a temporary of a file of that name, or (NULL) of any: ".#NAME.XXXXXXXX", see
 * common/fs-write.c.
 */
static bool is_left_over(const char *entry, const char *name) {
        const char *rest = startswith(entry, ".#");

        if (rest && name) {
                rest = startswith(rest, name);
                return rest && rest[0] == '.' && strlen(rest) == 9;
        }
        return rest != NULL;
}

/* Removes what a killed run had staged: it holds keys, and under the lock nobody else writes these files. */
static void sweep(const char *directory, const char *name) {
        _cleanup_dir_ DIR *d = opendir(directory);
        const struct dirent *entry;

        while (d && (entry = readdir(d)))
                if (is_left_over(entry->d_name, name))
                        (void) unlinkat(dirfd(d), entry->d_name, 0);
}

static void sweep_once(const char *file, Strv *done) {
        _cleanup_free_ char *directory = fs_path_dirname(file);

        if (strv_contains(*done, directory))
                return;
        sweep(directory, NULL);
        strv_add(done, directory);
}

/* Beside the cluster file others write too: there only names of ours are looked for. */
void store_sweep(const StoreRun *run) {
        _cleanup_strv_ Strv done = NULL;

        for (size_t i = 0; i < run->n_entries; i++) {
                const StoreRequest *request = run->entries[i].request;
                _cleanup_free_ char *path = store_entry_secret_path(request),
                                    *file = store_path(run->store, path),
                                    *asked_path = store_request_path(request, "key"),
                                    *asked = store_path(run->store, asked_path),
                                    *relative = xasprintf(STORE_PREVIOUS "/%s", path),
                                    *kept = store_path_in_directory(run->store, relative),
                                    *given_up = xasprintf(STORE_FORMER "/%s", path),
                                    *former = store_path_in_directory(run->store, given_up);

                if (request->type == STORE_KUBECONFIG && !strchr(path, '/')) {
                        _cleanup_free_ char *directory = fs_path_dirname(file);

                        sweep(directory, path);
                } else
                        sweep_once(file, &done);
                sweep_once(kept, &done);
                sweep_once(former, &done);
                sweep_once(asked, &done);
        }
}
