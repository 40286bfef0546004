/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "plan/names.h"
#include "tests/unit/restore-fixture.h"

/* A restore from end to end: what is asked, what is stopped, and which data is sent, also after an earlier run */

/* A clone's snapshot has the marks of both, as a restored cluster's own has: only a person can tell. */
static void test_marks_of_two(void **state) {
        world->other_mark = true;
        assert_int_equal(restore("a.db", 2, false), -EXDEV);
        assert_contains(advice(), "this cluster was once restored from one of that");
        assert_false(happened("user:asked") || happened("a clean end"));
        world->force = true;
        assert_int_equal(restore("a.db", 2, /* dry_run= */ true), 0);
}

static void test_nothing_is_begun_before_all_are_seen(void **state) {
        world->fails = "c1:lock";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("user:asked") || is_begun());
}

/* What is locked stays so until the last node is started; a load balancer that is away keeps nobody from it. */
static void test_load_balancers_are_held(void **state) {
        world->fails = "lb0:lock";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("user:asked") || is_begun());
        world->fails = NULL;
        assert_int_equal(restore("a.db", 3, false), 0);
        assert_int_equal(count_of("all:install;"), 2);
        world->away = "lb0";
        assert_int_equal(restore("b.db", 3, false), 0);
        assert_int_equal(count_of("all:install;"), 1);
}

/* Data that serves nobody, since a load balancer is lost while it is put in place, would be the worst. */
static void test_members_are_started_first(void **state) {
        world->fails = "lb0:install";
        assert_int_equal(restore("a.db", 3, false), -ENOSPC);
        assert_true(happened("all:install;lb0:install;"));
        assert_true(world->states[0] == ETCD_HEALTHY && world->states[1] == ETCD_HEALTHY);
        assert_false(is_begun());
}

/* The bytes that were examined are sent, wherever they are now; other members are another restore. */
static void test_resumes_the_same_only(void **state) {
        _cleanup_free_ char *token = NULL, *copy = in_dir("copy.db");

        world->fails = "c1:# the new data, beside the old";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        token = xstrdup(world->result.token);
        assert_int_equal(restore("copy.db", 2, false), -ENOSPC);
        assert_true(world->result.resumed);
        assert_string_equal(world->result.token, token);
        assert_string_equal(world->sent, copy);
        assert_int_equal(strlen(world->digest), 64);
        assert_contains(world->question, "This goes on with the restore that was begun at ");
        assert_int_equal(restore("b.db", 2, false), -ENOSPC);
        assert_false(world->result.resumed);
        assert_string_not_equal(world->result.token, token);
        free(token);
        token = xstrdup(world->result.token);
        world->states[1] = ETCD_AWAY;
        assert_int_equal(restore("b.db", 1, false), 0);
        assert_false(world->result.resumed);
        assert_string_not_equal(world->result.token, token);
}

/* Everything serves, and the journal was left: the same file is restored again, as was asked. */
static void test_finished_begins_anew(void **state) {
        _cleanup_free_ char *token = NULL;

        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("b.db", 2, false), -ENOSPC);
        token = xstrdup(world->result.token);
        world->fails = NULL;
        world->swapped = true;
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->no = true;
        assert_int_equal(restore("b.db", 2, false), -ECANCELED);
        assert_contains(world->question, "This goes on");
        world->states[0] = world->states[1] = ETCD_HEALTHY;
        assert_int_equal(restore("b.db", 2, false), -ECANCELED);
        assert_contains(world->question, "is complete");
        world->no = false;
        assert_int_equal(restore("b.db", 2, false), 0);
        assert_string_not_equal(world->result.token, token);
        assert_true(happened("nothing runs") && happened("c0:send;") && !is_begun());
}

/* Before the answer this machine was asleep, and its locks gone: somebody else is at work, or what was off is back. */
static void test_looks_again_after_the_question(void **state) {
        world->then_fails = "c1:lock";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_true(happened("user:asked"));
        assert_false(happened("nothing runs") || happened("as it was") || is_begun());
        assert_false(world->stopped[0] || world->stopped[1]);

        /* a survivor that has to be stopped to be read is not, either */
        world->fails = NULL;
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->then_fails = "c0:lock";
        assert_int_equal(restore(NULL, 1, false), -ENOSPC);
        assert_false(happened("a clean end") || world->stopped[0]);

        world->fails = world->then_fails = NULL;
        world->then_runs = true;
        assert_int_equal(restore("a.db", 1, false), -EBUSY);
        assert_contains(world->errors.errors[0]->message, "c1 is to be left out, and its etcd runs");
        assert_true(happened("user:asked"));
        assert_false(happened("nothing runs") || world->stopped[0]);
}

