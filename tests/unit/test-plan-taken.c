/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "plan/taken.h"
#include "tests/unit/plan-fixture.h"

/* What was there before hardway came: which files are kept, which are hardway's by then, and when they come back. */

#define DROP_IN "/etc/systemd/system/haproxy.service.d/50-hardway.conf"

typedef struct Fixture {
        Node nodes[3];
        Cluster cluster;
        Plan *plan;
        Observation *observation;
} Fixture;

static int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);

        f->cluster = fixture_cluster(f->nodes);
        f->plan = plan_new(&f->cluster, f->nodes);
        f->observation = xnew(Observation, 1);
        plan_add_directory(f->plan, "haproxy", "etc", "/etc/haproxy", 0755, "root:root", "w");
        plan_add_file(f->plan, "haproxy", "cfg", "/etc/haproxy/haproxy.cfg", 0644, "cfg", "w");
        plan_add_symlink(f->plan, "etcd", "link", "/usr/local/bin/etcdctl", "/opt/hardway/etcdctl", "w");
        plan_add_drop_in(f->plan, "haproxy", "haproxy.service", fixture_unit("haproxy"), "w");
        assert_int_equal(plan_finish(f->plan, NULL), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        plan_free(f->plan);
        observation_free(f->observation);
        free(f);
        return 0;
}

#define taken_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

static void see(Fixture *f, const char *path, ObservedType type) {
        Observation *o = f->observation;

        o->paths = xrealloc(o->paths, o->n_paths + 1, sizeof(ObservedPath));
        o->paths[o->n_paths++] =
                (ObservedPath) { .path = xstrdup(path), .type = type, .sha256 = xstrdup("other") };
}

static void see_unit(Fixture *f, const char *load, const char *file, const char *active) {
        Observation *o = f->observation;

        o->units = xrealloc(o->units, o->n_units + 1, sizeof(ObservedUnit));
        o->units[o->n_units++] = (ObservedUnit) {
                .name = xstrdup("haproxy.service"),
                .load_state = xstrdup(load),
                .file_state = xstrdup(file),
                .active_state = xstrdup(active),
        };
}

static void apply(Fixture *f, const char *path) {
        Observation *o = f->observation;

        o->applied = xrealloc(o->applied, o->n_applied + 1, sizeof(AppliedFile));
        o->applied[o->n_applied++] = (AppliedFile) { .path = xstrdup(path), .sha256 = xstrdup("ours") };
}

static void assert_line(const Fixture *f, const char *path, const char *wanted) {
        _cleanup_free_ char *line = taken_line(f->plan, f->observation, plan_find_path(f->plan, path));

        if (wanted)
                assert_string_equal(line, wanted);
        else
                assert_null(line);
}

static void test_parse(void **state) {
        static const char *const bad[] = {
                "",
                "/etc/a",
                "/etc/a lost",
                "etc/a kept",
                "/a kept",
                "/etc/../a/b kept",
                "/etc/$(reboot) kept",
                "/etc/a kept -x enabled active",
                "/etc/a kept a.service enabled",
                "/etc/a kept a.service enabled maybe",
                "/etc/a kept no-unit enabled active",
                "/etc/a kept a.service enabled active more",
        };
        _cleanup_strv_ Strv words = NULL, of_unit = NULL;

        assert_int_equal(taken_parse("/etc/a/b kept", &words), 0);
        assert_string_equal(words[TAKEN_PATH], "/etc/a/b");
        assert_null(words[TAKEN_UNIT]);
        assert_int_equal(taken_parse("/etc/a/b nothing a@1.service none inactive", &of_unit), 0);
        assert_string_equal(of_unit[TAKEN_UNIT], "a@1.service");
        assert_string_equal(of_unit[TAKEN_ACTIVE], "inactive");
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_strv_ Strv none = NULL;

                if (taken_parse(bad[i], &none) != -EINVAL)
                        fail_msg("'%s' is taken for a line", bad[i]);
        }
}

