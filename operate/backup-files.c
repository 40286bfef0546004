/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "common/strv.h"
#include "operate/backup-internal.h"
#include "operate/drill.h"

/* Between a set of files and the cluster directory. */

#define DEPTH_MAX 8
#define NAME_SIZE_MAX 255
#define CLUSTER_FILE "hardway.yaml"

/* Beside the cluster file. */
static const char *const top_names[] = { ".gitignore", "hardway.lock", "admin.conf", "super-admin.conf" };
static const char *const folders[] = { "pki", "secrets" };
/* Of this copy of the directory, and of today. */
static const char *const left_here[] = { BACKUP_MARK, DRILL_PENDING };

void backup_set_done(BackupSet *set) {
        for (size_t i = 0; i < set->n_files; i++) {
                free(set->files[i].name);
                buffer_wipe(&set->files[i].data);
        }
        free(set->files);
        *set = BACKUP_SET_NULL;
}

int backup_set_add(BackupSet *set, const char *name, Buffer *data, Error **reterr) {
        for (size_t i = 0; i < set->n_files; i++)
                if (streq(set->files[i].name, name))
                        return error_set(reterr, ERROR_CONFIG, EBADMSG, "%s is there twice", name);
        if (set->n_files >= BACKUP_FILES_MAX || data->size > BACKUP_SIZE_MAX - set->size)
                return error_set(reterr, ERROR_CONFIG, EFBIG,
                                 "too many or too large files (%u, %u MiB at most)",
                                 (unsigned) BACKUP_FILES_MAX, BACKUP_SIZE_MAX / 1024 / 1024);

        set->files = xrealloc(set->files, set->n_files + 1, sizeof(BackupFile));
        set->files[set->n_files++] = (BackupFile) { .name = xstrdup(name), .data = *data };
        set->size += data->size;
        *data = BUFFER_NULL;
        return 0;
}

static bool stays_here(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(left_here); i++)
                if (streq(name, left_here[i]))
                        return true;
        return false;
}

static bool is_cluster_file(const char *name) {
        return !strchr(name, '/') && (endswith(name, ".yaml") || endswith(name, ".yml"));
}

static int compare_files(const void *a, const void *b) {
        const BackupFile *x = a, *y = b;
        bool x_last = is_cluster_file(x->name), y_last = is_cluster_file(y->name);

        if (x_last != y_last)
                return x_last - y_last;
        return strcmp(x->name, y->name);
}

void backup_set_sort(BackupSet *set) {
        if (set->n_files > 0)
                qsort(set->files, set->n_files, sizeof(BackupFile), compare_files);
}

/*
 * Parts that are not empty and not hidden, which leaves out "..", of characters that every archive can name.
 */
static bool parts_are_sane(const char *name) {
        char before = '/';

        for (const char *p = name; *p; p++) {
                if (*p < ' ' || *p > '~' || *p == '\\')
                        return false;
                if (before == '/' && (*p == '/' || *p == '.'))
                        return false;
                before = *p;
        }
        return before != '/';
}

bool backup_name_is_sane(const char *name) {
        if (strlen(name) > NAME_SIZE_MAX)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(top_names); i++)
                if (streq(name, top_names[i]))
                        return true;
        if (!parts_are_sane(name) || stays_here(name))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                const char *rest = startswith(name, folders[i]);

                if (rest && *rest == '/')
                        return true;
        }
        return is_cluster_file(name);
}

static char* join(const char *directory, const char *name) {
        return streq(directory, ".") ? xstrdup(name) : xasprintf("%s/%s", directory, name);
}

/* Adds a file under a name; one that is absent is none of ours to miss. */
static int collect_file(const char *path, const char *name, BackupSet *set, Error **reterr) {
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;
        int r;

        if (!backup_name_is_sane(name))
                return error_set(reterr, ERROR_CONFIG, EINVAL,
                                 "%s: a backup cannot hold a file of this name", path);
        r = fs_read_optional(AT_FDCWD, path, BACKUP_FILE_SIZE_MAX, &data, reterr);
        if (r <= 0)
                return r;
        return backup_set_add(set, name, &data, reterr);
}

/* What is in a directory, without what is hidden: locks, and what a killed run left. */
static int list_directory(const char *path, Strv *ret, Error **reterr) {
        _cleanup_dir_ DIR *d = opendir(path);
        const struct dirent *entry;

        if (!d)
                return errno == ENOENT ? 0 :
                                         error_set_errno(reterr, errno, "cannot open directory %s", path);
        for (;;) {
                errno = 0;
                entry = readdir(d);
                if (!entry)
                        break;
                if (entry->d_name[0] != '.')
                        strv_add(ret, entry->d_name);
        }
        if (errno != 0)
                return error_set_errno(reterr, errno, "cannot read directory %s", path);
        strv_sort(*ret);
        return 0;
}

