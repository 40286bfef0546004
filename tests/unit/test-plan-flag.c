/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/plan-fixture.h"

static char* node_name(const PlanContext *c) {
        return xstrdup(c->node->name);
}

static char* nothing(const PlanContext *c) {
        return NULL;
}

static const Flag flags[] = {
        { .name = "bare" },
        { .name = "literal", .value = "a b" },
        { .name = "name", .function = node_name },
        { .name = "none", .function = nothing },
        { .name = "until-35", .value = "x", .last_minor = 35 },
        { .name = "from-36", .value = "y", .first_minor = 36 },
        { .name = "only-36", .value = "z", .first_minor = 36, .last_minor = 36 },
        { .name = "from-37", .value = "w", .first_minor = 37 },
};

static char* argv_for(unsigned minor, ExtraFlag *extra, size_t n_extra) {
        ExtraFlags of_component = { .component = (char*) "x", .flags = extra, .n_flags = n_extra };
        _cleanup_strv_ Strv argv = NULL;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        PlanContext context = { .cluster = &c, .node = nodes };

        c.kubernetes.minor = minor;
        c.extra_flags = &of_component;
        c.n_extra_flags = 1;
        argv = flags_to_argv("/bin/x", flags, ARRAY_SIZE(flags), "x", &context);
        return strv_join(argv, "|");
}

static void test_windows(void **state) {
        static const struct {
                unsigned minor;
                const char *wanted;
        } rows[] = {
                { 34, "/bin/x|--bare|--literal=a b|--name=c0|--until-35=x" },
                { 35, "/bin/x|--bare|--literal=a b|--name=c0|--until-35=x" },
                { 36, "/bin/x|--bare|--literal=a b|--name=c0|--from-36=y|--only-36=z" },
                { 37, "/bin/x|--bare|--literal=a b|--name=c0|--from-36=y|--from-37=w" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *argv = argv_for(rows[i].minor, NULL, 0);

                assert_string_equal(argv, rows[i].wanted);
        }
}

static void test_extra(void **state) {
        ExtraFlag extra[] = {
                { .name = (char*) "v", .value = (char*) "4" },
                { .name = (char*) "literal", .value = (char*) "their%d" },
                { .name = (char*) "on" },
                { .name = (char*) "empty", .value = (char*) "" },
                { .name = (char*) "v", .value = (char*) "5" },
                { .name = (char*) "until-35", .value = (char*) "kept" }, /* no longer one of ours */
        };
        _cleanup_free_ char *argv = argv_for(36, extra, ARRAY_SIZE(extra));

        assert_string_equal(argv, "/bin/x|--bare|--literal=their%%d|--name=c0|--from-36=y|--only-36=z|"
                                  "--v=4|--on|--empty=|--v=5|--until-35=kept");
}

static void test_other_component(void **state) {
        ExtraFlag extra[] = { { .name = (char*) "literal", .value = (char*) "theirs" } };
        ExtraFlags of_component = { .component = (char*) "y", .flags = extra, .n_flags = 1 };
        _cleanup_strv_ Strv argv = NULL;
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        PlanContext context = { .cluster = &c, .node = nodes };

        c.extra_flags = &of_component;
        c.n_extra_flags = 1;
        argv = flags_to_argv("/bin/x", flags + 1, 1, "x", &context);
        assert_int_equal(strv_length(argv), 2);
        assert_string_equal(argv[1], "--literal=a b");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_windows),
                cmocka_unit_test(test_extra),
                cmocka_unit_test(test_other_component),
        };

        return cmocka_run_group_tests_name("plan-flag", tests, NULL, NULL);
}
