/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <sys/wait.h>

#include "common/clock.h"
#include "common/digest.h"
#include "tests/unit/put-fixture.h"

/* A put that is cancelled, killed, or has no room; and what is made of what programs say then */

/* What programs say, and what is made of it: which file, and what is wrong with it. */
static void test_complaints(void **state) {
        static const struct {
                const char *said, *message;
        } rows[] = {
                { "tar: etc/kubernetes/ca.key.hw-new: Cannot write: No space left on device\n",
                  "/etc/kubernetes/ca.key: no space (or no inodes) left on the disk" },
                { "sync: error syncing 'etc/a.hw-new': Input/output error\n",
                  "/etc/a: input/output error: the disk may be failing" },
                { "sync: error syncing 'opt': Input/output error\n",
                  "/opt: input/output error: the disk may be failing" },
                { "Input/output error\n", "cannot write: input/output error: the disk may be failing" },
                { "sed: couldn't flush stdout: No space left on device\nhardway-error io cannot write /var/a\n",
                  "cannot write /var/a: no space (or no inodes) left on the disk" },
                { "mv: cannot overwrite directory 'etc/a' with non-directory\n",
                  "/etc/a: there is a directory where a file has to be" },
                { "Failed to rename /etc/.#passwdX to /etc/passwd: Read-only file system\n",
                  "/etc/passwd: the file system is read-only" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_error_ Error *error = NULL;

                assert_true(script_error("put", 1, rows[i].said, &error) < 0);
                assert_string_equal(error->message, rows[i].message);
        }
}

/* Of many complaints of one program, the first tell as much as all of them. */
static void test_repeated_complaints(void **state) {
        _cleanup_buffer_ Buffer said = BUFFER_NULL;
        _cleanup_free_ char *detail = NULL;

        for (unsigned i = 0; i < 50; i++)
                buffer_addf(&said, "tar: etc/%u: Cannot open: No space left on device\n", i);
        buffer_add_str(&said, "hardway: 0 of 10 blocks\n");
        detail = failure_detail(buffer_str(&said));
        assert_string_equal(detail, "tar: etc/0: Cannot open: No space left on device\n"
                                    "tar: etc/1: Cannot open: No space left on device\n"
                                    "tar: etc/2: Cannot open: No space left on device\n"
                                    "hardway: 0 of 10 blocks\n");
}

static volatile int cancelled;

static void cancel_at_half(void *userdata, uint64_t done, uint64_t total) {
        if (done >= total / 2)
                cancelled = 1;
}

static Plan* large_plan(HostFixture *f, char fill, unsigned n_files, size_t size) {
        Plan *p = fixture_plan(f);
        _cleanup_free_ char *content = xmalloc(size + 1);

        memset(content, fill, size);
        content[size] = 0;
        for (unsigned i = 0; i < n_files; i++) {
                _cleanup_free_ char *noun = xasprintf("file-%u", i),
                                    *path = xasprintf("/opt/hardway/file-%u", i);

                plan_add_file(p, "etcd", noun, path, 0644, content, "why");
        }
        fixture_finish(f, p);
        return p;
}

static void test_cancelled(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = large_plan(f, 'a', 4, 1024 * 1024);
        _cleanup_error_ Error *error = NULL;
        HostPut put = { .progress = cancel_at_half };

        f->options.cancelled = &cancelled;
        cancelled = 0;
        assert_failure(fixture_put(f, p, &put, &error), error, ERROR_TEMPORARY, ECANCELED);
        cancelled = 0;
        /* the next look waits until the other end has noticed */
        assert_true(fixture_put(f, p, NULL, &error) >= 4);
        assert_null(error);
        assert_nothing_staged(f);
}

/* Which of the files is new: a bit each. Fails if one is neither old nor new. */
static unsigned new_files(HostFixture *f, unsigned n_files, size_t size) {
        unsigned found = 0;

        for (unsigned i = 0; i < n_files; i++) {
                _cleanup_free_ char *path = xasprintf("opt/hardway/file-%u", i),
                                    *content = fixture_read(f, path);

                assert_int_equal(strlen(content), size);
                assert_int_equal(strspn(content, "a") + strspn(content, "b"), size);
                found |= (unsigned) (content[0] == 'b') << i;
        }
        return found;
}

static void kill_during_put(HostFixture *f, const Plan *p, unsigned usec) {
        pid_t pid = fork();

        if (pid == 0) {
                (void) fixture_put(f, p, NULL, NULL);
                _exit(0);
        }
        usleep(usec);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        fixture_close(f);
}

static void test_killed(void **state) {
        HostFixture *f = *state;
        const size_t size = 512 * 1024;
        _cleanup_(plan_freep) Plan *old = large_plan(f, 'a', 6, size), *new = large_plan(f, 'b', 6, size);
        _cleanup_error_ Error *error = NULL;
        unsigned n_old = 0, n_new = 0;
        uint64_t start, duration;

        /* how long an undisturbed one takes, here and now */
        assert_true(fixture_put(f, old, NULL, &error) >= 0);
        start = clock_usec();
        assert_true(fixture_put(f, new, NULL, &error) >= 0);
        duration = clock_usec() - start;

        for (unsigned i = 0; i < 24; i++) {
                unsigned found;

                assert_true(fixture_put(f, old, NULL, &error) >= 0);
                assert_null(error);
                fixture_close(f);
                kill_during_put(f, new, (unsigned) (duration * (i + 1) / 22));
                /* a look waits for a put that is still at work */
                assert_success(fixture_look(f, new, &error), error, 0);
                found = new_files(f, 6, size);
                n_old += found == 0;
                n_new += found == 63;
                assert_true(found == 0 || found == 63);
                assert_true(fixture_put(f, new, NULL, &error) >= 0);
                assert_null(error);
                assert_int_equal(new_files(f, 6, size), 63);
                assert_nothing_staged(f);
        }
        print_message("# killed %u times: %u old, %u new\n", n_old + n_new, n_old, n_new);
}

static int mount_small(HostFixture *f, const char *options) {
        _cleanup_free_ char *path = xasprintf("%s/opt", f->dir->path);
        _cleanup_strv_ Strv argv = strv_new("mount", "-t", "tmpfs", "-o", options, "tmpfs", path, NULL);
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        if (geteuid() != 0)
                return -EPERM;
        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        return result.status == 0 ? 0 : -EPERM;
}

static void unmount(HostFixture *f) {
        _cleanup_free_ char *path = xasprintf("%s/opt", f->dir->path);
        _cleanup_strv_ Strv argv = strv_new("umount", path, NULL);
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        assert_int_equal(result.status, 0);
}

static void full_disk(HostFixture *f, const char *options, int errnum) {
        _cleanup_(plan_freep) Plan *p = large_plan(f, 'b', 4, 256 * 1024);
        _cleanup_error_ Error *error = NULL;
        int r;

        if (mount_small(f, options) < 0)
                skip();
        r = fixture_put(f, p, NULL, &error);
        assert_nothing_staged(f);
        unmount(f);
        assert_non_null(error);
        assert_contains(error->message, "/opt/hardway");
        assert_failure(r, error, ERROR_IO, errnum);
}

static void test_disk_full(void **state) {
        full_disk(*state, "size=512k", ENOSPC);
}

static void test_no_inodes(void **state) {
        full_disk(*state, "nr_inodes=4", ENOSPC);
}

static void test_read_only(void **state) {
        full_disk(*state, "ro", EROFS);
}

/* What was examined is what is sent, or nothing is. */
static void test_send_something_else(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_free_ char *source = xasprintf("%s/source", f->dir->path);
        char hex[SHA256_HEX_SIZE];
        _cleanup_error_ Error *error = NULL;

        fixture_finish(f, p);
        assert_success(fixture_look(f, p, &error), error, 0);
        fixture_write(f, "source", 0600, "after");
        sha256_hex("before", 6, hex);
        assert_failure(host_send(f->host, source, "/var/lib/sent", hex, NULL, NULL, &error), error,
                       ERROR_VERIFY, ESTALE);
        assert_content(f, "/var/lib/sent", "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                host_test(test_send_something_else),
                cmocka_unit_test(test_complaints),
                cmocka_unit_test(test_repeated_complaints),
                host_test(test_cancelled),
                host_test(test_killed),
                host_test(test_disk_full),
                host_test(test_no_inodes),
                host_test(test_read_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
