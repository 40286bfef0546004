/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/process.h"
#include "etcd/snapshot.h"

#include "tests/unit/etcd-fixture.h"

/* The snapshots that the nodes take by themselves: what is asked of them, and what verify says of it. */

static void test_schedule(void **state) {
        static const char last[] =
                "{\"file\":\"2026-11-25T120000Z.db\",\"time\":1700,\"size\":2000000,\"status\":{\"hash\":1,"
                "\"revision\":77,\"totalKey\":3,\"totalSize\":9}}";
        _cleanup_free_ char *whole = xasprintf("5300\n100\nsuccess\nthere\n%s\n", last);
        EtcdScheduled s;

        assert_int_equal(etcd_schedule_parse(whole, &s), 0);
        assert_int_equal(s.now, 5300);
        assert_int_equal(s.taken, 1700);
        assert_int_equal(s.revision, 77);
        assert_int_equal(s.size, 2000000);
        assert_string_equal(s.file, "2026-11-25T120000Z.db");
        assert_false(s.failed || s.missing);
        assert_int_equal(etcd_schedule_parse("5300\n100\nexit-code\nthere\n\n", &s), 0);
        assert_true(s.failed);
        assert_int_equal(s.taken, 0);
        assert_string_equal(s.file, "");
        assert_int_equal(etcd_schedule_parse("", &s), -EBADMSG);
        assert_int_equal(etcd_schedule_parse("a\n1\nsuccess\nthere\n", &s), -EBADMSG);
        assert_int_equal(etcd_schedule_parse("5300\n100\nsuccess\nthere\n{\"file\":", &s), -EBADMSG);
}

/* It becomes part of paths on two machines. */
static void test_schedule_names(void **state) {
        static const char *const bad[] = { "../2026.db",   "a.db",
                                           ".db",          "2026",
                                           "2026.db.part", "2026-11-25T120000Z-2026-11-25T120000Z.db" };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_free_ char *text =
                        xasprintf("5300\n100\nsuccess\nthere\n{\"file\":\"%s\",\"time\":1}\n", bad[i]);
                EtcdScheduled s;

                assert_int_equal(etcd_schedule_parse(text, &s), 0);
                assert_string_equal(s.file, "");
        }
}

/* What is asked of the node, run by this machine's shell, about a directory in which the last one is or is not. */
static int run_here(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        char *const argv[] = { (char*) "/bin/sh", (char*) "-euc", (char*) script, NULL };
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        int r;

        r = process_run(argv, NULL, 10 * USEC_PER_SEC, &result, reterr);
        if (r >= 0)
                buffer_add_str(ret, buffer_str(&result.out));
        return r;
}

static void test_schedule_question(void **state) {
        static const char last[] = "{\"file\":\"2026-11-25T120000Z.db\",\"time\":1700,\"status\":{}}\n";
        const UnitDir *d = *state;
        _cleanup_free_ char *told_at = xasprintf("%s/last", d->path),
                            *file = xasprintf("%s/2026-11-25T120000Z.db", d->path);
        _cleanup_error_ Error *error = NULL;
        EtcdScheduled s;
        FIXTURE;

        c.snapshots = (SnapshotPolicy) { .every_hours = 6, .keep = 3, .directory = (char*) d->path };
        context.exec = run_here;
        assert_success(etcd_scheduled(&context, nodes, &s, &error), error, 0);
        assert_false(s.missing || s.taken);
        assert_true(fs_write(AT_FDCWD, told_at, last, strlen(last), 0600, 0, NULL) >= 0);
        assert_success(etcd_scheduled(&context, nodes, &s, &error), error, 0);
        assert_true(s.missing);
        assert_int_equal(s.taken, 1700);
        assert_string_equal(s.file, "2026-11-25T120000Z.db");
        assert_true(fs_write(AT_FDCWD, file, "x", 1, 0600, 0, NULL) >= 0);
        assert_success(etcd_scheduled(&context, nodes, &s, &error), error, 0);
        assert_false(s.missing);
}

static int tell_together(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (!fixture_meet(&n_asked, 2))
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "one after the other");
        return tell(userdata, node, script, ret, reterr);
}

static void test_verify_schedule_at_once(void **state) {
        FIXTURE;

        c.snapshots = (SnapshotPolicy) { .every_hours = 6, .keep = 3, .directory = (char*) "/srv/etcd" };
        context.exec = tell_together;
        told = "5300\n100\nsuccess\nthere\n\n";
        n_asked = 0;
        assert_int_equal(state_of(&context, "etcd.snapshots/c0"), CHECK_OK);
}

static void test_verify_schedule(void **state) {
        static const struct {
                const char *told, *text;
                CheckState state;
        } rows[] = {
                { "5300\n100\nsuccess\nthere\n\n", "the first one is yet to come", CHECK_OK },
                { "50300\n100\nsuccess\nthere\n\n", "late: there is none yet", CHECK_WARNING },
                { "5300\n100\nexit-code\nthere\n\n", "the last one failed; there is none", CHECK_FAILED },
                { "5300\n100\nunknown\nthere\n\n", "the first one is yet to come", CHECK_OK },
                { "50300\n100\nexit-code\nthere\n{\"time\":43100}\n",
                  "the last one failed; that before is old: 2 h", CHECK_FAILED },
                { "50300\n100\nsuccess\nthere\n{\"time\":43100,\"size\":2500000,\"status\":{\"revision\":7}}\n",
                  "2 h old, revision 7, 2.5 MB", CHECK_OK },
                { "50300\n100\nsuccess\nthere\n{\"time\":1000}\n", "late: the last one is old: 13 h 41 min",
                  CHECK_WARNING },
                { "50300\n100\nsuccess\nmissing\n{\"file\":\"2026-01-01T000000Z.db\",\"time\":43100}\n",
                  "the last one is gone: /srv/etcd/2026-01-01T000000Z.db", CHECK_FAILED },
                /* what failed last counts before what is gone, and a clock that was ahead makes none older than it is */
                { "50300\n100\nexit-code\nmissing\n{\"file\":\"x\",\"time\":43100}\n",
                  "the last one failed; that before", CHECK_FAILED },
                { "50300\n100\nsuccess\nthere\n{\"time\":90000}\n", "0.0 s old, revision 0", CHECK_OK },
        };
        CheckList checks = {};
        FIXTURE;

        c.snapshots = (SnapshotPolicy) { .every_hours = 6, .keep = 3, .directory = (char*) "/srv/etcd" };
        context.exec = tell;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const Check *check;

                told = rows[i].told;
                etcd_verify_schedule(&context, &checks);
                assert_int_equal(checks.n_checks, 2);
                check = checks.checks + 1;
                assert_string_equal(check->id, "etcd.snapshots/c1");
                assert_int_equal(check->state, rows[i].state);
                assert_non_null(startswith(check->text, rows[i].text));
                assert_int_equal(check->advice != NULL, check->state != CHECK_OK);
                if (check->advice)
                        assert_contains(check->advice, "on c1: journalctl -u etcd-snapshot");
                check_list_done(&checks);
        }
        /* none are taken */
        c.snapshots.every_hours = 0;
        etcd_verify_schedule(&context, &checks);
        assert_int_equal(checks.n_checks, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_schedule),
                cmocka_unit_test(test_schedule_names),
                unit_test_in_dir(test_schedule_question),
                cmocka_unit_test(test_verify_schedule),
                cmocka_unit_test(test_verify_schedule_at_once),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
