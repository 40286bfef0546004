/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>

static void test_copies(void **state) {
        _cleanup_free_ char *a = xstrdup("abc"), *b = xstrndup("abcdef", 3), *c = xstrndup("ab", 100);
        _cleanup_free_ char *d = xmemdup(NULL, 0), *e = xasprintf("%s-%d", "x", 7);
        _cleanup_free_ int *numbers = xnew(int, 4);

        assert_string_equal(a, "abc");
        assert_string_equal(b, "abc");
        assert_string_equal(c, "ab");
        assert_non_null(d);
        assert_string_equal(e, "x-7");
        assert_int_equal(numbers[3], 0);
        assert_null(xstrdup_null(NULL));
}

static void test_compare(void **state) {
        assert_true(streq_null(NULL, NULL));
        assert_false(streq_null(NULL, ""));
        assert_true(streq_null("a", "a"));
        assert_string_equal(startswith("etcd-1", "etcd-"), "1");
        assert_null(startswith("etc", "etcd"));
        assert_true(endswith("a.crt", ".crt"));
        assert_true(endswith("x", ""));
        assert_false(endswith("crt", ".crt"));
}

static void test_cleanup(void **state) {
        char *p = xstrdup("secret"), *q;
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), taken;

        q = TAKE_PTR(p);
        assert_null(p);
        secret_freep(&p);
        secret_freep(&q);
        assert_null(q);

        taken = TAKE_FD(fd);
        assert_int_equal(fd, -EBADF);
        closep(&fd);
        errno = EXDEV;
        assert_int_equal(safe_close(taken), -EBADF);
        assert_int_equal(safe_close(taken), -EBADF);
        assert_int_equal(errno, EXDEV);
}

/* A product beyond the address space must not become a small allocation. */
static void test_overflow_aborts(void **state) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                volatile size_t n = SIZE_MAX / 2;

                close(STDERR_FILENO);
                signal(SIGABRT, SIG_DFL);
                free(xrealloc(NULL, n, 4));
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_cleanup),
                cmocka_unit_test(test_overflow_aborts),
        };

        return cmocka_run_group_tests_name("common-alloc", tests, NULL, NULL);
}
