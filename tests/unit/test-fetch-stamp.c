/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The version in a program is found wherever it lies, in pieces of any size, and no other is taken for it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "fetch/stamp.h"

static bool found_in_pieces(StampForm form, const char *version, const char *data, size_t size,
                            size_t piece) {
        Stamp s;

        stamp_init(&s, form, version);
        for (size_t i = 0; i < size; i += piece)
                stamp_add(&s, data + i, size - i < piece ? size - i : piece);
        return stamp_found(&s);
}

static void assert_found(StampForm form, const char *version, const char *data, size_t size, bool expected) {
        for (size_t piece = 1; piece <= size; piece++)
                if (found_in_pieces(form, version, data, size, piece) != expected)
                        fail_msg("%s in pieces of %zu: %d", version, piece, !expected);
}

#define LINKED(version, data, expected) assert_found(STAMP_LINKED, version, data, sizeof(data) - 1, expected)
#define CONSTANT(version, data, expected) \
        assert_found(STAMP_CONSTANT, version, data, sizeof(data) - 1, expected)

static void test_linked(void **state) {
        LINKED("v1.36.3", "....v1.36.3\0....", true);
        LINKED("v1.36.3", "v1.36.3\0", true);
        LINKED("v1.36.3", "xyzv1.36.3\0", true);
        LINKED("v1.36.3", "....v1.36.30\0....", false);
        LINKED("v1.36.3", "....v1.36.3-rc.1\0....", false);
        LINKED("v1.36.3", "....v1.36.2\0.... dep k8s.io/x v1.36.3\n", false);
        LINKED("v1.36.3", "vvvv1.36.v1.36.3v1.36.3\0", true);
        LINKED("v1.36.3", "....v1.36.3", false);
}

static void test_constant(void **state) {
        CONSTANT("v3.6.16", "callerstderr3.6.16simplestdout", true);
        CONSTANT("v3.6.16", "callerstderr3.6.16300000", true); /* constants, end to end */
        CONSTANT("v3.6.16", "\tv3.6.16\th1:", true);
        CONSTANT("v3.6.16", "3.6.16", true);
        CONSTANT("v3.6.16", "3.6.16x", true);
        CONSTANT("v3.6.16", "x3.6.16", true);
        CONSTANT("v3.6.16", "13.6.16 and 1.3.6.16", false);
        CONSTANT("v3.6.16", "stderr3.6.1simple 3.6.15 3.6.17", false);
        CONSTANT("v3.6.1", "stderr3.6.16simple", false);
        CONSTANT("v3.6.1", "stderr3.6.16", false);
        CONSTANT("v3.6.1", "stderr3.6.1simple", true);
        CONSTANT("v3.6.1", "stderr3.6.1", true);
        CONSTANT("v3.6.1", "stderr3.6.130000", true);
}

static void test_edges(void **state) {
        char text[200];
        Stamp s;

        /* Nothing is looked for: everything has it. */
        memset(&s, 0, sizeof(s));
        stamp_add(&s, "abc", 3);
        assert_true(stamp_found(&s));

        memset(text, '1', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        stamp_init(&s, STAMP_LINKED, text);
        assert_true(stamp_found(&s));

        stamp_init(&s, STAMP_LINKED, "v1.2.3");
        stamp_add(&s, "v1.2.3", 7);
        assert_true(stamp_found(&s));
        stamp_clear(&s);
        assert_false(stamp_found(&s));
        stamp_add(&s, "", 0);
        assert_false(stamp_found(&s));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_linked),
                cmocka_unit_test(test_constant),
                cmocka_unit_test(test_edges),
        };

        return cmocka_run_group_tests_name("fetch-stamp", tests, NULL, NULL);
}
