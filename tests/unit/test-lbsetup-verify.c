/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/pair-fixture.h"

/* What verify says of the pair, and of others who use its VIP or its virtual router id */

/* One came back that could not be asked when the other was set up. */
static void test_verify_told(void **state) {
        CheckList l = {};

        answers[0] = OWNER "peer 10.77.0.12\n";
        verify(&l);
        assert_int_equal(check_list_failed(&l), 1);
        assert_contains(find(&l, "lb.told/lb1")->text, "was not told of lb0");
        assert_contains(find(&l, "lb.told/lb1")->advice, "hardway install --node lb1");

        /* the link to it is well: nobody is sent to look at that */
        answers[1] = OWNER;
        verify(&l);
        assert_contains(find(&l, "lb.vip")->text, "is on lb0 and lb1 at the same time");
        assert_string_equal(find(&l, "lb.vip")->advice,
                            "lb1 was not told of lb0; mended by: hardway install --node lb1");

        /* who is not installed yet needs not be known */
        answers[0] = "";
        answers[1] = OWNER;
        verify(&l);
        for (size_t i = 0; i < l.n_checks; i++)
                assert_null(startswith(l.checks[i].id, "lb.told"));
        check_list_done(&l);
}

static void test_verify(void **state) {
        CheckList l = {};

        answers[0] = OWNER "peer 10.77.0.12\n";
        answers[1] = STANDBY "peer 10.77.0.11\n";
        verify(&l);
        assert_int_equal(l.n_checks, 9);
        assert_int_equal(check_list_failed(&l), 0);
        assert_string_equal(find(&l, "lb.vip")->text, "10.77.0.10 is on lb0");
        assert_string_equal(json_string_value(json_object_get(find(&l, "lb.vip")->data, "holder")), "lb0");
        assert_string_equal(find(&l, "lb.backends/lb1")->text, "2 of 2 apiservers are up");

        answers[1] = "installed\nhaproxy active\nkeepalived active\npage 200\nvrrp MASTER 1\n" VIP
                     "peer 10.77.0.11\n"
                     "server c0,UP,L7OK,\nserver c1,DOWN,L4CON,Connection refused\n";
        verify(&l);
        assert_int_equal(check_list_failed(&l), 2);
        assert_contains(find(&l, "lb.backends/lb1")->text,
                        "1 of 2 apiservers are up: c1 DOWN (L4CON, Connection refused)");
        assert_contains(find(&l, "lb.vip")->text, "is on lb0 and lb1 at the same time");
        assert_contains(find(&l, "lb.vip")->advice, "virtual router id 51");

        answers[0] = NULL;
        answers[1] = "installed\nhaproxy failed\nkeepalived active\nvrrp FAULT 1\ndown 1\n";
        verify(&l);
        assert_contains(find(&l, "lb.haproxy/lb0")->text, "no route to host");
        assert_contains(find(&l, "lb.haproxy/lb1")->text, "haproxy.service is failed");
        assert_contains(find(&l, "lb.keepalived/lb1")->text, "as haproxy does not run");
        assert_contains(find(&l, "lb.vip")->text, "no load balancer that can be asked holds 10.77.0.10");
        check_list_done(&l);
}

/* vip, vrrp: what was found; "": nothing. */
static void expect_foreign(CheckList *l, const char *vip, const char *vrrp) {
        const Check *of_vip = find(l, "lb.vip-foreign"), *of_vrrp = find(l, "lb.vrrp-id");

        assert_int_equal(l->n_checks, 9);
        assert_int_equal(of_vip->state, *vip ? CHECK_FAILED : CHECK_OK);
        assert_int_equal(of_vrrp->state, *vrrp ? CHECK_WARNING : CHECK_OK);
        assert_contains(of_vip->text, *vip ? vip : "no other machine answers");
        assert_contains(of_vrrp->text, *vrrp ? vrrp : "nobody else uses");
}

/* Nobody has found anything, as nobody could look; and that is not called well. */
static void expect_not_looked_at(CheckList *l) {
        static const char *const ids[] = { "lb.vip-foreign", "lb.vrrp-id" };

        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                const Check *check = find(l, ids[i]);

                assert_int_equal(check->state, CHECK_WARNING);
                assert_contains(check->text, "was not looked at: no load balancer could listen");
                assert_contains(check->advice, "perl");
        }
}

