/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/process.h"
#include "plan/diff.h"

static char* diff_of(const char *old, const char *new) {
        _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL, out = BUFFER_NULL;

        buffer_add_str(&a, old);
        buffer_add_str(&b, new);
        diff_unified("a", &a, "b", &b, &out);
        return buffer_take(&out);
}

static void test_table(void **state) {
        static const struct {
                const char *old, *new, *wanted;
        } rows[] = {
                { "", "", "" },
                { "same\n", "same\n", "" },
                { "", "1\n", "--- a\n+++ b\n@@ -0,0 +1 @@\n+1\n" },
                { "1\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-1\n" },
                { "1\n", "2\n", "--- a\n+++ b\n@@ -1 +1 @@\n-1\n+2\n" },
                { "1\n2\n3\n4\n5\n", "1\n2\n3\n4\nx\n5\n",
                  "--- a\n+++ b\n@@ -2,4 +2,5 @@\n 2\n 3\n 4\n+x\n 5\n" },
                { "1", "1\n", "--- a\n+++ b\n@@ -1 +1 @@\n-1\n\\ No newline at end of file\n+1\n" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *diff = diff_of(rows[i].old, rows[i].new);

                assert_string_equal(diff, rows[i].wanted);
        }
}

static void test_not_text(void **state) {
        _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL, out = BUFFER_NULL;

        buffer_add(&a, "x\0y", 3);
        buffer_add_str(&b, "x");
        diff_unified("a", &a, "b", &b, &out);
        assert_string_equal(buffer_str(&out), "a and b differ\n");

        buffer_clear(&a);
        buffer_clear(&out);
        while (a.size <= DIFF_SIZE_MAX)
                buffer_add_str(&a, "line\n");
        diff_unified("a", &a, "b", &b, &out);
        assert_string_equal(buffer_str(&out), "a and b differ\n");
}

/* Many lines that have nothing in common: the table would be too large, so all are replaced. */
static void test_too_much_work(void **state) {
        _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL, out = BUFFER_NULL;
        size_t lines = 0;

        for (unsigned i = 0; i < 5000; i++) {
                buffer_addf(&a, "a%u\n", i);
                buffer_addf(&b, "b%u\n", i);
        }
        diff_unified("a", &a, "b", &b, &out);
        for (const char *p = buffer_str(&out); (p = strchr(p, '\n')); p++)
                lines++;
        assert_int_equal(lines, 3 + 10000);
}

/* patch(1) and diff(1) are the judges; where they are not there, nothing is learnt. */
static void test_against_patch(void **state) {
        UnitDir *d = *state;
        _cleanup_free_ char *old_path = xasprintf("%s/old", d->path);
        _cleanup_free_ char *new_path = xasprintf("%s/new", d->path);
        char *argv[] = { (char*) "patch", (char*) "-s", (char*) "-o", new_path, old_path, NULL };
        unsigned seed = 1;

        if (access("/usr/bin/patch", X_OK) < 0)
                skip();
        for (unsigned round = 0; round < 60; round++) {
                _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL, out = BUFFER_NULL,
                                        patched = BUFFER_NULL;
                ProcessResult result = PROCESS_RESULT_NULL;
                ProcessInput input = {};

                for (unsigned i = 0; i < 60; i++) {
                        unsigned what = (unsigned) rand_r(&seed) % (5 + round % 20);

                        if (what != 0)
                                buffer_addf(&a, "%u\n", i % 13);
                        if (what != 1)
                                buffer_addf(&b, what == 2 ? "%u new\n" : "%u\n", i % 13);
                }
                if (round % 3 == 0)
                        buffer_add_str(&b, "no newline");
                diff_unified("a", &a, "b", &b, &out);
                assert_int_equal(fs_write(AT_FDCWD, old_path, a.data, a.size, 0644, FS_NO_SYNC, NULL) >= 0,
                                 1);
                input = (ProcessInput) { .data = out.data, .size = out.size };
                assert_int_equal(process_run(argv, &input, 10000000, &result, NULL), 0);
                assert_int_equal(result.status, 0);
                assert_int_equal(fs_read(AT_FDCWD, new_path, 65536, &patched, NULL), 0);
                assert_string_equal(buffer_str(&patched), buffer_str(&b));
                process_result_done(&result);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_not_text),
                cmocka_unit_test(test_too_much_work),
                unit_test_in_dir(test_against_patch),
        };

        return cmocka_run_group_tests_name("plan-diff", tests, NULL, NULL);
}
