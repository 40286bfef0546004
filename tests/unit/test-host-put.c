/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looking and putting, by the real scripts, on a node below a directory. */

#include "host-fixture.h"

#include <sys/wait.h>

#include "common/clock.h"
#include "common/digest.h"

static Plan* small_plan(HostFixture *f, const char *content) {
        Plan *p = fixture_plan(f);
        PlanItem *key;

        plan_add_file(p, "etcd", "config", "/etc/hardway/etcd.conf", 0644, content, "why");
        key = plan_add_file(p, "etcd", "key", "/etc/hardway/key", 0600, "secret", "why");
        key->secret = true;
        key->fingerprint = xstrdup("fingerprint");
        plan_add_directory(p, "etcd", "data", "/var/lib/etcd", 0700, "root:root", "why");
        plan_add(p, PLAN_SYMLINK, "etcd", "link", "why");
        p->items[p->n_items - 1]->path = xstrdup("/usr/local/bin/etcd");
        p->items[p->n_items - 1]->symlink.target = xstrdup("/opt/hardway/etcd");
        plan_add_sysctl(p, "etcd", "net.ipv4.ip_forward", "1", "why");
        fixture_finish(f, p);
        return p;
}

static void assert_content(HostFixture *f, const char *path, const char *expected) {
        _cleanup_free_ char *content = fixture_read(f, path);

        assert_string_equal(content, expected);
}

static void assert_mode(HostFixture *f, const char *path, mode_t mode) {
        struct stat st;

        assert_int_equal(fstatat(f->dir->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode & 07777, mode);
}

/* Nothing is left of files that were on their way. */
static void assert_nothing_staged(HostFixture *f) {
        _cleanup_free_ char *command =
                xasprintf("find %s -name '*.hw-new' -o -name staged -o -name manifest", f->dir->path);
        _cleanup_strv_ Strv argv = strv_new("sh", "-c", command, NULL);
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        assert_string_equal(buffer_str(&result.out), "");
}

static void test_facts(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, "etc/os-release", 0644, "NAME=\"Debian\"\nVERSION_ID=\"13\"\nID=debian\n");
        fixture_write(f, "etc/machine-id", 0644, "0123456789abcdef0123456789abcdef\n");
        fixture_finish(f, p);
        assert_success(fixture_look(f, p, &error), error, 0);
        assert_true(f->facts.observed);
        assert_true(f->facts.userland_matches);
        assert_string_equal(f->facts.os_id, "debian");
        assert_string_equal(f->facts.os_version, "13");
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

/* A node that was installed by hand has no record, but data with a mark beside it. */
static void test_mark(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a: b\n");
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, "var/lib/hardway/etcd-identity", 0644, "0125ab\nef01\n");
        assert_success(fixture_look(f, p, &error), error, 0);
        assert_string_equal(f->observation->identity, "0125ab");
        assert_success(host_record(f->host, p, "id-1", &error), error, 0);
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
        assert_success(host_record(f->host, p, "id-1", &error), error, 0);
        before = fixture_read(f, "var/lib/hardway/generation");
        assert_string_equal(before, "4\n");
        /* sha256sum would be missed */
        fixture_program(f, "sha256sum", "exit 1");
        fixture_close(f);
        assert_success(fixture_put(f, p, NULL, &error), error, 0);
        assert_string_equal(f->observation->identity, "id-1");
        assert_int_equal(f->observation->generation, 4);
        assert_int_equal(f->observation->n_applied, 3);
        assert_success(host_record(f->host, p, "id-1", &error), error, 0);
        assert_content(f, "var/lib/hardway/generation", "4\n");
        assert_mode(f, "var/lib/hardway/applied.json", 0600);
}

