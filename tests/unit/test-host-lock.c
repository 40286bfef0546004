/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The lock of a run, on a node that is slow: timeout(1) is what the node waits for the next byte with
 */

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "host-fixture.h"

#define REAL "exec \"$(PATH=/usr/local/bin:/usr/bin:/bin command -v timeout)\" \"$@\""

static void open_host(HostFixture *f, Host **ret) {
        _cleanup_error_ Error *error = NULL;

        assert_success(host_open_at(f->nodes, &f->options, f->dir->path, ret, &error), error, 0);
}

static void await(bool (*question)(HostFixture *f), HostFixture *f) {
        uint64_t end = clock_usec() + 20 * USEC_PER_SEC;

        while (!question(f)) {
                assert_true(clock_usec() < end);
                clock_sleep(10 * USEC_PER_MSEC);
        }
}

static bool has_waited_twice(HostFixture *f) {
        _cleanup_free_ char *turns = fixture_read(f, "turns");

        return strlen(turns) >= 2;
}

static bool is_held(HostFixture *f) {
        _cleanup_free_ char *path = xasprintf("%s/held", f->dir->path);

        return access(path, F_OK) == 0;
}

static bool is_lost(HostFixture *f) {
        return host_lock_is_lost(f->host);
}

static int lock_as(Host *h, const char *holder, char **ret_message) {
        _cleanup_error_ Error *error = NULL;
        int r = host_lock(h, holder, /* wait= */ false, &error);

        if (r < 0)
                *ret_message = xstrdup(error->message);
        return r;
}

/* The time is over before anybody has looked whether a byte is there: no reason to let go yet. */
static void test_starved(void **state) {
        HostFixture *f = *state;
        _cleanup_free_ char *message = NULL, *script = NULL;
        Host *other = NULL;

        script = xasprintf("n=%s/turns; printf . >>$n; [ \"$(cat $n)\" != . ] || exit 124; " REAL,
                           f->dir->path);
        fixture_program(f, "timeout", script);
        open_host(f, &f->host);
        open_host(f, &other);
        assert_int_equal(lock_as(f->host, "me", &message), 0);
        await(has_waited_twice, f);
        assert_int_equal(lock_as(other, "somebody", &message), -EBUSY);
        assert_string_equal(message, "in use by me");
        assert_false(host_lock_is_lost(f->host));
        host_free(other);
}

/* Holds the node for so long, as a session that nobody waits for any more: under the name of holder. */
static void linger(HostFixture *f, const char *holder, const char *seconds) {
        _cleanup_free_ char *script = NULL;

        script = xasprintf("cd %s && mkdir -p run/hardway && echo '%s' >run/hardway/run.lock && "
                           "exec flock run/hardway/run.lock sh -c 'touch held; exec sleep %s' &",
                           f->dir->path, holder, seconds);
        assert_int_equal(system(script), 0);
        await(is_held, f);
}

/* Whoever can read a lock can hold it. */
static void assert_only_owner_reads(HostFixture *f, const char *name) {
        _cleanup_free_ char *path = xasprintf("%s/%s", f->dir->path, name);
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
}

/* A run that opens a node twice in a row does not find itself there, however slow the node is. */
static void test_own_session_on_its_way_out(void **state) {
        HostFixture *f = *state;
        _cleanup_free_ char *message = NULL;

        linger(f, "me", "4");
        open_host(f, &f->host);
        assert_int_equal(lock_as(f->host, "me", &message), 0);
        assert_only_owner_reads(f, "run/hardway/run.lock");
}

/* The next command of a person may come as soon. */
static void test_session_of_another_on_its_way_out(void **state) {
        HostFixture *f = *state;
        _cleanup_free_ char *message = NULL;

        linger(f, "somebody", "0.5");
        open_host(f, &f->host);
        assert_int_equal(lock_as(f->host, "me", &message), 0);
}

static Plan* make_plan(HostFixture *f, const char *content) {
        Plan *p = fixture_plan(f);

        plan_add_file(p, "a", "file", "/etc/file", 0644, content, "w");
        fixture_finish(f, p);
        return p;
}

static int put(HostFixture *f, const Plan *p, Error **reterr) {
        HostPut put = { .plan = p };
        Changes changes = {};
        int r;

        plan_compare(p, f->observation, &changes);
        put.changes = &changes;
        r = host_put(f->host, &put, reterr);
        changes_done(&changes);
        return r;
}