static void test_find(void **state) {
        _cleanup_strv_ Strv lines =
                strv_new("/etc/ab nothing", "/etc/a kept", "/etc/abc kept a.service enabled active",
                         "/etc/kept nothing", NULL);

        assert_string_equal(taken_find(lines, "/etc/a"), "/etc/a kept");
        assert_null(taken_find(lines, "/etc"));
        assert_null(taken_find(NULL, "/etc/a"));
        assert_true(taken_is_kept(lines[1]));
        assert_true(taken_is_kept(lines[2]));
        assert_false(taken_is_kept(lines[0]));
        assert_false(taken_is_kept(lines[3]));
        assert_false(taken_is_kept(NULL));
}

/* Only what is there is kept, and only what is put there is taken. */
static void test_what_is_there(void **state) {
        Fixture *f = *state;

        assert_line(f, "/etc/haproxy/haproxy.cfg", "/etc/haproxy/haproxy.cfg nothing");
        assert_line(f, "/etc/haproxy", NULL);
        see(f, "/etc/haproxy/haproxy.cfg", OBSERVED_FILE);
        see(f, "/usr/local/bin/etcdctl", OBSERVED_SYMLINK);
        assert_line(f, "/etc/haproxy/haproxy.cfg", "/etc/haproxy/haproxy.cfg kept");
        assert_line(f, "/usr/local/bin/etcdctl", "/usr/local/bin/etcdctl kept");
}

/* Recorded, or written by a run that was killed before it could record: never the original. */
static void test_ours(void **state) {
        Fixture *f = *state;

        see(f, "/etc/haproxy/haproxy.cfg", OBSERVED_FILE);
        see(f, "/usr/local/bin/etcdctl", OBSERVED_FILE);
        apply(f, "/etc/haproxy/haproxy.cfg");
        strv_add(&f->observation->taken, "/usr/local/bin/etcdctl nothing");
        assert_line(f, "/etc/haproxy/haproxy.cfg", NULL);
        assert_line(f, "/usr/local/bin/etcdctl", NULL);
}

static void test_unit(void **state) {
        Fixture *f = *state;

        assert_line(f, DROP_IN, DROP_IN " nothing");
        see_unit(f, "not-found", "", "inactive");
        assert_line(f, DROP_IN, DROP_IN " nothing");
        free(f->observation->units[0].load_state);
        f->observation->units[0].load_state = xstrdup("loaded");
        assert_line(f, DROP_IN, DROP_IN " nothing haproxy.service none inactive");
        free(f->observation->units[0].file_state);
        free(f->observation->units[0].active_state);
        f->observation->units[0].file_state = xstrdup("enabled");
        f->observation->units[0].active_state = xstrdup("reloading");
        assert_line(f, DROP_IN, DROP_IN " nothing haproxy.service enabled active");
        see(f, DROP_IN, OBSERVED_FILE);
        assert_line(f, DROP_IN, DROP_IN " kept haproxy.service enabled active");
        /* by another file that is ours, it is what we have made of it */
        strv_add(&f->observation->taken,
                 "/etc/systemd/system/haproxy.service nothing haproxy.service disabled inactive");
        assert_line(f, DROP_IN, DROP_IN " kept");
}

