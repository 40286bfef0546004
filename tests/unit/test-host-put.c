/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/put-fixture.h"

/* Looking and putting, by the real scripts, on a node below a directory */

static void test_facts(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, "etc/machine-id", 0644, "0123456789abcdef0123456789abcdef\n");
        fixture_finish(f, p);
        assert_success(fixture_look(f, p, &error), error, 0);
        assert_true(f->facts.observed);
        assert_true(f->facts.userland_matches);
        assert_string_equal(f->facts.machine_id, "0123456789abcdef0123456789abcdef");
        assert_true(f->facts.memory > 64 * 1024 * 1024);
        assert_true(f->facts.disk_free > 0);
        assert_int_equal(f->facts.page_size, getpagesize());
        assert_in_range(f->facts.clock_offset + 2, 0, 4);
        assert_int_equal(f->observation->n_paths, 0);
        assert_null(f->observation->identity);
}

static void test_put(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a: b\n");
        _cleanup_error_ Error *error = NULL;
        time_t start = time(NULL);
        struct stat st;

        fixture_write(f, "proc/sys/net/ipv4/ip_forward", 0644, "0\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 6);
        assert_content(f, "etc/hardway/etcd.conf", "a: b\n");
        assert_content(f, "etc/hardway/key", "secret");
        assert_content(f, "proc/sys/net/ipv4/ip_forward", "1\n");
        assert_mode(f, "etc/hardway", 0755);
        assert_mode(f, "etc/hardway/etcd.conf", 0644);
        assert_mode(f, "etc/hardway/key", 0600);
        assert_mode(f, "var/lib/etcd", 0700);
        assert_mode(f, "var/lib/hardway", 0700);
        assert_nothing_staged(f);
        /* systemd knows a changed unit file by its time */
        assert_int_equal(fstatat(f->dir->fd, "etc/hardway/key", &st, 0), 0);
        assert_true(st.st_mtim.tv_sec >= start);
        assert_success(fixture_put(f, p, NULL, &error), error, 0);
        assert_string_equal(observation_path(f->observation, "/usr/local/bin/etcd")->target,
                            "/opt/hardway/etcd");
}

/* --verbose: the script, and of the files what they are called; nothing of what is in them. */
static void test_told(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a: b\n");
        _cleanup_buffer_ Buffer told = BUFFER_NULL;
        _cleanup_free_ char *key = xasprintf("\n0600 %s 6 /etc/hardway/key\n", f->owner);
        _cleanup_error_ Error *error = NULL;

        f->options.trace = fixture_trace;
        f->options.userdata = &told;
        fixture_write(f, "proc/sys/net/ipv4/ip_forward", 0644, "0\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 6);
        assert_contains(buffer_str(&told), ": put (2 files)\n$ sh\n$ -c\n");
        assert_contains(buffer_str(&told), "--- part\n# shellcheck shell=sh\n");
        assert_contains(buffer_str(&told), "\ndirectory 0700 ");
        assert_contains(buffer_str(&told), "TAR_OPTIONS=");
        assert_contains(buffer_str(&told), "--- follows\na tar stream of 2 files");
        assert_contains(buffer_str(&told), key);
        assert_null(strstr(buffer_str(&told), "secret"));
        assert_null(strstr(buffer_str(&told), "a: b"));
        fixture_close(f); /* before what it tells */
}

/* Whether hardway has made it is written down before it is made or changed, once: a run that is killed may do no more. */
static void test_made(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *path = xasprintf("%s/srv/theirs", f->dir->path),
                            *clash = xasprintf("%s/var/lib/new", f->dir->path),
                            *lines = xasprintf("complete\ndirectory /etc/hardway %1$s nothing\n"
                                               "chosen /srv/theirs %1$s 751 %1$s\n"
                                               "directory /var/lib/new %1$s nothing\n",
                                               f->owner);

        fixture_write(f, "srv/theirs/precious", 0644, "x");
        assert_int_equal(chmod(path, 0751), 0);
        plan_add_directory(p, "etcd", "new", "/var/lib/new", 0700, "root:root", "why");
        plan_add_directory(p, "etcd", "theirs", "/srv/theirs", 0700, "root:root", "why")->directory.chosen =
                true;
        plan_add_file(p, "etcd", "a", "/etc/hardway/a", 0644, "a", "why");
        fixture_finish(f, p);
        /* a put that fails half way through them; what is no directory is not made */
        fixture_write(f, "var/lib/new", 0644, "is none");
        assert_true(fixture_put(f, p, NULL, &error) < 0);
        error = error_free(error);
        assert_int_equal(unlink(clash), 0);
        assert_true(fixture_put(f, p, NULL, &error) > 0);
        assert_mode(f, "srv/theirs", 0700);
        assert_content(f, "var/lib/hardway/directories", lines);
        /* what is mended is not what was there before */
        assert_int_equal(chmod(path, 0711), 0);
        assert_int_equal(fixture_put(f, p, NULL, &error), 1);
        assert_content(f, "var/lib/hardway/directories", lines);
        assert_int_equal(strv_length(f->observation->made), 3);
}

/* Where something of an earlier version is, whose directories nobody wrote down, the list is not all of them. */
static void test_made_by_an_earlier_version(void **state) {
        static const char *const records[] = { "applied.json", "taken", "etcd-identity" };
        HostFixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
                _cleanup_(plan_freep) Plan *p = fixture_plan(f);
                _cleanup_error_ Error *error = NULL;
                _cleanup_free_ char *record = xasprintf("var/lib/hardway/%s", records[i]),
                                    *line = xasprintf("directory /var/lib/new %s nothing\n", f->owner);

                fixture_write(f, record, 0644, streq(records[i], "applied.json") ? "{\"files\": []}" : "");
                plan_add_directory(p, "etcd", "new", "/var/lib/new", 0700, "root:root", "why");
                fixture_finish(f, p);
                assert_success(fixture_put(f, p, NULL, &error), error, 1);
                assert_content(f, "var/lib/hardway/directories", line);
                assert_false(f->observation->made_whole);
                assert_int_equal(fs_remove_tree(f->dir->fd, "var/lib", NULL), 0);
        }
}

/* A file that its program does not accept replaces nothing, and neither do the others of the same put. */
static void test_check(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "old"), *q = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;
        PlanItem *item;

        fixture_write(f, "proc/sys/net/ipv4/ip_forward", 0644, "1\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 5);
        plan_add_file(q, "etcd", "key", "/etc/hardway/key", 0600, "new key", "why");
        item = plan_add_file(q, "etcd", "config", "/etc/hardway/etcd.conf", 0644, "it's bad", "why");
        item->file.check = xstrdup("! grep \"it's bad\" \"$1\"");
        fixture_finish(f, q);
        assert_int_equal(fixture_put(f, q, NULL, &error), -EBADMSG);
        assert_contains(error->message, "/etc/hardway/etcd.conf is not accepted");
        assert_contains(error->detail, "it's bad");
        assert_content(f, "etc/hardway/etcd.conf", "old");
        assert_content(f, "etc/hardway/key", "secret");
        assert_nothing_staged(f);
}

static void test_in_the_way(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a");
        _cleanup_error_ Error *error = NULL;

        assert_true(fs_mkdir_parents(f->dir->fd, "etc/hardway/key", 0755, NULL) >= 0);
        assert_failure(fixture_put(f, p, NULL, &error), error, ERROR_CONFIG, EEXIST);
        assert_content(f, "etc/hardway/etcd.conf", "");
        assert_nothing_staged(f);
        assert_int_equal(fs_remove_tree(f->dir->fd, "etc/hardway", NULL), 0);
        fixture_write(f, "etc/hardway", 0644, "a file");
        assert_failure(fixture_put(f, p, NULL, &error), error, ERROR_CREATE, ENOTDIR);
}

/* Whoever may write into the directory above could have root give /etc away. */
static void test_directory_behind_link(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a");
        _cleanup_error_ Error *error = NULL;

        assert_true(fs_mkdir_parents(f->dir->fd, "elsewhere", 0755, NULL) >= 0);
        assert_true(fs_mkdir_parents(f->dir->fd, "var/lib", 0755, NULL) >= 0);
        assert_int_equal(symlinkat("../../elsewhere", f->dir->fd, "var/lib/etcd"), 0);
        assert_failure(fixture_put(f, p, NULL, &error), error, ERROR_CONFIG, EEXIST);
        assert_mode(f, "elsewhere", 0755);
}

static void test_stale(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a");
        _cleanup_error_ Error *error = NULL;
        Changes changes = {};

        assert_success(fixture_look(f, p, &error), error, 0);
        plan_compare(p, f->observation, &changes);
        fixture_write(f, "var/lib/hardway/generation", 0600, "2\n");
        assert_failure(host_put(f->host, &(HostPut) { .plan = p, .changes = &changes }, &error), error,
                       ERROR_TEMPORARY, ESTALE);
        /* one who failed to put has to look again */
        assert_failure(host_put(f->host, &(HostPut) { .plan = p, .changes = &changes }, &error), error,
                       ERROR_INTERNAL, EINVAL);
        changes_done(&changes);
        assert_content(f, "etc/hardway/etcd.conf", "");
}

/* Users are there before what belongs to them; the staged file belongs to them, not only the published
 * one. */
static void test_owner(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_free_ char *log = xasprintf("echo \"$(basename \"$0\") $*\" >>%s/log", f->dir->path);
        _cleanup_error_ Error *error = NULL;

        plan_add_user(p, "etcd", "etcd", "/var/lib/etcd", "why");
        plan_add_file(p, "etcd", "key", "/etc/hardway/key", 0600, "key", "why");
        fixture_finish(f, p);
        for (size_t i = 0; i < p->n_items; i++) {
                if (p->items[i]->type == PLAN_USER)
                        strv_add(&p->items[i]->user.groups, "ssl-cert");
                if (p->items[i]->type == PLAN_FILE) {
                        freep(&p->items[i]->owner);
                        p->items[i]->owner = xstrdup("etcd:etcd");
                }
        }
        fixture_program(f, "systemd-sysusers", log);
        fixture_program(f, "chown", log);
        assert_success(fixture_put(f, p, NULL, &error), error, 3);
        freep(&log);
        log = fixture_read(f, "log");
        assert_contains(log, "systemd-sysusers --root=");
        assert_contains(log, "--inline m etcd ssl-cert\n");
        assert_content(f, "var/lib/hardway/users", "etcd\n");
        assert_contains(log, "chown -h -- etcd:etcd etc/hardway/key.hw-new\n");
        assert_true(strstr(log, "sysusers") < strstr(log, "chown"));
}

/* One that was there before, wherever users are kept, is not written down as ours: it stays where hardway goes. */
static void test_user_of_others(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        plan_add_user(p, "etcd", "etcd", "/var/lib/etcd", "why");
        plan_add_user(p, "etcd", "etc", "/nonexistent", "why");
        fixture_finish(f, p);
        fixture_program(f, "getent", "[ \"$*\" = 'passwd etcd' ]");
        fixture_program(f, "systemd-sysusers", ":");
        assert_success(fixture_put(f, p, NULL, &error), error, 2);
        assert_content(f, "var/lib/hardway/users", "etc\n");
}

static void test_user_fails(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        plan_add_user(p, "etcd", "etcd", "/var/lib/etcd", "why");
        plan_add_file(p, "etcd", "key", "/etc/hardway/key", 0600, "key", "why");
        fixture_finish(f, p);
        fixture_program(f, "systemd-sysusers", "echo 'Failed to take lock' >&2; exit 1");
        assert_int_equal(fixture_put(f, p, NULL, &error), -EIO);
        assert_string_equal(error->message, "cannot write the user etcd into /etc/passwd and /etc/group");
        assert_contains(error->detail, "Failed to take lock");
        assert_content(f, "etc/hardway/key", "");
        error = error_free(error);
        /* it does not always say why, but others do */
        fixture_program(f, "systemd-sysusers", "exit 1");
        fixture_program(f, "dd",
                        "echo \"dd: failed to open 'etc/.hw-new': No space left on device\" >&2; exit 1");
        assert_int_equal(fixture_put(f, p, NULL, &error), -ENOSPC);
        assert_string_equal(error->message, "/etc: no space (or no inodes) left on the disk");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                host_test(test_facts),          host_test(test_put),
                host_test(test_told),           host_test(test_check),
                host_test(test_in_the_way),     host_test(test_directory_behind_link),
                host_test(test_stale),          host_test(test_owner),
                host_test(test_user_of_others), host_test(test_user_fails),
                host_test(test_made),           host_test(test_made_by_an_earlier_version),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