/* What a run that is gone on with has stopped may be somebody else's business by now: it is left, and the way is named. */
static void test_looks_again_while_going_on(void **state) {
        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->fails = NULL;
        world->then_fails = "c1:lock";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_contains(world->question, "This goes on with");
        assert_false(happened("as it was") || happened("nothing runs"));
        assert_contains(advice(), "was left as it is. It goes on with: hardway etcd restore /");
        assert_contains(advice(), "/a.db\n");
}

/* A member that has the new data, and is reset while the person reads, gets it once more. */
static void test_reset_before_the_answer(void **state) {
        world->states[0] = world->states[1] = ETCD_AWAY;
        world->fails = "all:install";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        world->fails = NULL;
        world->swapped = world->then_reset = true;
        assert_int_equal(restore("a.db", 2, false), 0);
        assert_true(world->result.resumed);
        assert_true(happened("c1:# the new data takes the place of the old, which stays aside;"));
        assert_false(happened("c0:# the new data takes the place of the old, which stays aside;"));
}

static void test_left_out_has_to_be_gone(void **state) {
        world->states[1] = ETCD_WAITING;
        assert_int_equal(restore("a.db", 1, false), -EBUSY);
        assert_contains(world->errors.errors[0]->message, "c1 is to be left out, and its etcd runs");
        world->states[1] = ETCD_AWAY;
        world->apiserver = true;
        assert_int_equal(restore("a.db", 1, false), -EBUSY);
        assert_contains(world->errors.errors[0]->message, "its apiserver runs");
        assert_false(happened("user:asked") || happened("nothing runs"));
        world->apiserver = false;
        assert_int_equal(restore("a.db", 1, false), 0);
}

/* One survivor and a fresh host: nothing is started there before its data is. */
static void test_fresh_host(void **state) {
        world->states[1] = ETCD_AWAY;
        world->bare[1] = true;
        assert_int_equal(restore("a.db", 2, false), 0);
        assert_true(happened("c1:put;"));
        assert_false(happened("c0:put;") || happened("any:removal;"));
        assert_true(strstr(buffer_str(&world->log), "all:install;") >
                    strstr(buffer_str(&world->log), "c1:# the new data takes the place"));
}

/* What the installation at the end would be refused for is asked when all runs still; and of who is in the middle, not. */
static void test_older_copy(void **state) {
        static char *const ignored[] = { (char*) "newest-copy", NULL };

        world->edition[1] = "2 bbbb";
        assert_int_equal(restore("a.db", 2, /* dry_run= */ true), -ESTALE);
        assert_int_equal(restore("a.db", 3, false), -ESTALE);
        assert_contains(world->errors.errors[0]->message,
                        "this is not the newest copy of the cluster directory");
        assert_contains(advice(), "the same command with --ignore newest-copy");
        assert_false(happened("user:asked") || happened("nothing runs") || is_begun());
        world->ignore = ignored;
        world->fails = "c1:# the new data, beside the old";
        assert_int_equal(restore("a.db", 3, false), -ENOSPC);
        assert_contains(advice(), "hardway etcd restore --ignore newest-copy /");
        world->fails = "c1:# the new data takes the place of the old, which stays aside";
        assert_int_equal(restore("a.db", 3, false), -ENOSPC);
        world->ignore = NULL;
        world->fails = NULL;
        world->states[0] = world->states[1] = ETCD_AWAY;
        assert_int_equal(restore("a.db", 3, false), 0);
        assert_true(world->result.resumed);
        assert_true(happened("lb0:install;"));
}

static void test_no_room(void **state) {
        world->fails = "c1:# is there room for the new data beside the old?";
        assert_int_equal(restore("a.db", 2, false), -ENOSPC);
        assert_false(happened("nothing runs"));
}