/* plan says so, and the change brings the line along. */
static void test_compare(void **state) {
        Fixture *f = *state;
        Changes c;

        see(f, "/etc/haproxy/haproxy.cfg", OBSERVED_FILE);
        see(f, "/etc/haproxy/older.cfg", OBSERVED_FILE);
        apply(f, "/etc/haproxy/older.cfg");
        free(f->observation->paths[1].sha256);
        f->observation->paths[1].sha256 = xstrdup("ours");
        strv_add(&f->observation->taken, "/etc/haproxy/older.cfg kept");
        plan_compare(f->plan, f->observation, &c);
        for (size_t i = 0; i < c.n_changes; i++) {
                const Change *change = c.changes + i;

                if (change->type == CHANGE_UPDATE) {
                        assert_string_equal(
                                change->reason,
                                "content differs; not hardway's: kept, and put back by hardway reset");
                        assert_string_equal(change->taken, "/etc/haproxy/haproxy.cfg kept");
                } else if (change->type == CHANGE_REMOVE)
                        assert_string_equal(change->reason,
                                            "of an earlier plan; what was there before comes back");
                else if (change->item && change->item->type == PLAN_SYMLINK)
                        assert_string_equal(change->taken, "/usr/local/bin/etcdctl nothing");
        }
        assert_true(changes_have(&c, CHANGE_UPDATE, NULL));
        assert_true(changes_have(&c, CHANGE_REMOVE, NULL));
        changes_done(&c);
}

/* A unit that nobody could enable is one that can be, with our file. */
static void test_enable(void **state) {
        Fixture *f = *state;
        Changes c;

        plan_free(f->plan);
        f->plan = plan_new(&f->cluster, f->nodes);
        plan_add_unit(f->plan, "etcd", "etcd.service", fixture_unit("etcd"), "w");
        assert_int_equal(plan_finish(f->plan, NULL), 0);
        see(f, "/etc/systemd/system/etcd.service", OBSERVED_FILE);
        see_unit(f, "loaded", "static", "inactive");
        free(f->observation->units[0].name);
        f->observation->units[0].name = xstrdup("etcd.service");
        plan_compare(f->plan, f->observation, &c);
        assert_true(changes_have(&c, CHANGE_ENABLE, "etcd.service"));
        changes_done(&c);
        /* also by the run after one that was killed */
        apply(f, "/etc/systemd/system/etcd.service");
        plan_compare(f->plan, f->observation, &c);
        assert_true(changes_have(&c, CHANGE_ENABLE, "etcd.service"));
        changes_done(&c);
        free(f->observation->paths[0].sha256);
        f->observation->paths[0].sha256 =
                xstrdup(plan_find_path(f->plan, "/etc/systemd/system/etcd.service")->sha256);
        plan_compare(f->plan, f->observation, &c);
        assert_false(changes_have(&c, CHANGE_ENABLE, "etcd.service"));
        changes_done(&c);
}

/* It comes back when the plan has nothing there any more, and what we put there has gone. */
static void test_left(void **state) {
        Fixture *f = *state;
        Observation *o = f->observation;

        strv_add(&o->taken, "/etc/haproxy/haproxy.cfg kept");
        strv_add(&o->taken, "/etc/haproxy/edited.cfg kept");
        /* of a unit that the plan still has, by another file */
        strv_add(
                &o->taken,
                "/etc/systemd/system/haproxy.service.d/40-older.conf nothing haproxy.service enabled active");
        apply(f, "/etc/haproxy/edited.cfg");
        see(f, "/etc/haproxy/edited.cfg", OBSERVED_FILE);
        strv_add(&o->taken, "/var/lib/hardway/etcd-identity nothing");
        assert_false(taken_is_left(f->plan, o));
        strv_add(&o->taken, "/etc/keepalived/keepalived.conf kept");
        assert_true(taken_is_left(f->plan, o));
        apply(f, "/etc/keepalived/keepalived.conf");
        assert_true(taken_is_left(f->plan, o));
        see(f, "/etc/keepalived/keepalived.conf", OBSERVED_FILE);
        assert_false(taken_is_left(f->plan, o));
        o->paths[1].type = OBSERVED_ABSENT;
        assert_true(taken_is_left(f->plan, o));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                taken_test(test_parse),  taken_test(test_find), taken_test(test_what_is_there),
                taken_test(test_ours),   taken_test(test_unit), taken_test(test_compare),
                taken_test(test_enable), taken_test(test_left),
        };

        return cmocka_run_group_tests_name("plan-taken", tests, NULL, NULL);
}
