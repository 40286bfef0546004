/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

/*
 * Wraps: symlinkat
 */

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/digest.h"
#include "plan/render.h"
#include "tests/unit/plan-fixture.h"

typedef struct Fixture {
        Node nodes[3];
        Cluster cluster;
        UnitDir *dir;
        Plan *plan;
} Fixture;

static Plan* make_plan(const Cluster *c, const Node *node) {
        Plan *p = plan_new(c, node);
        PlanItem *item;

        plan_add_directory(p, "a", "dir", "/var/lib/a", 0700, "a:a", "w");
        plan_add_file(p, "a", "conf", "/etc/a/a.conf", 0644, "one\ntwo\nthree\n", "w");
        plan_add_file(p, "a", "words", "/etc/a/words", 0644, "token two\nthree\n", "w");
        item = plan_add_file(p, "a", "key", "/etc/a/a.key", 0600, "s3cret\n", "w");
        item->secret = true;
        item->fingerprint = xstrdup("f1f1");
        plan_item_input_of(item, "a.service");
        plan_add_symlink(p, "a", "link", "/usr/local/bin/a", "/opt/hardway/a", "w");
        item = plan_add(p, PLAN_BINARY, "a", "binary", "w");
        item->path = xstrdup("/opt/hardway/a");
        item->mode = 0755;
        item->owner = xstrdup("root:root");
        item->binary.artifact = xstrdup("a");
        item->binary.version = xstrdup("v1.0.0");
        item->binary.architecture = xstrdup("arm64");
        plan_add_unit(p, "a", "a.service", fixture_unit("a"), "w");
        plan_unit_listens(plan_add_drop_in(p, "b", "b.service", fixture_unit("b"), "w"), 80);
        plan_add_object(p, "a", "object", "/api/v1/x", json_pack("{ss,ss}", "kind", "X", "a", "b"), "w");
        plan_add_package(p, "b", "b", "w");
        plan_add_user(p, "a", "a", "/var/lib/a", "w");
        plan_add_sysctl(p, "b", "net.x", "1", "w");
        plan_missing(p, "something");
        assert_int_equal(plan_finish(p, NULL), 0);
        return p;
}

static int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);

        if (unit_dir_setup((void**) &f->dir) < 0)
                return -1;
        f->cluster = fixture_cluster(f->nodes);
        f->plan = make_plan(&f->cluster, f->nodes);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;
        int r = unit_dir_teardown((void**) &f->dir);

        plan_free(f->plan);
        free(f);
        return r;
}

static int symlinkat_errno; /* -1: the process is killed */

int __real_symlinkat(const char *target, int dir_fd, const char *path);
int __wrap_symlinkat(const char *target, int dir_fd, const char *path);
int __wrap_symlinkat(const char *target, int dir_fd, const char *path) {
        if (symlinkat_errno == 0)
                return __real_symlinkat(target, dir_fd, path);
        if (symlinkat_errno < 0)
                (void) kill(getpid(), SIGKILL);
        errno = symlinkat_errno;
        return -1;
}

#define render_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static char* read_file(const Fixture *f, const char *path) {
        Buffer b = BUFFER_NULL;

        assert_int_equal(fs_read(f->dir->fd, path, 65536, &b, NULL), 0);
        return buffer_take(&b);
}

static void render(const Fixture *f, RenderSecrets secrets) {
        _cleanup_free_ char *out = xasprintf("%s/out", f->dir->path);
        _cleanup_error_ Error *error = NULL;

        assert_success(plan_render_tree(f->plan, out, secrets, &error), error, 0);
}

static void test_tree(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *conf = NULL, *key = NULL, *unit = NULL;
        char target[64] = "";

        render(f, RENDER_FINGERPRINTS);
        conf = read_file(f, "out/c0/etc/a/a.conf");
        assert_string_equal(conf, "one\ntwo\nthree\n");
        key = read_file(f, "out/c0/etc/a/a.key");
        assert_string_equal(key, "(secret: f1f1)\n");
        unit = read_file(f, "out/c0/etc/systemd/system/a.service");
        assert_contains(unit, "HARDWAY_INPUTS=");
        assert_true(readlinkat(f->dir->fd, "out/c0/usr/local/bin/a", target, sizeof(target) - 1) > 0);
        assert_string_equal(target, "/opt/hardway/a");
        assert_int_equal(faccessat(f->dir->fd, "out/c0/var/lib/a", X_OK, 0), 0);
        assert_true(faccessat(f->dir->fd, "out/c0/opt/hardway/a", F_OK, 0) <
                    0); /* binaries are listed only */
}

