/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/*
 * The system calls below fail or kill when a test asks for it.
 *
 * Wraps: fsync renameat renameat2 write
 */
static int fail_write, fail_fsync, fail_renameat, fail_renameat2;
static int kill_in_fsync; /* with that signal */
static unsigned n_fsync;

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size) {
        if (fail_write) {
                errno = fail_write;
                return -1;
        }
        /* Short writes are legal, so they must not lose anything. */
        return __real_write(fd, data, size > 7 ? size / 2 : size);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
        n_fsync++;
        if (kill_in_fsync)
                kill(getpid(), kill_in_fsync);
        if (fail_fsync) {
                errno = fail_fsync;
                return -1;
        }
        return __real_fsync(fd);
}

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        if (fail_renameat) {
                errno = fail_renameat;
                return -1;
        }
        return __real_renameat(from_fd, from, to_fd, to);
}

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
        if (fail_renameat2) {
                errno = fail_renameat2;
                return -1;
        }
        return __real_renameat2(from_fd, from, to_fd, to, flags);
}

static int reset(void **state) {
        fail_write = fail_fsync = fail_renameat = fail_renameat2 = 0;
        kill_in_fsync = false;
        return unit_dir_teardown(state);
}

#define test_in_dir(f) cmocka_unit_test_setup_teardown(f, unit_dir_setup, reset)

static void assert_content(const UnitDir *d, const char *path, const char *wanted, mode_t mode) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        struct stat st;

        assert_int_equal(fs_read(d->fd, path, 1 << 20, &b, NULL), 0);
        assert_string_equal(buffer_str(&b), wanted);
        assert_int_equal(fstatat(d->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode & 07777, mode);
}

static int write_str(const UnitDir *d, const char *path, const char *text, mode_t mode, FsFlags flags,
                     Error **reterr) {
        return fs_write(d->fd, path, text, strlen(text), mode, flags, reterr);
}

static void test_write(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        mode_t old = umask(077);
        struct stat one, two;

        assert_success(write_str(d, "f", "hello, world", 0644, 0, &e), e, 1);
        assert_content(d, "f", "hello, world", 0644);
        assert_int_equal(fstatat(d->fd, "f", &one, 0), 0);
        assert_success(write_str(d, "f", "hello, world", 0644, 0, &e), e, 0);
        assert_int_equal(fstatat(d->fd, "f", &two, 0), 0);
        assert_int_equal(one.st_ino, two.st_ino);

        assert_success(write_str(d, "f", "hello, World", 0644, 0, &e), e, 1);
        assert_success(write_str(d, "f", "hello", 0644, 0, &e), e, 1);
        assert_success(write_str(d, "f", "hello, longer", 0644, FS_NO_SYNC, &e), e, 1);
        assert_success(write_str(d, "f", "hello, longer", 0600, 0, &e), e, 1);
        assert_content(d, "f", "hello, longer", 0600);

        umask(0);
        assert_success(write_str(d, "key", "secret", 0400, 0, &e), e, 1);
        assert_content(d, "key", "secret", 0400);
        assert_success(fs_write(d->fd, "empty", NULL, 0, 0666, 0, &e), e, 1);
        assert_success(fs_write(d->fd, "empty", NULL, 0, 0666, 0, &e), e, 0);
        assert_content(d, "empty", "", 0666);
        umask(old);
        assert_int_equal(unit_count_entries(d->path), 3);
}

/* Larger than any buffer in there, and equal but for its last byte. */
static void test_write_large(void **state) {
        UnitDir *d = *state;
        size_t size = 1000001;
        _cleanup_free_ char *data = xcalloc(1, size);
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(fs_write(d->fd, "f", data, size, 0644, 0, NULL), 1);
        assert_int_equal(fs_write(d->fd, "f", data, size, 0644, 0, NULL), 0);
        data[size - 1] = 'x';
        assert_int_equal(fs_write(d->fd, "f", data, size, 0644, 0, NULL), 1);
        assert_int_equal(fs_read(d->fd, "f", size, &b, NULL), 0);
        assert_int_equal(b.size, size);
        assert_memory_equal(b.data, data, size);
}

