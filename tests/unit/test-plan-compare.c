/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "plan/observation.h"
#include "tests/unit/plan-fixture.h"

/*
 * A plan of one item of each kind, an observation of a node that is exactly so, and what each deviation
 * from it brings about.
 */
typedef struct Fixture {
        Node nodes[3];
        Cluster cluster;
        Plan *plan;
        Observation *observation;
} Fixture;

static Plan* make_plan(const Cluster *c, const Node *node) {
        Plan *p = plan_new(c, node);
        PlanItem *item;

        plan_add_package(p, "haproxy", "haproxy", "w");
        plan_add_user(p, "etcd", "etcd", "/var/lib/etcd", "w");
        plan_add_directory(p, "etcd", "data", "/var/lib/etcd", 0700, "etcd:etcd", "w");
        plan_add_sysctl(p, "haproxy", "net.x", "1", "w");
        plan_add_symlink(p, "etcd", "link", "/usr/local/bin/etcdctl", "/opt/hardway/etcd-v3.6.16/etcdctl",
                         "w");
        item = plan_add(p, PLAN_BINARY, "etcd", "binary", "w");
        item->path = xstrdup("/opt/hardway/etcd-v3.6.16/etcd");
        item->mode = 0755;
        item->owner = xstrdup("root:root");
        item->sha256 = xstrdup("e7cd");
        item->binary.size = 1000;
        plan_item_input_of(item, "etcd.service");
        plan_item_input_of(plan_add_file(p, "etcd", "conf", "/etc/kubernetes/etcd.conf", 0600, "conf", "w"),
                           "etcd.service");
        item = plan_add_file(p, "haproxy", "cfg", "/etc/haproxy/haproxy.cfg", 0644, "cfg", "w");
        item->reload = true;
        plan_item_input_of(item, "haproxy.service");
        plan_add_unit(p, "etcd", "etcd.service", fixture_unit("etcd"), "w")->unit.rank = 10;
        plan_add_drop_in(p, "haproxy", "haproxy.service", fixture_unit("haproxy"), "w")->unit.rank = 50;
        assert_int_equal(plan_finish(p, NULL), 0);
        return p;
}

static ObservedPath* add_observed(Observation *o, const char *path, ObservedType type) {
        o->paths = xrealloc(o->paths, o->n_paths + 1, sizeof(ObservedPath));
        o->paths[o->n_paths] = (ObservedPath) { .path = xstrdup(path), .type = type };
        return o->paths + o->n_paths++;
}

static ObservedUnit* add_unit(Observation *o, const PlanItem *item) {
        ObservedUnit *u;

        o->units = xrealloc(o->units, o->n_units + 1, sizeof(ObservedUnit));
        u = o->units + o->n_units++;
        *u = (ObservedUnit) {
                .name = xstrdup(item->unit.name),
                .load_state = xstrdup("loaded"),
                .active_state = xstrdup("active"),
                .sub_state = xstrdup("running"),
                .file_state = xstrdup("enabled"),
                .inputs = xstrdup(item->unit.inputs),
                .main_pid = 42,
        };
        return u;
}

static void observe_item(const PlanItem *item, Observation *o) {
        ObservedPath *found;

        if (!item->path)
                return;
        found = add_observed(o, item->path,
                             item->type == PLAN_DIRECTORY ? OBSERVED_DIRECTORY :
                             item->type == PLAN_SYMLINK   ? OBSERVED_SYMLINK :
                                                            OBSERVED_FILE);
        found->mode = item->mode;
        found->owner = xstrdup_null(item->owner);
        found->sha256 = xstrdup_null(item->sha256);
        if (item->type == PLAN_SYMLINK)
                found->target = xstrdup(item->symlink.target);
        if (item->type == PLAN_UNIT)
                add_unit(o, item);
}

