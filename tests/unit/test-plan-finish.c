/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/plan-fixture.h"

static Node nodes[3];
static Cluster cluster;

static int setup(void **state) {
        cluster = fixture_cluster(nodes);
        *state = plan_new(&cluster, nodes);
        return 0;
}

static int teardown(void **state) {
        plan_free(*state);
        return 0;
}

#define plan_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void finish(Plan *p) {
        _cleanup_error_ Error *error = NULL;

        assert_success(plan_finish(p, &error), error, 0);
}

static void refuse(Plan *p, int errnum, const char *text) {
        Error *error = NULL;
        int r = plan_finish(p, &error);

        assert_non_null(error);
        assert_contains(error->message, text);
        assert_failure(r, error, ERROR_INTERNAL, errnum);
}

static void test_order(void **state) {
        static const char *const wanted[] = {
                "b/package", "b/user", "node/etc/b", "node/etc/b/deep", "b/key",  "b/one",
                "a/two",     "b/link", "b/binary",   "a/unit",          "b/unit",
        };
        Plan *p = *state;
        PlanItem *unit, *binary;

        unit = plan_add_unit(p, "b", "b.service", fixture_unit("b"), "w");
        unit->unit.rank = 20;
        plan_add_file(p, "b", "one", "/etc/b/deep/one", 0644, "1", "w");
        plan_add_symlink(p, "b", "link", "/usr/local/bin/b", "/opt/b", "w");
        plan_add_package(p, "b", "b", "w");
        binary = plan_add(p, PLAN_BINARY, "b", "binary", "w");
        binary->path = xstrdup("/opt/b");
        plan_add_sysctl(p, "b", "key", "1", "w");
        plan_add_user(p, "b", "b", "/var/lib/b", "w");
        unit = plan_add_unit(p, "a", "a.service", fixture_unit("a"), "w");
        unit->unit.rank = 10;
        plan_add_file(p, "a", "two", "/etc/b/two", 0644, "2", "w");

        finish(p);
        assert_int_equal(p->n_items, ARRAY_SIZE(wanted));
        for (size_t i = 0; i < p->n_items; i++)
                assert_string_equal(p->items[i]->id, wanted[i]);
        assert_ptr_equal(plan_find(p, "b/user"), p->items[1]);
        assert_null(plan_find(p, "b/nothing"));
        assert_false(plan_find_path(p, "/etc/b")->directory.shared);
        assert_string_equal(plan_find_path(p, "/etc/b")->why, "Holds what hardway puts into /etc/b.");
}

/* Directories above one that the owner has chosen may be there for others as well. */
static void test_parents_elsewhere(void **state) {
        Plan *p = *state;

        plan_add_directory(p, "a", "dir", "/srv/backup/etcd", 0711, "root:root", "w");
        finish(p);
        assert_false(plan_find(p, "a/dir")->directory.shared);
        assert_true(plan_find(p, "node/srv/backup")->directory.shared);
}

static void test_unite(void **state) {
        Plan *p = *state;
        PlanItem *package;

        plan_add_directory(p, "a", "dir", "/etc/x", 0750, "root:root", "w");
        plan_add_directory(p, "b", "dir", "/etc/x", 0750, "root:root", "w");
        plan_add_sysctl(p, "a", "k", "1", "w");
        plan_add_sysctl(p, "b", "k", "1", "w");
        plan_add_unit(p, "a", "a.service", fixture_unit("a"), "w");
        plan_add_package(p, "a", "pkg", "w");
        package = plan_add_package(p, "b", "pkg", "w");
        plan_item_input_of(package, "a.service");
        strv_add(&package->package.units, "pkg.service");

        finish(p);
        assert_int_equal(p->n_items, 4);
        assert_non_null(plan_find(p, "a/dir"));
        assert_null(plan_find(p, "b/dir"));
        assert_true(plan_item_is_input_of(plan_find(p, "a/package-pkg"), "a.service"));
        assert_true(strv_contains(plan_find(p, "a/package-pkg")->package.units, "pkg.service"));
}

static void test_two_of_a_kind(void **state) {
        Plan *p = *state;

        plan_add_file(p, "a", "x", "/etc/x", 0644, "1", "w");
        plan_add_file(p, "b", "x", "/etc/x", 0644, "1", "w");
        refuse(p, EEXIST, "a/x and b/x both want the path /etc/x");
}

