/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A restore's files beside the cluster file, when this machine's disk refuses one of the writes, or the run is killed
 * before it: each is old or new, the members that are left out are known before the token counts, and the same run
 * again ends with all of it and nothing else.
 */

#include "tests/unit/unit.h"

#include "etcd/data.h"
#include "operate/left-out.h"
#include "operate/restore-internal.h"
#include "plan/left-out.h"
#include "tests/unit/write-faults.h"

#define OLD_TOKEN "00112233445566778899aabbccddeeff"
#define NEW_TOKEN "ffeeddccbbaa99887766554433221100"
#define ID 7

static RestoreJournal journal_of(const char *token) {
        return (RestoreJournal) {
                .snapshot = (char*) "/a.db",
                .survivor = (char*) "",
                .digest = (char*) "aa",
                .members = (char*) "c0,c1",
                .token = (char*) token,
                .begun = (char*) "2026-11-25T16:47:00Z",
        };
}

/* All that a restore writes here, from its beginning to its end. */
static int restore(const UnitDir *d, const char *token, char *const *left_out, bool end, Error **reterr) {
        RestoreJournal j = journal_of(token);
        int r;

        r = journal_write(d->path, &j, reterr);
        if (r >= 0)
                r = journal_commit(d->path, &j, ID, left_out, reterr);
        j.served = true;
        if (r >= 0)
                r = journal_write(d->path, &j, reterr);
        return r < 0 || !end ? r : journal_end(d->path, reterr);
}

static char *const all_left_out[] = { (char*) "c2", (char*) "c3", NULL };
static char *const one_left_out[] = { (char*) "c1", NULL };
static char *const none_left_out[] = { NULL };

/* What another restore has left: one that is finished, and one that is under way. */
static void begin(const UnitDir *d, bool finished) {
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path);

        assert_int_equal(fs_remove_tree(d->fd, "secrets", NULL), 0);
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_int_equal(restore(d, OLD_TOKEN, one_left_out, finished, NULL), 0);
}

static char* content(const UnitDir *d, const char *name) {
        Buffer text = BUFFER_NULL;

        return fs_read_optional(d->fd, name, 4096, &text, NULL) > 0 ? buffer_take(&text) : xstrdup("");
}

static void assert_old_or_new(const UnitDir *d, char *const *left_out) {
        _cleanup_free_ char *token = content(d, ETCD_TOKEN), *out = content(d, PLAN_LEFT_OUT),
                            *lines = strv_join(left_out, "\n"),
                            *expected = *lines ? xasprintf("%s\n", lines) : xstrdup(""),
                            *old = etcd_token_text(OLD_TOKEN, ID), *new = etcd_token_text(NEW_TOKEN, ID);
        _cleanup_(journal_done) RestoreJournal j = {};
        RestoreJournal ours = journal_of(NEW_TOKEN);
        int r;

        r = journal_read(d->path, &j, NULL);
        assert_true(r >= 0);
        if (r > 0)
                assert_true(streq(j.token, OLD_TOKEN) || streq(j.token, NEW_TOKEN));
        assert_true(streq(token, old) || streq(token, new));
        assert_true(streq(out, "c1\n") || streq(out, expected));
        if (streq(token, new))
                assert_string_equal(out, expected);
        assert_int_equal(journal_is_committed(d->path, &ours), streq(token, new));
}

static void assert_completes(const UnitDir *d, char *const *left_out) {
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path), *token = NULL,
                            *new = etcd_token_text(NEW_TOKEN, ID);

        assert_int_equal(restore(d, NEW_TOKEN, left_out, /* end= */ true, NULL), 0);
        assert_old_or_new(d, left_out);
        token = content(d, ETCD_TOKEN);
        assert_string_equal(token, new);
        assert_int_equal(unit_count_entries(secrets), *left_out ? 2 : 1);
}

static unsigned count_calls(const UnitDir *d, bool finished, char *const *left_out) {
        begin(d, finished);
        count = 0;
        assert_int_equal(restore(d, NEW_TOKEN, left_out, /* end= */ true, NULL), 0);
        assert_in_range(count, 13, 30);
        return count;
}

static void kill_at(const UnitDir *d, unsigned at, char *const *left_out) {
        pid_t pid = fork_to_die(at);

        if (pid == 0) {
                (void) restore(d, NEW_TOKEN, left_out, /* end= */ true, NULL);
                _exit(0);
        }
        await_killed(pid);
}

static void refuse_at(const UnitDir *d, unsigned at, int errnum, char *const *left_out) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path);
        int r;

        trouble = errnum;
        countdown = at;
        r = restore(d, NEW_TOKEN, left_out, /* end= */ true, &error);
        countdown = 0;
        assert_int_equal(r, -errnum);
        assert_non_null(strstr(error->message, secrets));
        assert_non_null(strstr(error->message, strerror(errnum)));
}

static void each(const UnitDir *d,
                 void (*strike)(const UnitDir *d, unsigned at, int errnum, char *const *left_out),
                 int errnum) {
        for (unsigned i = 0; i < 4; i++) {
                bool finished = i & 1;
                char *const *left_out = i & 2 ? none_left_out : all_left_out;
                unsigned n = count_calls(d, finished, left_out);

                for (unsigned at = 1; at <= n; at++) {
                        begin(d, finished);
                        strike(d, at, errnum, left_out);
                        assert_old_or_new(d, left_out);
                        assert_completes(d, left_out);
                }
        }
}

static void strike_dead(const UnitDir *d, unsigned at, _unused_ int errnum, char *const *left_out) {
        kill_at(d, at, left_out);
}

static void test_killed(void **state) {
        each(*state, strike_dead, 0);
}

static void test_refused(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
                each(*state, refuse_at, troubles[i]);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_killed),
                unit_test_in_dir(test_refused),
        };

        return cmocka_run_group_tests_name("operate-journal", tests, NULL, NULL);
}
