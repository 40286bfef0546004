/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The checksum files of both sites, and all the other things that a server may send under their names. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "fetch/checksums.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void test_good(void **state) {
        static const struct {
                const char *text, *digest;
        } rows[] = {
                { A, A }, /* as dl.k8s.io has it: no newline, no name */
                { A "\n", A },
                { A "\r\n", A },
                { A "  kubectl", A },
                { A " *kubectl\n", A },
                { A "  ./kubectl\n", A },
                { B "  kubelet\n" A "  kubectl\n", A },
                { B "  kubelet\n" A "  bin/linux/arm64/kubectl", A },
                { B "  mykubectl\n\n" A "\tkubectl\n", A },
                { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", A },
                { A "  kubectl\n" A "  x/kubectl\n", A },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char digest[SHA256_HEX_SIZE];
                _cleanup_error_ Error *error = NULL;

                if (checksums_find(rows[i].text, strlen(rows[i].text), "kubectl", digest, &error) < 0)
                        fail_msg("%s: %s", rows[i].text, error->message);
                assert_string_equal(digest, rows[i].digest);
        }
}

static void test_bad(void **state) {
        static const struct {
                const char *text;
                int errnum;
        } rows[] = {
                { "", EBADMSG },
                { "\n\n", EBADMSG },
                { "<html>404</html>", EBADMSG },
                { "aaaa", EBADMSG },
                { A "a", EBADMSG },
                { A A, EBADMSG }, /* a SHA-512 */
                { A ":kubectl", EBADMSG },
                { "g" A, EBADMSG },
                { " " A, EBADMSG },
                { A " *", EBADMSG },
                { A "\n" A "\n", EBADMSG },
                { A "\n" B "  kubectl\n", EBADMSG },
                { B "  kubectl\n" A "\n", EBADMSG },
                { A "  kubectl\n" B "  kubectl\n", EBADMSG },
                { A "  kubelet\n", ENOENT },
                { A "  kubectl.exe\n", ENOENT },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char digest[SHA256_HEX_SIZE] = "unchanged";
                _cleanup_error_ Error *error = NULL;

                assert_int_equal(
                        checksums_find(rows[i].text, strlen(rows[i].text), "kubectl", digest, &error),
                        -rows[i].errnum);
                assert_int_equal(error->kind, ERROR_VERIFY);
                assert_string_equal(digest, "unchanged");
        }
}

static void test_large(void **state) {
        _cleanup_free_ char *text = xcalloc(1, CHECKSUMS_SIZE_MAX + 1);
        char digest[SHA256_HEX_SIZE];

        memset(text, '\n', CHECKSUMS_SIZE_MAX);
        assert_int_equal(checksums_find(text, CHECKSUMS_SIZE_MAX + 1, "x", digest, NULL), -EFBIG);
        assert_int_equal(checksums_find(text, CHECKSUMS_SIZE_MAX, "x", digest, NULL), -EBADMSG);
        /* Bytes without a NUL behind them: nothing may be read beyond the size. */
        assert_int_equal(checksums_find(A "  x", 64, "x", digest, NULL), 0);
        assert_int_equal(checksums_find(A "  x", 66, "x", digest, NULL), 0);
        assert_int_equal(checksums_find(A "\0 x", 67, "x", digest, NULL), -EBADMSG);
        assert_int_equal(checksums_find(NULL, 0, "x", digest, NULL), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_large),
        };

        return cmocka_run_group_tests_name("fetch-checksums", tests, NULL, NULL);
}
