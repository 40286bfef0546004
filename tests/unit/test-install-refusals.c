/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/install-fixture.h"

/* What speaks against a rollout over fake nodes is told before the first write. */

/* Everything that speaks against it is said before the first write. */
static void test_refused(void **state) {
        world.fakes[0].identity = "theirs";
        world.fakes[1].architecture = ARCH_AMD64;
        world.fakes[2].listener = "0.0.0.0:7000 nginx";
        world.fakes[3].listener = "0.0.0.0:17000 nginx";
        world.fakes[4].listener = "0.0.0.0:7000 alpha";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 3);
        assert_error(0, "c0: was installed for another cluster (identity theirs..., ours is 0125ab...)");
        assert_error(1, "c1: this machine is amd64, the cluster file says arm64");
        assert_error(2, "c2: port 7000, which alpha needs, is taken by nginx");
        assert_string_equal(buffer_str(&world.log), "");
}

static void test_clocks(void **state) {
        world.fakes[0].clock_offset = -40;
        world.fakes[2].clock_offset = 40;
        assert_true(run_all() < 0);
        assert_error(0, "the clock of c0 is 80 s behind that of c2");
        world.fakes[2].clock_offset = 301;
        assert_true(run_all() < 0);
        assert_error(1, "c2: its clock is 301 s ahead of ours");
        assert_string_equal(buffer_str(&world.log), "");
}

/* What nodes answer to further questions counts as what they told of themselves: before the first write. */
static void test_questions(void **state) {
        static const char *const ignored[] = { "mac-addresses", NULL };

        world.fakes[0].answer = world.fakes[3].answer = "mac 02:00:00:00:00:01\n";
        world.fakes[1].answer = "leftover k3s.service\n";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 2);
        assert_error(0, "lb0: has the same MAC address as c0");
        assert_error(1, "c1: k3s was here: k3s.service");
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[1].answer = NULL;
        world.ignore = ignored;
        assert_int_equal(run_all(), 0);

        /* those that serve are not asked */
        world.wanted = "two";
        world.fakes[1].mute = true;
        assert_int_equal(run_all(), 0);
}

static void make_joiner(FakeNode *f) {
        f->put = NULL;
        f->running = NULL;
        f->recorded = false;
}

/* A node that joins a cluster that serves is asked what all were asked before the first installation. */
static void test_questions_to_a_joiner(void **state) {
        make_serving();
        make_joiner(world.fakes + 2);
        world.fakes[2].answer = "leftover k3s.service\nmac 02:00:00:00:00:01\n";
        world.fakes[3].answer = "mac 02:00:00:00:00:01\n";
        /* what one that serves would answer about itself is not news */
        world.fakes[1].answer = "leftover k3s.service\n";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 2);
        assert_error(0, "lb0: has the same MAC address as c2");
        assert_error(1, "c2: k3s was here: k3s.service");
        assert_string_equal(buffer_str(&world.log), "");

        /* and one that serves and cannot be asked is not in its way */
        world.fakes[2].answer = world.fakes[3].answer = NULL;
        world.fakes[0].mute = true;
        assert_int_equal(run_all(), 0);
        assert_non_null(strstr(buffer_str(&world.log), "c2 put"));
}

/* So is one that was part of it, and is to do more from now on: a controller that becomes a load balancer. */
static void test_questions_to_one_with_another_role(void **state) {
        make_serving();
        make_joiner(world.fakes + 3);
        world.fakes[3].recorded = true;
        world.fakes[3].answer = "leftover k3s.service\n";
        world.fakes[1].answer = "leftover k3s.service\n";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "lb0: k3s was here: k3s.service");
        assert_string_equal(buffer_str(&world.log), "");

        /* one that is only changed is not asked */
        world.wanted = "two";
        make_serving();
        world.fakes[3].running = world.fakes[3].put = "one";
        assert_int_equal(run_all(), 0);
}