static int setup(void **state) {
        Fixture *f = xnew(Fixture, 1);
        Observation *o = f->observation = xnew(Observation, 1);
        ObservedUnit *haproxy;

        f->cluster = fixture_cluster(f->nodes);
        f->plan = make_plan(&f->cluster, f->nodes);
        strv_add(&o->packages, "haproxy");
        strv_add(&o->users, "etcd");
        strv_add(&o->sysctls, "net.xy=5");
        strv_add(&o->sysctls, "net.x=1");
        for (size_t i = 0; i < f->plan->n_items; i++) {
                observe_item(f->plan->items[i], o);
                if (plan_item_is_file(f->plan->items[i]))
                        strv_addf(&o->taken, "%s nothing", f->plan->items[i]->path);
        }
        haproxy = (ObservedUnit*) observation_unit(o, "haproxy.service");
        haproxy->loaded = xasprintf("0000  /etc/other\n%s  /etc/haproxy/haproxy.cfg\n",
                                    plan_find(f->plan, "haproxy/cfg")->sha256);
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

#define compare_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void set(char **field, const char *value) {
        free(*field);
        *field = xstrdup_null(value);
}

static ObservedPath* path_of(Fixture *f, const char *path) {
        return (ObservedPath*) observation_path(f->observation, path);
}

static ObservedUnit* unit_of(Fixture *f, const char *name) {
        return (ObservedUnit*) observation_unit(f->observation, name);
}

static void add_applied(Fixture *f, const char *path, const char *sha256) {
        Observation *o = f->observation;

        o->applied = xrealloc(o->applied, o->n_applied + 1, sizeof(AppliedFile));
        o->applied[o->n_applied++] = (AppliedFile) { .path = xstrdup(path), .sha256 = xstrdup(sha256) };
}

/* "update etcd/conf (content differs)|restart etcd/unit (...)": all of it, in order */
static char* changes_text(const Changes *c) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        for (size_t i = 0; i < c->n_changes; i++)
                buffer_addf(&text, "%s%s %s (%s)", i > 0 ? "|" : "",
                            change_type_to_string(c->changes[i].type),
                            c->changes[i].path         ? c->changes[i].path :
                            c->changes[i].item != NULL ? c->changes[i].item->id :
                                                         "-",
                            c->changes[i].reason);
        return buffer_take(&text);
}

static void assert_changes(Fixture *f, const char *wanted) {
        _cleanup_free_ char *text = NULL;
        Changes c;

        plan_compare(f->plan, f->observation, &c);
        text = changes_text(&c);
        assert_string_equal(text, wanted);
        changes_done(&c);
}

static void test_nothing(void **state) {
        assert_changes(*state, "");
}

static void test_fresh_node(void **state) {
        Fixture *f = *state;
        Changes c;

        observation_free(f->observation);
        f->observation = xnew(Observation, 1);
        assert_changes(f, "create haproxy/package (not installed)|create etcd/user (missing)|"
                          "create node/etc/haproxy (missing)|create node/etc/kubernetes (missing)|"
                          "create node/etc/systemd/system/haproxy.service.d (missing)|"
                          "create node/opt/hardway (missing)|create node/opt/hardway/etcd-v3.6.16 (missing)|"
                          "create etcd/data (missing)|update haproxy/net.x (is not set, should be 1)|"
                          "create etcd/conf (missing)|create haproxy/cfg (missing)|"
                          "create etcd/link (missing)|create etcd/binary (missing)|"
                          "create etcd/unit (missing)|create haproxy/drop-in (missing)|"
                          "daemon-reload - (unit files change)|enable etcd/unit (not there)|"
                          "enable haproxy/drop-in (not there)|start etcd/unit (not there)|"
                          "start haproxy/drop-in (not there)");

        plan_compare(f->plan, f->observation, &c);
        assert_int_equal(c.n_files, 4);
        assert_int_equal(c.n_binaries, 1);
        assert_true(c.put_size > 1000 + strlen("conf") + strlen("cfg"));
        assert_true(changes_have(&c, CHANGE_START, "etcd.service"));
        assert_true(changes_have(&c, CHANGE_START, NULL));
        assert_false(changes_have(&c, CHANGE_START, "other.service"));
        assert_false(changes_have(&c, CHANGE_RESTART, NULL));
        changes_done(&c);
}

