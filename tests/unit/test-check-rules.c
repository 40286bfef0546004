/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/check-fixture.h"

/* The rules as such: each has its name and its words, may be ignored, and says nothing of what is not known. */

static void test_all_is_well(void **state) {
        ask_all();
        for (size_t i = 0; i < w.found.n_checks; i++) {
                assert_int_equal(w.found.checks[i].state, CHECK_OK);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(w.found.checks[i].id, w.found.checks[k].id);
        }
        assert_non_null(find("architecture/c0"));
        assert_non_null(find("vip-network/lb0"));
        assert_null(find("vip-network/c0"));
        assert_non_null(find("members"));
}

/* A node that could not be looked at is not compared, not reached, and nothing is known of it. */
static void test_unknown(void **state) {
        w.checked[1] = (CheckNode) { .node = w.nodes + 1 };
        free(w.facts[1].machine_id);
        w.facts[1].machine_id = xstrdup(w.facts[0].machine_id);
        answer(0, "cgroup2\nway 10.77.0.21/2380 silent\n");
        ask_all();
        for (size_t i = 0; i < w.found.n_checks; i++)
                assert_int_equal(w.found.checks[i].state, CHECK_OK);
        assert_null(find("architecture/c1"));
}

static void test_members(void **state) {
        w.cluster.etcd_even = (char*) "hardway.yaml:9:3: an even number of members";
        assert_only("members", CHECK_FAILED, "hardway.yaml:9:3", "Three");
        w.observations[0].identity = (char*) w.world.identity; /* it has served */
        ask_all();
        assert_null(find("members"));
}

static void test_ignored(void **state) {
        char *names[] = { (char*) "systemd", (char*) "clock-sync", (char*) "store-data", NULL };
        char *wrong[] = { (char*) "sytemd", NULL }, *one[] = { (char*) "systemd/c1", NULL };
        _cleanup_error_ Error *error = NULL;
        CheckList found = {};

        assert_int_equal(check_names_exist(fakes, names, &error), 0);
        assert_int_equal(check_names_exist(fakes, wrong, &error), -EINVAL);
        assert_contains(error->message, "there is no check 'sytemd'; did you mean 'systemd'?");
        error = error_free(error);
        w.world.ignore = names;
        w.facts[0].systemd_version = 200;
        w.facts[0].clock_synchronized = false;
        ask_all();
        assert_int_equal(find("systemd/c0")->state, CHECK_WARNING);
        assert_contains(find("systemd/c0")->text, "ignored: systemd 200 is too old");
        assert_int_equal(find("clock-sync/c0")->state, CHECK_OK);
        assert_int_equal(check_components(&w.world, NULL, w.nodes, &found, &error), 0);
        assert_int_equal(found.checks[0].state, CHECK_WARNING);
        check_list_done(&found);

        /* of one node alone */
        w.world.ignore = one;
        w.facts[1].systemd_version = 200;
        ask_all();
        assert_int_equal(find("systemd/c0")->state, CHECK_FAILED);
        assert_int_equal(find("systemd/c1")->state, CHECK_WARNING);
}

/* Whoever adds a rule says what has to be so, and what happens if it is not: for explain. */
static void test_texts(void **state) {
        _cleanup_free_ CheckName *names = NULL;
        bool of_rule = false, of_component = false;
        size_t n;

        check_names_list(fakes, &names, &n);
        for (size_t i = 0; i < n; i++) {
                assert_true(names[i].name && names[i].why && names[i].without);
                of_rule |= streq(names[i].name, "systemd");
                of_component |= streq(names[i].name, "store-data");
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(names[i].name, names[k].name);
        }
        assert_true(of_rule && of_component);
}

/* The exit status is that of what failed. */
static void test_errors(void **state) {
        _cleanup_error_ Error *error = NULL, *unreachable = NULL, *back = NULL;

        w.facts[0].disk_free = 1;
        ask_all();
        error = check_to_error(find("disk-space/c0"));
        assert_int_equal(error_exit_code(error), 74);
        assert_contains(error->message, "c0: 67 MB are needed");
        assert_string_equal(error->detail, "Make room where /var/lib and /opt lie.\n");

        (void) error_set(&unreachable, ERROR_PERMISSION, EACCES, "c1: ssh: refused");
        error_detail(&unreachable, "Look at the key.\n");
        check_failure(w.nodes + 1, unreachable, &w.found);
        assert_string_equal(find("ssh/c1")->text, "ssh: refused");
        assert_string_equal(find("ssh/c1")->advice, "Look at the key.");
        back = check_to_error(find("ssh/c1"));
        assert_int_equal(error_exit_code(back), 77);
}

/* What comes from a node may be anything. */
static void test_bad_answers(void **state) {
        Answers a;

        answers_parse("", &a);
        answers_done(&a);
        answers_parse("way\nway x\nway x y\nname\npackage\nsync\nsync 0 1\nsync 10 -1\nsync 10 1.x\nswap\n"
                      "arp-ignore x\nmodel\nmodel  \nunknown thing\nleftover\n \n",
                      &a);
        assert_int_equal(a.n_ways + a.n_names + a.n_packages + a.sync_writes + a.arp_ignore, 0);
        assert_null(a.model);
        assert_null(a.swaps);
        answers_done(&a);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                rule_test(test_all_is_well), rule_test(test_unknown), rule_test(test_members),
                rule_test(test_ignored),     rule_test(test_texts),   rule_test(test_errors),
                rule_test(test_bad_answers),
        };

        return cmocka_run_group_tests_name("check rules", tests, NULL, NULL);
}
