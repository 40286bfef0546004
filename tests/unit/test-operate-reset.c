/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/fs.h"
#include "common/process.h"
#include "operate/reset-internal.h"
#include "tests/unit/plan-fixture.h"

/* What reset tells and does on a node that carries one component with data. */

static const Component store = {
        .name = "store",
        .roles = ROLE_CONTROLLER,
        .data = "/var/lib/store",
        .data_mark = "/var/lib/hardway/mark",
};
static const Component *const fakes[] = { &store, NULL };

typedef struct Fixture {
        Node nodes[3];
        Cluster cluster;
        Plan *plan;
        Observation *observation;
        ResetKeep keep;
} Fixture;

static Fixture f;

static void see(const char *path, ObservedType type) {
        Observation *o = f.observation;

        o->paths = xrealloc(o->paths, o->n_paths + 1, sizeof(ObservedPath));
        o->paths[o->n_paths++] = (ObservedPath) { .path = xstrdup(path), .type = type };
}

/* As if hardway had made it, or found it there, by the record on the node. */
static void made(const char *line) {
        strv_add(&f.observation->made, line);
}

static void made_all(void) {
        made("directory /var/lib/store store:store nothing");
        made("directory /var/log/other other:other nothing");
        made("directory /etc/other root:root nothing");
        made("directory /opt/hardway root:root nothing");
}

static int setup(void **state) {
        PlanItem *unit;

        f = (Fixture) {};
        f.cluster = fixture_cluster(f.nodes);
        f.plan = plan_new(&f.cluster, f.nodes);
        f.observation = xnew(Observation, 1);
        plan_add_user(f.plan, "store", "store", "/nonexistent", "w");
        plan_add_user(f.plan, "other", "other", "/nonexistent", "w");
        plan_add_package(f.plan, "other", "haproxy", "w");
        plan_add_directory(f.plan, "store", "data", "/var/lib/store", 0700, "store:store", "w");
        plan_add_directory(f.plan, "other", "log", "/var/log/other", 0700, "other:other", "w");
        plan_add_directory(f.plan, "other", "etc", "/etc/other", 0755, "root:root", "w");
        plan_add_directory(f.plan, "other", "programs", "/opt/hardway", 0755, "root:root", "w");
        plan_add_file(f.plan, "store", "mark", "/var/lib/hardway/mark", 0644, "m", "w");
        plan_add_file(f.plan, "other", "conf", "/etc/other/conf", 0644, "c", "w");
        unit = plan_add_unit(f.plan, "store", "store.service", fixture_unit("s"), "w");
        strv_add(&unit->unit.leaves, "/var/lib/systemd/timers/stamp-store");
        return 0;
}

static int teardown(void **state) {
        reset_keep_done(&f.keep);
        plan_free(f.plan);
        observation_free(f.observation);
        return 0;
}

#define reset_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

static void test_script(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        const char *s;

        f.observation->applied = xnew(AppliedFile, 1);
        f.observation->applied[0] = (AppliedFile) { .path = xstrdup("/etc/older") };
        f.observation->n_applied = 1;
        made_all();
        reset_script(f.plan, f.observation, &f.keep, &text);
        s = buffer_str(&text);
        assert_contains(s, "systemctl stop store.service");
        assert_contains(s, "rm -f /etc/other/conf /etc/other/conf.hw-new\n");
        assert_contains(s, "rm -f /var/lib/systemd/timers/stamp-store\n");
        assert_contains(s, "rm -f /etc/older\n");
        assert_contains(s, "for d in /var/lib/store /var/log/other; do rm -rf ");
        assert_contains(s, "rmdir /etc/other ");
        assert_contains(s, "\nkeep=''\n");
        assert_contains(s, "then userdel \"$user\"; fi\n");
        assert_contains(s, "rm -rf /var/lib/hardway\n");
        assert_contains(s, "rm -rf /opt/hardway\n");
        /* other units that have failed are for others to look at */
        assert_contains(s, "\nsystemctl reset-failed store.service 2>");
}

/* A directory that a flag names may hold what others have put there. */
static void test_chosen(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        plan_add_directory(f.plan, "other", "flag", "/srv/audit", 0700, "other:other", "w")
                ->directory.chosen = true;
        made_all();
        made("chosen /srv/audit other:other nothing");
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text), "\ndirectories='sweep /srv/audit other:other - root:root'\n");
        assert_contains(buffer_str(&text), "for d in /var/lib/store /var/log/other; do rm -rf ");
}

