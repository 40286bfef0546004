/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/strv.h"

static void assert_joined(char *const *v, const char *wanted) {
        _cleanup_free_ char *joined = strv_join(v, ",");

        assert_string_equal(joined, wanted);
}

static void test_add(void **state) {
        _cleanup_strv_ Strv v = NULL, copy = NULL;

        assert_int_equal(strv_length(NULL), 0);
        assert_false(strv_contains(NULL, "x"));
        assert_joined(NULL, "");

        strv_add(&v, "one");
        strv_addf(&v, "t%s", "wo");
        strv_add_all(&v, NULL);
        strv_add_all(&v, (char *[]){ (char*) "three", NULL });
        assert_int_equal(strv_length(v), 3);
        assert_null(v[3]);
        assert_true(strv_contains(v, "two"));
        assert_false(strv_contains(v, "tw"));
        assert_joined(v, "one,two,three");

        copy = strv_copy(v);
        assert_ptr_not_equal(copy[0], v[0]);
        strv_sort(copy);
        assert_joined(copy, "one,three,two");
        strv_sort(NULL);
        assert_null(strv_copy(NULL));
        assert_null(strv_free(NULL));
}

static void test_new(void **state) {
        _cleanup_strv_ Strv v = strv_new("a", "", "c", NULL);

        assert_joined(v, "a,,c");
}

static void test_split(void **state) {
        static const struct {
                const char *text, *separators, *wanted;
        } rows[] = {
                { "a b c", " ", "a,b,c" },    { "  a  b ", " ", "a,b" }, { "a", ",", "a" },
                { "a,b\tc", ",\t", "a,b,c" }, { "ab", "", "ab" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_strv_ Strv v = strv_split(rows[i].text, rows[i].separators);

                assert_joined(v, rows[i].wanted);
        }
        assert_null(strv_split("", ","));
        assert_null(strv_split(",,", ","));
}

static void test_nearest(void **state) {
        static const char *const verbs[] = { "plan", "install", "status", "verify", "rotate", "up", NULL };
        char long_word[200];

        assert_string_equal(string_nearest("instal", verbs), "install");
        assert_string_equal(string_nearest("insatll", verbs), "install");
        assert_string_equal(string_nearest("verfiy", verbs), "verify");
        assert_string_equal(string_nearest("plan", verbs), "plan");
        assert_string_equal(string_nearest("pln", verbs), "plan");
        assert_null(string_nearest("frobnicate", verbs));
        assert_null(string_nearest("", verbs));
        assert_null(string_nearest("x", verbs));
        assert_null(string_nearest("plan", NULL));

        memset(long_word, 'x', sizeof(long_word) - 1);
        long_word[sizeof(long_word) - 1] = '\0';
        assert_null(string_nearest(long_word, verbs));
        assert_null(string_nearest("plan", (const char *const[]){ long_word, NULL }));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_add),
                cmocka_unit_test(test_new),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_nearest),
        };

        return cmocka_run_group_tests_name("common-strv", tests, NULL, NULL);
}
