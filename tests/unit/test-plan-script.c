/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "plan/script.h"
#include "tests/unit/plan-fixture.h"

/* What of a plan is special in a script; the rest is for test_script.py of tests/cli and of tests/lab. */

typedef struct Fixture {
        Node nodes[3];
        Cluster cluster;
        Facts facts;
        Plan *plan;
} Fixture;

static int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);

        f->cluster = fixture_cluster(f->nodes);
        facts_default(&f->cluster, f->nodes, &f->facts);
        f->plan = plan_new(&f->cluster, f->nodes);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        plan_free(f->plan);
        facts_done(&f->facts);
        free(f);
        return 0;
}

#define script_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static char* render(Fixture *f) {
        Buffer out = BUFFER_NULL;
        Error *error = NULL;

        assert_int_equal(plan_finish(f->plan, NULL), 0);
        assert_success(plan_render_script(f->plan, &f->facts, NULL, &out, &error), error, 0);
        return buffer_take(&out);
}

/* Content that cannot stand between the lines of a script, and content that would end it early. */
static void test_content_that_is_no_text(void **state) {
        static const char *const contents[] = { "", "no end of line", "a\r\n", "END_OF_FILE\nrm -rf /\n" };
        Fixture *f = *state;
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
                _cleanup_free_ char *path = xasprintf("/etc/a/%zu", i);

                plan_add_file(f->plan, "a", path, path, 0644, contents[i], "w");
        }
        text = render(f);
        assert_null(strstr(text, "rm -rf"));
        assert_contains(text, "base64 -d <<'END_OF_FILE' | file 0644 root:root /etc/a/1 ");
        assert_contains(text, "\nbm8gZW5kIG9mIGxpbmU=\nEND_OF_FILE\n");
        assert_contains(text, "\nYQ0K\nEND_OF_FILE\n");
}

/* A comment stays one, whatever stands in a reason. */
static void test_comments(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *text = NULL;

        plan_add_directory(f->plan, "a", "d", "/etc/a", 0700, "a:a",
                           "One line\nand `another`\r, so long that it has to be broken somewhere, because "
                           "nobody reads lines of any length.");
        text = render(f);
        assert_contains(text, "\n# One line and `another` , so long that it has to be broken somewhere, "
                              "because nobody reads lines of\n# any length.\ndirectory 0700 a:a /etc/a\n");
}

static void test_only_what_is_needed(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *text = NULL;
        PlanItem *item;

        plan_add_sysctl(f->plan, "a", "net.ipv4.ip_forward", "1", "w");
        item = plan_add_unit(f->plan, "a", "a.service", fixture_unit("a"), "w");
        text = render(f);
        assert_contains(text, "\nkernel net.ipv4.ip_forward '1'\n");
        assert_contains(text, "\nunit a.service ");
        assert_contains(text, item->unit.inputs);
        assert_contains(text, "Made without asking the node: its network interface is taken to be eth0.");
        assert_null(strstr(text, "secret()"));
        assert_null(strstr(text, "package()"));
        assert_null(strstr(text, "curl"));
}

static void test_enabled_and_running(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *text = NULL;

        plan_add_unit(f->plan, "a", "a.timer", fixture_unit("a"), "w");
        plan_add_unit(f->plan, "a", "by-timer.service", fixture_unit("a"), "w")->unit.enabled = false;
        f->plan->items[1]->unit.running = false;
        plan_add_unit(f->plan, "a", "boot.service", fixture_unit("a"), "w")->unit.running = false;
        text = render(f);
        assert_contains(text, "\nunit a.timer ");
        assert_contains(text, "\nsystemctl enable --quiet boot.service\n");
        assert_null(strstr(text, "unit by-timer.service"));
        assert_null(strstr(text, "start --no-block by-timer.service"));
}

static void test_incomplete(void **state) {
        Fixture *f = *state;
        Buffer out = BUFFER_NULL;
        Error *error = NULL;
        int r;

        plan_missing(f->plan, "the key sa.key");
        assert_int_equal(plan_finish(f->plan, NULL), 0);
        r = plan_render_script(f->plan, &f->facts, NULL, &out, &error);
        assert_failure(r, error, ERROR_CONFIG, ENOENT);
        assert_int_equal(out.size, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                script_test(test_content_that_is_no_text),
                script_test(test_comments),
                script_test(test_only_what_is_needed),
                script_test(test_enabled_and_running),
                script_test(test_incomplete),
        };

        return cmocka_run_group_tests_name("plan-script", tests, NULL, NULL);
}
