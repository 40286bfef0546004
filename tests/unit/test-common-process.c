/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/process.h"

#define MIB (1024 * 1024)

static char** shell(const char *script) {
        static char *argv[4];

        argv[0] = (char*) "sh";
        argv[1] = (char*) "-c";
        argv[2] = (char*) script;
        argv[3] = NULL;
        return argv;
}

static void run(const char *script, uint64_t timeout_usec, ProcessResult *ret) {
        Error *e = NULL;

        assert_success(process_run(shell(script), NULL, timeout_usec, ret, &e), e, 0);
}

static void test_output(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        run("echo out; echo err >&2; cat; exit 7", 0, &result);
        assert_int_equal(result.status, 7);
        assert_false(result.timed_out);
        assert_string_equal(buffer_str(&result.out), "out\n");
        assert_string_equal(buffer_str(&result.err), "err\n");
}

static void test_not_found(void **state) {
        char *argv[] = { (char*) "/nonexistent/program", NULL }, *nothing[] = { NULL };
        ProcessResult result = { .status = 4711 };
        Process *p = NULL;
        Error *e = NULL;

        assert_failure(process_run(argv, NULL, 0, &result, &e), e, ERROR_IO, ENOENT);
        assert_failure(process_run(nothing, NULL, 0, &result, &e), e, ERROR_INTERNAL, EINVAL);
        assert_failure(process_start(argv, PROCESS_PIPES, &p, &e), e, ERROR_IO, ENOENT);
        assert_failure(process_start(argv, PROCESS_SOCKET, &p, &e), e, ERROR_IO, ENOENT);
        assert_failure(process_start(nothing, 0, &p, &e), e, ERROR_INTERNAL, EINVAL);
        assert_int_equal(result.status, 4711);
        assert_null(p);
}

static void test_signalled(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        run("kill -KILL $$", 0, &result);
        assert_int_equal(result.status, 128 + SIGKILL);
        assert_false(result.timed_out);
}

typedef struct Source {
        size_t left;
        size_t size;
        int error_at_end;
} Source;

static ssize_t feed(void *userdata, void *buffer, size_t size) {
        Source *s = userdata;
        size_t n = s->left < size ? s->left : size;

        if (n == 0)
                return -s->error_at_end;
        for (size_t i = 0; i < n; i++)
                ((char*) buffer)[i] = (char) ('a' + (s->size - s->left + i) % 26);
        s->left -= n;
        return (ssize_t) n;
}

/* Both directions are far larger than what a pipe holds. */
static void test_large_both_ways(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        char *argv[] = { (char*) "cat", NULL };
        _cleanup_free_ char *head = xmalloc(4 * MIB);
        Source source = { .left = 5 * MIB, .size = 5 * MIB };
        ProcessInput input = { .data = head, .size = 4 * MIB, .feed = feed, .userdata = &source };
        Error *e = NULL;

        memset(head, 'h', 4 * MIB);
        assert_success(process_run(argv, &input, 60 * USEC_PER_SEC, &result, &e), e, 0);
        assert_int_equal(result.status, 0);
        assert_int_equal(result.out.size, 9 * MIB);
        assert_memory_equal(result.out.data, head, 4 * MIB);
        for (size_t i = 0; i < 5 * MIB; i++)
                if (result.out.data[4 * MIB + i] != (char) ('a' + i % 26))
                        fail_msg("differs at %zu", i);
}

/* More than we keep, on both: it is cut, and the child still comes to its end. */
static void test_limits(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        run("head -c 20000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 3", 60 * USEC_PER_SEC, &result);
        assert_int_equal(result.status, 3);
        assert_int_equal(result.out.size, 16 * MIB);
        assert_int_equal(result.err.size, MIB);
}

/* It ends, or closes its input, without reading: no SIGPIPE for us, pending or delivered. */
static void test_input_not_wanted(void **state) {
        static const char *const scripts[] = { "exit 5", "exec <&-; sleep 0.1; exit 5",
                                               "head -c 1 >/dev/null; exit 5" };
        _cleanup_free_ char *data = xcalloc(1, 4 * MIB);
        ProcessInput input = { .data = data, .size = 4 * MIB };
        sigset_t pending;

        signal(SIGPIPE, SIG_DFL);
        for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
                _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

                assert_int_equal(process_run(shell(scripts[i]), &input, 0, &result, NULL), 0);
                assert_int_equal(result.status, 5);
        }
        assert_int_equal(sigpending(&pending), 0);
        assert_false(sigismember(&pending, SIGPIPE));
}

