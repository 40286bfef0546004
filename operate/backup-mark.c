/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/fs.h"
#include "common/json.h"
#include "operate/backup-internal.h"

/* secrets/backup: {"digest": "...", "time": "..."}, of the newest backup. */

#define MARK_SIZE_MAX 4096

/* What is under pki/nodes/ comes and goes with each renewal, and can be made again from the rest. */
static bool is_covered(const char *name) {
        return !startswith(name, "pki/nodes/");
}

/* Over names and contents of what cannot be made again; n: how many files that are. */
static int covered_digest(const char *directory, char **ret, size_t *ret_n, Error **reterr) {
        _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL;
        _cleanup_(digest_freep) Digest *digest = digest_new("SHA256");
        int r;

        r = backup_collect(directory, NULL, &set, reterr);
        if (r < 0)
                return r;

        *ret_n = 0;
        for (size_t i = 0; i < set.n_files; i++) {
                char hex[SHA256_HEX_SIZE];

                if (!is_covered(set.files[i].name))
                        continue;
                sha256_hex(set.files[i].data.data, set.files[i].data.size, hex);
                digest_add_str(digest, set.files[i].name);
                digest_add_str(digest, hex);
                (*ret_n)++;
        }
        *ret = digest_hex(digest);
        return 0;
}

static char* mark_path(const char *directory) {
        return xasprintf("%s/" BACKUP_MARK, directory);
}

int backup_mark(const char *directory, int64_t now, Error **reterr) {
        _cleanup_free_ char *digest = NULL, *time = clock_format_iso(now), *path = mark_path(directory);
        _cleanup_free_ char *folder = fs_path_dirname(path);
        _cleanup_json_ json_t *tree = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        size_t n = 0;
        int r;

        r = covered_digest(directory, &digest, &n, reterr);
        if (r < 0)
                return r;
        r = fs_mkdir_parents(AT_FDCWD, folder, 0700, reterr);
        if (r < 0)
                return r;

        tree = json_pack("{ss,ss}", "digest", digest, "time", time);
        json_write(tree, &text);
        r = fs_write(AT_FDCWD, path, text.data, text.size, 0600, 0, reterr);
        return r < 0 ? r : 0;
}

/**
 * backup_is_current() - whether a backup has all that cannot be made again
 * @directory:  the cluster directory
 * @ret:        whether there was one, and nothing of that kind has changed since; true as well if there is
 *              nothing to lose
 *
 * Return: 0, or a negative errno if the directory cannot be read.
 */
int backup_is_current(const char *directory, bool *ret) {
        _cleanup_free_ char *digest = NULL, *path = mark_path(directory);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_json_ json_t *tree = NULL;
        size_t n = 0;
        int r;

        r = covered_digest(directory, &digest, &n, NULL);
        if (r < 0)
                return r;
        r = fs_read_optional(AT_FDCWD, path, MARK_SIZE_MAX, &text, NULL);
        if (r < 0)
                return r;

        /* A mark that cannot be read is as good as none. */
        *ret = n == 0 || (r > 0 && json_parse(path, text.data, text.size, &tree, NULL) >= 0 &&
                          streq_null(json_text(tree, "digest"), digest));
        return 0;
}
