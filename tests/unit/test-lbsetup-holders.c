/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "lbsetup/internal.h"
#include "lbsetup/pair.h"
#include "tests/unit/lb-fixture.h"

/*
 * Who holds the VIP, of three load balancers, and of those of which one is stopped
 *
 * Wraps: clock_sleep clock_usec
 */
#define WELL \
        "installed\nhaproxy active\nkeepalived active\ndown 0\nhandover 0\npage 200\nserver c0,UP,L7OK,\n"
#define OWNER WELL "vrrp MASTER 900\naddress 10.77.0.10/32\n"
#define STANDBY WELL "vrrp BACKUP 900\naddress 10.77.0.100/24\n"

static LbFixture f;
static Node nodes[5];
static ProbeContext probes;
static const char *answers[3], *after_leave[3]; /* of lb0 to lb2; what they say once the VIP was let go of */
static uint64_t now;
static atomic_uint n_silent; /* how often one was asked that cannot be */

uint64_t __wrap_clock_usec(void);
uint64_t __wrap_clock_usec(void) {
        return now;
}

void __wrap_clock_sleep(uint64_t usec);
void __wrap_clock_sleep(uint64_t usec) {
        now += usec;
}

static int fake_exec(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        assert_true(node->index >= 2);
        if (!answers[node->index - 2]) {
                n_silent++;
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH, "no route to host");
        }
        if (strstr(script, "page /haproxy_ready"))
                buffer_add_str(ret, answers[node->index - 2]);
        else if (startswith(script, "# the VIP goes to another load balancer\n"))
                memcpy(answers, after_leave, sizeof(answers));
        return 0;
}

static int setup(void **state) {
        static char lb2[] = "lb2";

        lb_fixture_set_up(&f);
        memcpy(nodes, f.nodes, sizeof(f.nodes));
        nodes[4] = (Node) { .name = lb2, .roles = ROLE_LOADBALANCER, .architecture = ARCH_ARM64, .index = 4 };
        lb_fixture_address(&nodes[4].address, "10.77.0.13");
        f.cluster.nodes = nodes;
        f.cluster.n_nodes = 5;
        probes = (ProbeContext) { .cluster = &f.cluster, .exec = fake_exec };
        n_silent = 0;
        answers[0] = OWNER;
        answers[1] = answers[2] = STANDBY;
        memcpy(after_leave, answers, sizeof(answers));
        after_leave[0] = STANDBY;
        now = 1;
        return 0;
}

static int hand_over(Error **reterr) {
        return keepalived_hand_over(&probes, nodes + 2, reterr);
}

/* The one that was thought of first may be a moment behind the third. */
static void test_whoever_takes_it(void **state) {
        _cleanup_error_ Error *error = NULL;

        after_leave[2] = OWNER;
        assert_success(hand_over(&error), error, 0);
        assert_int_equal(now, 1); /* and nobody is waited for */
}

/* One that is dead costs an attempt to reach it each time. */
static void test_the_dead_are_not_waited_for(void **state) {
        answers[2] = NULL;
        after_leave[1] = STANDBY;
        after_leave[2] = NULL;
        assert_int_equal(hand_over(NULL), -ETIMEDOUT);
        assert_int_equal(n_silent, 1);
}

static void test_nobody_takes_it(void **state) {
        Error *error = NULL;
        int r = hand_over(&error);

        assert_true(now > 4 * USEC_PER_SEC);
        assert_contains(error->message, "no other load balancer took the VIP over, although lb1 could");
        assert_failure(r, error, ERROR_UNAVAILABLE, ETIMEDOUT);

        /* it still has it itself: that is nobody else */
        after_leave[0] = OWNER;
        assert_int_equal(hand_over(NULL), 0); /* it does not hold it any more: nothing to do */
        answers[0] = OWNER;
        assert_int_equal(hand_over(NULL), -ETIMEDOUT);
}

static const Check* find_check(const CheckList *l, const char *id) {
        for (size_t i = 0; i < l->n_checks; i++)
                if (streq(l->checks[i].id, id))
                        return l->checks + i;
        fail_msg("there is no %s", id);
        return NULL;
}

/* It keeps the address, and the others take it, too, as they hear nothing: the network is not to blame. */
static void test_one_is_stopped(void **state) {
        CheckList l = {};

        answers[0] = OWNER "stopped\n";
        answers[1] = OWNER;
        assert_int_equal(keepalived_verify(&probes, &l), 0);
        assert_int_equal(find_check(&l, "lb.vip")->state, CHECK_FAILED);
        assert_contains(find_check(&l, "lb.vip")->text, "lb0 and lb1");
        assert_contains(find_check(&l, "lb.vip")->advice, "keepalived on lb0 is stopped");
        assert_int_equal(find_check(&l, "lb.keepalived/lb0")->state, CHECK_FAILED);
        assert_contains(find_check(&l, "lb.keepalived/lb0")->advice, "systemctl restart keepalived");
        assert_int_equal(find_check(&l, "lb.keepalived/lb1")->state, CHECK_OK);
        check_list_done(&l);

        /* one that stands by and is stopped could take nothing over */
        answers[0] = OWNER;
        answers[1] = answers[2] = STANDBY "stopped\n";
        assert_int_equal(hand_over(NULL), 0);
        assert_string_equal(answers[0], OWNER);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_whoever_takes_it, setup),
                cmocka_unit_test_setup(test_the_dead_are_not_waited_for, setup),
                cmocka_unit_test_setup(test_nobody_takes_it, setup),
                cmocka_unit_test_setup(test_one_is_stopped, setup),
        };

        return cmocka_run_group_tests_name("lbsetup-holders", tests, NULL, NULL);
}
