/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/library.h"

static Library present = LIBRARY("libm.so.6");

static void test_call(void **state) {
        for (unsigned i = 0; i < 2; i++)
                assert_true(LIBRARY_CALL(present, hypot)(3, 4) == 5);
        assert_int_equal(library_load(&present, NULL), 0);
}

static void test_missing(void **state) {
        Library missing = LIBRARY("libhardway-is-not-there.so.0");
        Error *error = NULL;

        assert_failure(library_load(&missing, &error), error, ERROR_UNAVAILABLE, ENOENT);
        assert_failure(library_load(&missing, &error), error, ERROR_UNAVAILABLE, ENOENT);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_call),
                cmocka_unit_test(test_missing),
        };

        return cmocka_run_group_tests_name("common-library", tests, NULL, NULL);
}