static void test_sync(void **state) {
        UnitDir *d = *state;

        n_fsync = 0;
        assert_int_equal(write_str(d, "f", "1", 0644, FS_NO_SYNC, NULL), 1);
        assert_int_equal(n_fsync, 0);
        assert_int_equal(write_str(d, "f", "2", 0644, 0, NULL), 1);
        assert_int_equal(n_fsync, 2); /* the file and its directory */
        assert_int_equal(write_str(d, "f", "2", 0644, 0, NULL), 0);
        assert_int_equal(n_fsync, 2);
}

static void test_exclusive(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;

        assert_success(write_str(d, "ca.key", "one", 0600, FS_EXCLUSIVE, &e), e, 1);
        assert_failure(write_str(d, "ca.key", "one", 0600, FS_EXCLUSIVE, &e), e, ERROR_CREATE, EEXIST);
        assert_int_equal(symlinkat("nowhere", d->fd, "link"), 0);
        assert_failure(write_str(d, "link", "x", 0600, FS_EXCLUSIVE, &e), e, ERROR_CREATE, EEXIST);
        assert_content(d, "ca.key", "one", 0600);
        assert_int_equal(unit_count_entries(d->path), 2);
}

/* File systems without RENAME_NOREPLACE. */
static void test_exclusive_by_link(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;

        fail_renameat2 = EINVAL;
        assert_success(write_str(d, "f", "one", 0600, FS_EXCLUSIVE, &e), e, 1);
        assert_content(d, "f", "one", 0600);
        assert_int_equal(unit_count_entries(d->path), 1);

        /* Somebody else was faster, after we looked. */
        fail_renameat2 = EEXIST;
        assert_failure(write_str(d, "g", "two", 0600, FS_EXCLUSIVE, &e), e, ERROR_CREATE, EEXIST);
        assert_int_equal(unit_count_entries(d->path), 1);
}

static void test_refused(void **state) {
        static const char *const wrong[] = { "", ".", "..", "a/", "/", "a/.." };
        UnitDir *d = *state;
        Error *e = NULL;

        assert_int_equal(write_str(d, "victim", "old", 0644, 0, NULL), 1);
        assert_int_equal(symlinkat("victim", d->fd, "link"), 0);
        assert_int_equal(mkdirat(d->fd, "dir", 0755), 0);
        assert_int_equal(mkfifoat(d->fd, "fifo", 0644), 0);

        assert_failure(write_str(d, "link", "new", 0644, 0, &e), e, ERROR_CREATE, ELOOP);
        assert_failure(write_str(d, "dir", "new", 0644, 0, &e), e, ERROR_CREATE, EISDIR);
        assert_failure(write_str(d, "fifo", "new", 0644, 0, &e), e, ERROR_CREATE, EEXIST);
        assert_failure(write_str(d, "none/f", "new", 0644, 0, &e), e, ERROR_IO, ENOENT);
        assert_failure(write_str(d, "victim/f", "new", 0644, 0, &e), e, ERROR_CREATE, ENOTDIR);
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                assert_failure(write_str(d, wrong[i], "x", 0644, 0, &e), e, ERROR_INTERNAL, EINVAL);
        assert_content(d, "victim", "old", 0644);
        assert_int_equal(unit_count_entries(d->path), 4);
}

static void test_long_name(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        char name[300];

        memset(name, 'n', sizeof(name));
        name[255] = '\0';
        assert_success(write_str(d, name, "x", 0644, 0, &e), e, 1);
        name[255] = 'n';
        name[256] = '\0';
        assert_failure(write_str(d, name, "x", 0644, 0, &e), e, ERROR_CREATE, ENAMETOOLONG);
        assert_int_equal(unit_count_entries(d->path), 1);
}

/* Whatever fails, the old file stays and nothing else is left. */
static void test_failures(void **state) {
        static const struct {
                int *what;
                int errnum;
                ErrorKind kind;
        } rows[] = {
                { &fail_write, ENOSPC, ERROR_IO },       { &fail_write, EDQUOT, ERROR_IO },
                { &fail_write, EIO, ERROR_IO },          { &fail_fsync, EIO, ERROR_IO },
                { &fail_renameat, EROFS, ERROR_CREATE }, { &fail_renameat, EACCES, ERROR_PERMISSION },
        };
        UnitDir *d = *state;
        Error *e = NULL;

        assert_int_equal(write_str(d, "f", "old", 0644, 0, NULL), 1);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                *rows[i].what = rows[i].errnum;
                assert_failure(write_str(d, "f", "new", 0644, 0, &e), e, rows[i].kind, rows[i].errnum);
                *rows[i].what = 0;
                assert_content(d, "f", "old", 0644);
                assert_int_equal(unit_count_entries(d->path), 1);
        }
}

