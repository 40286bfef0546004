/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Downloads that are killed, run twice at a time, or meet a full disk: nothing lies under a digest that it
 * does not have, and the next run completes.
 *
 * Wraps: fallocate64 fstatfs64 write fsync
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/digest.h"
#include "fetch/fetch.h"
#include "tests/fetch/make.h"
#include "tests/fetch/server.h"

#define VERSION MAKE_KUBERNETES
#define ETCD MAKE_ETCD
#define SIZE 300000

static TestServer server;
static char *cache, *ca, *slow, *good;

static const FetchRequest all[] = {
        { "kube-apiserver", ORIGIN_KUBERNETES, VERSION, "arm64" },
        { "kubectl", ORIGIN_KUBERNETES, VERSION, "arm64" },
        { "etcd", ORIGIN_ETCD, ETCD, "arm64" },
        { "etcdctl", ORIGIN_ETCD, ETCD, "arm64" },
};

/* --- a disk that is full, or broken --- */

static const char *failing;
static int failing_errno;

/* As it is called with 64 bits of offset, which meson asks for everywhere. */
int __real_fstatfs64(int fd, struct statfs *st);
int __wrap_fstatfs64(int fd, struct statfs *st);
int __real_fallocate64(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size);
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static bool fails(const char *call) {
        if (!failing || !streq(failing, call))
                return false;
        errno = failing_errno;
        return true;
}

/* In memory nothing is reserved; where the temporary directory is in memory, it is a disk all the same while a disk fails. */
int __wrap_fstatfs64(int fd, struct statfs *st) {
        int r = __real_fstatfs64(fd, st);

        if (failing)
                st->f_type = 0xEF53;
        return r;
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size) {
        return fails("fallocate") ? -1 : __real_fallocate64(fd, mode, offset, size);
}

/* Only pieces of a download are large. */
ssize_t __wrap_write(int fd, const void *data, size_t size) {
        return size >= 1024 && fails("write") ? -1 : __real_write(fd, data, size);
}

/* Not that of a directory, of which the messages say something else. */
int __wrap_fsync(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fails("fsync") ? -1 : __real_fsync(fd);
}

/* --- what is served and asked --- */

static void put(const char *path, const Buffer *data) {
        _cleanup_free_ char *sum = xasprintf("%s.sha256", path);
        char hex[SHA256_HEX_SIZE];

        sha256_hex(data->data, data->size, hex);
        server_put(&server, path, data->data, data->size);
        server_put(&server, sum, hex, strlen(hex));
}

static void put_all(void) {
        _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL, archive = BUFFER_NULL, sums = BUFFER_NULL;
        char hex[SHA256_HEX_SIZE];

        make_program(&a, EM_AARCH64, 1, SIZE);
        put("release/" VERSION "/bin/linux/arm64/kube-apiserver", &a);
        make_program(&b, EM_AARCH64, 2, SIZE);
        put("release/" VERSION "/bin/linux/arm64/kubectl", &b);
        make_program(&a, EM_AARCH64, 3, SIZE);
        make_program(&b, EM_AARCH64, 4, SIZE);
        make_archive(&archive,
                     (MakeEntry[]){ { "etcd-" ETCD "-linux-arm64/etcd", '-', a.data, a.size },
                                    { "etcd-" ETCD "-linux-arm64/etcdctl", '-', b.data, b.size } },
                     2);
        sha256_hex(archive.data, archive.size, hex);
        buffer_addf(&sums, "%s  etcd-" ETCD "-linux-arm64.tar.gz\n", hex);
        server_put(&server, "etcd/" ETCD "/etcd-" ETCD "-linux-arm64.tar.gz", archive.data, archive.size);
        server_put(&server, "etcd/" ETCD "/SHA256SUMS", sums.data, sums.size);
}

static Lock* lock_empty(void) {
        Lock *l = NULL;

        assert_int_equal(lock_parse("hardway.lock", "{\"format\":1,\"artifacts\":[]}", 27, &l, NULL), 0);
        return l;
}