static void test_content(void **state) {
        Fixture *f = *state;

        set(&path_of(f, "/etc/kubernetes/etcd.conf")->sha256, "00");
        assert_changes(
                f,
                "update etcd/conf (content differs)|restart etcd/unit (/etc/kubernetes/etcd.conf changes)");
}

static void test_binary(void **state) {
        Fixture *f = *state;

        path_of(f, "/opt/hardway/etcd-v3.6.16/etcd")->type = OBSERVED_ABSENT;
        assert_changes(f, "create etcd/binary (missing)|"
                          "restart etcd/unit (/opt/hardway/etcd-v3.6.16/etcd changes)");
}

static void test_reloaded_content(void **state) {
        Fixture *f = *state;

        set(&path_of(f, "/etc/haproxy/haproxy.cfg")->sha256, "00");
        assert_changes(f, "update haproxy/cfg (content differs)|"
                          "reload haproxy/drop-in (/etc/haproxy/haproxy.cfg changes)");
}

static void test_loaded(void **state) {
        Fixture *f = *state;

        set(&unit_of(f, "haproxy.service")->loaded, "0000  /etc/haproxy/haproxy.cfg\n");
        assert_changes(f, "reload haproxy/drop-in (has loaded another /etc/haproxy/haproxy.cfg)");
        set(&unit_of(f, "haproxy.service")->loaded, NULL);
        assert_changes(f, "reload haproxy/drop-in (did not record what it loaded)");
        set(&unit_of(f, "haproxy.service")->active_state, "activating");
        assert_changes(f, "");
        /* a restart takes the configuration in, too */
        set(&unit_of(f, "haproxy.service")->inputs, "other");
        assert_changes(f, "restart haproxy/drop-in (was started with other inputs)");
}

static void test_attributes(void **state) {
        Fixture *f = *state;
        ObservedPath *found = path_of(f, "/etc/kubernetes/etcd.conf");

        found->mode = 0644;
        assert_changes(f, "attributes etcd/conf (mode 0644, should be 0600)");
        set(&found->owner, "pi:pi");
        assert_changes(f,
                       "attributes etcd/conf (mode 0644, should be 0600; owner pi:pi, should be root:root)");
        found->mode = 0600;
        assert_changes(f, "attributes etcd/conf (owner pi:pi, should be root:root)");
        set(&found->owner, "root:root");
        path_of(f, "/var/lib/etcd")->mode = 0755;
        assert_changes(f, "attributes etcd/data (mode 0755, should be 0700)");
}

static void test_types(void **state) {
        Fixture *f = *state;

        path_of(f, "/usr/local/bin/etcdctl")->type = OBSERVED_FILE;
        assert_changes(f, "update etcd/link (is a file)");
        path_of(f, "/usr/local/bin/etcdctl")->type = OBSERVED_SYMLINK;
        set(&path_of(f, "/usr/local/bin/etcdctl")->target, "/opt/x");
        assert_changes(f, "update etcd/link (points to /opt/x)");
}

static void test_system(void **state) {
        Fixture *f = *state;

        f->observation->packages = strv_free(f->observation->packages);
        f->observation->users = strv_free(f->observation->users);
        set(&f->observation->sysctls[1], "net.x=0");
        assert_changes(f, "create haproxy/package (not installed)|create etcd/user (missing)|"
                          "update haproxy/net.x (is 0, should be 1)");
}

static void test_unit_file(void **state) {
        Fixture *f = *state;

        set(&path_of(f, "/etc/systemd/system/etcd.service")->sha256, "00");
        assert_changes(f, "update etcd/unit (content differs)|daemon-reload - (unit files change)|"
                          "restart etcd/unit (/etc/systemd/system/etcd.service changes)");
}

