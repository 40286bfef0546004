/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/put-fixture.h"

/* What a node keeps of what was put there: nothing is written again, and what the plan has no more goes. */

/* A node that was installed by hand has no record, but data with a mark beside it. */
static void test_mark(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a: b\n");
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, "var/lib/hardway/etcd-identity", 0644, "0125ab\nef01\n");
        assert_success(fixture_look(f, p, &error), error, 0);
        assert_string_equal(f->observation->identity, "0125ab");
        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
        fixture_close(f);
        assert_success(fixture_look(f, p, &error), error, 0);
        assert_string_equal(f->observation->identity, "id-1");
}

/* What was recorded is neither hashed nor written again. */
static void test_record(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a: b\n");
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *before = NULL;

        fixture_write(f, "proc/sys/net/ipv4/ip_forward", 0644, "1\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 5);
        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
        before = fixture_read(f, "var/lib/hardway/generation");
        assert_string_equal(before, "4\n");
        /* sha256sum would be missed */
        fixture_program(f, "sha256sum", "exit 1");
        fixture_close(f);
        assert_success(fixture_put(f, p, NULL, &error), error, 0);
        assert_string_equal(f->observation->identity, "id-1");
        assert_int_equal(f->observation->generation, 4);
        assert_int_equal(f->observation->n_applied, 3);
        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
        assert_content(f, "var/lib/hardway/generation", "4\n");
        assert_mode(f, "var/lib/hardway/applied.json", 0600);
}

static void test_drift(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a: b\n");
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, "proc/sys/net/ipv4/ip_forward", 0644, "1\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 5);
        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
        fixture_write(f, "etc/hardway/etcd.conf", 0644, "a: c\n");
        assert_int_equal(fchmodat(f->dir->fd, "etc/hardway/key", 0644, 0), 0);
        assert_success(fixture_put(f, p, NULL, &error), error, 2);
        assert_content(f, "etc/hardway/etcd.conf", "a: b\n");
        assert_mode(f, "etc/hardway/key", 0600);
        /* the stamps of both are new, so there is something to record; then no more */
        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
        fixture_program(f, "sha256sum", "exit 1");
        fixture_close(f);
        assert_success(fixture_put(f, p, NULL, &error), error, 0);
}

static void test_removal(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f), *q = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        plan_add_file(p, "etcd", "a", "/etc/hardway/a", 0644, "a", "why");
        plan_add_file(p, "etcd", "b", "/etc/hardway/b", 0644, "b", "why");
        plan_add_file(p, "etcd", "c", "/etc/hardway/c", 0644, "c", "why");
        plan_add_file(q, "etcd", "c", "/etc/hardway/c", 0644, "c", "why");
        plan_add(p, PLAN_SYMLINK, "etcd", "link", "why");
        p->items[p->n_items - 1]->path = xstrdup("/usr/local/bin/etcd");
        p->items[p->n_items - 1]->symlink.target = xstrdup("/opt/hardway/etcd");
        fixture_finish(f, p);
        fixture_finish(f, q);
        assert_success(fixture_put(f, p, NULL, &error), error, 5);
        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
        fixture_write(f, "etc/hardway/b", 0644, "edited");
        assert_success(fixture_put(f, q, NULL, &error), error, 2);
        assert_content(f, "etc/hardway/a", "");
        assert_content(f, "etc/hardway/b", "edited");
        assert_content(f, "etc/hardway/c", "c");
        assert_success(host_record(f->host, q, "id-1", NULL, &error), error, 0);
        /* what is gone is not recorded any more, what stays is */
        assert_content(f, "var/lib/hardway/applied.paths", "etc/hardway/c\netc/hardway/b\n");
        assert_success(fixture_put(f, q, NULL, &error), error, 0);
}