static void test_same_id(void **state) {
        Plan *p = *state;

        plan_add_file(p, "a", "x", "/etc/x", 0644, "1", "w");
        plan_add_file(p, "a", "x", "/etc/y", 0644, "1", "w");
        refuse(p, EEXIST, "a/x: is in the plan twice");
}

static void test_directories_that_disagree(void **state) {
        Plan *p = *state;

        plan_add_directory(p, "a", "dir", "/etc/x", 0750, "root:root", "w");
        plan_add_directory(p, "b", "dir", "/etc/x", 0755, "root:root", "w");
        refuse(p, EEXIST, "both want the path /etc/x");
}

static void test_sysctls_that_disagree(void **state) {
        Plan *p = *state;

        plan_add_sysctl(p, "a", "k", "1", "w");
        plan_add_sysctl(p, "b", "k", "2", "w");
        refuse(p, EEXIST, "want different values of k");
}

static void test_paths(void **state) {
        static const char *const bad[] = {
                "etc/x",    "/",        "",         "/etc/x/", "/etc//x",   "/etc/../x", "/etc/..",
                "/etc/./x", "/etc/a b", "/etc/a'b", "/etc/$x", "/etc/a\nb", "/etc/ä",    "/etc/a*",
        };
        static const char *const good[] = { "/etc/x", "/etc/..x", "/etc/x.d/50-a_b@c:d+e.conf", "/etc/..." };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(plan_freep) Plan *p = plan_new(&cluster, nodes);

                plan_add_file(p, "a", "x", bad[i], 0644, "", "w");
                refuse(p, EINVAL, "is not a path for a plan");
        }
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                _cleanup_(plan_freep) Plan *p = plan_new(&cluster, nodes);

                plan_add_file(p, "a", "x", good[i], 0644, "", "w");
                finish(p);
        }
}

static void test_names(void **state) {
        for (int i = 0; i < 6; i++) {
                _cleanup_(plan_freep) Plan *p = plan_new(&cluster, nodes);
                PlanItem *item;

                if (i == 0)
                        plan_add_package(p, "a", "x; rm -rf", "w");
                else if (i == 1)
                        plan_add_package(p, "a", "-o", "w");
                else if (i == 2)
                        plan_add_user(p, "a", "a b", "/x", "w");
                else if (i == 3)
                        plan_add_sysctl(p, "a", "net.x", "$(reboot)", "w");
                else if (i == 4)
                        plan_add_unit(p, "a", "no-type", fixture_unit("x"), "w");
                else {
                        item = plan_add_file(p, "a", "x", "/etc/x", 0600, "", "w");
                        free(item->owner);
                        item->owner = xstrdup("root");
                }
                refuse(p, EINVAL, i == 4 ? "" : i == 5 ? "is not an owner" : "has a name that is none");
        }
}

static void test_secret_without_fingerprint(void **state) {
        Plan *p = *state;

        plan_add_file(p, "a", "x", "/etc/x", 0600, "s3cret", "w")->secret = true;
        refuse(p, EINVAL, "has no fingerprint");
}

static void test_input_of_nothing(void **state) {
        Plan *p = *state;

        plan_item_input_of(plan_add_file(p, "a", "x", "/etc/x", 0644, "", "w"), "a.service");
        refuse(p, EINVAL, "a.service, which is not in the plan");
}

typedef struct Variant {
        const char *content, *reload_content, *secret, *fingerprint, *description, *sha256;
} Variant;

/* The digest of a unit with one input of each kind. */
static char* inputs_of(const Variant *v, Buffer *ret_unit) {
        _cleanup_(plan_freep) Plan *p = plan_new(&cluster, nodes);
        const PlanItem *unit;
        PlanItem *item;

        plan_add_unit(p, "a", "a.service", fixture_unit(v->description), "w");
        plan_item_input_of(plan_add_file(p, "a", "file", "/etc/f", 0644, v->content, "w"), "a.service");
        item = plan_add_file(p, "a", "reloaded", "/etc/r", 0644, v->reload_content, "w");
        item->reload = true;
        plan_item_input_of(item, "a.service");
        item = plan_add_file(p, "a", "secret", "/etc/s", 0600, v->secret, "w");
        item->secret = true;
        item->fingerprint = xstrdup(v->fingerprint);
        plan_item_input_of(item, "a.service");
        item = plan_add(p, PLAN_BINARY, "a", "binary", "w");
        item->path = xstrdup("/opt/a");
        item->sha256 = xstrdup(v->sha256);
        plan_item_input_of(item, "a.service");
        finish(p);

        unit = plan_find(p, "a/unit");
        if (ret_unit)
                buffer_add_str(ret_unit, buffer_str(&unit->content));
        return xstrdup(unit->unit.inputs);
}