static void test_not_read(void **state) {
        Fixture *f = *state;

        unit_of(f, "etcd.service")->needs_reload = true;
        assert_changes(f, "daemon-reload - (systemd has not read the etcd.service that is there)");
        unit_of(f, "etcd.service")->needs_reload = false;
        set(&unit_of(f, "etcd.service")->load_state, "not-found");
        assert_changes(f, "daemon-reload - (systemd has not read the etcd.service that is there)");
}

static void test_enabled(void **state) {
        Fixture *f = *state;

        set(&unit_of(f, "haproxy.service")->file_state, "masked");
        assert_changes(f, "enable haproxy/drop-in (masked)");
        set(&unit_of(f, "haproxy.service")->file_state, "disabled");
        assert_changes(f, "enable haproxy/drop-in (disabled)");
        set(&unit_of(f, "haproxy.service")->file_state, "static");
        assert_changes(f, "");
}

static void test_running(void **state) {
        static const struct {
                const char *active_state, *inputs;
                unsigned main_pid;
                const char *wanted;
        } rows[] = {
                { "inactive", NULL, 0, "start etcd/unit (inactive)" },
                { "failed", NULL, 0, "start etcd/unit (failed)" },
                { "deactivating", NULL, 7, "start etcd/unit (deactivating)" },
                { "active", NULL, 7, "restart etcd/unit (was not started by hardway)" },
                { "active", "other", 7, "restart etcd/unit (was started with other inputs)" },
                { "active", "right", 7, "" },
                { "reloading", "right", 7, "" },
                { "activating", "right", 7, "" },
                { "activating", "other", 7, "restart etcd/unit (was started with other inputs)" },
                { "activating", NULL, 0, "" }, /* between two starts */
                { "active", NULL, 0, "" },     /* a oneshot that has ended */
        };
        Fixture *f = *state;
        ObservedUnit *u = unit_of(f, "etcd.service");
        const char *right = plan_find(f->plan, "etcd/unit")->unit.inputs;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                set(&u->active_state, rows[i].active_state);
                set(&u->inputs, rows[i].inputs && streq(rows[i].inputs, "right") ? right : rows[i].inputs);
                u->main_pid = rows[i].main_pid;
                assert_changes(f, rows[i].wanted);
        }
}

/* A list of first members that has changed is written, and is no reason to restart: if nobody else has touched the file. */
static void test_unread(void **state) {
        Fixture *f = *state;
        PlanItem *unit = (PlanItem*) plan_find(f->plan, "etcd/unit");
        Observation *o = f->observation;
        ObservedPath *found = path_of(f, unit->path);

        strv_add(&unit->unit.unread, "--initial-cluster=");
        set(&found->sha256, "00");
        assert_changes(f, "update etcd/unit (content differs)|daemon-reload - (unit files change)|"
                          "restart etcd/unit (/etc/systemd/system/etcd.service changes)");
        o->applied = xnew(AppliedFile, 1);
        o->applied[0] = (AppliedFile) { .path = xstrdup(unit->path), .sha256 = xstrdup("00") };
        o->n_applied = 1;
        assert_changes(f, "update etcd/unit (content differs)|daemon-reload - (unit files change)");
        set(&o->applied[0].sha256, "11");
        assert_changes(f, "update etcd/unit (content differs)|daemon-reload - (unit files change)|"
                          "restart etcd/unit (/etc/systemd/system/etcd.service changes)");
        set(&o->applied[0].sha256, "00");
        set(&unit_of(f, "etcd.service")->inputs, "other");
        assert_changes(f, "update etcd/unit (content differs)|daemon-reload - (unit files change)|"
                          "restart etcd/unit (/etc/systemd/system/etcd.service changes)");
}

