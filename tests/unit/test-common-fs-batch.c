/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>

/*
 * Keeps a record of what was done in which order, and fails when asked.
 *
 * Wraps: fsync renameat syncfs
 */
static char record[256];

static void note(const char *what) {
        size_t n = strlen(record);

        (void) snprintf(record + n, sizeof(record) - n, "%s ", what);
}

static unsigned fail_at_rename;
static int fail_syncfs;

int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
        note("dir");
        return 0;
}

int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd) {
        note("syncfs");
        if (fail_syncfs) {
                errno = fail_syncfs;
                return -1;
        }
        return 0;
}

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        note(to);
        if (fail_at_rename > 0 && --fail_at_rename == 0) {
                errno = EIO;
                return -1;
        }
        return __real_renameat(from_fd, from, to_fd, to);
}

static int setup(void **state) {
        UnitDir *d;
        int r;

        fail_at_rename = 0;
        fail_syncfs = 0;
        r = unit_dir_setup(state);
        d = *state;
        if (r < 0 || fs_mkdir_parents(d->fd, "sub", 0755, NULL) < 0)
                return -1;
        record[0] = '\0';
        return 0;
}

#define test_in_dir(f) cmocka_unit_test_setup_teardown(f, setup, unit_dir_teardown)

static int add(FsBatch *b, const char *path, const char *text, Error **reterr) {
        return fs_batch_add(b, path, text, strlen(text), 0640, 0, reterr);
}