static void test_drift(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = small_plan(f, "a: b\n");
        _cleanup_error_ Error *error = NULL;

        fixture_write(f, "proc/sys/net/ipv4/ip_forward", 0644, "1\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 5);
        assert_success(host_record(f->host, p, "id-1", &error), error, 0);
        fixture_write(f, "etc/hardway/etcd.conf", 0644, "a: c\n");
        assert_int_equal(fchmodat(f->dir->fd, "etc/hardway/key", 0644, 0), 0);
        assert_success(fixture_put(f, p, NULL, &error), error, 2);
        assert_content(f, "etc/hardway/etcd.conf", "a: b\n");
        assert_mode(f, "etc/hardway/key", 0600);
        /* the stamps of both are new, so there is something to record; then no more */
        assert_success(host_record(f->host, p, "id-1", &error), error, 0);
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
        assert_success(host_record(f->host, p, "id-1", &error), error, 0);
        fixture_write(f, "etc/hardway/b", 0644, "edited");
        assert_success(fixture_put(f, q, NULL, &error), error, 2);
        assert_content(f, "etc/hardway/a", "");
        assert_content(f, "etc/hardway/b", "edited");
        assert_content(f, "etc/hardway/c", "c");
        assert_success(host_record(f->host, q, "id-1", &error), error, 0);
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
        assert_success(host_record(f->host, p, "id-1", &error), error, 0);
        for (int turn = 0; turn < 2; turn++) {
                assert_success(fixture_put(f, q, NULL, &error), error, turn == 0);
                assert_true(strv_contains(f->observation->traces, "directory /var/lib/snapshots root:root"));
                assert_success(host_record(f->host, q, "id-1", &error), error, 0);
                assert_content(f, "var/lib/hardway/applied.paths", "etc/hardway/a\nvar/lib/snapshots\n");
        }
        assert_int_equal(observation_path(f->observation, "/var/lib/snapshots")->type, OBSERVED_DIRECTORY);
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
        assert_contains(log, "chown -- etcd:etcd etc/hardway/key.hw-new\n");
        assert_true(strstr(log, "sysusers") < strstr(log, "chown"));
}

/* One that was there before is not written down as ours: it stays where hardway goes. */
static void test_user_of_others(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_error_ Error *error = NULL;

        plan_add_user(p, "etcd", "etcd", "/var/lib/etcd", "why");
        plan_add_user(p, "etcd", "etc", "/nonexistent", "why");
        fixture_finish(f, p);
        fixture_write(f, "etc/passwd", 0644,
                      "root:x:0:0::/root:/bin/sh\netcd:x:100:100::/var/lib/etcd:/bin/false\n");
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

/* What programs say, and what is made of it: which file, and what is wrong with it. */
static void test_complaints(void **state) {
        static const struct {
                const char *said, *message;
        } rows[] = {
                { "tar: etc/kubernetes/ca.key.hw-new: Cannot write: No space left on device\n",
                  "/etc/kubernetes/ca.key: no space (or no inodes) left on the disk" },
                { "sync: error syncing 'etc/a.hw-new': Input/output error\n",
                  "/etc/a: input/output error: the disk may be failing" },
                { "sync: error syncing 'opt': Input/output error\n",
                  "/opt: input/output error: the disk may be failing" },
                { "Input/output error\n", "cannot write: input/output error: the disk may be failing" },
                { "sed: couldn't flush stdout: No space left on device\nhardway-error io cannot write /var/a\n",
                  "cannot write /var/a: no space (or no inodes) left on the disk" },
                { "mv: cannot overwrite directory 'etc/a' with non-directory\n",
                  "/etc/a: there is a directory where a file has to be" },
                { "Failed to rename /etc/.#passwdX to /etc/passwd: Read-only file system\n",
                  "/etc/passwd: the file system is read-only" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_error_ Error *error = NULL;

                assert_true(script_error("put", 1, rows[i].said, &error) < 0);
                assert_string_equal(error->message, rows[i].message);
        }
}

/* Of many complaints of one program, the first tell as much as all of them. */
static void test_repeated_complaints(void **state) {
        _cleanup_buffer_ Buffer said = BUFFER_NULL;
        _cleanup_free_ char *detail = NULL;

        for (unsigned i = 0; i < 50; i++)
                buffer_addf(&said, "tar: etc/%u: Cannot open: No space left on device\n", i);
        buffer_add_str(&said, "hardway: 0 of 10 blocks\n");
        detail = failure_detail(buffer_str(&said));
        assert_string_equal(detail, "tar: etc/0: Cannot open: No space left on device\n"
                                    "tar: etc/1: Cannot open: No space left on device\n"
                                    "tar: etc/2: Cannot open: No space left on device\n"
                                    "hardway: 0 of 10 blocks\n");
}

/* --- packages --- */

static Plan* package_plan(HostFixture *f) {
        Plan *p = fixture_plan(f);
        PlanItem *item;

        item = plan_add_package(p, "haproxy", "haproxy", "why");
        strv_add(&item->package.units, "haproxy.service");
        item = plan_add_file(p, "haproxy", "config", "/etc/hardway/haproxy.cfg", 0644, "config", "why");
        item->file.check = xstrdup("haproxy -c -f \"$1\"");
        item->file.check_package = xstrdup("haproxy");
        fixture_finish(f, p);
        return p;
}

static void package_programs(HostFixture *f) {
        _cleanup_free_ char *log = xasprintf("echo \"$(basename \"$0\") $*\" >>%s/log", f->dir->path);
        _cleanup_free_ char *install = NULL, *query = NULL, *haproxy = NULL;

        haproxy = xasprintf("%s; cat \"$3\"; test -f \"$3\"", log);
        install = xasprintf(
                "%s; case $* in -s*) echo 'Inst liblua5.3-0 (5.3.6-2 Debian)'; echo 'Inst haproxy (2.6 Debian)'; "
                "echo 'Conf haproxy (2.6 Debian)';; *' install '*) cat %s/etc/hardway/haproxy.cfg >>%s/log; cp %s/haproxy.new "
                "%s/bin/haproxy;; esac",
                log, f->dir->path, f->dir->path, f->dir->path, f->dir->path);
        query = xasprintf("test -e %s/bin/haproxy && echo 'haproxy installed 2.6.12-1+deb12u3'",
                          f->dir->path);
        fixture_program(f, "systemctl", log);
        fixture_program(f, "dpkg", log);
        fixture_program(f, "apt-cache", log);
        fixture_program(f, "apt-get", install);
        fixture_program(f, "dpkg-query", query);
        fixture_program(f, "haproxy.new", haproxy);
        assert_int_equal(renameat(f->dir->fd, "bin/haproxy.new", f->dir->fd, "haproxy.new"), 0);
}

/* Our configuration first, then the package with its unit masked, then the check that needs the package. */
static void test_package(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = package_plan(f);
        _cleanup_error_ Error *error = NULL;

        package_programs(f);
        assert_success(fixture_put(f, p, NULL, &error), error, 3);
        assert_content(
                f, "log",
                "systemctl mask --runtime haproxy.service\n"
                "dpkg --force-confdef --force-confold --configure -a\n"
                "apt-cache show -- haproxy\n"
                "apt-get -s -q -y --no-install-recommends install haproxy\n"
                "apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "
                "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install haproxy\n"
                "confighaproxy -c -f etc/hardway/haproxy.cfg\n"
                "systemctl unmask --runtime haproxy.service\n");
        assert_success(fixture_put(f, p, NULL, &error), error, 0);
        assert_true(strv_contains(f->observation->packages, "haproxy"));
        /* what may go with the cluster */
        assert_content(f, "var/lib/hardway/packages", "haproxy\n");
        assert_content(f, "var/lib/hardway/packages.needed", "liblua5.3-0\nhaproxy\n");
}

static void test_package_fails(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = package_plan(f);
        _cleanup_free_ char *log = NULL;
        _cleanup_error_ Error *error = NULL;

        package_programs(f);
        fixture_program(f, "apt-get", "case $* in *' install '*) echo 'E: no haproxy' >&2; exit 100;; esac");
        assert_int_equal(fixture_put(f, p, NULL, &error), -EUNATCH);
        assert_contains(error->message, "could not install haproxy");
        assert_contains(error->detail, "E: no haproxy");
        /* the mask is taken away all the same, and what was published before stays */
        log = fixture_read(f, "log");
        assert_contains(log, "systemctl unmask --runtime haproxy.service\n");
        assert_content(f, "etc/hardway/haproxy.cfg", "config");
}

/* --- interruptions --- */

static volatile int cancelled;

static void cancel_at_half(void *userdata, uint64_t done, uint64_t total) {
        if (done >= total / 2)
                cancelled = 1;
}

static Plan* large_plan(HostFixture *f, char fill, unsigned n_files, size_t size) {
        Plan *p = fixture_plan(f);
        _cleanup_free_ char *content = xmalloc(size + 1);

        memset(content, fill, size);
        content[size] = 0;
        for (unsigned i = 0; i < n_files; i++) {
                _cleanup_free_ char *noun = xasprintf("file-%u", i),
                                    *path = xasprintf("/opt/hardway/file-%u", i);

                plan_add_file(p, "etcd", noun, path, 0644, content, "why");
        }
        fixture_finish(f, p);
        return p;
}

static void test_cancelled(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = large_plan(f, 'a', 4, 1024 * 1024);
        _cleanup_error_ Error *error = NULL;
        HostPut put = { .progress = cancel_at_half };

        f->options.cancelled = &cancelled;
        cancelled = 0;
        assert_failure(fixture_put(f, p, &put, &error), error, ERROR_TEMPORARY, ECANCELED);
        cancelled = 0;
        /* the next look waits until the other end has noticed */
        assert_true(fixture_put(f, p, NULL, &error) >= 4);
        assert_null(error);
        assert_nothing_staged(f);
}

/* Which of the files is new: a bit each. Fails if one is neither old nor new. */
static unsigned new_files(HostFixture *f, unsigned n_files, size_t size) {
        unsigned found = 0;

        for (unsigned i = 0; i < n_files; i++) {
                _cleanup_free_ char *path = xasprintf("opt/hardway/file-%u", i),
                                    *content = fixture_read(f, path);

                assert_int_equal(strlen(content), size);
                assert_int_equal(strspn(content, "a") + strspn(content, "b"), size);
                found |= (unsigned) (content[0] == 'b') << i;
        }
        return found;
}

static void kill_during_put(HostFixture *f, const Plan *p, unsigned usec) {
        pid_t pid = fork();

        if (pid == 0) {
                (void) fixture_put(f, p, NULL, NULL);
                _exit(0);
        }
        usleep(usec);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        fixture_close(f);
}

static void test_killed(void **state) {
        HostFixture *f = *state;
        const size_t size = 512 * 1024;
        _cleanup_(plan_freep) Plan *old = large_plan(f, 'a', 6, size), *new = large_plan(f, 'b', 6, size);
        _cleanup_error_ Error *error = NULL;
        unsigned n_old = 0, n_new = 0;
        uint64_t start, duration;

        /* how long an undisturbed one takes, here and now */
        assert_true(fixture_put(f, old, NULL, &error) >= 0);
        start = clock_usec();
        assert_true(fixture_put(f, new, NULL, &error) >= 0);
        duration = clock_usec() - start;

        for (unsigned i = 0; i < 24; i++) {
                unsigned found;

                assert_true(fixture_put(f, old, NULL, &error) >= 0);
                assert_null(error);
                fixture_close(f);
                kill_during_put(f, new, (unsigned) (duration * (i + 1) / 22));
                /* a look waits for a put that is still at work */
                assert_success(fixture_look(f, new, &error), error, 0);
                found = new_files(f, 6, size);
                n_old += found == 0;
                n_new += found == 63;
                assert_true(found == 0 || found == 63);
                assert_true(fixture_put(f, new, NULL, &error) >= 0);
                assert_null(error);
                assert_int_equal(new_files(f, 6, size), 63);
                assert_nothing_staged(f);
        }
        print_message("# killed %u times: %u old, %u new\n", n_old + n_new, n_old, n_new);
}

/* --- the disk --- */

static int mount_small(HostFixture *f, const char *options) {
        _cleanup_free_ char *path = xasprintf("%s/opt", f->dir->path);
        _cleanup_strv_ Strv argv = strv_new("mount", "-t", "tmpfs", "-o", options, "tmpfs", path, NULL);
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        if (geteuid() != 0)
                return -EPERM;
        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        return result.status == 0 ? 0 : -EPERM;
}

static void unmount(HostFixture *f) {
        _cleanup_free_ char *path = xasprintf("%s/opt", f->dir->path);
        _cleanup_strv_ Strv argv = strv_new("umount", path, NULL);
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;

        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        assert_int_equal(result.status, 0);
}

static void full_disk(HostFixture *f, const char *options, int errnum) {
        _cleanup_(plan_freep) Plan *p = large_plan(f, 'b', 4, 256 * 1024);
        _cleanup_error_ Error *error = NULL;
        int r;

        if (mount_small(f, options) < 0)
                skip();
        r = fixture_put(f, p, NULL, &error);
        assert_nothing_staged(f);
        unmount(f);
        assert_non_null(error);
        assert_contains(error->message, "/opt/hardway");
        assert_failure(r, error, ERROR_IO, errnum);
}

static void test_disk_full(void **state) {
        full_disk(*state, "size=512k", ENOSPC);
}

static void test_no_inodes(void **state) {
        full_disk(*state, "nr_inodes=4", ENOSPC);
}

static void test_read_only(void **state) {
        full_disk(*state, "ro", EROFS);
}

/* What was examined is what is sent, or nothing is. */
static void test_send_something_else(void **state) {
        HostFixture *f = *state;
        _cleanup_(plan_freep) Plan *p = fixture_plan(f);
        _cleanup_free_ char *source = xasprintf("%s/source", f->dir->path);
        char hex[SHA256_HEX_SIZE];
        _cleanup_error_ Error *error = NULL;

        fixture_finish(f, p);
        assert_success(fixture_look(f, p, &error), error, 0);
        fixture_write(f, "source", 0600, "after");
        sha256_hex("before", 6, hex);
        assert_failure(host_send(f->host, source, "/var/lib/sent", hex, NULL, NULL, &error), error,
                       ERROR_VERIFY, ESTALE);
        assert_content(f, "/var/lib/sent", "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                host_test(test_facts),
                host_test(test_put),
                host_test(test_mark),
                host_test(test_record),
                host_test(test_drift),
                host_test(test_removal),
                host_test(test_told),
                host_test(test_traces),
                host_test(test_check),
                host_test(test_in_the_way),
                host_test(test_directory_behind_link),
                host_test(test_stale),
                host_test(test_owner),
                host_test(test_send_something_else),
                host_test(test_user_of_others),
                host_test(test_user_fails),
                cmocka_unit_test(test_complaints),
                cmocka_unit_test(test_repeated_complaints),
                host_test(test_package),
                host_test(test_package_fails),
                host_test(test_cancelled),
                host_test(test_killed),
                host_test(test_disk_full),
                host_test(test_no_inodes),
                host_test(test_read_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
