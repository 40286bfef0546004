/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/clock.h"

static void test_iso(void **state) {
        static const struct {
                int64_t seconds;
                const char *wanted;
        } rows[] = {
                { 0, "1970-01-01T00:00:00Z" },          { 1795256554, "2026-11-21T10:22:34Z" },
                { 4102444800, "2100-01-01T00:00:00Z" }, { -1, "1969-12-31T23:59:59Z" },
                { INT64_MAX, "@9223372036854775807" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *s = clock_format_iso(rows[i].seconds);

                assert_string_equal(s, rows[i].wanted);
        }
}

static void test_span(void **state) {
        static const struct {
                uint64_t usec;
                const char *wanted;
        } rows[] = {
                { 0, "0.0 s" },
                { 400 * USEC_PER_MSEC, "0.4 s" },
                { 9990 * USEC_PER_MSEC, "9.9 s" },
                { 12 * USEC_PER_SEC, "12 s" },
                { 60 * USEC_PER_SEC, "1 min" },
                { 185 * USEC_PER_SEC, "3 min 5 s" },
                { 3600 * USEC_PER_SEC, "1 h" },
                { 3660 * USEC_PER_SEC, "1 h 1 min" },
                { (2 * 86400 + 4 * 3600) * USEC_PER_SEC, "2 d 4 h" },
                { USEC_INFINITY, "forever" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *s = clock_format_span(rows[i].usec);

                assert_string_equal(s, rows[i].wanted);
        }
}

static void test_time(void **state) {
        uint64_t start = clock_usec();

        clock_sleep(20 * USEC_PER_MSEC);
        assert_true(clock_usec() - start >= 20 * USEC_PER_MSEC);

        /* Not older than this file, not newer than its build. */
        assert_true(clock_build_date() > 1700000000);
        if (!getenv("SOURCE_DATE_EPOCH"))
                assert_true(clock_realtime() + 86400 >= clock_build_date());
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_iso),
                cmocka_unit_test(test_span),
                cmocka_unit_test(test_time),
        };

        return cmocka_run_group_tests_name("common-clock", tests, NULL, NULL);
}
