/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/pair-fixture.h"

/* What speaks against a load balancer's being started: the VIP, the configuration, the way to the other one */

static void preflight(const char *answer, const char *wanted) {
        _cleanup_(check_list_done) CheckList checks = {};
        _cleanup_error_ Error *error = NULL;

        script_answer = answer;
        assert_success(keepalived_preflight(&probes, LB0, &checks, &error), error, 0);
        assert_string_equal(checks.checks[0].id, "vip/lb0");
        assert_int_equal(checks.checks[0].state, wanted ? CHECK_FAILED : CHECK_OK);
        if (wanted)
                assert_contains(checks.checks[0].text, wanted);
        for (size_t i = 1; i < checks.n_checks; i++)
                if (!streq(checks.checks[i].id, "lb-told/lb0"))
                        assert_int_equal(checks.checks[i].state, CHECK_OK);
}

static void test_preflight(void **state) {
        preflight("mac 10.77.0.10 02:00:00:00:00:99\n", NULL); /* ours holds it */
        assert_null(last_script);

        answers[0] = answers[1] = "";
        preflight("mac 10.77.0.10 02:00:00:00:00:99\nmac 10.77.0.12 02:00:00:00:00:12\n",
                  "the VIP 10.77.0.10 is answered by another machine (MAC address 02:00:00:00:00:99)");
        assert_string_equal(first_script,
                            "# is the VIP free?\nvip='10.77.0.10'\nall='10.77.0.10 10.77.0.12'\n");
        preflight("mac 10.77.0.12 02:00:00:00:00:12\n", NULL);
        preflight("", NULL);
        preflight("mac 10.77.0.100 02:00:00:00:00:99\n", NULL);

        /* a load balancer of ours that cannot be asked may well hold it */
        answers[1] = NULL;
        preflight("mac 10.77.0.10 02:00:00:00:00:12\nmac 10.77.0.12 02:00:00:00:00:12\n", NULL);
}

/* haproxy and keepalived have one configuration each. */
static void test_configs(void **state) {
        static const struct {
                const char *answer, *text;
                CheckState state;
        } cases[] = {
                { "", "nobody else's", CHECK_OK },
                { "/etc/haproxy/haproxy.cfg\n/etc/keepalived/keepalived.conf\n",
                  "/etc/haproxy/haproxy.cfg and /etc/keepalived/keepalived.conf: written by somebody else",
                  CHECK_FAILED },
                { "/etc/default/haproxy\n",
                  "/etc/default/haproxy: written by somebody else, and hardway's would take its place",
                  CHECK_FAILED },
                { "? /etc/haproxy/haproxy.cfg\n/etc/keepalived/keepalived.conf\n",
                  "/etc/haproxy/haproxy.cfg and /etc/keepalived/keepalived.conf: written by", CHECK_FAILED },
                { "? /etc/haproxy/haproxy.cfg\n", "/etc/haproxy/haproxy.cfg would be replaced, and whether",
                  CHECK_WARNING },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                script_answer = cases[i].answer;
                assert_int_equal(haproxy_preflight(&probes, LB0, &checks, NULL), 0);
                assert_int_equal(checks.n_checks, 1);
                assert_string_equal(checks.checks[0].id, "lb-config/lb0");
                assert_contains(checks.checks[0].text, cases[i].text);
                assert_int_equal(checks.checks[0].state, cases[i].state);
                assert_int_equal(checks.checks[0].advice != NULL, cases[i].state != CHECK_OK);
        }
}

/* Who has it from its network configuration would not let go of it. */
static void test_by_hand(void **state) {
        static const char *const texts[] = {
                "address 10.77.0.10/24\n",                    /* nobody was here yet */
                "keepalived active\naddress 10.77.0.10/32\n", /* a keepalived of before */
                STANDBY "address 10.77.0.10/32\n",            /* the other one is master */
                OWNER "address 10.77.0.10/24\n",              /* beside what ours has added */
                WELL "down 1\nvrrp FAULT 1\naddress 10.77.0.10/24\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                CheckList l = {};

                answers[0] = texts[i];
                answers[1] = i < 2 ? "" : i == 3 ? STANDBY : OWNER;
                preflight("", "lb0 has the VIP 10.77.0.10 already, and not from hardway's keepalived");
                verify(&l);
                assert_int_equal(find(&l, "lb.vip")->state, CHECK_FAILED);
                assert_contains(find(&l, "lb.vip")->text,
                                "lb0 has 10.77.0.10, and not from hardway's keepalived");
                assert_contains(find(&l, "lb.vip")->advice, "Take it out of lb0's network configuration");
                check_list_done(&l);
        }
        /* a machine of ours that is no load balancer is no better than any other */
        answers[0] = answers[1] = STANDBY;
        controllers_say = "address 10.77.0.10/32\n";
        preflight("mac 10.77.0.10 02:00:00:00:00:99\n", "is answered by another machine");
}