static void test_file_size_limit(void **state) {
        UnitDir *d = *state;
        struct rlimit old, small;
        Error *e = NULL;
        _cleanup_free_ char *data = xcalloc(1, 100000);

        signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
        small = (struct rlimit){ .rlim_cur = 4096, .rlim_max = old.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        assert_failure(fs_write(d->fd, "f", data, 100000, 0644, 0, &e), e, ERROR_IO, EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(unit_count_entries(d->path), 0);
}

static void test_killed(void **state) {
        UnitDir *d = *state;
        pid_t pid;
        int status;

        assert_int_equal(write_str(d, "old", "old", 0644, 0, NULL), 1);
        pid = fork();
        if (pid == 0) {
                kill_in_fsync = SIGKILL;
                (void) write_str(d, "old", "new", 0644, 0, NULL);
                (void) write_str(d, "new", "new", 0644, 0, NULL);
                _exit(1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_content(d, "old", "old", 0644);
        assert_int_equal(faccessat(d->fd, "new", F_OK, 0), -1);

        /* what it left goes with the next one that writes this file */
        assert_int_equal(unit_count_entries(d->path), 2);
        assert_int_equal(write_str(d, "ol", "x", 0644, 0, NULL), 1);
        assert_int_equal(write_str(d, "older", "x", 0644, 0, NULL), 1);
        assert_int_equal(unit_count_entries(d->path), 4);
        assert_int_equal(write_str(d, "old", "newer", 0644, 0, NULL), 1);
        assert_int_equal(unit_count_entries(d->path), 3);
}

/* But not what somebody is writing. */
static void test_two_at_once(void **state) {
        UnitDir *d = *state;
        pid_t pid;
        int status;

        pid = fork();
        if (pid == 0) {
                kill_in_fsync = SIGSTOP;
                _exit(write_str(d, "f", "slow", 0600, 0, NULL) == 1 ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
        assert_int_equal(write_str(d, "f", "fast", 0600, 0, NULL), 1);
        assert_int_equal(unit_count_entries(d->path), 2);
        do {
                (void) kill(pid, SIGCONT); /* it stops again when it syncs the directory */
                assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        } while (WIFSTOPPED(status));
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_content(d, "f", "slow", 0600);
        assert_int_equal(unit_count_entries(d->path), 1);
}

static void test_read(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        Buffer b = BUFFER_NULL;

        assert_int_equal(write_str(d, "f", "12345", 0644, 0, NULL), 1);
        assert_success(fs_read(d->fd, "f", 5, &b, &e), e, 0);
        assert_string_equal(buffer_str(&b), "12345");
        buffer_done(&b);

        assert_failure(fs_read(d->fd, "f", 4, &b, &e), e, ERROR_IO, EFBIG);
        assert_failure(fs_read(d->fd, "none", 4, &b, &e), e, ERROR_IO, ENOENT);
        assert_failure(fs_read(d->fd, ".", 4, &b, &e), e, ERROR_CREATE, EISDIR);
        assert_success(fs_read_optional(d->fd, "none", 4, &b, &e), e, 0);
        assert_null(b.data);
        assert_success(fs_read_optional(d->fd, "f", 5, &b, &e), e, 1);
        assert_int_equal(b.size, 5);
        buffer_done(&b);

        /* No end in sight. */
        assert_failure(fs_read(AT_FDCWD, "/dev/zero", 1 << 20, &b, &e), e, ERROR_IO, EFBIG);
        assert_success(fs_read(AT_FDCWD, "/dev/null", 0, &b, &e), e, 0);
        assert_string_equal(buffer_str(&b), "");
        buffer_done(&b);
}

/* Of what is done by a file nobody else may have had a hand in it. */
static void test_read_own(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        Buffer b = BUFFER_NULL;

        assert_success(fs_read_own(d->fd, "none", 9, &b, &e), e, 0);
        assert_int_equal(write_str(d, "f", "12345", 0644, 0, NULL), 1);
        assert_success(fs_read_own(d->fd, "f", 5, &b, &e), e, 1);
        assert_string_equal(buffer_str(&b), "12345");
        buffer_done(&b);
        assert_failure(fs_read_own(d->fd, "f", 4, &b, &e), e, ERROR_IO, EFBIG);

        assert_int_equal(fchmodat(d->fd, "f", 0664, 0), 0);
        assert_failure(fs_read_own(d->fd, "f", 9, &b, &e), e, ERROR_CONFIG, EPERM);
        assert_int_equal(fchmodat(d->fd, "f", 0646, 0), 0);
        assert_failure(fs_read_own(d->fd, "f", 9, &b, &e), e, ERROR_CONFIG, EPERM);
        assert_int_equal(fchmodat(d->fd, "f", 0600, 0), 0);
        assert_int_equal(symlinkat("f", d->fd, "link"), 0);
        assert_failure(fs_read_own(d->fd, "link", 9, &b, &e), e, ERROR_CONFIG, EPERM);
        assert_int_equal(mkfifoat(d->fd, "fifo", 0600), 0); /* nobody ever writes to it */
        assert_failure(fs_read_own(d->fd, "fifo", 9, &b, &e), e, ERROR_CONFIG, EPERM);
        assert_failure(fs_read_own(d->fd, ".", 9, &b, &e), e, ERROR_CONFIG, EPERM);
        if (geteuid() == 0) {
                assert_int_equal(fchownat(d->fd, "f", 65534, 0, 0), 0);
                assert_failure(fs_read_own(d->fd, "f", 9, &b, &e), e, ERROR_CONFIG, EPERM);
        }
}

static void test_mkdir(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        mode_t old = umask(077);
        struct stat st;

        assert_success(fs_mkdir_parents(d->fd, "a//b/c/", 0755, &e), e, 1);
        umask(old);
        assert_success(fs_mkdir_parents(d->fd, "a/b/c", 0700, &e), e, 0);
        assert_int_equal(fstatat(d->fd, "a/b", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0755);
        assert_int_equal(symlinkat("a", d->fd, "link"), 0);
        assert_success(fs_mkdir_parents(d->fd, "link/x", 0700, &e), e, 1);
        assert_success(fs_mkdir_parents(d->fd, "link/y//", 0700, &e), e, 1);
        assert_success(fs_mkdir_parents(d->fd, "link//y/", 0700, &e), e, 0);
        assert_success(fs_mkdir_all(d->fd, "later/x", 0700, /* sync= */ false, &e), e, 1);
        assert_success(fs_mkdir_parents(d->fd, ".", 0700, &e), e, 0);
        assert_int_equal(fs_mkdir_parents(d->fd, "", 0700, NULL), -ENOENT);
        assert_success(fs_mkdir_parents(AT_FDCWD, d->path, 0700, &e), e, 0);

        assert_int_equal(write_str(d, "file", "", 0644, 0, NULL), 1);
        assert_failure(fs_mkdir_parents(d->fd, "file", 0755, &e), e, ERROR_CREATE, ENOTDIR);
        assert_failure(fs_mkdir_parents(d->fd, "file/x", 0755, &e), e, ERROR_CREATE, ENOTDIR);
        assert_int_equal(symlinkat("nowhere", d->fd, "dangling"), 0);
        assert_int_equal(fs_mkdir_parents(d->fd, "dangling/x", 0755, NULL), -ENOENT);
}

static void test_remove(void **state) {
        static const char *const wrong[] = { "", "/", ".", "..", "a/..", "a/" };
        UnitDir *d = *state;
        Error *e = NULL;

        assert_int_equal(fs_mkdir_parents(d->fd, "outside", 0755, NULL), 1);
        assert_int_equal(write_str(d, "outside/keep", "x", 0644, 0, NULL), 1);
        assert_int_equal(fs_mkdir_parents(d->fd, "tree/a/b/c", 0755, NULL), 1);
        assert_int_equal(write_str(d, "tree/a/.hidden", "x", 0400, 0, NULL), 1);
        assert_int_equal(symlinkat("../outside", d->fd, "tree/link"), 0);
        assert_int_equal(symlinkat("outside", d->fd, "link"), 0);

        assert_success(fs_remove_tree(d->fd, "tree", &e), e, 0);
        assert_success(fs_remove_tree(d->fd, "tree", &e), e, 0);
        assert_success(fs_remove_tree(d->fd, "link", &e), e, 0);
        assert_content(d, "outside/keep", "x", 0644);
        assert_success(fs_remove_tree(d->fd, "outside/keep", &e), e, 0);
        assert_int_equal(unit_count_entries(d->path), 1);
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                assert_failure(fs_remove_tree(d->fd, wrong[i], &e), e, ERROR_INTERNAL, EINVAL);
}

static void test_paths(void **state) {
        static const char *const rows[][3] = {
                { "a", ".", "a" },         { "a/b", "a", "b" },   { "/a", "/", "a" },  { "a//b", "a", "b" },
                { "/a/b/c", "/a/b", "c" }, { "a/b/", "a/b", "" }, { "//a", "/", "a" }, { "", ".", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *dir = fs_path_dirname(rows[i][0]);

                assert_string_equal(dir, rows[i][1]);
                assert_string_equal(fs_path_basename(rows[i][0]), rows[i][2]);
        }
}

static void test_open_dir(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        _cleanup_close_ int fd = fs_open_dir(d->fd, ".", &e);

        assert_true(fd >= 0);
        assert_int_equal(write_str(d, "f", "x", 0644, 0, NULL), 1);
        assert_failure(fs_open_dir(d->fd, "f", &e), e, ERROR_CREATE, ENOTDIR);
        assert_success(fs_sync_dir_of(d->fd, "f", &e), e, 0);
        assert_failure(fs_sync_dir_of(d->fd, "none/f", &e), e, ERROR_IO, ENOENT);
}

static void test_lock(void **state) {
        UnitDir *d = *state;
        Error *e = NULL;
        int fd, second;
        pid_t pid;
        int status;

        fd = fs_lock(d->fd, "lock", "hardway install, PID 7 on admin, a rather long text", /* wait= */ false,
                     &e);
        assert_true(fd >= 0);
        assert_int_equal(fs_lock(d->fd, "lock", "me", /* wait= */ false, &e), -EBUSY);
        assert_int_equal(e->kind, ERROR_TEMPORARY);
        assert_contains(e->message, "lock is locked by hardway install, PID 7 on admin");
        e = error_free(e);

        close(fd);
        second = fs_lock(d->fd, "lock", "me", /* wait= */ true, &e);
        assert_true(second >= 0);
        assert_content(d, "lock", "me\n", 0600);
        close(second);

        /* The kernel releases the lock of the dead. */
        pid = fork();
        if (pid == 0) {
                if (fs_lock(d->fd, "lock", "child", /* wait= */ false, NULL) < 0)
                        _exit(1);
                kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        fd = fs_lock(d->fd, "lock", "me", /* wait= */ false, &e);
        assert_true(fd >= 0);
        close(fd);

        assert_int_equal(symlinkat("lock", d->fd, "link"), 0);
        assert_failure(fs_lock(d->fd, "link", "me", /* wait= */ false, &e), e, ERROR_CREATE, ELOOP);
}

static unsigned fds_at_start;

static int group_setup(void **state) {
        umask(022);
        fds_at_start = unit_count_fds();
        return 0;
}

static int group_teardown(void **state) {
        return unit_count_fds() == fds_at_start ? 0 : -1;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                test_in_dir(test_write),      test_in_dir(test_write_large),
                test_in_dir(test_sync),       test_in_dir(test_exclusive),
                test_in_dir(test_refused),    test_in_dir(test_exclusive_by_link),
                test_in_dir(test_long_name),  test_in_dir(test_failures),
                test_in_dir(test_killed),     test_in_dir(test_file_size_limit),
                test_in_dir(test_read),       test_in_dir(test_read_own),
                test_in_dir(test_mkdir),      test_in_dir(test_remove),
                cmocka_unit_test(test_paths), test_in_dir(test_open_dir),
                test_in_dir(test_lock),       test_in_dir(test_two_at_once),
        };

        return cmocka_run_group_tests_name("common-fs", tests, group_setup, group_teardown);
}