static void test_command_is_quoted(void **state) {
        _cleanup_free_ char *path = in_dir("it's a file.db");

        make_file(path, "a");
        world->fails = "c0:send";
        assert_int_equal(restore("it's a file.db", 2, false), -ENOSPC);
        assert_contains(advice(), "hardway etcd restore '/");
        assert_contains(advice(), "/it'\\''s a file.db'\n");
}

/* Before the control plane is stopped; after that, until new data takes the place of the old; and then no more. */
static void test_is_stopped_in_time(void **state) {
        world->stops = "c1:# is there room for the new data beside the old?";
        assert_int_equal(restore("a.db", 2, false), -ECANCELED);
        assert_string_equal(world->errors.errors[0]->message,
                            "stopped as asked; the control plane was not stopped");
        assert_false(happened("nothing runs"));

        world->cancelled = 0;
        world->stops = "all:insist";
        assert_int_equal(restore("a.db", 2, false), 0);
        assert_true(strstr(buffer_str(&world->log), "all:insist;") <
                    strstr(buffer_str(&world->log), "takes the place of the old"));
        assert_true(happened("all:install;"));
}

#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* A snapshot of before a key for secrets was replaced needs that one, too, or no apiserver would become ready. */
static void test_keys_are_taken_back(void **state) {
        static const Credential credentials[] = {
                { .type = STORE_SECRET, .name = NAME_ENCRYPTION_KEY_FILE, .secret_size = 32 },
        };
        static const Component apiserver = { .name = "apiserver",
                                             .roles = ROLE_CONTROLLER,
                                             .credentials = credentials,
                                             .n_credentials = ARRAY_SIZE(credentials) };
        static const Component *const components[] = { &apiserver, NULL };
        static unsigned numbers[] = { 1, 2, 3 };
        _cleanup_free_ char *file = in_dir(NAME_ENCRYPTION_KEY_FILE), *pki = in_dir("pki/retired"),
                            *old = in_dir("pki/retired/encryption-key-2026-11-25T16.47.00Z.key");
        _cleanup_buffer_ Buffer content = BUFFER_NULL;

        assert_true(fs_mkdir_parents(AT_FDCWD, pki, 0700, NULL) >= 0);
        make_file(file, "2 " KEY);
        make_file(old, KEY "\n");
        world->components = components;
        world->keys = numbers;
        world->n_keys = ARRAY_SIZE(numbers);
        assert_int_equal(restore("a.db", 2, /* dry_run= */ true), 0);
        assert_contains(buffer_str(&world->said),
                        "may be encrypted with key1, replaced since: would be taken back");
        assert_contains(buffer_str(&world->said),
                        "key3, kept neither in secrets/encryption-key nor in pki/retired");
        assert_null(strstr(buffer_str(&world->said), "key2"));
        assert_int_equal(fs_read(AT_FDCWD, file, 1000, &content, NULL), 0);
        assert_string_equal(buffer_str(&content), "2 " KEY);

        buffer_done(&content);
        assert_int_equal(restore("a.db", 2, false), 0);
        assert_contains(buffer_str(&world->said), "may be encrypted with key1, replaced since: taken back");
        assert_int_equal(fs_read(AT_FDCWD, file, 1000, &content, NULL), 0);
        assert_string_equal(buffer_str(&content), "2 " KEY "\n" KEY);

        /* what can be read is not given up for what cannot */
        world->fails = "all:install";
        world->starts = true;
        assert_true(restore("b.db", 2, false) < 0);
        assert_contains(world->errors.errors[world->errors.n_errors - 1]->message,
                        "the data of before is kept (");
        assert_true(is_begun());
        assert_false(happened("a clean end"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                restore_test(test_marks_of_two),
                restore_test(test_nothing_is_begun_before_all_are_seen),
                restore_test(test_load_balancers_are_held),
                restore_test(test_members_are_started_first),
                restore_test(test_resumes_the_same_only),
                restore_test(test_finished_begins_anew),
                restore_test(test_looks_again_after_the_question),
                restore_test(test_looks_again_while_going_on),
                restore_test(test_reset_before_the_answer),
                restore_test(test_left_out_has_to_be_gone),
                restore_test(test_fresh_host),
                restore_test(test_older_copy),
                restore_test(test_no_room),
                restore_test(test_command_is_quoted),
                restore_test(test_is_stopped_in_time),
                restore_test(test_keys_are_taken_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
