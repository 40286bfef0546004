/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What verify says of a node itself: its clock, its disk.
 *
 * Wraps: host_pool_take host_pool_give host_look
 */

#include "tests/unit/unit.h"

#include "common/fs.h"
#include "host/host.h"
#include "tests/unit/plan-fixture.h"
#include "verify/node.h"

static Facts told;
static const char *drop_in; /* of somebody else, or NULL */
static const char *edition; /* of the store that the node was given, or NULL */
static Store *store;

int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr);
int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr) {
        *ret = (Host*) (void*) &told;
        return 0;
}

void __wrap_host_pool_give(HostPool *p, const Node *node);
void __wrap_host_pool_give(HostPool *p, const Node *node) {}

int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr);
int __wrap_host_look(Host *h, const Plan *plan, bool deep, Facts *ret_facts, Observation **ret,
                     Error **reterr) {
        *ret_facts = told;
        *ret = xnew(Observation, 1);
        (*ret)->paths = xnew(ObservedPath, 1);
        (*ret)->n_paths = 1;
        *(*ret)->paths = (ObservedPath) { .path = xstrdup("/var/lib/hardway"),
                                         .type = OBSERVED_DIRECTORY,
                                         .mode = 0700,
                                         .owner = xstrdup("root:root") };
        (*ret)->identity = xstrdup("0125ab");
        (*ret)->edition = xstrdup_null(edition);
        if (drop_in) {
                (*ret)->units = xnew(ObservedUnit, 1);
                (*ret)->n_units = 1;
                (*ret)->units->name = xstrdup("etcd.service");
                (*ret)->units->drop_ins = strv_new(drop_in, NULL);
        }
        return 0;
}

/* The check of that id, or NULL. */
static const Check* look(const char *id, CheckList *ret) {
        static const Component *const none[] = { NULL };
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const VerifyRequest request = { .cluster = &c, .components = none, .store = store };

        check_list_done(ret);
        verify_node(&request, NULL, nodes, ret);
        for (size_t i = 0; i < ret->n_checks; i++)
                if (streq(ret->checks[i].id, id))
                        return ret->checks + i;
        return NULL;
}

static void test_clock(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        const Check *check;

        told = (Facts) { .observed = true, .clock_offset = -2 };
        assert_int_equal(look("node.clock/c0", &checks)->state, CHECK_OK);
        told.clock_offset = 3600;
        check = look("node.clock/c0", &checks);
        assert_int_equal(check->state, CHECK_WARNING);
        assert_string_equal(check->text, "3600 s ahead of ours");
        assert_contains(check->advice, "timedatectl on c0");
}

static void test_disk(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        const Check *check;

        told = (Facts) { .observed = true, .disk_free = 7654321000 };
        check = look("node.disk/c0", &checks);
        assert_int_equal(check->state, CHECK_OK);
        assert_string_equal(check->text, "7654 MB are free");
        told.disk_free = 1; /* none */
        check = look("node.disk/c0", &checks);
        assert_int_equal(check->state, CHECK_FAILED);
        assert_string_equal(check->text, "full: 0 MB are free where /var/lib and /opt lie");
        assert_contains(check->advice, "make room on c0 (du -xh / | sort -h | tail;");
        told.disk_free = 0; /* not known */
        assert_null(look("node.disk/c0", &checks));
}

/* hardway plan says that the unit runs otherwise; so "as planned" is not all that is said here. */
static void test_left(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        const Check *check;

        told = (Facts) { .observed = true };
        assert_string_equal(look("node.plan/c0", &checks)->text, "1 items as planned");
        drop_in = "/etc/systemd/system/etcd.service.d/mine.conf";
        check = look("node.plan/c0", &checks);
        assert_int_equal(check->state, CHECK_OK);
        assert_string_equal(
                check->text,
                "1 items as planned; left as it is: /etc/systemd/system/etcd.service.d/mine.conf "
                "overrides etcd.service, and is not ours");
        drop_in = NULL;
}

/* A record says that another copy of the directory was at work since. */
static void test_edition(void **state) {
        UnitDir *d = *state;
        _cleanup_(check_list_done) CheckList checks = {};
        const Check *check;

        told = (Facts) { .observed = true };
        assert_true(fs_mkdir_all(d->fd, "pki", 0700, false, NULL) >= 0 &&
                    fs_mkdir_all(d->fd, "secrets", 0700, false, NULL) >= 0);
        assert_true(fs_write(d->fd, "secrets/identity", "0125ab\n", 7, 0600, 0, NULL) > 0);
        assert_true(fs_write(d->fd, "pki/history", "1 aaaa\n", 7, 0644, 0, NULL) > 0);
        assert_int_equal(store_open(d->path, &store, NULL), 0);
        edition = "1 aaaa";
        assert_null(look("node.edition/c0", &checks));
        edition = "2 bbbb";
        check = look("node.edition/c0", &checks);
        assert_int_equal(check->state, CHECK_FAILED);
        assert_string_equal(
                check->text,
                "this is not the newest copy of the cluster directory: its keys and certificates are "
                "edition 1, those on c0 (2) are of a newer one");
        assert_contains(check->advice, "hardway restore");
        edition = NULL;
        assert_null(look("node.edition/c0", &checks));
        store = store_free(store);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clock),
                cmocka_unit_test(test_disk),
                cmocka_unit_test(test_left),
                cmocka_unit_test_setup_teardown(test_edition, unit_dir_setup, unit_dir_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
