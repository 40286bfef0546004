/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/buffer.h"

static void test_empty(void **state) {
        Buffer b = BUFFER_NULL;
        _cleanup_free_ char *taken = NULL;

        assert_string_equal(buffer_str(&b), "");
        buffer_clear(&b);
        buffer_wipe(&b);
        buffer_add(&b, NULL, 0);
        assert_string_equal(buffer_str(&b), "");
        buffer_done(&b);
        taken = buffer_take(&b);
        assert_string_equal(taken, "");
}

static void test_grow(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        for (unsigned i = 0; i < 10000; i++) {
                buffer_add_char(&b, (char) ('a' + i % 26));
                assert_int_equal(b.data[b.size], '\0');
        }
        assert_int_equal(b.size, 10000);
        assert_int_equal(b.data[9999], 'a' + 9999 % 26);

        buffer_clear(&b);
        assert_string_equal(buffer_str(&b), "");
        buffer_add_str(&b, "again");
        assert_string_equal(buffer_str(&b), "again");
}

static void test_format(void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_free_ char *taken = NULL;

        buffer_add_str(&b, "x=");
        buffer_addf(&b, "%d %200s|", 5, "right");
        assert_int_equal(b.size, 2 + 2 + 200 + 1);
        assert_true(endswith(buffer_str(&b), "right|"));
        buffer_addf(&b, "%s", "");

        taken = buffer_take(&b);
        assert_null(b.data);
        assert_int_equal(b.size, 0);
        assert_memory_equal(taken, "x=5 ", 4);
}

static void test_binary(void **state) {
        _cleanup_buffer_secret_ Buffer b = BUFFER_NULL;

        buffer_add(&b, "a\0b", 3);
        assert_int_equal(b.size, 3);
        assert_memory_equal(b.data, "a\0b\0", 4);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_grow),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_binary),
        };

        return cmocka_run_group_tests_name("common-buffer", tests, NULL, NULL);
}