/* A directory is left as it is, and not forgotten: whoever takes hardway off the node has to know of it. */
static void test_traces(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f), *q = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        plan_add_directory(p, "etcd", "old", "/var/lib/snapshots", 0700, "root:root", "why");
        plan_add_file(p, "etcd", "a", "/etc/hardway/a", 0644, "a", "why");
        plan_add_file(q, "etcd", "a", "/etc/hardway/a", 0644, "b", "why");
        fixture_finish(f, p);
        fixture_finish(f, q);
        assert_success(fixture_put(f, p, NULL, &error), error, 3);
        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
        for (int turn = 0; turn < 2; turn++) {
                assert_success(fixture_put(f, q, NULL, &error), error, turn == 0);
                assert_true(strv_contains(f->observation->traces, "directory /var/lib/snapshots root:root"));
                assert_success(host_record(f->host, q, "id-1", NULL, &error), error, 0);
                assert_content(f, "var/lib/hardway/applied.paths", "etc/hardway/a\nvar/lib/snapshots\n");
        }
        assert_int_equal(observation_path(f->observation, "/var/lib/snapshots")->type, OBSERVED_DIRECTORY);
}

/* A record of before has no edition, and gets one by being written. */
static void test_edition(void **state) {
        static const char *const editions[] = { NULL, "1 aaaa", "2 bbbb", NULL };
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a: b\n");
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, "proc/sys/net/ipv4/ip_forward", 0644, "1\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 5);
        for (size_t i = 0; i < ARRAY_SIZE(editions); i++) {
                assert_success(host_record(f->host, p, "id-1", editions[i], &error), error, 0);
                fixture_close(f);
                assert_success(fixture_look(f, p, &error), error, 0);
                assert_true(streq_null(f->observation->edition, editions[i]));
        }
}

/* One with a service that writes these two. */
static Plan* plan_that_leaves(HostFixture *f, const char *a, const char *b) {
        Plan *p = fixture_plan(f);
        PlanItem *item = plan_add_unit(p, "watch", "hardway-watch.service", fixture_unit(a), "why");

        strv_add(&item->unit.leaves, a);
        strv_add(&item->unit.leaves, b);
        fixture_finish(f, p);
        return p;
}

/* What a service writes is known by its name, and whose it is by its first line. */
static void test_leftovers(void **state) {
        static const char old[] = "var/lib/old/hardway.prom", kept[] = "var/lib/kept/hardway.prom",
                          other[] = "var/lib/other/hardway.prom";
        static const char metrics[] = "# TYPE hardway_watch_problems gauge\nhardway_watch_problems 0\n";
        HostFixture *f = *state;
        _cleanup_(plan_freep)
                Plan *p = plan_that_leaves(f, "/var/lib/old/hardway.prom", "/var/lib/kept/hardway.prom"),
                     *q = plan_that_leaves(f, "/var/lib/other/hardway.prom", "/var/lib/kept/hardway.prom"),
                     *last = plan_that_leaves(f, "/var/lib/gone/hardway.prom", "/var/lib/kept/hardway.prom");
        /* there is no systemd to be asked for units */
        _cleanup_(plan_freep) Plan *nothing = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        fixture_finish(f, nothing);
        fixture_write(f, old, 0644, metrics);
        fixture_write(f, kept, 0644, metrics);
        fixture_write(f, other, 0644, "# somebody else's\n");
        assert_success(fixture_look(f, nothing, &error), error, 0);
        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
        assert_content(f, old, metrics);

        assert_success(fixture_look(f, nothing, &error), error, 0);
        assert_success(host_record(f->host, q, "id-1", NULL, &error), error, 0);
        assert_content(f, old, "");
        assert_content(f, kept, metrics);

        assert_success(fixture_look(f, nothing, &error), error, 0);
        assert_success(host_record(f->host, last, "id-1", NULL, &error), error, 0);
        assert_content(f, other, "# somebody else's\n");
        assert_content(f, kept, metrics);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                host_test(test_mark),      host_test(test_record), host_test(test_drift),
                host_test(test_removal),   host_test(test_traces), host_test(test_edition),
                host_test(test_leftovers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