typedef struct Heard {
        const char *heard, *vip, *vrrp; /* what was heard, and what is said of it; "": all is well */
} Heard;

static void hear(const Heard *cases, size_t n) {
        answers[0] = OWNER "peer 10.77.0.12\npeer fd77::12\n";
        answers[1] = STANDBY "peer 10.77.0.11\npeer fd77::11\n";
        for (size_t i = 0; i < n; i++) {
                CheckList l = {};

                script_answer = cases[i].heard;
                verify(&l);
                expect_foreign(&l, cases[i].vip, cases[i].vrrp);
                check_list_done(&l);
        }
}

/* What the load balancers hear of others, and what is concluded. */
static void test_foreign(void **state) {
        static const Heard cases[] = {
                { "listened\n", "", "" },
                { "mac 10.77.0.11 02:00:00:00:00:11\nmac 10.77.0.10 02:00:00:00:00:11\nlistened\n", "", "" },
                { "mac 10.77.0.10 02:00:00:00:00:12\nmac 10.77.0.12 02:00:00:00:00:12\nlistened\n", "", "" },
                { "mac 10.77.0.11 02:00:00:00:00:11\nmac 10.77.0.10 02:00:00:00:00:99\nlistened\n",
                  "10.77.0.10 is answered by a machine that is none of the load balancers (MAC address "
                  "02:00:00:00:00:99)",
                  "" },
                { "mac 10.77.0.100 02:00:00:00:00:99\nmac\nmac 10.77.0.10\nlistened\n", "", "" },
                { "vrrp 10.77.0.12 51\nvrrp 10.77.0.5 52\nvrrp 10.77.0.5 x\nvrrp 51\nvrrp\nlistened\n", "",
                  "" },
                { "vrrp 10.77.0.5 51\nlistened\n", "", "virtual router id 51 is used by 10.77.0.5, too" },
        };

        hear(cases, ARRAY_SIZE(cases));
        assert_contains(last_script, "H_ALL='10.77.0.10 10.77.0.11 10.77.0.12'\n");
}

static void test_foreign_ipv6(void **state) {
        static const Heard cases[] = {
                { "mac fd77::11 02:00:00:00:00:11\nmac fd77::10 02:00:00:00:00:11\n"
                  "vrrp fd77::12 51\nvrrp fe80::5 52\nlistened\n",
                  "", "" },
                { "mac fd77::11 02:00:00:00:00:11\nmac fd77::10 02:00:00:00:00:99\nvrrp fe80::5 51\nlistened\n",
                  "fd77::10 is answered by a machine that is none of the load balancers (MAC address "
                  "02:00:00:00:00:99)",
                  "virtual router id 51 is used by fe80::5, too" },
        };

        use_ipv6();
        hear(cases, ARRAY_SIZE(cases));
        assert_contains(last_script, "H_ALL='fd77::10 fd77::11 fd77::12'\n");
}

/* No perl; or nobody who was ever installed, or can be asked. */
static void test_foreign_deaf(void **state) {
        static const char *const heard[] = { "", "mac 10.77.0.11 02:00:00:00:00:11\n" };

        for (size_t i = 0; i < ARRAY_SIZE(heard); i++) {
                CheckList l = {};

                script_answer = heard[i];
                verify(&l);
                expect_not_looked_at(&l);
                check_list_done(&l);
        }
        answers[0] = "";
        answers[1] = NULL;
        n_scripts = 0;
        CheckList l = {};

        verify(&l);
        expect_not_looked_at(&l);
        assert_int_equal(n_scripts, 0);
        check_list_done(&l);
}

/* More than the script ever says is not from the script. */
static void test_foreign_endless(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        CheckList l = {};

        buffer_add_str(&text, "listened\n");
        for (unsigned i = 0; i < 1000; i++)
                buffer_add_str(&text, "mac 10.77.0.10 02:00:00:00:00:99\n");
        script_answer = buffer_str(&text);
        verify(&l);
        assert_int_equal(n_scripts, 2);
        expect_not_looked_at(&l);
        check_list_done(&l);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                pair_test(test_verify),          pair_test(test_verify_told),  pair_test(test_foreign),
                pair_test(test_foreign_endless), pair_test(test_foreign_ipv6), pair_test(test_foreign_deaf),
        };

        return cmocka_run_group_tests_name("lbsetup-verify", tests, NULL, NULL);
}