/* Of those that serve only the ways to it are looked at, also if nothing else changes there. */
static void test_ways_to_a_joiner(void **state) {
        static const Reach reaches[] = { { .port = 7000, .from = ROLE_CONTROLLER, .why = "peers" } };
        static const char blocked[] = "way 10.77.0.22/7000 silent\nway 10.77.0.21/7000 silent\n";

        (void) inet_address_parse("10.77.0.21", &world.nodes[1].address);
        (void) inet_address_parse("10.77.0.22", &world.nodes[2].address);
        alpha.reaches = reaches;
        alpha.n_reaches = 1;
        make_serving();
        world.fakes[0].answer = blocked;
        world.wanted = "two";
        assert_int_equal(run_all(), 0);

        make_serving();
        make_joiner(world.fakes + 2);
        buffer_done(&world.log);
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c0: c2:7000 does not answer");
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[0].answer = NULL;
        world.fakes[2].answer = "way 10.77.0.21/7000 silent\n";
        assert_true(run_all() < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c2: c1:7000 does not answer");
        alpha.reaches = NULL;
        alpha.n_reaches = 0;
}

/* Also where the joiner alone is to be changed: what is between it and the others counts, and nothing else of theirs. */
static void test_beside_a_joiner(void **state) {
        static const Reach reaches[] = { { .port = 7000, .from = ROLE_CONTROLLER, .why = "peers" } };

        (void) inet_address_parse("10.77.0.21", &world.nodes[1].address);
        (void) inet_address_parse("10.77.0.22", &world.nodes[2].address);
        alpha.reaches = reaches;
        alpha.n_reaches = 1;
        make_serving();
        make_joiner(world.fakes + 2);
        world.fakes[0].answer = "way 10.77.0.22/7000 silent\nway 10.77.0.21/7000 silent\n"
                                "leftover k3s.service\nmac 02:00:00:00:00:01\n";
        world.fakes[1].answer = "mac 02:00:00:00:00:01\n";
        world.fakes[1].clock_offset = -200;
        world.fakes[3].unreachable = true;
        assert_true(run_some(2, 1) < 0);
        assert_int_equal(world.errors.n_errors, 2);
        assert_error(0, "the clock of c1 is 200 s behind that of c2");
        assert_error(1, "c0: c2:7000 does not answer");
        assert_string_equal(buffer_str(&world.log), "");

        world.fakes[1].clock_offset = 0;
        world.fakes[0].answer = "mac 02:00:00:00:00:02\n";
        world.fakes[2].answer = "way 10.77.0.21/7000 silent\nmac 02:00:00:00:00:02\n";
        assert_true(run_some(2, 1) < 0);
        assert_int_equal(world.errors.n_errors, 2);
        assert_error(0, "c2: has the same MAC address as c0");
        assert_error(1, "c2: c1:7000 does not answer");

        /* what they have among themselves is no news; and who was not installed yet is nobody beside whom it is */
        world.fakes[0].answer = world.fakes[1].answer =
                "mac 02:00:00:00:00:01\nway 10.77.0.21/7000 silent\n";
        world.fakes[2].answer = "mac 02:00:00:00:00:03\n";
        make_joiner(world.fakes + 4);
        world.fakes[4].answer = "mac 02:00:00:00:00:03\n";
        assert_int_equal(run_some(2, 1), 0);
        assert_non_null(strstr(buffer_str(&world.log), "c2 put"));

        /* and where nothing joins nobody is asked */
        world.fakes[0].answer = "way 10.77.0.22/7000 silent\n";
        world.fakes[2].running = world.fakes[2].put = "older";
        assert_int_equal(run_some(2, 1), 0);
        alpha.reaches = NULL;
        alpha.n_reaches = 0;
}

static int judge_some(size_t first, size_t n) {
        const Node *nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3,
                                world.nodes + 4 };
        static const HostOptions host = {};
        InstallRequest request = {
                .cluster = &world.cluster,
                .store = (Store*) &world,
                .components = fake_components,
                .nodes = nodes + first,
                .n_nodes = n,
                .cache = "/nonexistent",
                .host = &host,
                .holder = "the test",
        };

        error_list_done(&world.errors);
        return install_judge(&request, &world.errors);
}

