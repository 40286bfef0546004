/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "cluster/version.h"

static void test_parse(void **state) {
        static const char *const wrong[] = {
                "",         "v",        "1",       "1.36",          "1.36.",  "1.36.3.4",  "v1.36.3-rc.0",
                "v1.36.3+", "vv1.36.3", " 1.36.3", "1.36.3 ",       "1.-3.3", "v1.36.03",  "v01.36.3",
                "1..3",     "V1.36.3",  "1.36.x",  "1.36.99999999", "1,36,3", "v1.36.3\n",
        };
        char buffer[VERSION_TEXT_SIZE];
        Version v = {};

        assert_int_equal(version_parse("v1.36.3", &v), 0);
        assert_string_equal(version_format(&v, buffer), "v1.36.3");
        assert_int_equal(version_parse("3.6.0", &v), 0);
        assert_string_equal(version_format(&v, buffer), "v3.6.0");

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                assert_int_equal(version_parse(wrong[i], &v), -EINVAL);
                assert_string_equal(version_format(&v, buffer), "v3.6.0");
        }
}

static void test_compare(void **state) {
        static const Version rows[] = { { 0, 9, 9 }, { 1, 2, 3 }, { 1, 2, 10 }, { 1, 10, 0 }, { 2, 0, 0 } };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
                        int r = version_compare(&rows[i], &rows[k]);

                        assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
                }
}

static void test_pairing(void **state) {
        for (unsigned minor = VERSION_KUBERNETES_MINOR_FIRST; minor <= VERSION_KUBERNETES_MINOR_LAST;
             minor++) {
                Version k = { 1, minor, 0 };
                Version etcd = version_etcd_for(&k), floor = version_etcd_floor(&k);
                Version wanted = minor < 37 ? (Version) { 3, 6, 16 } : (Version) { 3, 7, 3 };

                assert_true(version_kubernetes_supported(&k));
                assert_int_equal(version_compare(&etcd, &wanted), 0);
                assert_true(version_etcd_supported(&etcd, &k));
                assert_true(version_etcd_supported(&floor, &k));
                assert_true(version_compare(&floor, &etcd) < 0);
                assert_false(version_etcd_supported(&(Version) { 3, 5, 21 }, &k));
        }

        assert_true(version_kubernetes_supported(&VERSION_KUBERNETES_DEFAULT));
        assert_false(version_kubernetes_supported(&(Version) { 1, 33, 5 }));
        assert_false(version_kubernetes_supported(&(Version) { 1, 38, 0 }));
        assert_false(version_kubernetes_supported(&(Version) { 2, 36, 0 }));
}

static void test_step(void **state) {
        static const struct {
                Version from, to;
                VersionStep step;
        } rows[] = {
                { { 1, 36, 3 }, { 1, 36, 3 }, VERSION_STEP_NONE },
                { { 1, 36, 3 }, { 1, 36, 0 }, VERSION_STEP_NONE },
                { { 1, 36, 3 }, { 1, 37, 0 }, VERSION_STEP_NEXT },
                { { 1, 35, 9 }, { 1, 37, 0 }, VERSION_STEP_FAR },
                { { 1, 37, 0 }, { 1, 36, 9 }, VERSION_STEP_BACK },
                { { 1, 37, 0 }, { 2, 0, 0 }, VERSION_STEP_FAR },
                { { 3, 6, 16 }, { 2, 9, 0 }, VERSION_STEP_BACK },
        };
        Version floor = version_etcd_step_floor(&(Version) { 3, 7, 1 });

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(version_step(&rows[i].from, &rows[i].to), rows[i].step);
        assert_int_equal(version_compare(&floor, &(Version) { 3, 6, 11 }), 0);
        floor = version_etcd_step_floor(&(Version) { 3, 6, 0 });
        assert_int_equal(version_compare(&floor, &(Version) {}), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_pairing),
                cmocka_unit_test(test_step),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
