/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What verify says of a node itself: its clock, its disk.
 *
 * Wraps: host_pool_take host_pool_give host_look
 */

#include "tests/unit/unit.h"

#include "host/host.h"
#include "tests/unit/plan-fixture.h"
#include "verify/node.h"

static Facts told;

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
        return 0;
}

/* The check of that id, or NULL. */
static const Check* look(const char *id, CheckList *ret) {
        static const Component *const none[] = { NULL };
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const VerifyRequest request = { .cluster = &c, .components = none };

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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clock),
                cmocka_unit_test(test_disk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