static void test_secrets(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *key = NULL;
        struct stat st;

        render(f, RENDER_SECRETS);
        key = read_file(f, "out/c0/etc/a/a.key");
        assert_string_equal(key, "s3cret\n");
        assert_int_equal(fstatat(f->dir->fd, "out/c0/etc/a/a.key", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_again(void **state) {
        Fixture *f = *state;

        render(f, RENDER_SECRETS);
        assert_int_equal(fs_write(f->dir->fd, "out/c0/etc/a/stale", "", 0, 0644, 0, NULL), 1);
        render(f, RENDER_FINGERPRINTS);
        assert_true(faccessat(f->dir->fd, "out/c0/etc/a/stale", F_OK, 0) < 0);
}

/* Killed, or refused by the disk, in the middle: what was there stays, and the next one replaces it. */
static void test_broken_off(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *out = xasprintf("%s/out", f->dir->path);
        Error *error = NULL;

        for (unsigned i = 0; i < 2; i++) { /* where nothing is, and where an earlier plan is */
                bool was_there = faccessat(f->dir->fd, "out/c0/etc/a/a.conf", F_OK, 0) == 0;
                int status;
                pid_t pid = fork();

                if (pid == 0) {
                        symlinkat_errno = -1;
                        (void) plan_render_tree(f->plan, out, true, NULL);
                        _exit(0);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status));
                assert_int_equal(faccessat(f->dir->fd, "out/c0/etc/a/a.conf", F_OK, 0), was_there ? 0 : -1);

                symlinkat_errno = ENOSPC;
                assert_failure(plan_render_tree(f->plan, out, true, &error), error, ERROR_IO, ENOSPC);
                symlinkat_errno = 0;
                assert_int_equal(faccessat(f->dir->fd, "out/c0/etc/a/a.conf", F_OK, 0), was_there ? 0 : -1);
                render(f, false);
                assert_int_equal(unit_count_entries(out), 2);
        }
}

/* A directory that is not of an earlier plan is not touched. */
static void test_foreign_directory(void **state) {
        Fixture *f = *state;
        Error *error = NULL;
        int r;

        assert_true(fs_mkdir_parents(f->dir->fd, "c0", 0755, NULL) >= 0);
        r = plan_render_tree(f->plan, f->dir->path, RENDER_FINGERPRINTS, &error);
        assert_failure(r, error, ERROR_CREATE, EEXIST);
        assert_int_equal(unit_count_entries(f->dir->path), 1);
}

static void test_list(void **state) {
        static const char *const parts[] = {
                "package b (b/package)\n",
                "user a home=/var/lib/a (a/user)\n",
                "directory 0700 a:a /var/lib/a (a/dir)\n",
                "sysctl net.x=1 (b/net.x)\n",
                "file 0644 root:root /etc/a/a.conf (a/conf)\n",
                "file 0600 root:root /etc/a/a.key secret=f1f1 input-of=a.service (a/key)\n",
                "symlink /usr/local/bin/a -> /opt/hardway/a (a/link)\n",
                "binary 0755 root:root /opt/hardway/a a v1.0.0 arm64 sha256=unknown (a/binary)\n",
                "/etc/systemd/system/a.service a.service enabled running rank=0 inputs=",
                " ports=80 (b/drop-in)\n",
                "object /api/v1/x {\"a\":\"b\",\"kind\":\"X\"} (a/object)\n",
        };
        Fixture *f = *state;
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        _cleanup_free_ char *items = NULL;

        plan_render_list(f->plan, &out);
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                assert_contains(buffer_str(&out), parts[i]);
        assert_contains(buffer_str(&out), "\n# missing: something\n");
        assert_null(strstr(buffer_str(&out), "s3cret"));

        render(f, RENDER_FINGERPRINTS);
        items = read_file(f, "out/c0.items");
        assert_string_equal(items, buffer_str(&out));
}

/* What a person would see of a file that is edited: hardway wrote "written", or nothing, there. */
static char* render_diff(const Fixture *f, const char *id, const char *written, const char *found) {
        char sha256[SHA256_HEX_SIZE];
        AppliedFile applied = { .path = plan_find(f->plan, id)->path, .sha256 = sha256 };
        Change change = { .type = CHANGE_UPDATE,
                          .item = plan_find(f->plan, id),
                          .reason = (char*) "differs" };
        _cleanup_buffer_ Buffer there = BUFFER_NULL;
        Buffer out = BUFFER_NULL;

        buffer_add_str(&there, found);
        if (written)
                sha256_hex(written, strlen(written), sha256);
        change_render_diff(&change, written ? &applied : NULL, &there, &out);
        return buffer_take(&out);
}

static void test_diff(void **state) {
        static const char diff[] =
                "--- /etc/a/a.conf\n+++ /etc/a/a.conf\n@@ -1,2 +1,3 @@\n one\n+two\n three\n";
        static const struct {
                const char *id, *written, *found, *shown;
        } cases[] = {
                { "a/conf", "one\nthree\n", "one\nthree\n", diff }, /* of an earlier plan */
                { "a/conf", "one\n", "one\nthree\n", diff },        /* edited */
                { "a/conf", NULL, "one\nthree\n",
                  "/etc/a/a.conf: not hardway's, and may hold a secret: not shown\n" },
                { "a/key", "one\n", "one\nthree\n", "/etc/a/a.key: differs (a secret, not shown)\n" },
                /* nor what somebody put beside the text */
                { "a/conf", "one\n", "one\n-----BEGIN PRIVATE KEY-----\nMIIs3cret\n",
                  "/etc/a/a.conf: differs (it holds a secret, not shown)\n" },
                { "a/binary", "x", "", "/opt/hardway/a: differs\n" },
                { "a/dir", "x", "", "" },
        };
        Change change = { .type = CHANGE_REMOVE, .path = (char*) "/etc/x" };
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *shown = render_diff(f, cases[i].id, cases[i].written, cases[i].found);

                assert_string_equal(shown, cases[i].shown);
        }
        change_render_diff(&change, NULL, NULL, &out);
        assert_int_equal(out.size, 0);
}

/* What was on a node before, and what somebody has added: the line is named, what the secret may be is not. */
static void test_diff_hides_secrets(void **state) {
        static const struct {
                const char *line, *shown;
        } cases[] = {
                { "\tauth_pass s3cret", "\tauth_pass... (not shown)" },
                { "    stats auth admin:s3cret", "    stats auth... (not shown)" },
                { "    stats \t auth admin:s3cret", "    stats \t auth... (not shown)" },
                { "  user u insecure-password s3cret", "  user u insecure-pass... (not shown)" },
                { "  user u PassWord s3cret", "  user u Pass... (not shown)" },
                { "    token: s3cret", "    token... (not shown)" },
                { "    client-key-DATA: s3cret", "    client-key-DATA... (not shown)" },
                { "  --token=s3cret \\", "  --token... (not shown)" },
                { "Environment=HTTPS_PROXY=http://me:s3cret@proxy:3128",
                  "Environment=HTTPS_PROXY=http://... (not shown)" },
                { "  http-check send hdr Authorization \"Basic s3cret\"",
                  "  http-check send hdr Authorization... (not shown)" },
                { "# edited, of no harm: https://example.org/",
                  "# edited, of no harm: https://example.org/" },
                { "token two", "token two\n" }, /* the plan's own line */
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *line = xasprintf("%s\n", cases[i].line),
                                    *last = xasprintf("one\n%s", cases[i].line), *not_ours = NULL,
                                    *edited = NULL, *cut_off = NULL;

                edited = render_diff(f, "a/words", "one\n", line);
                cut_off = render_diff(f, "a/words", "one\n", last); /* without a line break */
                not_ours = render_diff(f, "a/words", NULL, line);
                assert_contains(edited, cases[i].shown);
                assert_contains(cut_off, cases[i].shown);
                assert_null(strstr(edited, "s3cret"));
                assert_null(strstr(cut_off, "s3cret"));
                assert_null(strstr(not_ours, cases[i].line));
        }
}

static void test_json(void **state) {
        Fixture *f = *state;
        Change changes[] = {
                { .type = CHANGE_UPDATE, .item = plan_find(f->plan, "a/conf"), .reason = (char*) "r" },
                { .type = CHANGE_REMOVE, .path = (char*) "/etc/x", .reason = (char*) "s" },
                { .type = CHANGE_DAEMON_RELOAD, .reason = (char*) "t" },
                { .type = CHANGE_RESTART, .item = plan_find(f->plan, "a/unit"), .reason = (char*) "u" },
        };
        Changes c = { .changes = changes, .n_changes = ARRAY_SIZE(changes) };
        json_t *json = changes_to_json(&c);
        _cleanup_free_ char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

        assert_string_equal(text,
                            "[{\"change\":\"update\",\"item\":\"a/conf\",\"path\":\"/etc/a/a.conf\","
                            "\"reason\":\"r\",\"type\":\"file\"},"
                            "{\"change\":\"remove\",\"path\":\"/etc/x\",\"reason\":\"s\"},"
                            "{\"change\":\"daemon-reload\",\"reason\":\"t\"},"
                            "{\"change\":\"restart\",\"item\":\"a/unit\","
                            "\"path\":\"/etc/systemd/system/a.service\",\"reason\":\"u\",\"type\":\"unit\","
                            "\"unit\":\"a.service\"}]");
        json_decref(json);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                render_test(test_tree),
                render_test(test_secrets),
                render_test(test_again),
                render_test(test_broken_off),
                render_test(test_foreign_directory),
                render_test(test_list),
                render_test(test_diff),
                render_test(test_diff_hides_secrets),
                render_test(test_json),
        };

        return cmocka_run_group_tests_name("plan-render", tests, NULL, NULL);
}