/* It begins anew, or has just taken over, and its word comes after the deed. */
static void test_by_hand_for_an_instant(void **state) {
        static const char *const texts[] = { STANDBY "address 10.77.0.10/32\n",
                                             OWNER "address 10.77.0.10/24\n" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                answers[0] = texts[i];
                answers_after_sleep = OWNER;
                preflight("", NULL);
                assert_null(last_script);
        }
        /* what a keepalived that was killed has left there is told of it, not of the VIP */
        answers[0] = "installed\nhaproxy active\nkeepalived failed\nvrrp BACKUP 9\npage 200\n" UP VIP;
        preflight("", NULL);
}

/* Adverts of others, of our own pair, and nobody to listen. */
static void test_vrrp_id(void **state) {
        static const struct {
                const char *answer, *text;
                CheckState state;
        } cases[] = {
                { "vrrp 10.77.0.5 51\nlistened\n", "virtual router 51 is advertised by 10.77.0.5, too",
                  CHECK_WARNING },
                { "vrrp 10.77.0.5 52\nvrrp 10.77.0.12 51\nlistened\n",
                  "no other virtual router 51 was heard", CHECK_OK },
                { "vrrp 10.77.0.5 x\n51\nlistened\n", "no other virtual router 51 was heard", CHECK_OK },
                { "", "not looked at: that takes perl", CHECK_OK },
        };

        probes.thorough = true;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                script_answer = cases[i].answer;
                assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
                assert_string_equal(checks.checks[1].id, "vrrp-id/lb0");
                assert_contains(checks.checks[1].text, cases[i].text);
                assert_int_equal(checks.checks[1].state, cases[i].state);
        }
        assert_contains(last_script, "H_ADDRESS='10.77.0.11'\n");

        CheckList six = {};
        use_ipv6();
        script_answer = "vrrp fe80::5 51\nlistened\n";
        assert_int_equal(keepalived_preflight(&probes, LB0, &six, NULL), 0);
        assert_contains(find(&six, "vrrp-id/lb0")->text, "virtual router 51 is advertised by fe80::5, too");
        assert_contains(last_script, "H_ADDRESS='fd77::11'\n");
        check_list_done(&six);
}

/* What the way to lb1 is found to be, and who is not asked. */
static void test_vrrp_reach(void **state) {
        static const struct {
                const char *answer, *text;
                CheckState state;
        } cases[] = {
                { "10.77.0.12 open\nasked\n", "VRRP gets to the others", CHECK_OK },
                { "10.77.0.12 silent\nasked\n", "VRRP (IP protocol 112): lb1 does not answer",
                  CHECK_FAILED },
                { "10.77.0.12 denied\nasked\n", "lb1 is kept from it by a firewall", CHECK_FAILED },
                { "10.77.0.12 unreachable\nasked\n", "lb1 cannot be reached", CHECK_FAILED },
                { "10.77.0.120 silent\n10.77.0.12 odd\nasked\n", "VRRP gets to the others", CHECK_OK },
                { "10.77.0.12 silent\n", "not looked at", CHECK_OK },
                { "", "not looked at", CHECK_OK },
        };

        answers[0] = answers[1] = "";
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                script_answer = cases[i].answer;
                assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
                assert_int_equal(checks.n_checks, 2);
                assert_string_equal(checks.checks[1].id, "vrrp-reach/lb0");
                assert_contains(checks.checks[1].text, cases[i].text);
                assert_int_equal(checks.checks[1].state, cases[i].state);
                if (cases[i].state == CHECK_FAILED)
                        assert_contains(checks.checks[1].advice,
                                        "On lb1, where it is nftables: nft insert rule inet filter input ip "
                                        "saddr 10.77.0.11 meta l4proto 112 accept");
        }
        assert_contains(last_script, "H_ADDRESS='10.77.0.11'\nH_PEERS='10.77.0.12'\n");

        CheckList six = {};
        use_ipv6();
        script_answer = "fd77::12 silent\nasked\n";
        assert_int_equal(keepalived_preflight(&probes, LB0, &six, NULL), 0);
        assert_contains(find(&six, "vrrp-reach/lb0")->advice,
                        "input ip6 saddr fd77::11 meta l4proto 112 accept");
        assert_contains(last_script, "H_ADDRESS='fd77::11'\nH_PEERS='fd77::12'\n");
        check_list_done(&six);

        static const char *const not_asked[] = { STANDBY, NULL };
        for (size_t i = 0; i < ARRAY_SIZE(not_asked); i++) {
                _cleanup_(check_list_done) CheckList checks = {};

                answers[1] = not_asked[i];
                assert_int_equal(keepalived_preflight(&probes, LB0, &checks, NULL), 0);
                assert_int_equal(checks.n_checks, answers[1] ? 1 : 2);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                pair_test(test_preflight), pair_test(test_configs),
                pair_test(test_by_hand),   pair_test(test_by_hand_for_an_instant),
                pair_test(test_vrrp_id),   pair_test(test_vrrp_reach),
        };

        return cmocka_run_group_tests_name("lbsetup-preflight", tests, NULL, NULL);
}