/* Looked at, and then the lock is lost. */
static Plan* lose(HostFixture *f, const char *content) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *message = NULL;
        Plan *p = make_plan(f, content);

        assert_success(fixture_look(f, p, &error), error, 0);
        fixture_program(f, "timeout", "exit 124");
        assert_int_equal(lock_as(f->host, "me", &message), 0);
        await(is_lost, f);
        fixture_program(f, "timeout", REAL);
        return p;
}

static void test_taken_again(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = lose(f, "one\n");
        _cleanup_free_ char *content = NULL, *message = NULL;
        _cleanup_error_ Error *error = NULL;
        Host *other = NULL;

        assert_success(put(f, p, &error), error, 0);
        content = fixture_read(f, "etc/file");
        assert_string_equal(content, "one\n");
        open_host(f, &other);
        assert_int_equal(lock_as(other, "somebody", &message), -EBUSY);
        assert_string_equal(message, "in use by me");
        host_free(other);
}

/* Somebody is at work now: nothing is written, also not when it is tried once more. */
static void test_taken_by_another(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = lose(f, "one\n");
        _cleanup_free_ char *content = NULL, *message = NULL;
        _cleanup_error_ Error *error = NULL;
        Host *other = NULL;

        open_host(f, &other);
        assert_int_equal(lock_as(other, "somebody", &message), 0);
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(put(f, p, &error), -EBUSY);
                assert_int_equal(error->kind, ERROR_TEMPORARY);
                assert_contains(error->message, "the node's lock was lost");
                assert_contains(error->message, "in use by somebody");
                error = error_free(error);
        }
        host_free(other);
        content = fixture_read(f, "etc/file");
        assert_string_equal(content, "");
}

/* Somebody was, and is gone. */
static void test_changed_meanwhile(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = lose(f, "one\n"), *theirs = make_plan(f, "theirs\n");
        _cleanup_free_ char *content = NULL;
        _cleanup_error_ Error *error = NULL;
        Host *ours = TAKE_PTR(f->host);

        assert_int_equal(fixture_put(f, theirs, NULL, &error), 1);
        host_free(f->host);
        f->host = ours;
        assert_int_equal(put(f, p, &error), -ESTALE);
        content = fixture_read(f, "etc/file");
        assert_string_equal(content, "theirs\n");
}

typedef struct Waiter {
        volatile int cancelled;
        unsigned n_told;
        char *holder;
        Host *ends; /* whose work ends then; NULL: it does not */
} Waiter;

/* ... and has enough of it. */
static void tell_waiter(void *userdata, const Node *node, const char *holder) {
        Waiter *w = userdata;

        w->n_told++;
        w->holder = (free(w->holder), xstrdup(holder));
        w->cancelled = !w->ends;
        if (w->ends)
                host_unlock(w->ends);
}

/* Who waits is told for whom, and may leave. */
static void test_waits_for_somebody(void **state) {
        HostFixture *f = *state;
        _cleanup_free_ char *message = NULL;
        Waiter waiter = {};
        Error *error = NULL;
        Host *other = NULL;

        open_host(f, &f->host);
        assert_int_equal(lock_as(f->host, "me", &message), 0);
        f->options.waiting = tell_waiter;
        f->options.userdata = &waiter;
        f->options.cancelled = &waiter.cancelled;
        open_host(f, &other);
        assert_int_equal(host_lock(other, "somebody", /* wait= */ true, &error), -ECANCELED);
        assert_string_equal(error->message, "stopped while waiting for me");
        assert_string_equal(waiter.holder, "me");
        assert_int_equal(waiter.n_told, 1);
        error = error_free(error);

        /* what was there before may be otherwise by then: so it is told that somebody was */
        waiter.cancelled = 0;
        waiter.ends = f->host;
        assert_success(host_lock(other, "somebody", /* wait= */ true, &error), error, 1);
        assert_success(host_lock(other, "somebody", /* wait= */ true, &error), error, 0);
        host_free(other);
        free(waiter.holder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                host_test(test_starved),
                host_test(test_own_session_on_its_way_out),
                host_test(test_session_of_another_on_its_way_out),
                host_test(test_taken_again),
                host_test(test_taken_by_another),
                host_test(test_changed_meanwhile),
                host_test(test_waits_for_somebody),
        };

        return cmocka_run_group_tests_name("host-lock", tests, NULL, NULL);
}
