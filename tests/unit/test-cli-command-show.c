/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "tests/unit/unit.h"

#include "cli/command-show.h"
#include "cli/context.h"

/* What command_show() and request_show() write, one after the other; the caller frees. */
static char* shown_both(const HostCommand *commands, size_t n, const HttpTold *requests, size_t n_requests) {
        Node node = { .name = (char*) "c0" };
        FILE *file = tmpfile();
        Buffer out = BUFFER_NULL;
        int old = dup(STDERR_FILENO), c;
        VerbContext v;

        assert_non_null(file);
        verb_context_init(&v);
        (void) fflush(stderr);
        assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
        for (size_t i = 0; i < n; i++)
                command_show(&v, &node, commands + i);
        for (size_t i = 0; i < n_requests; i++)
                request_show(&v, requests + i);
        (void) fflush(stderr);
        assert_true(dup2(old, STDERR_FILENO) >= 0);
        rewind(file);
        while ((c = getc(file)) != EOF)
                buffer_add_char(&out, (char) c);
        (void) fclose(file);
        (void) close(old);
        verb_context_done(&v);
        return buffer_take(&out);
}

static char* shown(const HostCommand *commands, size_t n) {
        return shown_both(commands, n, NULL, 0);
}

#define LONG "1\n2\n3\n4\n5\n6\n7\n"

static void test_shown_once(void **state) {
        static char *const argv[] = { (char*) "ssh", (char*) "a b", NULL };
        static char *const first[] = { (char*) "nonce 1\n", (char*) "x=1\n", (char*) LONG,
                                       (char*) "end 1\n", NULL };
        static char *const other[] = { (char*) "nonce 2\n", (char*) "x=2\n", (char*) LONG,
                                       (char*) "end 2\n", NULL };
        static char *const again[] = { (char*) "nonce 3\n", (char*) "x=1\n", (char*) LONG,
                                       (char*) "end 3\n", NULL };
        const HostCommand commands[] = {
                { .name = "look",
                  .argv = argv,
                  .parts = first,
                  .has_password = true,
                  .follows = "a file\n" },
                { .name = "look", .argv = argv, .parts = other, .follows = "a file\n" },
                { .name = "look", .argv = argv, .parts = again, .follows = "a file\n" },
                { .name = "systemd: Reload" },
                { .name = "systemd: Reload" },
        };
        _cleanup_free_ char *text = shown(commands, ARRAY_SIZE(commands));

        assert_string_equal(text,
                            "c0: look\n  $ ssh 'a b'\n  < the password for sudo\n  | nonce 1\n  | x=1\n"
                            "  | 1\n  | 2\n  | 3\n  | 4\n  | 5\n  | 6\n  | 7\n  | end 1\n  < a file\n"
                            "c0: look\n  $ ssh ... (see above, c0: look)\n  | nonce 2\n  | x=2\n"
                            "  | ... 7 lines (see above, c0: look)\n  | end 2\n  < a file\n"
                            "c0: look (again)\n"
                            "c0: systemd: Reload\nc0: systemd: Reload\n");
}

/* What a terminal would obey is for nobody to send there. */
static void test_harmless(void **state) {
        static char *const argv[] = { (char*) "ssh\033[31m", NULL };
        static char *const parts[] = { (char*) "a\033]0;b\007c\td\rE\n", NULL };
        _cleanup_free_ char *text = shown(&(HostCommand) { .name = "x", .argv = argv, .parts = parts }, 1);

        assert_string_equal(text, "c0: x\n  $ 'ssh?[31m'\n  | a?]0;b?c\td E\n");
}

static void test_requests(void **state) {
        const HttpTold requests[] = {
                { .method = "GET",
                  .where = "https://10.77.0.20:6443/readyz",
                  .status = 200,
                  .duration_usec = 12345 },
                { .method = "PUT",
                  .where = "https://k8s.lan:6443/x",
                  .connect_to = "10.77.0.21:6443",
                  .reason = "connection\033 refused",
                  .duration_usec = 2000000 },
                { .where = "10.77.0.20:2380", .duration_usec = 1000 },
        };
        _cleanup_free_ char *text = shown_both(NULL, 0, requests, ARRAY_SIZE(requests));

        assert_string_equal(
                text,
                "GET https://10.77.0.20:6443/readyz: 200 in 0.012 s\n"
                "PUT https://k8s.lan:6443/x (at 10.77.0.21:6443): failed after 2.000 s: connection? refused\n"
                "TLS 10.77.0.20:2380: certificate shown in 0.001 s\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shown_once),
                cmocka_unit_test(test_harmless),
                cmocka_unit_test(test_requests),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