/* The line itself, with an rm that empties a mount point and fails, as it does. */
static int run_removal(const char *path, const char *functions) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_buffer_ Buffer script = BUFFER_NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_strv_ Strv argv = NULL;
        const char *line;

        plan_add_directory(f.plan, "other", "mounted", path, 0700, "other:other", "w");
        strv_addf(&f.observation->made, "directory %s other:other nothing", path);
        reset_script(f.plan, f.observation, &f.keep, &script);
        line = strstr(buffer_str(&script), "for d in ");
        assert_non_null(line);
        text = xasprintf(
                "set -eu\nrm() { command find \"$2\" -mindepth 1 -delete; return 1; }\n%s\nd=%s\n%s",
                functions, path, strstr(line, "; do rm -rf ") + strlen("; do "));
        *strstr(strstr(text, "\nd="), "; done\n") = 0;
        argv = strv_new("sh", "-c", text, NULL);
        assert_int_equal(process_run(argv, NULL, 0, &result, NULL), 0);
        return result.status;
}

static void test_mounted(void **state) {
        char path[] = "/tmp/hardway-unit-XXXXXX";
        _cleanup_free_ char *file = NULL;

        assert_non_null(mkdtemp(path));
        file = xasprintf("%s/db", path);
        assert_true(fs_write(AT_FDCWD, file, "x", 1, 0600, 0, NULL) >= 0);
        assert_int_equal(run_removal(path, "mountpoint() { :; }"), 0);
        assert_int_equal(access(file, F_OK), -1);
        /* what is none is not passed over */
        assert_int_not_equal(run_removal(path, "mountpoint() { return 1; }"), 0);
        assert_int_equal(rmdir(path), 0);
}

/* The data, its mark and its owner stay; everything else goes. */
static void test_keep(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        const char *s;

        made_all();
        made("directory /var/lib root:root nothing"); /* above it */
        f.observation->identity = xstrdup("one");
        f.observation->made_whole = true;
        reset_keep_data(fakes, f.plan, f.observation, &f.keep);
        reset_script(f.plan, f.observation, &f.keep, &text);
        s = buffer_str(&text);
        assert_contains(
                s,
                "printf '%s\\n' complete 'directory /var/lib/store store:store nothing' 'directory /var/lib root:root nothing' "
                ">/var/lib/hardway/directories.hw-new\n");
        assert_null(strstr(strstr(s, "/var/lib/store") + 1, "/var/lib/store"));
        assert_contains(s, "\nkeep='store'\n");
        assert_null(strstr(s, "rm -f /var/lib/hardway/mark"));
        assert_null(strstr(s, "rm -rf /var/lib/hardway\n"));
        assert_contains(s, "printf '%s nothing\\n' /var/lib/hardway/mark >/var/lib/hardway/taken.hw-new\n");
        assert_contains(s, "find /var/lib/hardway -mindepth 1 ! -path /var/lib/hardway/taken ! -path "
                           "/var/lib/hardway/directories ! -path /var/lib/hardway/mark ! -path "
                           "/var/lib/hardway/users -delete\n");
        assert_contains(s, "for d in /var/log/other; do rm -rf ");
        assert_contains(s, "systemctl stop store.service");
}

/* Where snapshots lie was chosen by somebody: never all that is there. */
static void test_snapshots(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, told = BUFFER_NULL, kept = BUFFER_NULL;

        plan_add_directory(f.plan, "etcd", "snapshots", "/srv/backup", 0711, "etcd:etcd", "w");
        plan_add_directory(f.plan, "etcd", "flag-directory-0", "/var/log/etcd", 0700, "etcd:etcd", "w");
        see("/srv/backup", OBSERVED_DIRECTORY);
        see("/var/log/etcd", OBSERVED_DIRECTORY);
        made_all();
        made("directory /srv/backup etcd:etcd 755 root:staff");
        made("directory /var/log/etcd etcd:etcd nothing");
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text), "places='/srv/backup'\n");
        assert_contains(buffer_str(&text), "directories='leave /srv/backup etcd:etcd 755 root:staff'\n");
        assert_contains(buffer_str(&text),
                        "for d in /var/lib/store /var/log/other /var/log/etcd; do rm -rf ");
        assert_null(strstr(buffer_str(&text), "rmdir /srv/backup"));
        reset_tell(f.plan, f.observation, &f.keep, &told);
        assert_contains(buffer_str(&told), "  with all data in  /var/log/etcd\n");
        assert_contains(buffer_str(&told), "  snapshots in      /srv/backup\n");

        strv_add(&f.keep.users, "etcd");
        strv_add(&f.keep.directories, "/srv/backup");
        reset_script(f.plan, f.observation, &f.keep, &kept);
        assert_null(strstr(buffer_str(&kept), "/srv/backup"));
}

