/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/check-fixture.h"

/* The rules over addresses, names, and the ways between the nodes */

static void test_addresses(void **state) {
        w.facts[1].address_dynamic = true;
        assert_only("addresses/c1", CHECK_WARNING, "has 10.77.0.21 for a time only", "--ignore addresses");
}

static void test_names(void **state) {
        char *names[] = { (char*) "k8s.lan", NULL };

        w.cluster.endpoint.names = names;
        answer(0, "cgroup2\nname c0 127.0.1.1\nname c1\nname lb0 10.77.0.11\nname k8s.lan 10.77.0.10\n");
        ask_all();
        assert_int_equal(find("names/c0")->state, CHECK_OK);
        answer(0, "cgroup2\nname c0 ::ffff:127.0.1.1\nname c1 ::ffff:10.77.0.21\n");
        ask_all();
        assert_int_equal(find("names/c0")->state, CHECK_OK);
        answer(0, "cgroup2\nname c0 127.0.1.1\nname c1 10.0.0.9\nname k8s.lan 10.77.0.99 fe80::1\n");
        assert_only("names/c0", CHECK_WARNING, "resolves c1 to 10.0.0.9, k8s.lan to 10.77.0.99",
                    "/etc/hosts");
        answer(0, "cgroup2\nname c1 slow\n");
        assert_only("names/c0", CHECK_WARNING, "takes more than 4 s to find c1", "resolv.conf");
}

static void test_reach(void **state) {
        answer(0, "cgroup2\nway 10.77.0.21/2380 refused\n");
        answer(2, "cgroup2\nway 10.77.0.20/6443 open\nway 10.77.0.21/6443 refused\n");
        w.world.here = &w.here;
        answers_add_way(&w.here, "10.77.0.20/6443", WAY_REFUSED, NULL);
        ask_all();
        assert_int_equal(find("reach/c0")->state, CHECK_OK);
        assert_int_equal(find("reach/lb0")->state, CHECK_OK);
        assert_int_equal(find("reach")->state, CHECK_OK);
        assert_string_equal(find("reach/c1")->text, "not looked at: that takes bash");
        assert_string_equal(find("reach/c0")->text, "all ways are open");
        assert_string_equal(find("reach")->text, "1 of 2 ways are open, the others were not looked at");

        answer(0, "cgroup2\nway 10.77.0.21/2380 silent\n");
        assert_only("reach/c0", CHECK_FAILED, "c1:2380 does not answer", "members");
        answer(0, "cgroup2\n");
        answer(2, "cgroup2\nway 10.77.0.20/6443 unreachable No route to host\nway 10.77.0.21/6443 silent\n");
        assert_only("reach/lb0", CHECK_FAILED, "c0:6443: No route to host, c1:6443 does not answer",
                    "the API");
        answer(2, "cgroup2\nway 10.77.0.20/6443 open\n");
        answer(0, "cgroup2\nway 10.77.0.21/2380 unreachable Permission denied\n");
        assert_only("reach/c0", CHECK_FAILED, "c1:2380: Permission denied", "members");

        /* no bash */
        answer(0, "cgroup2\n");
        ask_all();
        assert_int_equal(find("reach/c0")->state, CHECK_OK);
        assert_string_equal(find("reach/c0")->text, "not looked at: that takes bash");
        answer(2, "cgroup2\n");
        answers_add_way(&w.here, "10.77.0.21/6443", WAY_SILENT, NULL);
        assert_only("reach", CHECK_FAILED, "from this machine c1:6443 does not answer", "the API");
}

static void test_vip(void **state) {
        (void) inet_address_parse("10.77.1.10", &w.cluster.endpoint.address);
        assert_only("vip-network/lb0", CHECK_FAILED, "10.77.1.10 is in none of the networks on its eth0",
                    "endpoint.address");
        strv_add(&w.facts[2].networks, "eth1 10.77.1.5/24");
        assert_only("vip-network/lb0", CHECK_FAILED, "on its eth0", "endpoint.interface");
        w.cluster.endpoint.interface = (char*) "eth1";
        ask_all();
        assert_string_equal(find("vip-network/lb0")->text, "10.77.1.10 belongs on eth1");
        strv_add(&w.facts[2].networks, "eth1 10.77.0.130/25"); /* ends in the middle of a byte */
        (void) inet_address_parse("10.77.0.120", &w.cluster.endpoint.address);
        assert_only("vip-network/lb0", CHECK_FAILED, "is in none", "endpoint");
        (void) inet_address_parse("10.77.0.129", &w.cluster.endpoint.address);
        answer(2, "cgroup2\narp-ignore 0\narp-ignore 2\n");
        assert_only("sysctls/lb0", CHECK_FAILED, "arp_ignore is 2", "0 or 1");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                rule_test(test_names),
                rule_test(test_reach),
                rule_test(test_vip),
                rule_test(test_addresses),
        };

        return cmocka_run_group_tests_name("check network", tests, NULL, NULL);
}