static void test_feed_fails(void **state) {
        ProcessResult result = PROCESS_RESULT_NULL;
        Source source = { .left = MIB, .size = MIB, .error_at_end = ENODATA };
        ProcessInput input = { .feed = feed, .userdata = &source };
        Error *e = NULL;

        assert_failure(process_run(shell("cat >/dev/null; sleep 60"), &input, 0, &result, &e), e, ERROR_IO,
                       ENODATA);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static volatile int cancelled;

static ssize_t cancel(void *userdata, void *buffer, size_t size) {
        cancelled = 1;
        return 0;
}

/* Somebody has enough of it, also of one that may take as long as it wants. */
static void test_cancelled(void **state) {
        const ProcessInput input = { .feed = cancel, .cancelled = &cancelled };
        uint64_t start = clock_usec();

        for (int limited = 0; limited < 2; limited++) {
                _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
                Error *e = NULL;

                cancelled = 0;
                assert_success(
                        process_run(shell("sleep 60"), &input, limited ? 60 * USEC_PER_SEC : 0, &result, &e),
                        e, 0);
                assert_true(result.timed_out);
                assert_int_equal(result.status, 128 + SIGTERM);
        }
        assert_true(clock_usec() - start < 30 * USEC_PER_SEC);
}

static void test_timeout(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        uint64_t start = clock_usec();

        run("echo before; sleep 60", USEC_PER_SEC, &result);
        assert_true(result.timed_out);
        assert_int_equal(result.status, 128 + SIGTERM);
        assert_string_equal(buffer_str(&result.out), "before\n");
        assert_true(clock_usec() - start >= USEC_PER_SEC);
        assert_true(clock_usec() - start < 20 * USEC_PER_SEC);
}

static void test_timeout_stubborn(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        run("trap '' TERM; while :; do sleep 0.1; done", USEC_PER_SEC, &result);
        assert_true(result.timed_out);
        assert_int_equal(result.status, 128 + SIGKILL);
}

/* What the child has started dies with it. */
static void test_timeout_group(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        pid_t pid;

        run("sleep 60 & echo $!; wait", USEC_PER_SEC, &result);
        assert_true(result.timed_out);
        pid = (pid_t) strtol(buffer_str(&result.out), NULL, 10);
        assert_true(pid > 1);
        for (unsigned i = 0; i < 100 && kill(pid, 0) == 0; i++) {
                _cleanup_free_ char *path = xasprintf("/proc/%d/stat", pid);
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                /* Nobody may have reaped it where there is no init. */
                if (fs_read(AT_FDCWD, path, 4096, &b, NULL) == 0 && strstr(buffer_str(&b), ") Z "))
                        return;
                clock_sleep(10 * USEC_PER_MSEC);
        }
        assert_int_equal(kill(pid, 0), -1);
}

/* Like ssh's control master: somebody keeps the pipes open after the end. */
static void test_left_behind(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        uint64_t start = clock_usec();

        run("sleep 8 & echo done", 0, &result);
        assert_int_equal(result.status, 0);
        assert_string_equal(buffer_str(&result.out), "done\n");
        assert_true(clock_usec() - start < 5 * USEC_PER_SEC);
}

/* No inherited descriptors, ignored or blocked signals; a process group of its own. */
static void test_clean_child(void **state) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_close_ int fd = open("/dev/null", O_RDONLY); /* not close-on-exec */
        _cleanup_free_ char *wanted = NULL;
        unsigned long blocked = 1, ignored = 1;
        sigset_t term, old;
        int end = 0;

        signal(SIGHUP, SIG_IGN);
        (void) sigemptyset(&term);
        (void) sigaddset(&term, SIGTERM);
        (void) sigaddset(&term, SIGCHLD);
        (void) pthread_sigmask(SIG_BLOCK, &term, &old);
        wanted = xasprintf("/proc/self/fd/%d", fd);
        _cleanup_free_ char *script =
                xasprintf("grep -E '^Sig(Blk|Ign)' /proc/self/status; test -e %s && echo leaked; "
                          "set -- $(cat /proc/$$/stat); test $1 = $5 || echo group",
                          wanted);
        run(script, 0, &result);
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        signal(SIGHUP, SIG_DFL);

        /* glibc's posix_spawn() ignores signals 32 and 33, which are its own. */
        (void) sscanf(buffer_str(&result.out), "SigBlk: %lx SigIgn: %lx%n", &blocked, &ignored, &end);
        assert_int_equal(blocked, 0);
        assert_int_equal(ignored & 0x7fffffff, 0);
        assert_string_equal(buffer_str(&result.out) + end, "\n");
}

static void* thread_main(void *userdata) {
        _cleanup_free_ char *data = xmalloc(MIB);
        char *argv[] = { (char*) "cat", NULL };
        ProcessInput input = { .data = data, .size = MIB };
        char letter = *(char*) userdata;

        memset(data, letter, MIB);
        for (unsigned i = 0; i < 5; i++) {
                _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

                if (process_run(argv, &input, 60 * USEC_PER_SEC, &result, NULL) < 0 || result.status != 0 ||
                    result.out.size != MIB || memcmp(result.out.data, data, MIB) != 0)
                        return NULL;
        }
        return userdata;
}