/* What an earlier plan made besides files: it stands in the record, and the plan knows nothing of it. */
static void test_earlier(void **state) {
        static const char *const traces[] = {
                "directory /var/lib/store store:store",
                "directory /var/lib/snapshots store:store",
                "directory /var/log/older older:older",
                "chosen /var/log/theirs older:older",
                "chosen /var/log/etcd etcd:etcd",
                "directory /srv/saved etcd:etcd",
                "directory /var/lib/etcd etcd:etcd",
                "directory /etc/older root:root",
                "file /var/lib/metrics/older.prom",
                "user older",
                "user store",
                "package keepalived /var/lib/keepalived",
                "directory / store:store",
                "directory /srv/../etc store:store",
                "file /etc/$(reboot)",
                "cloud 9",
        };
        _cleanup_buffer_ Buffer text = BUFFER_NULL, kept = BUFFER_NULL, told = BUFFER_NULL;
        Observation *o = f.observation;
        const char *s;

        for (size_t i = 0; i < ARRAY_SIZE(traces); i++)
                strv_add(&o->traces, traces[i]);
        o->applied = xnew(AppliedFile, 2);
        o->n_applied = 2;
        o->applied[0] = (AppliedFile) { .path = xstrdup("/etc/systemd/system/older.service") };
        o->applied[1] =
                (AppliedFile) { .path = xstrdup("/etc/systemd/system/keepalived.service.d/50-hardway.conf") };
        made_all();
        made("directory /var/lib/snapshots store:store nothing");
        made("directory /var/log/older older:older nothing");
        made("chosen /var/log/theirs older:older 755 root:adm");
        made("directory /var/lib/etcd etcd:etcd 700 root:root");
        made("directory /etc/older root:root nothing");
        made("directory /etc/shared root:root 750 root:other");
        /* of a run that was killed, for another plan */
        made("directory /var/lib/killed older:older nothing");
        reset_script(f.plan, o, &f.keep, &text);
        s = buffer_str(&text);
        assert_contains(s, "systemctl stop keepalived.service older.service store.service 2>");
        assert_contains(s, "systemctl disable --quiet keepalived.service older.service store.service");
        assert_contains(
                s,
                "for d in /var/lib/store /var/log/other /var/lib/snapshots /var/log/older /var/lib/killed; do rm -rf ");
        assert_contains(s, "places='/srv/saved'\n");
        /* where others may have something, wherever it lies; and what was there before, or may have been */
        assert_contains(
                s,
                "directories='sweep /var/log/theirs older:older 755 root:adm sweep /var/log/etcd etcd:etcd - root:root "
                "leave /srv/saved etcd:etcd - root:root data /var/lib/etcd etcd:etcd 700 root:root "
                "leave /etc/shared root:root 750 root:other'\n");
        assert_contains(s, "rmdir /etc/older 2>");
        assert_contains(s, "rm -f /var/lib/metrics/older.prom\n");
        assert_contains(
                s, "-x keepalived /var/lib/hardway/packages; then leaves=\"$leaves /var/lib/keepalived\"");
        assert_null(strstr(s, "/srv/.."));
        assert_null(strstr(s, "reboot"));

        see("/var/lib/snapshots", OBSERVED_DIRECTORY);
        see("/srv/saved", OBSERVED_DIRECTORY);
        see("/var/log/theirs", OBSERVED_DIRECTORY);
        see("/var/lib/killed", OBSERVED_DIRECTORY);
        reset_tell(f.plan, o, &f.keep, &told);
        assert_contains(buffer_str(&told), "stops             older.service, keepalived.service\n");
        assert_contains(buffer_str(&told), "with all data in  /var/lib/snapshots, /var/lib/killed\n");
        assert_contains(buffer_str(&told), "snapshots in      /srv/saved\n");
        assert_contains(buffer_str(&told), "what is ours in   /var/log/theirs\n");

        /* snapshots of data that stays */
        reset_keep_data(fakes, f.plan, f.observation, &f.keep);
        reset_script(f.plan, o, &f.keep, &kept);
        assert_contains(buffer_str(&kept),
                        "for d in /var/log/other /var/log/older /var/lib/killed; do rm -rf ");
        buffer_clear(&told);
        reset_tell(f.plan, o, &f.keep, &told);
        assert_contains(buffer_str(&told), "keeps             /var/lib/snapshots\n");
}