/* Its start job waits for that of another unit. */
static void test_queued(void **state) {
        Fixture *f = *state;
        ObservedUnit *u = unit_of(f, "etcd.service");

        set(&u->active_state, "inactive");
        set(&u->inputs, NULL);
        u->main_pid = 0;
        u->queued = true;
        assert_changes(f, "");
        set(&path_of(f, "/etc/kubernetes/etcd.conf")->sha256, "00");
        assert_changes(
                f,
                "update etcd/conf (content differs)|restart etcd/unit (/etc/kubernetes/etcd.conf changes)");
        set(&u->active_state, "failed");
        assert_changes(f, "update etcd/conf (content differs)|start etcd/unit (failed)");
}

/* An activating unit whose input is written starts anew even though its digest is right. */
static void test_activating_with_new_input(void **state) {
        Fixture *f = *state;

        set(&unit_of(f, "etcd.service")->active_state, "activating");
        set(&path_of(f, "/etc/kubernetes/etcd.conf")->sha256, "00");
        assert_changes(
                f,
                "update etcd/conf (content differs)|restart etcd/unit (/etc/kubernetes/etcd.conf changes)");
}

/* What holds others' things, too, is theirs to close, to give to somebody, and to have elsewhere. */
static void test_somebodys_directory(void **state) {
        Fixture *f = *state;
        ObservedPath *found = path_of(f, "/var/lib/etcd");

        ((PlanItem*) plan_find(f->plan, "etcd/data"))->directory.shared = true;
        found->mode = 0750;
        set(&found->owner, "backup:backup");
        assert_changes(f, "");
        found->type = OBSERVED_SYMLINK;
        assert_changes(f, "");
        found->type = OBSERVED_FILE;
        assert_changes(f, "update etcd/data (is a file)");
        found->type = OBSERVED_ABSENT;
        assert_changes(f, "create etcd/data (missing)");
}

static void test_of_an_earlier_plan(void **state) {
        static const struct {
                const char *path, *recorded, *found;
                bool removed;
        } rows[] = {
                { "/etc/kubernetes/old.conf", "aa", "aa", true },
                { "/etc/kubernetes/edited.conf", "aa", "bb", false },
                { "/etc/kubernetes/gone.conf", "aa", NULL, false },
                { "/etc/passwd", "aa", "aa", false },
                { "/etc/kubernetes/../passwd", "aa", "aa", false },
                { "/opt/hardway/etcd-v3.6.15/etcd", "aa", "aa", false }, /* the way back */
                { "/opt/hardway/etcd-v3.6.15/etcdctl", "aa", "aa", false },
                { "/opt/hardway/kubernetes-v1.36.1/kubectl", "aa", "aa", false },
                { "/opt/hardway/etcd-v3.6.14/etcd", "aa", "aa", true }, /* the one before that */
                { "/opt/hardway/etcd-v3.6.14/etcdctl", "aa", "bb", false },
                { "/opt/hardway/etcd-v3.7.0/etcd", "aa", "aa", true }, /* ... also where that was newer */
                { "/opt/hardway/etcd-v3.6.16/etcdutl", "aa", "aa", false },
                { "/opt/hardway/other", "aa", "aa", true },
                { "/etc/kubernetes/etcd.conf", "aa", NULL, false }, /* in the plan: only content counts */
                { "/usr/local/bin/kubectl", "link:/opt/k", "link:/opt/k", true },
                { "/usr/local/bin/crictl", "link:/opt/k", "link:/opt/other", false },
                { "/etc/sysctl.d/90-hardway.conf", "aa", "aa", true },
        };
        Fixture *f = *state;
        _cleanup_buffer_ Buffer wanted = BUFFER_NULL;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *target = rows[i].found ? startswith(rows[i].found, "link:") : NULL;
                ObservedPath *found;

                add_applied(f, rows[i].path, rows[i].recorded);
                if (!rows[i].found)
                        continue;
                found = add_observed(f->observation, rows[i].path,
                                     target ? OBSERVED_SYMLINK : OBSERVED_FILE);
                set(target ? &found->target : &found->sha256, target ? target : rows[i].found);
                if (rows[i].removed)
                        buffer_addf(&wanted, "%sremove %s (of an earlier plan)", wanted.size > 0 ? "|" : "",
                                    rows[i].path);
        }
        assert_changes(f, buffer_str(&wanted));
}

