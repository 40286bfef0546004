/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-fixture.h"

/* What was on a node before hardway came: kept once, before it is replaced, and put back when ours goes. On a node below a
 * directory, with the real scripts. */

#define CONFIG "etc/hardway/etcd.conf"
#define COPY "var/lib/hardway/before/" CONFIG
#define TAKEN "var/lib/hardway/taken"

static void assert_content(const HostFixture *f, const char *path, const char *expected) {
        _cleanup_free_ char *content = fixture_read(f, path);

        assert_string_equal(content, expected);
}

static void assert_mode(const HostFixture *f, const char *path, mode_t mode) {
        struct stat st;

        assert_int_equal(fstatat(f->dir->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode & 07777, mode);
}

static bool is_there(const HostFixture *f, const char *path) {
        struct stat st;

        return fstatat(f->dir->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static Plan* plan_with(HostFixture *f, const char *content) {
        Plan *p = fixture_plan(f);

        plan_add_file(p, "etcd", "other", "/etc/hardway/other", 0644, "other", "why");
        if (content)
                plan_add_file(p, "etcd", "config", "/" CONFIG, 0644, content, "why");
        fixture_finish(f, p);
        return p;
}

static void put(HostFixture *f, const Plan *p, int n_changes) {
        _cleanup_error_ Error *error = NULL;

        assert_success(fixture_put(f, p, NULL, &error), error, n_changes);
}

static void record(HostFixture *f, const Plan *p) {
        _cleanup_error_ Error *error = NULL;

        assert_success(host_record(f->host, p, "id-1", NULL, &error), error, 0);
}

static void test_kept_and_back(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = plan_with(f, "ours"), *q = plan_with(f, "newer"),
                                   *without = plan_with(f, NULL);
        _cleanup_free_ char *generation = NULL;

        fixture_write(f, CONFIG, 0640, "theirs");
        put(f, p, 2);
        assert_content(f, CONFIG, "ours");
        assert_content(f, COPY, "theirs");
        assert_mode(f, COPY, 0640);
        assert_mode(f, "var/lib/hardway/before", 0700);
        assert_content(f, TAKEN, "/" CONFIG " kept\n/etc/hardway/other nothing\n");

        /* not recorded yet: it is ours all the same */
        fixture_close(f);
        put(f, q, 1);
        assert_content(f, COPY, "theirs");
        assert_string_equal(f->observation->taken[0], "/" CONFIG " kept");
        record(f, q);
        fixture_write(f, CONFIG, 0644, "edited");
        put(f, q, 1);
        assert_content(f, CONFIG, "newer");
        assert_content(f, COPY, "theirs");
        record(f, q);

        put(f, without, 1);
        record(f, without);
        assert_content(f, CONFIG, "theirs");
        assert_mode(f, CONFIG, 0640);
        assert_content(f, TAKEN, "/etc/hardway/other nothing\n");
        assert_false(is_there(f, "var/lib/hardway/before"));

        /* it is over: nothing is left to be done, and what they write from now on is theirs again */
        generation = fixture_read(f, "var/lib/hardway/generation");
        fixture_close(f);
        put(f, without, 0);
        record(f, without);
        assert_content(f, "var/lib/hardway/generation", generation);
        fixture_write(f, CONFIG, 0600, "theirs, newer");
        put(f, p, 1);
        assert_content(f, COPY, "theirs, newer");
}

/* A run that puts something twice without having looked in between keeps what was there the first time. */
static void test_put_again(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = plan_with(f, "ours");
        _cleanup_error_ Error *error = NULL;
        Changes changes = {};
        HostPut again = { .plan = p, .changes = &changes };

        fixture_write(f, CONFIG, 0640, "theirs");
        assert_success(fixture_look(f, p, &error), error, 0);
        plan_compare(p, f->observation, &changes);
        for (int i = 0; i < 2; i++) {
                assert_success(host_put(f->host, &again, &error), error, 0);
                assert_content(f, COPY, "theirs");
                assert_content(f, TAKEN, "/" CONFIG " kept\n/etc/hardway/other nothing\n");
        }
        changes_done(&changes);
}

/* An edited file of an older plan is somebody's by now, and is left; so what was there before stays kept. */
static void test_edited(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = plan_with(f, "ours"), *without = plan_with(f, NULL);

        fixture_write(f, CONFIG, 0644, "theirs");
        put(f, p, 2);
        record(f, p);
        fixture_write(f, CONFIG, 0644, "edited");
        put(f, without, 0);
        record(f, without);
        assert_content(f, CONFIG, "edited");
        assert_content(f, COPY, "theirs");
        assert_content(f, TAKEN, "/" CONFIG " kept\n/etc/hardway/other nothing\n");
        assert_int_equal(unlinkat(f->dir->fd, CONFIG, 0), 0);
        put(f, without, 0);
        record(f, without);
        assert_content(f, CONFIG, "theirs");
}

static void test_link(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f), *without = fixture_plan(f);
        char target[100] = "", theirs[100] = "";

        plan_add_symlink(p, "etcd", "link", "/usr/local/bin/etcd", "/opt/hardway/etcd", "why");
        fixture_finish(f, p);
        fixture_finish(f, without);
        assert_int_equal(symlinkat("/nowhere/at/all", f->dir->fd, "usr/local/bin/etcd"), 0);
        put(f, p, 1);
        record(f, p);
        assert_true(readlinkat(f->dir->fd, "usr/local/bin/etcd", target, sizeof(target) - 1) > 0);
        assert_string_equal(target, "/opt/hardway/etcd");
        put(f, without, 1);
        record(f, without);
        assert_true(readlinkat(f->dir->fd, "usr/local/bin/etcd", theirs, sizeof(theirs) - 1) > 0);
        assert_string_equal(theirs, "/nowhere/at/all");
}

/* mv, that kills the script which runs it instead of moving the n-th file. */
static void fixture_deadly_mv(const HostFixture *f, unsigned n) {
        _cleanup_free_ char *script =
                xasprintf("echo >>%1$s/moved\n"
                          "[ \"$(wc -l <%1$s/moved)\" != %2$u ] || { kill -9 $PPID; exit 1; }\n"
                          "exec /bin/mv \"$@\"",
                          f->dir->path, n);

        (void) unlinkat(f->dir->fd, "moved", 0);
        fixture_program(f, "mv", script);
}

/* Killed before each rename of a first put, and of one that gives back: what comes back in the end is theirs. */
static void test_killed(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = plan_with(f, "ours"), *without = plan_with(f, NULL);
        _cleanup_error_ Error *error = NULL;
        unsigned n_killed = 0;

        for (unsigned n = 1;; n++) {
                bool killed = false;

                fixture_write(f, CONFIG, 0640, "theirs");
                fixture_deadly_mv(f, n);
                killed = fixture_put(f, p, NULL, &error) < 0 ||
                         host_record(f->host, p, "id-1", NULL, &error) < 0 ||
                         fixture_put(f, without, NULL, &error) < 0 ||
                         host_record(f->host, without, "id-1", NULL, &error) < 0;
                error = error_free(error);
                fixture_close(f);
                (void) unlinkat(f->dir->fd, "bin/mv", 0);
                assert_true(fixture_put(f, p, NULL, &error) >= 0);
                assert_content(f, CONFIG, "ours");
                if (killed)
                        assert_content(f, COPY, "theirs");
                record(f, p);
                put(f, without, 1);
                record(f, without);
                assert_content(f, CONFIG, "theirs");
                assert_mode(f, CONFIG, 0640);
                assert_content(f, TAKEN, "/etc/hardway/other nothing\n");
                assert_int_equal(fs_remove_tree(f->dir->fd, "var/lib/hardway", NULL), 0);
                assert_int_equal(fs_remove_tree(f->dir->fd, "etc/hardway", NULL), 0);
                fixture_close(f);
                if (!killed)
                        break;
                n_killed++;
        }
        assert_in_range(n_killed, 10, 40);
}

/* No room for a copy: nothing is replaced. */
static void test_cannot_keep(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = plan_with(f, "ours");
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, CONFIG, 0644, "theirs");
        fixture_program(f, "cp", "echo \"cp: error writing '$5': No space left on device\" >&2; exit 1");
        assert_int_equal(fixture_put(f, p, NULL, &error), -ENOSPC);
        assert_content(f, CONFIG, "theirs");
        assert_false(is_there(f, TAKEN));
        assert_false(is_there(f, "etc/hardway/other"));
}

static void test_unit(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f), *without = fixture_plan(f);
        _cleanup_free_ char *log = NULL,
                            *program = xasprintf(
                                    "case $1 in\n"
                                    "show) printf 'Id=foo.service\\nLoadState=loaded\\nActiveState=active\\n"
                                    "SubState=running\\nUnitFileState=enabled\\n' ;;\n"
                                    "*) echo \"$*\" >>%s/log ;;\n"
                                    "esac",
                                    f->dir->path);

        fixture_program(f, "systemctl", program);
        fixture_write(f, "etc/systemd/system/foo.service", 0644, "theirs");
        plan_add_unit(p, "etcd", "foo.service", fixture_unit("ours"), "why");
        fixture_finish(f, p);
        fixture_finish(f, without);
        put(f, p, 3); /* update, daemon-reload, restart */
        record(f, p);
        assert_content(f, TAKEN, "/etc/systemd/system/foo.service kept foo.service enabled active\n");
        put(f, without, 2);
        record(f, without);
        assert_content(f, "etc/systemd/system/foo.service", "theirs");
        log = fixture_read(f, "log");
        assert_string_equal(
                log, "daemon-reload\nenable --quiet -- foo.service\nstart --no-block -- foo.service\n");
}

/* A list that is not understood may be of a file that has to come back. */
static void test_list_is_damaged(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = plan_with(f, "ours");
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, TAKEN, 0600, "/etc/a kept\n/etc/$(reboot) kept\n");
        assert_int_equal(fixture_put(f, p, NULL, &error), -EBADMSG);
        assert_contains(error->message, "/var/lib/hardway/taken");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                host_test(test_kept_and_back), host_test(test_put_again),       host_test(test_edited),
                host_test(test_link),          host_test(test_killed),          host_test(test_cannot_keep),
                host_test(test_unit),          host_test(test_list_is_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