/* The role went elsewhere, the data of the member stayed. */
static void test_keep_of_earlier(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, told = BUFFER_NULL;
        _cleanup_(plan_freep) Plan *plan = plan_new(&f.cluster, f.nodes);
        Observation *o = f.observation;
        const char *s;

        strv_add(&o->traces, "directory /var/lib/store store:store");
        strv_add(&o->traces, "directory /var/lib/snapshots store:store");
        strv_add(&o->traces, "directory /var/log/other other:other");
        strv_add(&o->traces, "user store");
        strv_add(&o->traces, "user other");
        o->applied = xnew(AppliedFile, 2);
        o->n_applied = 2;
        o->applied[0] = (AppliedFile) { .path = xstrdup("/var/lib/hardway/mark") };
        o->applied[1] = (AppliedFile) { .path = xstrdup("/etc/older") };
        see("/var/lib/store", OBSERVED_DIRECTORY);
        see("/var/log/other", OBSERVED_DIRECTORY);
        made_all();
        reset_keep_data(fakes, plan, o, &f.keep);
        reset_script(plan, o, &f.keep, &text);
        s = buffer_str(&text);
        assert_contains(s, "printf '%s\\n' 'directory /var/lib/store store:store nothing' >");
        assert_null(strstr(strstr(s, "/var/lib/store") + 1, "/var/lib/store"));
        assert_null(strstr(s, "/var/lib/snapshots"));
        assert_contains(s, "\nkeep='store'\n");
        assert_null(strstr(s, "rm -f /var/lib/hardway/mark"));
        assert_contains(s, "find /var/lib/hardway -mindepth 1 ! -path /var/lib/hardway/taken ! -path "
                           "/var/lib/hardway/directories ! -path /var/lib/hardway/mark ! -path "
                           "/var/lib/hardway/users -delete\n");
        assert_contains(s, "rm -f /etc/older\n");
        assert_contains(s, "for d in /var/log/other; do rm -rf ");
        reset_tell(plan, o, &f.keep, &told);
        assert_contains(buffer_str(&told), "keeps             /var/lib/store\n");
        assert_contains(buffer_str(&told), "  with all data in  /var/log/other\n");
}

static void test_tell(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        reset_tell(f.plan, f.observation, &f.keep, &text);
        assert_string_equal(buffer_str(&text), "c0\n  nothing of hardway's is there\n");

        buffer_clear(&text);
        f.observation->identity = xstrdup("one");
        see("/etc/systemd/system/store.service", OBSERVED_FILE);
        see("/etc/other/conf", OBSERVED_FILE);
        see("/var/lib/store", OBSERVED_DIRECTORY);
        see("/var/log/other", OBSERVED_ABSENT);
        made_all();
        strv_add(&f.observation->users, "store");
        strv_add(&f.observation->users, "earlier"); /* by the record on the node */
        strv_add(&f.observation->packages, "haproxy");
        reset_tell(f.plan, f.observation, &f.keep, &text);
        assert_string_equal(buffer_str(&text),
                            "c0\n"
                            "  stops             store.service\n"
                            "  removes           2 files, user store if it came with hardway, user earlier, "
                            "package haproxy if it came with hardway\n"
                            "  with all data in  /var/lib/store\n");

        buffer_clear(&text);
        reset_keep_data(fakes, f.plan, f.observation, &f.keep);
        reset_tell(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text), "  removes           2 files, user earlier, package haproxy");
        assert_contains(buffer_str(&text), "  keeps             /var/lib/store\n");
}