/* A spare host is a copy of another one's card: by what lies there it is nobody new. */
static void test_judged_beside_others(void **state) {
        make_serving();
        world.fakes[2].running = world.fakes[2].put = "of c0";
        world.fakes[0].answer = world.fakes[2].answer = "mac 02:00:00:00:00:01\n";
        assert_true(judge_some(2, 1) < 0);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(0, "c2: has the same MAC address as c0");
        world.fakes[0].unreachable = true;
        assert_int_equal(judge_some(2, 1), 0);
        world.fakes[0].unreachable = false;
        world.fakes[0].mute = true;
        assert_int_equal(judge_some(2, 1), 0);
}

static const Check* find_finding(const CheckList *l, const char *id) {
        for (size_t i = 0; i < l->n_checks; i++)
                if (streq(l->checks[i].id, id))
                        return l->checks + i;
        fail_msg("no finding %s", id);
        return NULL;
}

/* All nodes, whatever is wrong with some, and nothing is written. */
static void test_check(void **state) {
        const Node *const nodes[] = { world.nodes, world.nodes + 1, world.nodes + 2, world.nodes + 3 };
        _cleanup_(check_list_done) CheckList found = {};
        _cleanup_error_ Error *error = NULL;
        static const HostOptions host = {};
        InstallRequest request = {
                .cluster = &world.cluster,
                .store = (Store*) &world,
                .components = fake_components,
                .nodes = nodes,
                .n_nodes = 4,
                .host = &host,
        };

        make_serving();
        world.fakes[0].unreachable = true;
        world.fakes[1].mute = true;
        world.fakes[2].answer = "swap /dev/mmcblk0p3\nsync 10 0.005\n";
        assert_success(install_check(&request, &found, &error), error, 0);
        assert_string_equal(find_finding(&found, "ssh/c0")->text, "ssh: no route");
        assert_string_equal(find_finding(&found, "ssh/c1")->text, "ssh: connection lost");
        assert_int_equal(find_finding(&found, "architecture/c2")->state, CHECK_OK);
        assert_int_equal(find_finding(&found, "swap/c2")->state, CHECK_WARNING);
        assert_int_equal(find_finding(&found, "identity/lb0")->state, CHECK_OK);
        for (size_t i = 0; i < found.n_checks; i++)
                assert_true(!found.checks[i].node || !streq(found.checks[i].node, "lb1"));
        assert_string_equal(buffer_str(&world.log), "");

        world.unseen = EHOSTUNREACH;
        check_list_done(&found);
        assert_success(install_check(&request, &found, &error), error, 0);
        assert_int_equal(find_finding(&found, "serving")->state, CHECK_FAILED);
        assert_int_equal(find_finding(&found, "serving")->kind, ERROR_UNAVAILABLE);
}

static void assert_editions(const char *edition) {
        for (size_t i = 0; i < 5; i++)
                assert_string_equal(world.fakes[i].edition, edition);
}