static int run(const char *mirror, const char *directory, Lock *lock, Error **reterr) {
        char *mirrors[] = { (char*) mirror, NULL };
        const FetchOptions options = {
                .mirrors = mirrors, .cache = directory, .ca_bundle = ca, .accept_mirror = true
        };

        return fetch_run(all, ARRAY_SIZE(all), &options, lock, reterr);
}

/* In a process of its own, before this one has used libcurl at all. */
static pid_t run_child(const char *mirror) {
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
                Lock *lock = lock_empty();
                Error *error = NULL;
                int r = run(mirror, cache, lock, &error);

                if (r < 0)
                        (void) fprintf(stderr, "%s\n", error->message);
                /* Not exit(): the server is the parent's. */
                _exit(r < 0 ? 1 : 0);
        }
        return child;
}

/* --- what must hold --- */

static unsigned n_partial(void) {
        _cleanup_free_ char *path = xasprintf("%s/partial", cache);
        DIR *d = opendir(path);
        unsigned n = 0;

        for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
                n += e->d_name[0] != '.';
        if (d)
                (void) closedir(d);
        return n;
}

static unsigned assert_names_right(const char *path) {
        DIR *d = opendir(path);
        unsigned n = 0;

        for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
                _cleanup_free_ char *inner = xasprintf("%s/%s", path, e->d_name);
                char hex[SHA256_HEX_SIZE];
                int fd;

                if (e->d_name[0] == '.')
                        continue;
                if (e->d_type == DT_DIR) {
                        n += assert_names_right(inner);
                        continue;
                }
                fd = open(inner, O_RDONLY | O_CLOEXEC);
                assert_int_equal(sha256_hex_file(fd, hex), 0);
                assert_string_equal(hex, e->d_name);
                (void) close(fd);
                n++;
        }
        if (d)
                (void) closedir(d);
        return n;
}

static unsigned n_cached(void) {
        _cleanup_free_ char *path = xasprintf("%s/sha256", cache);

        return assert_names_right(path);
}

static void cache_clear(void) {
        assert_int_equal(fs_remove_tree(AT_FDCWD, cache, NULL), 0);
}

static void assert_completes(void) {
        int status;

        assert_int_equal(waitpid(run_child(good), &status, 0) > 0, 1);
        assert_int_equal(status, 0);
        assert_int_equal(n_cached(), 4);
        assert_int_equal(n_partial(), 0);
}

/* --- tests --- */

static void test_killed(void **state) {
        unsigned killed = 0;

        for (unsigned i = 0; i < 15; i++) {
                pid_t child;
                int status;

                cache_clear();
                child = run_child(slow);
                /* Over the whole of its second, with the end of the downloads and of the unpacking in it. */
                clock_sleep((i * 83 % 1300) * USEC_PER_MSEC);
                (void) kill(child, SIGKILL);
                assert_int_equal(waitpid(child, &status, 0), child);
                killed += WIFSIGNALED(status);
                (void) n_cached();
                assert_true(n_partial() <= 8);
                if (i % 5 == 0)
                        assert_completes();
        }
        assert_true(killed > 5);
}

static void test_killed_again_and_again(void **state) {
        cache_clear();
        for (unsigned i = 0; i < 10; i++) {
                pid_t child = run_child(slow);
                int status;

                clock_sleep(i * 20 * USEC_PER_MSEC);
                (void) kill(child, SIGKILL);
                assert_int_equal(waitpid(child, &status, 0), child);
        }
        assert_true(n_partial() <= 8); /* what one run leaves behind, the next takes over */
        assert_completes();
}

static void test_at_once(void **state) {
        pid_t children[5];

        for (unsigned round = 0; round < 4; round++) {
                cache_clear();
                for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
                        children[i] = run_child(round % 2 ? slow : good);
                        clock_sleep(round * 10 * USEC_PER_MSEC);
                }
                /* One of them dies, which is no concern of the others. */
                if (round % 2)
                        (void) kill(children[2], SIGKILL);
                for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
                        int status;

                        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
                        assert_true(status == 0 || (i == 2 && WIFSIGNALED(status)));
                }
                assert_int_equal(n_cached(), 4);
                assert_completes();
        }
}