static const Remark* only_remark(const Changes *c) {
        assert_int_equal(c->n_remarks, 1);
        return c->remarks;
}

/* Of whatever an earlier plan has left, what was edited stays, and is told. */
static void test_edited_of_an_earlier_plan(void **state) {
        Fixture *f = *state;
        Changes c;

        add_applied(f, "/etc/kubernetes/old.yaml", "aa");
        add_observed(f->observation, "/etc/kubernetes/old.yaml", OBSERVED_FILE)->sha256 = xstrdup("bb");
        add_applied(f, "/etc/kubernetes/gone.yaml", "aa");
        add_observed(f->observation, "/etc/kubernetes/gone.yaml", OBSERVED_ABSENT);
        plan_compare(f->plan, f->observation, &c);
        assert_int_equal(c.n_changes, 0);
        assert_string_equal(only_remark(&c)->path, "/etc/kubernetes/old.yaml");
        assert_string_equal(only_remark(&c)->text, "of an earlier plan, and was changed since");
        assert_false(changes_differ(&c));
        changes_done(&c);
}

/* Somebody else's drop-in makes a unit other than planned, and is not ours to take away. */
static void test_foreign_drop_in(void **state) {
        Fixture *f = *state;
        ObservedUnit *etcd = (ObservedUnit*) observation_unit(f->observation, "etcd.service");
        ObservedUnit *haproxy = (ObservedUnit*) observation_unit(f->observation, "haproxy.service");
        Changes c;

        strv_add(&haproxy->drop_ins, "/etc/systemd/system/haproxy.service.d/50-hardway.conf");
        strv_add(&haproxy->drop_ins, "/usr/lib/systemd/system/service.d/10-distribution.conf");
        plan_compare(f->plan, f->observation, &c);
        assert_int_equal(c.n_remarks, 0);
        assert_false(changes_differ(&c));
        changes_done(&c);

        strv_add(&etcd->drop_ins, "/etc/systemd/system/etcd.service.d/override.conf");
        plan_compare(f->plan, f->observation, &c);
        assert_int_equal(c.n_changes, 0);
        assert_string_equal(only_remark(&c)->path, "/etc/systemd/system/etcd.service.d/override.conf");
        assert_contains(only_remark(&c)->text, "overrides etcd.service");
        assert_true(changes_differ(&c));
        changes_done(&c);
}

/* A container's manager writes for all services at each boot: told once, and nothing differs for it, as ever. */
static void test_drop_in_of_the_machine(void **state) {
        static const struct {
                const char *path;
                bool machines;
        } cases[] = {
                { "/run/systemd/system/service.d/zzz-lxc-service.conf", true },
                { "/run/systemd/generator/service.d/10-x.conf", true },
                { "/run/systemd/generator.late/haproxy.service.d/10-x.conf", true },
                { "/run/systemd/system/haproxy.service.d/override.conf", false },
                { "/run/systemd/system.control/haproxy.service.d/50-CPUWeight.conf", false },
                { "/etc/systemd/system/service.d/all.conf", false },
        };
        Fixture *f = *state;
        ObservedUnit *etcd = (ObservedUnit*) observation_unit(f->observation, "etcd.service");
        ObservedUnit *haproxy = (ObservedUnit*) observation_unit(f->observation, "haproxy.service");

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool of_all = strstr(cases[i].path, "/service.d/");
                Changes c;

                strv_add(&haproxy->drop_ins, cases[i].path);
                if (of_all)
                        strv_add(&etcd->drop_ins, cases[i].path);
                plan_compare(f->plan, f->observation, &c);
                assert_int_equal(c.n_changes, 0);
                assert_int_equal(c.n_remarks, of_all && !cases[i].machines ? 2 : 1);
                assert_string_equal(c.remarks[0].path, cases[i].path);
                assert_contains(c.remarks[0].text,
                                cases[i].machines ? "of the machine itself, applies to " : "overrides ");
                assert_int_equal(changes_differ(&c), !cases[i].machines);
                changes_done(&c);
                etcd->drop_ins = strv_free(etcd->drop_ins);
                haproxy->drop_ins = strv_free(haproxy->drop_ins);
        }
}