static void test_inputs(void **state) {
        const Variant base = { "1", "2", "3", "fp", "a", "00" };
        _cleanup_buffer_ Buffer unit = BUFFER_NULL;
        _cleanup_free_ char *inputs = inputs_of(&base, &unit);
        _cleanup_free_ char *line = xasprintf("HARDWAY_INPUTS=%s", inputs);

        assert_int_equal(strlen(inputs), 32);
        assert_contains(buffer_str(&unit), line);
        /* in [Service], although [Install] was written last */
        assert_true(strstr(buffer_str(&unit), line) < strstr(buffer_str(&unit), "[Install]"));

        for (int i = 0; i < 7; i++) {
                _cleanup_free_ char *other = NULL;
                Variant v = base;
                const char **field[] = { &v.content, &v.fingerprint,    &v.description,
                                         &v.sha256,  &v.reload_content, &v.secret };

                if (i < 6)
                        *field[i] = "changed";
                other = inputs_of(&v, NULL);
                if (i < 4) /* those count; reloads, the secret itself, and nothing do not */
                        assert_string_not_equal(other, inputs);
                else
                        assert_string_equal(other, inputs);
        }
}

static void test_drop_ins(void **state) {
        Plan *p = *state;
        const PlanItem *drop_in, *own;
        PlanItem *shared;

        plan_add_drop_in(p, "haproxy", "haproxy.service", fixture_unit("x"), "w");
        plan_add_unit(p, "a", "a.service", fixture_unit("a"), "w");
        plan_add_drop_in(p, "a", "a.service", fixture_unit("more"), "w");
        plan_add_unit(p, "a", "a-check.timer", fixture_unit("timer"), "w");
        shared = plan_add_file(p, "a", "x", "/etc/x", 0644, "x", "w");
        plan_item_input_of(shared, "a.service");
        plan_item_input_of(shared, "haproxy.service");
        plan_item_input_of(shared, "a.service");
        assert_int_equal(strv_length(shared->input_of), 2);
        finish(p);

        drop_in = plan_find(p, "haproxy/drop-in");
        assert_string_equal(drop_in->path, "/etc/systemd/system/haproxy.service.d/50-hardway.conf");
        assert_non_null(plan_find_path(p, "/etc/systemd/system/haproxy.service.d"));
        assert_contains(buffer_str(&drop_in->content), drop_in->unit.inputs);

        /* the unit's own file carries the digest, which its drop-in knows too */
        own = plan_find(p, "a/unit");
        drop_in = plan_find(p, "a/drop-in");
        assert_string_equal(own->unit.inputs, drop_in->unit.inputs);
        assert_contains(buffer_str(&own->content), own->unit.inputs);
        assert_null(strstr(buffer_str(&drop_in->content), "HARDWAY_INPUTS"));
        assert_null(strstr(buffer_str(&plan_find(p, "a/unit-a-check.timer")->content), "HARDWAY_INPUTS"));
}

static void test_helpers(void **state) {
        Plan *p = *state;
        PlanItem *unit = plan_add_unit(p, "a", "a.service", fixture_unit("a"), "w");

        plan_unit_listens(unit, 6443);
        plan_unit_listens(unit, 2379);
        assert_int_equal(unit->unit.n_ports, 2);
        assert_int_equal(unit->unit.ports[1], 2379);
        plan_missing(p, "the key %s", "x");
        plan_missing(p, "the key x");
        assert_true(p->incomplete);
        assert_int_equal(strv_length(p->missing), 1);
        for (PlanItemType t = 0; t < _PLAN_ITEM_TYPE_MAX; t++)
                assert_non_null(plan_item_type_to_string(t));
        assert_null(plan_item_type_to_string(_PLAN_ITEM_TYPE_MAX));
        assert_null(plan_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                plan_test(test_order),
                plan_test(test_unite),
                plan_test(test_parents_elsewhere),
                plan_test(test_two_of_a_kind),
                plan_test(test_same_id),
                plan_test(test_directories_that_disagree),
                plan_test(test_sysctls_that_disagree),
                plan_test(test_paths),
                plan_test(test_names),
                plan_test(test_secret_without_fingerprint),
                plan_test(test_input_of_nothing),
                plan_test(test_inputs),
                plan_test(test_drop_ins),
                plan_test(test_helpers),
        };

        return cmocka_run_group_tests_name("plan-finish", tests, NULL, NULL);
}