static void test_failing_disk(void **state) {
        static const struct {
                const char *call;
                int errnum;
                ErrorKind kind;
                const char *words;
        } rows[] = {
                { "fallocate", ENOSPC, ERROR_IO, "the disk is full" },
                { "write", ENOSPC, ERROR_IO, "the disk is full" },
                { "write", EDQUOT, ERROR_IO, "the disk quota is used up" },
                { "write", EIO, ERROR_IO, "Input/output error" },
                { "fsync", EIO, ERROR_IO, "Input/output error" },
                { "fsync", ENOSPC, ERROR_IO, "the disk is full" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(lock_freep) Lock *lock = lock_empty();
                _cleanup_error_ Error *error = NULL;
                int r;

                cache_clear();
                failing_errno = rows[i].errnum;
                failing = rows[i].call;
                r = run(good, cache, lock, &error);
                failing = NULL;
                if (r != -rows[i].errnum)
                        fail_msg("%s fails with %s: %d", rows[i].call, strerror(rows[i].errnum), r);
                assert_int_equal(error->kind, rows[i].kind);
                if (!strstr(error->message, rows[i].words) || !strstr(error->message, "/partial/"))
                        fail_msg("%s", error->message);
                assert_true(n_partial() <= 6);
                assert_int_equal(n_cached(), lock_count(lock));
                assert_int_equal(run(good, cache, lock, NULL), 0);
                assert_int_equal(n_cached(), 4);
        }
        /* A file system that cannot reserve is used as it is. */
        cache_clear();
        {
                _cleanup_(lock_freep) Lock *lock = lock_empty();

                failing_errno = EOPNOTSUPP;
                failing = "fallocate";
                assert_int_equal(run(good, cache, lock, NULL), 0);
                failing = NULL;
        }
}

/* A real small disk, where this may be mounted: by root, or in a user namespace. */
static void test_full_disk(void **state) {
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0) {
                _cleanup_free_ char *disk = server_path(&server, "disk"),
                                    *directory = xasprintf("%s/cache", disk);
                Lock *lock = lock_empty();
                Error *error = NULL;

                if (mkdir(disk, 0700) < 0 ||
                    (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
                    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                    mount("tmpfs", disk, "tmpfs", 0, "size=500k") < 0)
                        _exit(77);
                if (run(good, directory, lock, &error) != -ENOSPC ||
                    !strstr(error->message, "the disk is full"))
                        _exit(1);
                (void) umount(disk);
                _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
                skip();
        assert_int_equal(status, 0);
}

static void test_permission(void **state) {
        _cleanup_(lock_freep) Lock *lock = lock_empty();
        _cleanup_free_ char *file = server_path(&server, "root/release"),
                            *below = xasprintf("%s/" VERSION "/bin/linux/arm64/kubectl/x", file);
        _cleanup_error_ Error *error = NULL;

        /* The cache's place is taken by a file. */
        assert_int_equal(run(good, below, lock, &error), -ENOTDIR);
        assert_int_equal(error->kind, ERROR_CREATE);
        assert_non_null(strstr(error->message, below));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_killed),       cmocka_unit_test(test_killed_again_and_again),
                cmocka_unit_test(test_at_once),      cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_failing_disk), cmocka_unit_test(test_permission),
        };
        int r;

        server_start(&server);
        cache = server_path(&server, "cache");
        ca = server_path(&server, "pki/ca.crt");
        slow = server_url(&server, "good", "/rate:400000");
        good = server_url(&server, "good", "");
        put_all();
        r = cmocka_run_group_tests_name("fetch-crash", tests, NULL, NULL);
        server_stop(&server);
        free(cache);
        free(ca);
        free(slow);
        free(good);
        return r;
}