/* What nodes were given by a newer copy of the cluster directory is not taken back by an older one. */
static void test_older_copy(void **state) {
        static const char *const ignored[] = { "newest-copy", NULL };

        make_serving();
        world.history = "1 aaaa\n2 bbbb\n";
        assert_int_equal(run_all(), 0); /* a record of before has none, and gets it: that is no change */
        assert_false(world.result.changed);
        assert_editions("2 bbbb");
        assert_int_equal(run_all(), 0);
        assert_string_equal(buffer_str(&world.log), "");

        world.history = "1 aaaa\n";
        assert_int_equal(run_all(), 0); /* nothing differs */
        assert_string_equal(buffer_str(&world.log), "");
        assert_string_equal(
                world.result.outdated,
                "this is not the newest copy of the cluster directory: its keys and certificates are edition 1, "
                "those on c0 (2), c1 (2), c2 (2), lb0 (2), lb1 (2) are of a newer one");
        world.wanted = "two";
        (void) snprintf(world.fakes[0].edition, 32, "1 aaaa");
        (void) snprintf(world.fakes[4].edition, 32, "2 bbbb");
        assert_int_equal(run_dry(5), 0);
        assert_contains(world.result.outdated, "those on c1 (2)");
        assert_int_equal(run_all(), -ESTALE);
        assert_int_equal(world.errors.n_errors, 1);
        assert_error(
                0,
                "this is not the newest copy of the cluster directory: its keys and certificates are edition 1, those "
                "on c1 (2), c2 (2), lb0 (2), lb1 (2) are of a newer one");
        assert_contains(world.errors.errors[0]->detail, "hardway install --ignore newest-copy");
        assert_string_equal(buffer_str(&world.log), "");
        assert_int_equal(run_some(0, 1), 0); /* of the node that has not heard of it nothing is taken back */

        world.ignore = ignored;
        assert_int_equal(run_all(), 0);
        assert_null(world.result.outdated);
        assert_editions("1 aaaa");
        world.ignore = NULL;
        world.wanted = "one";
        assert_int_equal(run_all(), 0);
}

/* Two copies that both went on have the same number, and neither is older; one of before there were editions is. */
static void test_two_copies(void **state) {
        make_serving();
        world.history = "1 aaaa\n2 bbbb\n";
        assert_int_equal(run_all(), 0);
        world.wanted = "two";
        world.history = "1 aaaa\n2 cccc\n";
        assert_int_equal(run_all(), -ESTALE);
        assert_error(
                0,
                "this is one of two copies of the cluster directory that both went on: its keys and certificates are "
                "edition 2, those on c0 (2), c1 (2), c2 (2), lb0 (2), lb1 (2) are of the other one");
        world.history = NULL;
        assert_int_equal(run_all(), -ESTALE);
        assert_error(0, "its keys and certificates are edition 0, those on c0 (2)");
        /* a node of another cluster has no edition of this one */
        for (size_t i = 0; i < 5; i++)
                world.fakes[i].identity = "theirs";
        assert_int_equal(run_all(), -EEXIST);
        assert_int_equal(world.errors.n_errors, 5);
        for (size_t i = 0; i < 5; i++)
                world.fakes[i].identity = NULL;
        /* what was kept of a long history does not begin with its beginning */
        world.history = "3 dddd\n4 eeee\n";
        assert_int_equal(run_all(), 0);
        assert_editions("4 eeee");
}

/* A copy that is refused, or has nothing to do, leaves no edition on nodes that it does know: the newest would not. */
static void test_two_copies_and_records(void **state) {
        static const char *const ignored[] = { "newest-copy", NULL };

        make_serving();
        world.history = "1 aaaa\n2 bbbb\n";
        assert_int_equal(run_all(), 0);
        world.history = "1 aaaa\n2 cccc\n";
        for (size_t i = 0; i < 2; i++) {
                (void) snprintf(world.fakes[0].edition, 32, "1 aaaa");
                world.fakes[1].edition[0] = 0;
                for (size_t k = 2; i > 0 && k < 5; k++)
                        world.fakes[k].running = world.fakes[k].put = "older";
                assert_int_equal(run_all(), i > 0 ? -ESTALE : 0);
                assert_string_equal(world.fakes[0].edition, "1 aaaa");
                assert_string_equal(world.fakes[1].edition, "");
                assert_string_equal(buffer_str(&world.log), "");
        }
        world.ignore = ignored;
        assert_int_equal(run_all(), 0);
        assert_editions("2 cccc");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                install_test(test_refused),
                install_test(test_clocks),
                install_test(test_questions),
                install_test(test_questions_to_a_joiner),
                install_test(test_ways_to_a_joiner),
                install_test(test_check),
                install_test(test_questions_to_one_with_another_role),
                install_test(test_beside_a_joiner),
                install_test(test_judged_beside_others),
                install_test(test_older_copy),
                install_test(test_two_copies),
                install_test(test_two_copies_and_records),
        };

        return cmocka_run_group_tests_name("install-refusals", tests, NULL, NULL);
}