/* What lay and ran there before comes back, behind the packages, which might take it along; and is told of. */
static void test_back(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, told = BUFFER_NULL;
        Observation *o = f.observation;
        const char *s;

        strv_add(&o->taken, "/etc/other/conf kept");
        strv_add(&o->taken, "/etc/systemd/system/store.service nothing store.service enabled active");
        strv_add(&o->taken, "/var/lib/hardway/mark nothing");
        /* of a run that was killed, for another plan */
        strv_add(&o->taken, "/etc/gone/conf kept");
        strv_add(&o->taken, "/etc/gone/other nothing");
        strv_add(&o->taken, "/etc/systemd/system/gone.service nothing gone.service disabled inactive");
        o->applied = xnew(AppliedFile, 1);
        o->n_applied = 1;
        o->applied[0] = (AppliedFile) { .path = xstrdup("/etc/other/conf") };
        see("/etc/other/conf", OBSERVED_FILE);
        made_all();
        reset_script(f.plan, o, &f.keep, &text);
        s = buffer_str(&text);
        assert_contains(s, "systemctl stop gone.service store.service 2>");
        assert_contains(s, "\nrm -f /etc/other/conf.hw-new\n");
        assert_null(strstr(s, "rm -f /etc/other/conf "));
        assert_null(strstr(s, "rm -f /etc/gone/conf\n"));
        assert_contains(s, "\nrm -f /etc/gone/other\n");
        assert_contains(s, "\nrm -f /etc/systemd/system/gone.service\n");
        assert_contains(s, "\npaths='/etc/other/conf /etc/gone/conf'\n");
        assert_contains(s, "\nunits='store.service enabled active'\n");
        assert_true(strstr(s, "apt-get purge") < strstr(s, "\npaths="));
        assert_true(strstr(s, "\npaths=") < strstr(s, "rmdir /etc/other "));
        assert_true(strstr(s, "systemctl daemon-reload") < strstr(s, "\nunits="));
        assert_true(strstr(s, "\nunits=") < strstr(s, "rm -f /var/lib/hardway/applied.json"));
        assert_contains(s, "\nrm -f /var/lib/hardway/applied.json /var/lib/hardway/applied.paths\n");
        assert_true(strstr(s, "rm -f /var/lib/hardway/applied.json") <
                    strstr(s, "rm -rf /var/lib/hardway\n"));
        /* without that of directories, that of files means something else */
        assert_null(strstr(s, "hardway/directories"));
        reset_tell(f.plan, o, &f.keep, &told);
        assert_contains(buffer_str(&told),
                        "  puts back         /etc/other/conf, /etc/gone/conf, store.service "
                        "(enabled, active)\n");
}

static void assert_no_directory(const char *script) {
        assert_null(strstr(script, "/opt/hardway"));
        assert_null(strstr(script, "for d in /"));
        assert_null(strstr(script, "places="));
        assert_null(strstr(script, "directories="));
        assert_null(strstr(script, "\nrmdir /"));
        assert_null(strstr(script, "/srv"));
        assert_null(strstr(script, "/var/log"));
}

/* Data whose mark is there is ours, whoever made the directory; of others of that user nothing is said by it. */
static void test_marked(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        PLAN_FOREACH(item, f.plan, PLAN_DIRECTORY)
                if (streq(item->path, "/var/lib/store"))
                        item->directory.mark = "/var/lib/hardway/mark";
        plan_add_directory(f.plan, "store", "more", "/var/lib/more", 0700, "store:store", "w");
        f.observation->identity = xstrdup("one");
        strv_add(&f.observation->taken, "/var/lib/hardway/mark nothing");
        see("/var/lib/hardway/mark", OBSERVED_FILE);
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text), "\ndirectories='sweep /var/lib/store store:store - root:root'\n");
        assert_null(strstr(buffer_str(&text), "/var/lib/more"));
        assert_null(strstr(buffer_str(&text), "for d in /"));
}

/* Made by hand, and nobody wrote down what was there before */
static void test_by_hand(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        f.observation->identity = xstrdup("one");
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text), "\ndirectories='sweep /var/lib/store store:store - root:root "
                                           "sweep /var/log/other other:other - root:root'\n");
        assert_contains(buffer_str(&text), "rmdir /etc/other ");
        assert_null(strstr(buffer_str(&text), "for d in /"));
}

/* It was there, and as planned: so nothing was changed, and no line written where others have one */
static void test_as_planned_before(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        strv_add(&f.observation->traces, "directory /etc/other root:root");
        strv_add(&f.observation->traces, "directory /var/log/other other:other");
        strv_add(&f.observation->taken, "/etc/other/conf nothing");
        made("directory /var/lib/store store:store nothing");
        /* of a user who was there before, too */
        strv_add(&f.observation->traces, "directory /var/log/more more:more");
        made("directory /var/log/more more:more 755 more:more");
        f.observation->made_whole = true;
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_null(strstr(buffer_str(&text), "\nrmdir /"));
        assert_contains(buffer_str(&text), "\ndirectories='sweep /var/log/other other:other - root:root "
                                           "sweep /var/log/more more:more 755 more:more'\n");
        assert_contains(buffer_str(&text), "for d in /var/lib/store; do rm -rf ");
}