static void test_threads(void **state) {
        char letters[] = "abcdef";
        pthread_t threads[ARRAY_SIZE(letters)];

        for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
                assert_int_equal(pthread_create(threads + i, NULL, thread_main, letters + i), 0);
        for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
                void *result;

                assert_int_equal(pthread_join(threads[i], &result), 0);
                assert_ptr_equal(result, letters + i);
        }
}

static void test_start_socket(void **state) {
        _cleanup_(process_freep) Process *p = NULL;
        char *argv[] = { (char*) "cat", NULL };
        char buffer[16];
        Error *e = NULL;
        int status;

        assert_success(process_start(argv, PROCESS_SOCKET, &p, &e), e, 0);
        assert_true(process_fd(p) >= 0);
        assert_int_equal(process_input_fd(p), process_fd(p));
        assert_int_equal(send(process_fd(p), "hello", 5, MSG_NOSIGNAL), 5);
        assert_int_equal(recv(process_fd(p), buffer, sizeof(buffer), 0), 5);
        assert_int_equal(process_wait(p, 0, &status), -ETIMEDOUT);
        assert_int_equal(process_wait(p, 30 * USEC_PER_MSEC, &status), -ETIMEDOUT);

        process_close_input(p);
        assert_int_equal(recv(process_fd(p), buffer, sizeof(buffer), 0), 0);
        assert_int_equal(process_wait(p, 10 * USEC_PER_SEC, &status), 0);
        assert_int_equal(status, 0);
        assert_int_equal(process_wait(p, 0, NULL), 0);
        assert_string_equal(process_errors(p), "");
}

static void test_start_pipes(void **state) {
        _cleanup_(process_freep) Process *p = NULL;
        char buffer[16];
        int status;

        assert_int_equal(process_start(shell("cat; echo one >&2; head -c 200000 /dev/zero >&2; exit 9"),
                                       PROCESS_PIPES, &p, NULL),
                         0);
        assert_true(process_fd(p) < 0);
        assert_int_equal(write(process_input_fd(p), "x", 1), 1);
        assert_int_equal(read(process_output_fd(p), buffer, sizeof(buffer)), 1);
        process_close_input(p);
        process_close_input(p);
        assert_true(process_input_fd(p) < 0);
        /* Nobody reads its standard error, which must not stop it. */
        assert_int_equal(process_wait(p, 10 * USEC_PER_SEC, &status), 0);
        assert_int_equal(status, 9);
        assert_string_equal(process_errors(p), "one\n");
}

static void test_start_nothing(void **state) {
        _cleanup_(process_freep) Process *p = NULL;
        int status;

        assert_int_equal(process_start(shell("cat && exit 4"), 0, &p, NULL), 0);
        assert_true(process_input_fd(p) < 0);
        assert_true(process_output_fd(p) < 0);
        process_close_input(p);
        assert_int_equal(process_wait(p, USEC_INFINITY, &status), 0);
        assert_int_equal(status, 4);
}

static void test_free_ends_child(void **state) {
        Process *p = NULL;
        char *argv[] = { (char*) "sleep", (char*) "60", NULL };
        uint64_t start = clock_usec();
        pid_t pid;

        assert_int_equal(process_start(argv, PROCESS_SOCKET, &p, NULL), 0);
        pid = process_pid(p);
        assert_int_equal(kill(pid, 0), 0);
        assert_null(process_free(p));
        assert_int_equal(kill(pid, 0), -1);
        assert_true(clock_usec() - start < 10 * USEC_PER_SEC);
        assert_null(process_free(NULL));
}

static unsigned fds_before;

static int count_before(void **state) {
        fds_before = unit_count_fds();
        return 0;
}

static int count_after(void **state) {
        return unit_count_fds() == fds_before ? 0 : -1;
}

#define test_counted(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void) {
        static const struct CMUnitTest tests[] = {
                test_counted(test_output),        test_counted(test_not_found),
                test_counted(test_signalled),     test_counted(test_large_both_ways),
                test_counted(test_limits),        test_counted(test_input_not_wanted),
                test_counted(test_feed_fails),    test_counted(test_timeout),
                test_counted(test_cancelled),     test_counted(test_timeout_stubborn),
                test_counted(test_timeout_group), test_counted(test_left_behind),
                test_counted(test_clean_child),   test_counted(test_threads),
                test_counted(test_start_socket),  test_counted(test_start_pipes),
                test_counted(test_start_nothing), test_counted(test_free_ends_child),
        };

        return cmocka_run_group_tests_name("common-process", tests, count_before, count_after);
}