static int collect_folder(const char *directory, const char *folder, unsigned depth, BackupSet *set,
                          Error **reterr) {
        _cleanup_free_ char *path = join(directory, folder);
        _cleanup_strv_ Strv names = NULL;
        int r;

        if (depth > DEPTH_MAX)
                return error_set(reterr, ERROR_CONFIG, ELOOP, "%s: too many directories in each other",
                                 path);
        r = list_directory(path, &names, reterr);
        STRV_FOREACH(entry, names) {
                _cleanup_free_ char *name = xasprintf("%s/%s", folder, *entry),
                                    *file = join(directory, name);
                struct stat st;

                if (r < 0)
                        return r;
                if (stays_here(name))
                        continue;
                if (stat(file, &st) < 0)
                        return error_set_errno(reterr, errno, "cannot stat %s", file);
                if (S_ISDIR(st.st_mode))
                        r = collect_folder(directory, name, depth + 1, set, reterr);
                else if (S_ISREG(st.st_mode))
                        r = collect_file(file, name, set, reterr);
                else
                        r = error_set(reterr, ERROR_CONFIG, EINVAL, "%s: is neither file nor directory",
                                      file);
        }
        return r;
}

/* cluster_file: its name in the directory; NULL: only pki/ and secrets/ */
int backup_collect(const char *directory, const char *cluster_file, BackupSet *ret, Error **reterr) {
        _cleanup_(backup_set_done) BackupSet set = BACKUP_SET_NULL;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                r = collect_folder(directory, folders[i], 0, &set, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; cluster_file && i < ARRAY_SIZE(top_names); i++) {
                _cleanup_free_ char *path = join(directory, top_names[i]);

                r = collect_file(path, top_names[i], &set, reterr);
                if (r < 0)
                        return r;
        }
        if (cluster_file) {
                _cleanup_free_ char *path = join(directory, cluster_file);
                bool sane = is_cluster_file(cluster_file) && backup_name_is_sane(cluster_file);

                r = collect_file(path, sane ? cluster_file : CLUSTER_FILE, &set, reterr);
                if (r < 0)
                        return r;
        }

        backup_set_sort(&set);
        *ret = set;
        set = BACKUP_SET_NULL;
        return 0;
}

static mode_t mode_of(const char *name) {
        if (endswith(name, ".crt") || endswith(name, ".pub"))
                return 0644;
        return strchr(name, '/') || endswith(name, ".conf") ? 0600 : 0644;
}

/* Whether a file has to be written: not if it is there and the same. */
static int place_check(const char *path, const BackupFile *file, Error **reterr) {
        _cleanup_buffer_secret_ Buffer data = BUFFER_NULL;
        int r;

        r = fs_read_optional(AT_FDCWD, path, BACKUP_FILE_SIZE_MAX, &data, reterr);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (data.size == file->data.size &&
            (data.size == 0 || memcmp(data.data, file->data.data, data.size) == 0))
                return 0;
        (void) error_set(reterr, ERROR_CREATE, EEXIST, "%s: exists and differs, will not replace it", path);
        error_detail(reterr, "Restore into another directory: --directory DIR.");
        return -EEXIST;
}

static int place_file(FsBatch *batch, const char *directory, const BackupFile *file, Error **reterr) {
        _cleanup_free_ char *path = join(directory, file->name), *parent = fs_path_dirname(path);
        int r;

        r = place_check(path, file, reterr);
        if (r <= 0)
                return r;
        r = fs_batch_mkdir(batch, parent, strchr(file->name, '/') ? 0700 : 0755, reterr);
        if (r < 0)
                return r;
        r = fs_batch_add(batch, path, file->data.data, file->data.size, mode_of(file->name), FS_EXCLUSIVE,
                         reterr);
        return r < 0 ? r : 0;
}

/* All is looked at before anything is made. */
int backup_place(const char *directory, const BackupSet *set, bool dry_run, size_t *ret_n_new,
                 Error **reterr) {
        _cleanup_(fs_batch_freep) FsBatch *batch = fs_batch_new(AT_FDCWD);
        size_t n_new = 0;
        int r;

        for (size_t i = 0; i < set->n_files; i++) {
                _cleanup_free_ char *path = join(directory, set->files[i].name);

                r = place_check(path, set->files + i, reterr);
                if (r < 0)
                        return r;
                n_new += r > 0;
        }
        if (dry_run) {
                *ret_n_new = n_new;
                return 0;
        }

        r = fs_batch_mkdir(batch, directory, 0755, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < set->n_files; i++) {
                r = place_file(batch, directory, set->files + i, reterr);
                if (r < 0)
                        return r;
        }
        r = fs_batch_commit(batch, reterr);
        if (r >= 0)
                *ret_n_new = n_new;
        return r;
}
