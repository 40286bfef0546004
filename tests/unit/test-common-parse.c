/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <limits.h>

#include "common/parse.h"

static void test_uint64(void **state) {
        static const struct {
                const char *text;
                uint64_t minimum, maximum;
                int r;
                uint64_t value;
        } rows[] = {
                { "0", 0, UINT64_MAX, 0, 0 },
                { "6443", 1, 65535, 0, 6443 },
                { "007", 0, 10, 0, 7 },
                { "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
                { "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
                { "99999999999999999999999", 0, UINT64_MAX, -ERANGE, 0 },
                { "99999999999999999999999x", 0, UINT64_MAX, -EINVAL, 0 },
                { "0", 1, 65535, -ERANGE, 0 },
                { "65536", 1, 65535, -ERANGE, 0 },
                { "", 0, 1, -EINVAL, 0 },
                { " 1", 0, 1, -EINVAL, 0 },
                { "1 ", 0, 1, -EINVAL, 0 },
                { "+1", 0, 1, -EINVAL, 0 },
                { "-1", 0, UINT64_MAX, -EINVAL, 0 },
                { "6443abc", 0, 65535, -EINVAL, 0 },
                { "0x10", 0, 65535, -EINVAL, 0 },
                { "1.5", 0, 65535, -EINVAL, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t value = 4711;

                assert_int_equal(parse_uint64(rows[i].text, rows[i].minimum, rows[i].maximum, &value),
                                 rows[i].r);
                assert_true(value == (rows[i].r < 0 ? 4711 : rows[i].value));
        }
}

static void test_unsigned(void **state) {
        unsigned value = 5;

        assert_int_equal(parse_unsigned("4294967296", 0, UINT_MAX, &value), -ERANGE);
        assert_int_equal(parse_unsigned("x", 0, UINT_MAX, &value), -EINVAL);
        assert_int_equal(value, 5);
        assert_int_equal(parse_unsigned("4294967295", 0, UINT_MAX, &value), 0);
        assert_true(value == UINT_MAX);
}

static void test_boolean(void **state) {
        bool value = false;

        assert_int_equal(parse_boolean("yes", &value), 0);
        assert_true(value);
        assert_int_equal(parse_boolean("Yes", &value), -EINVAL);
        assert_int_equal(parse_boolean("", &value), -EINVAL);
        assert_int_equal(parse_boolean("1", &value), -EINVAL);
        assert_true(value);
        assert_int_equal(parse_boolean("no", &value), 0);
        assert_false(value);
        assert_int_equal(parse_boolean("true", &value), 0);
        assert_true(value);
        assert_int_equal(parse_boolean("false", &value), 0);
        assert_false(value);
}

static void test_hex(void **state) {
        uint8_t bytes[4] = { 1, 2, 3, 4 };
        char text[9];

        assert_int_equal(parse_hex("00ffAb", bytes, 4), -EINVAL);
        assert_int_equal(parse_hex("00ffAb7", bytes, 3), -EINVAL);
        assert_int_equal(parse_hex("00ffAbg0", bytes, 4), -EINVAL);
        assert_int_equal(parse_hex("00ffAb7e0", bytes, 4), -EINVAL);
        assert_int_equal(bytes[0], 1);
        assert_int_equal(parse_hex("", bytes, 0), 0);
        assert_int_equal(parse_hex("00ffAb7e", bytes, 4), 0);
        format_hex(bytes, 4, text);
        assert_string_equal(text, "00ffab7e");
        format_hex(bytes, 0, text);
        assert_string_equal(text, "");
}

static void test_span(void **state) {
        static const struct {
                const char *text;
                int64_t seconds;
        } rows[] = { { "30d", 2592000 }, { "12h", 43200 }, { "90m", 5400 },
                     { "45s", 45 },      { "0d", 0 },      { "007d", 604800 } };
        static const char *const junk[] = { "",   "d",   "30",   "30 d", "-1d", "+1d",
                                            "1w", "1d2", "0x1d", "1.5d", "d1",  "1dd" };
        int64_t seconds = 17;

        for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
                assert_int_equal(parse_span(junk[i], INT64_MAX, &seconds), -EINVAL);
        assert_int_equal(parse_span("31d", 30 * 86400, &seconds), -ERANGE);
        assert_int_equal(parse_span("99999999999999999999999d", INT64_MAX, &seconds), -ERANGE);
        assert_int_equal(parse_span("106751991167301d", INT64_MAX, &seconds), -ERANGE);
        assert_int_equal(seconds, 17);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                assert_int_equal(parse_span(rows[i].text, INT64_MAX, &seconds), 0);
                assert_int_equal(seconds, rows[i].seconds);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_uint64),  cmocka_unit_test(test_unsigned),
                cmocka_unit_test(test_boolean), cmocka_unit_test(test_hex),
                cmocka_unit_test(test_span),
        };

        return cmocka_run_group_tests_name("common-parse", tests, NULL, NULL);
}