/* Installed by a version that wrote nothing down; an upgrade was the first to make a directory and to do so */
static void test_made_by_an_upgrade(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, kept = BUFFER_NULL;

        strv_add(&f.observation->traces, "directory /etc/other root:root");
        strv_add(&f.observation->traces, "directory /opt/hardway root:root");
        strv_add(&f.observation->taken, "/etc/other/conf nothing");
        made("directory /opt/hardway/etcd-2 root:root nothing");
        /* what somebody changed, and an installation has mended, was a directory of that version's user, who goes */
        strv_add(&f.observation->traces, "directory /var/log/other other:other");
        made("directory /var/log/other other:other 755 other:other");
        made("directory /var/log/more other:other 755 other:other"); /* of a run that was killed */
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text), "\ndirectories='sweep /var/log/other other:other - root:root "
                                           "sweep /var/log/more other:other 755 other:other'\n");
        assert_contains(buffer_str(&text), "\nrm -rf /opt/hardway\n");
        assert_contains(buffer_str(&text), "\nrmdir /etc/other ");
        assert_contains(buffer_str(&text), "\nrmdir /opt/hardway/etcd-2 ");
        reset_keep_data(fakes, f.plan, f.observation, &f.keep);
        reset_script(f.plan, f.observation, &f.keep, &kept);
        assert_contains(buffer_str(&kept), "printf '%s\\n' >/var/lib/hardway/directories.hw-new\n");
}

/* By a version that wrote down files, and no directories: by its script, or by an installation that was killed */
static void test_without_a_record(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, told = BUFFER_NULL, marked = BUFFER_NULL;

        PLAN_FOREACH(item, f.plan, PLAN_DIRECTORY)
                if (streq(item->path, "/var/lib/store"))
                        item->directory.mark = "/var/lib/hardway/mark";
        plan_add_directory(f.plan, "etcd", "snapshots", "/srv/backup", 0711, "etcd:etcd", "w");
        strv_add(&f.observation->taken, "/etc/other/conf nothing");
        strv_add(&f.observation->taken, "/var/lib/hardway/mark nothing");
        see("/var/lib/store", OBSERVED_DIRECTORY);
        see("/var/log/other", OBSERVED_DIRECTORY);
        see("/srv/backup", OBSERVED_DIRECTORY);
        /* by the script of this version, run after that one */
        made("directory /opt/hardway/etcd-2 root:root nothing");
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text), "places='/srv/backup'\n");
        assert_contains(buffer_str(&text), "\ndirectories='sweep /var/log/other other:other - root:root "
                                           "leave /srv/backup etcd:etcd - root:root'\n");
        assert_contains(buffer_str(&text), "\nrm -rf /opt/hardway\n");
        assert_contains(buffer_str(&text), "\nrmdir /etc/other ");
        /* data without its mark is somebody's, and what stays is said */
        assert_null(strstr(buffer_str(&text), "/var/lib/store"));
        reset_tell(f.plan, f.observation, &f.keep, &told);
        assert_contains(buffer_str(&told), "  what is ours in   /var/log/other\n");
        assert_contains(buffer_str(&told), "  snapshots in      /srv/backup\n");
        assert_contains(buffer_str(&told), "  leaves            /var/lib/store\n");

        see("/var/lib/hardway/mark", OBSERVED_FILE);
        reset_script(f.plan, f.observation, &f.keep, &marked);
        assert_contains(buffer_str(&marked), "\ndirectories='sweep /var/lib/store store:store - root:root ");
}