static bool exists(const UnitDir *d, const char *path) {
        return faccessat(d->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_commit(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        _cleanup_(fs_batch_freep) FsBatch *b = fs_batch_new(d->fd);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        struct stat st;

        assert_success(add(b, "z", "1", &e), e, 1);
        assert_success(add(b, "sub/y", "2", &e), e, 1);
        assert_success(add(b, "a", "3", &e), e, 1);
        assert_int_equal(fs_batch_size(b), 3);
        assert_false(exists(d, "z"));

        assert_success(fs_batch_commit(b, &e), e, 0);
        assert_string_equal(record, "syncfs z y a syncfs ");
        assert_int_equal(fs_batch_size(b), 0);
        assert_int_equal(fs_read(d->fd, "sub/y", 10, &text, NULL), 0);
        assert_string_equal(buffer_str(&text), "2");
        assert_int_equal(fstatat(d->fd, "sub/y", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(unit_count_entries(d->path), 3);

        /* The same again: nothing to do. */
        record[0] = '\0';
        assert_success(add(b, "z", "1", &e), e, 0);
        assert_success(add(b, "sub/y", "2", &e), e, 0);
        assert_success(fs_batch_commit(b, &e), e, 0);
        assert_string_equal(record, "");
}

static void test_mkdir(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        _cleanup_(fs_batch_freep) FsBatch *b = fs_batch_new(d->fd);
        struct stat st;

        assert_success(fs_batch_mkdir(b, "new/deep", 0700, &e), e, 1);
        assert_success(fs_batch_mkdir(b, "new/deep", 0755, &e), e, 0);
        assert_int_equal(fstatat(d->fd, "new", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_success(add(b, "new/deep/a", "1", &e), e, 1);
        assert_success(fs_batch_commit(b, &e), e, 0);
        assert_string_equal(record, "syncfs a dir ");
        assert_failure(fs_batch_mkdir(b, "new/deep/a/b", 0700, &e), e, ERROR_CREATE, ENOTDIR);
}

static void test_no_sync(void **state) {
        UnitDir *d = *state;
        _cleanup_(fs_batch_freep) FsBatch *b = fs_batch_new(d->fd);

        assert_int_equal(fs_batch_add(b, "a", "1", 1, 0644, FS_NO_SYNC, NULL), 1);
        assert_int_equal(fs_batch_commit(b, NULL), 0);
        assert_string_equal(record, "a ");
}

static void test_abandoned(void **state) {
        UnitDir *d = *state;
        FsBatch *b = fs_batch_new(d->fd);

        assert_int_equal(add(b, "a", "1", NULL), 1);
        assert_int_equal(add(b, "sub/b", "1", NULL), 1);
        assert_int_equal(unit_count_entries(d->path), 2);
        assert_null(fs_batch_free(b));
        assert_int_equal(unit_count_entries(d->path), 1);
        assert_null(fs_batch_free(NULL));
}

static void test_refused(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        _cleanup_(fs_batch_freep) FsBatch *b = fs_batch_new(d->fd);

        assert_int_equal(symlinkat("a", d->fd, "link"), 0);
        assert_success(add(b, "a", "1", &e), e, 1);
        assert_failure(add(b, "a", "2", &e), e, ERROR_INTERNAL, EINVAL);
        assert_failure(add(b, "sub", "2", &e), e, ERROR_CREATE, EISDIR);
        assert_failure(add(b, "link", "2", &e), e, ERROR_CREATE, ELOOP);
        assert_failure(add(b, "none/x", "2", &e), e, ERROR_IO, ENOENT);
        assert_failure(add(b, "..", "2", &e), e, ERROR_INTERNAL, EINVAL);
        assert_success(fs_batch_commit(b, &e), e, 0);
        assert_true(exists(d, "a"));
}

static void test_exclusive(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        _cleanup_(fs_batch_freep) FsBatch *b = fs_batch_new(d->fd);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        assert_success(fs_batch_add(b, "ca.key", "ours", 4, 0600, FS_EXCLUSIVE, &e), e, 1);
        assert_success(add(b, "ca.crt", "ours", &e), e, 1);

        /* Another run makes its own in the meantime. */
        assert_int_equal(fs_write(d->fd, "ca.key", "theirs", 6, 0600, FS_EXCLUSIVE, NULL), 1);
        assert_failure(fs_batch_commit(b, &e), e, ERROR_CREATE, EEXIST);
        assert_int_equal(fs_read(d->fd, "ca.key", 10, &text, NULL), 0);
        assert_string_equal(buffer_str(&text), "theirs");
        assert_false(exists(d, "ca.crt"));
        assert_int_equal(unit_count_entries(d->path), 2);
        assert_failure(fs_batch_add(b, "ca.key", "x", 1, 0600, FS_EXCLUSIVE, &e), e, ERROR_CREATE, EEXIST);
}

static void test_rename_fails(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        _cleanup_(fs_batch_freep) FsBatch *b = fs_batch_new(d->fd);

        assert_int_equal(add(b, "a", "1", NULL), 1);
        assert_int_equal(add(b, "b", "1", NULL), 1);
        assert_int_equal(add(b, "c", "1", NULL), 1);
        fail_at_rename = 2;
        assert_failure(fs_batch_commit(b, &e), e, ERROR_IO, EIO);
        assert_string_equal(record, "syncfs a b dir ");
        assert_true(exists(d, "a"));
        assert_int_equal(unit_count_entries(d->path), 2);
}

static void test_sync_fails(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        _cleanup_(fs_batch_freep) FsBatch *b = fs_batch_new(d->fd);

        assert_int_equal(add(b, "a", "1", NULL), 1);
        fail_syncfs = ENOSPC;
        assert_failure(fs_batch_commit(b, &e), e, ERROR_IO, ENOSPC);
        assert_string_equal(record, "syncfs ");
        assert_int_equal(unit_count_entries(d->path), 1);
}

static void test_killed(void **state) {
        UnitDir *d = *state;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                FsBatch *b = fs_batch_new(d->fd);

                (void) add(b, "a", "1", NULL);
                (void) add(b, "sub/b", "1", NULL);
                kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_false(exists(d, "a"));
        assert_false(exists(d, "sub/b"));
}

static void test_many(void **state) {
        UnitDir *d = *state;
        _cleanup_(fs_batch_freep) FsBatch *b = fs_batch_new(d->fd);
        unsigned before = unit_count_fds();

        for (unsigned i = 0; i < 300; i++) {
                _cleanup_free_ char *path = xasprintf("sub/%u", i);

                assert_int_equal(fs_batch_add(b, path, path, strlen(path), 0600, FS_NO_SYNC, NULL), 1);
        }
        assert_int_equal(unit_count_fds(), before + 1);
        fail_at_rename = 150;
        assert_int_equal(fs_batch_commit(b, NULL), -EIO);
        b = fs_batch_free(b);
        assert_int_equal(unit_count_fds(), before);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                test_in_dir(test_commit),     test_in_dir(test_no_sync),   test_in_dir(test_abandoned),
                test_in_dir(test_refused),    test_in_dir(test_exclusive), test_in_dir(test_rename_fails),
                test_in_dir(test_sync_fails), test_in_dir(test_killed),    test_in_dir(test_many),
                test_in_dir(test_mkdir),
        };

        return cmocka_run_group_tests_name("common-fs-batch", tests, NULL, NULL);
}