/* A unit file of somebody else's, in front of the distribution's, to which our drop-in applies all the same. */
static void test_foreign_unit_file(void **state) {
        static const struct {
                const char *unit, *fragment, *load_state;
                bool told;
        } cases[] = {
                { "haproxy.service", "/usr/lib/systemd/system/haproxy.service", "loaded", false },
                { "haproxy.service", "/lib/systemd/system/haproxy.service", "loaded", false },
                { "haproxy.service", "", "loaded", false },
                { "haproxy.service", "/etc/systemd/system/haproxy.service", "masked", false },
                { "haproxy.service", "/etc/systemd/system/haproxy.service", "loaded", true },
                { "haproxy.service", "/run/systemd/system/haproxy.service", "loaded", true },
                { "haproxy.service", "/usr/local/lib/systemd/system/haproxy.service", "loaded", true },
                { "etcd.service", "/etc/systemd/system/etcd.service", "loaded", false }, /* the plan's */
                { "etcd.service", "/run/systemd/transient/etcd.service", "loaded", true },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                ObservedUnit *u = (ObservedUnit*) observation_unit(f->observation, cases[i].unit);
                Changes c;

                set(&u->fragment, cases[i].fragment);
                set(&u->load_state, cases[i].load_state);
                plan_compare(f->plan, f->observation, &c);
                assert_int_equal(c.n_remarks, cases[i].told);
                if (cases[i].told) {
                        assert_string_equal(only_remark(&c)->path, cases[i].fragment);
                        assert_contains(only_remark(&c)->text, " as a whole, and is not ours; without it");
                        assert_true(changes_differ(&c));
                }
                changes_done(&c);
                set(&u->fragment, "");
                set(&u->load_state, "loaded");
        }
}

static void test_unit_of_an_earlier_plan(void **state) {
        Fixture *f = *state;

        add_applied(f, "/etc/systemd/system/old.service", "aa");
        set(&add_observed(f->observation, "/etc/systemd/system/old.service", OBSERVED_FILE)->sha256, "aa");
        assert_changes(f, "remove /etc/systemd/system/old.service (of an earlier plan)|"
                          "daemon-reload - (unit files change)");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                compare_test(test_nothing),
                compare_test(test_fresh_node),
                compare_test(test_content),
                compare_test(test_binary),
                compare_test(test_reloaded_content),
                compare_test(test_loaded),
                compare_test(test_attributes),
                compare_test(test_types),
                compare_test(test_somebodys_directory),
                compare_test(test_system),
                compare_test(test_unit_file),
                compare_test(test_not_read),
                compare_test(test_enabled),
                compare_test(test_running),
                compare_test(test_unread),
                compare_test(test_queued),
                compare_test(test_activating_with_new_input),
                compare_test(test_of_an_earlier_plan),
                compare_test(test_unit_of_an_earlier_plan),
                compare_test(test_edited_of_an_earlier_plan),
                compare_test(test_foreign_drop_in),
                compare_test(test_drop_in_of_the_machine),
                compare_test(test_foreign_unit_file),
        };

        return cmocka_run_group_tests_name("plan-compare", tests, NULL, NULL);
}