/* A node that was reset, or was never ours: what lies where the plan has something is somebody's. */
static void test_nothing_of_ours(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, told = BUFFER_NULL, kept = BUFFER_NULL,
                                leaves = BUFFER_NULL;

        see("/etc/other/conf", OBSERVED_FILE);
        see("/etc/systemd/system/store.service", OBSERVED_FILE);
        see("/var/lib/store", OBSERVED_DIRECTORY);
        see("/var/log/other", OBSERVED_DIRECTORY);
        see("/srv/audit", OBSERVED_DIRECTORY);
        see("/srv/backup", OBSERVED_DIRECTORY);
        plan_add_directory(f.plan, "etcd", "snapshots", "/srv/backup", 0711, "etcd:etcd", "w");
        plan_add_directory(f.plan, "other", "flag", "/srv/audit", 0700, "other:other", "w")
                ->directory.chosen = true;
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_no_directory(buffer_str(&text));
        assert_null(strstr(buffer_str(&text), "rm -f /etc/other/conf "));
        assert_null(strstr(buffer_str(&text), "store.service "));
        reset_tell(f.plan, f.observation, &f.keep, &told);
        assert_string_equal(buffer_str(&told), "c0\n  nothing of hardway's is there\n");

        /* data was kept, and says whose it is: that alone is ours */
        f.observation->identity = xstrdup("one");
        strv_add(&f.observation->taken, "/var/lib/hardway/mark nothing");
        reset_script(f.plan, f.observation, &f.keep, &kept);
        assert_no_directory(buffer_str(&kept));
        assert_contains(buffer_str(&kept), "\nrm -f /var/lib/hardway/mark ");
        reset_tell(f.plan, f.observation, &f.keep, &leaves);
        assert_contains(buffer_str(&leaves),
                        "  leaves            /var/lib/store, /var/log/other, /srv/backup, /srv/audit\n");
        assert_null(strstr(buffer_str(&kept), "rm -f /etc/other/conf "));
}

/* A reset that was killed when it had removed the first of its records: what it has handed back is nobody's of ours */
static void test_interrupted(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        strv_add(&f.observation->taken, "/etc/other/conf nothing");
        made("directory /var/lib/store store:store 755 root:adm");
        f.observation->made_whole = true;
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text),
                        "\ndirectories='sweep /var/lib/store store:store 755 root:adm'\n");
        assert_null(strstr(buffer_str(&text), "/var/log/other"));
        assert_null(strstr(buffer_str(&text), "\nrmdir /"));
}

/* Kept, when nobody wrote down whose directory it is, and the role went: it stays, and so does its user */
static void test_data_that_is_left(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, told = BUFFER_NULL, known = BUFFER_NULL;

        strv_add(&f.observation->taken, "/var/lib/hardway/etcd-identity nothing");
        strv_add(&f.observation->users, "etcd");
        reset_script(f.plan, f.observation, &f.keep, &text);
        assert_contains(buffer_str(&text), "\nkeep='etcd'\n");
        reset_tell(f.plan, f.observation, &f.keep, &told);
        assert_null(strstr(buffer_str(&told), "user etcd"));

        made("directory /var/lib/etcd etcd:etcd nothing");
        reset_script(f.plan, f.observation, &f.keep, &known);
        assert_contains(buffer_str(&known), "\nkeep=''\n");
        buffer_clear(&told);
        reset_tell(f.plan, f.observation, &f.keep, &told);
        assert_contains(buffer_str(&told), "removes           user etcd\n");
}

static void test_of_another_cluster(void **state) {
        const Node *node = f.plan->node;
        _cleanup_error_ Error *error = NULL;

        assert_success(reset_is_ours(node, NULL, "one", &error), error, 0);
        assert_success(reset_is_ours(node, f.observation, NULL, &error), error, 0);
        f.observation->identity = xstrdup("one");
        assert_success(reset_is_ours(node, f.observation, "one", &error), error, 0);
        assert_int_equal(reset_is_ours(node, f.observation, "other", &error), -EEXIST);
        assert_string_equal(error->message, "c0 was installed for another cluster");
        assert_contains(error->detail, "--force");
        error = error_free(error);
        assert_failure(reset_is_ours(node, f.observation, NULL, &error), error, ERROR_CONFIG, EEXIST);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                reset_test(test_script),
                reset_test(test_chosen),
                reset_test(test_mounted),
                reset_test(test_keep),
                reset_test(test_snapshots),
                reset_test(test_earlier),
                reset_test(test_keep_of_earlier),
                reset_test(test_tell),
                reset_test(test_back),
                reset_test(test_marked),
                reset_test(test_by_hand),
                reset_test(test_as_planned_before),
                reset_test(test_made_by_an_upgrade),
                reset_test(test_without_a_record),
                reset_test(test_nothing_of_ours),
                reset_test(test_interrupted),
                reset_test(test_data_that_is_left),
                reset_test(test_of_another_cluster),
        };

        return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
