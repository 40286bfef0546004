/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <limits.h>
#include <sys/socket.h>

#include "common/inet.h"

static InetNetwork network(const char *s) {
        InetNetwork n = {};

        assert_int_equal(inet_network_parse(s, &n), 0);
        return n;
}

static InetAddress address(const char *s) {
        InetAddress a = {};

        assert_int_equal(inet_address_parse(s, &a), 0);
        return a;
}

static void test_address(void **state) {
        static const char *const rows[][2] = {
                { "192.0.2.1", "192.0.2.1" },
                { "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
                { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
                { "::", "::" },
                { "::1", "::1" },
                { "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
                { "fe80:0000:0000:0000:0204:61ff:fe9d:f156", "fe80::204:61ff:fe9d:f156" },
        };
        static const char *const wrong[] = {
                "",           "1.2.3",        "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4",
                "0x7f.1.1.1", "fe80::1%eth0", "[::1]",     "1::2::3",  "12345::",   "::1/128",  "localhost",
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                InetAddress a = address(rows[i][0]);
                _cleanup_free_ char *text = inet_address_to_string(&a);

                assert_string_equal(text, rows[i][1]);
        }
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                InetAddress a = { .family = 4711 };

                assert_int_equal(inet_address_parse(wrong[i], &a), -EINVAL);
                assert_int_equal(a.family, 4711);
        }
}

static void test_loopback(void **state) {
        static const char *const not [] = { "10.77.0.1", "::", "::ffff:127.0.0.1", "1.0.0.127" };
        InetAddress a = address("127.0.0.1"), b = address("::1"), none = {};

        assert_true(inet_is_loopback(&a) && inet_is_loopback(&b));
        assert_false(inet_is_loopback(&none));
        for (size_t i = 0; i < ARRAY_SIZE(not ); i++) {
                InetAddress other = address(not [i]);

                assert_false(inet_is_loopback(&other));
        }
}

static void test_forms(void **state) {
        InetAddress v4 = address("192.0.2.1"), v6 = address("2001:db8::1"), none = {};
        _cleanup_free_ char *e4 = inet_endpoint_to_string(&v4, 6443),
                            *e6 = inet_endpoint_to_string(&v6, 6443);
        char buffer[INET_TEXT_SIZE];

        assert_string_equal(e4, "192.0.2.1:6443");
        assert_string_equal(e6, "[2001:db8::1]:6443");
        assert_string_equal(inet_address_format(&none, buffer), "");
        assert_int_equal(inet_address_size(&v4), 4);
        assert_int_equal(inet_address_size(&v6), 16);
        assert_int_equal(inet_address_size(&none), 0);

        assert_true(inet_address_equal(&v4, &v4));
        assert_false(inet_address_equal(&v4, &v6));
        assert_true(inet_address_equal(&none, &none));
        v6 = address("::ffff:192.0.2.1");
        assert_false(inet_address_equal(&v4, &v6));
}

static void test_network(void **state) {
        static const struct {
                const char *text;
                int r;
        } rows[] = {
                { "10.0.0.0/8", 0 },
                { "0.0.0.0/0", 0 },
                { "::/0", 0 },
                { "10.1.2.3/32", 0 },
                { "2001:db8::/32", 0 },
                { "2001:db8::1/128", 0 },
                { "10.96.16.0/20", 0 },
                { "10.0.0.1/24", -ERANGE },
                { "10.96.8.0/20", -ERANGE },
                { "2001:db8::1/64", -ERANGE },
                { "10.0.0.0/33", -EINVAL },
                { "2001:db8::/129", -EINVAL },
                { "10.0.0.0", -EINVAL },
                { "10.0.0.0/", -EINVAL },
                { "10.0.0.0/08", -EINVAL },
                { "10.0.0.0/-1", -EINVAL },
                { "10.0.0.0/8/8", -EINVAL },
                { "10.0.0.0/255.0.0.0", -EINVAL },
                { "/8", -EINVAL },
                { "10.0.0.0/8 ", -EINVAL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *text = NULL;
                InetNetwork n = {};

                assert_int_equal(inet_network_parse(rows[i].text, &n), rows[i].r);
                if (rows[i].r < 0) {
                        assert_int_equal(n.address.family, AF_UNSPEC);
                        continue;
                }
                text = inet_network_to_string(&n);
                assert_string_equal(text, rows[i].text);
        }
}

static void test_contains(void **state) {
        static const struct {
                const char *network, *address;
                bool wanted;
        } rows[] = {
                { "10.0.0.0/8", "10.255.255.255", true },
                { "10.0.0.0/8", "11.0.0.0", false },
                { "10.96.16.0/20", "10.96.31.255", true },
                { "10.96.16.0/20", "10.96.32.0", false },
                { "0.0.0.0/0", "255.255.255.255", true },
                { "0.0.0.0/0", "::", false },
                { "::/0", "1.2.3.4", false },
                { "fd00::/8", "fdff::1", true },
                { "fd00::/8", "fe00::1", false },
                { "10.1.2.3/32", "10.1.2.3", true },
                { "10.1.2.3/32", "10.1.2.2", false },
        };
        InetNetwork all = network("0.0.0.0/0"), unset = {};
        InetAddress none = {}, a = address("1.2.3.4");

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                InetNetwork n = network(rows[i].network);
                InetAddress b = address(rows[i].address);

                assert_int_equal(inet_network_contains(&n, &b), rows[i].wanted);
        }
        assert_false(inet_network_contains(&all, &none));
        assert_false(inet_network_contains(&unset, &a));
        assert_false(inet_network_contains(&unset, &none));
}

static void test_overlaps(void **state) {
        static const struct {
                const char *a, *b;
                bool wanted;
        } rows[] = {
                { "10.0.0.0/8", "10.96.0.0/12", true },
                { "10.96.0.0/12", "10.200.0.0/16", false },
                { "10.0.0.0/24", "10.0.1.0/24", false },
                { "10.0.0.0/24", "10.0.0.0/24", true },
                { "0.0.0.0/0", "::/0", false },
                { "fd00::/48", "fd00:0:0:1::/64", true },
                { "fd00::/64", "fd00:0:0:1::/64", false },
                { "10.0.0.0/23", "10.0.1.0/24", true },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                InetNetwork a = network(rows[i].a), b = network(rows[i].b);

                assert_int_equal(inet_network_overlaps(&a, &b), rows[i].wanted);
                assert_int_equal(inet_network_overlaps(&b, &a), rows[i].wanted);
        }
}

static void test_nth(void **state) {
        static const struct {
                const char *network;
                unsigned index;
                const char *wanted;
        } rows[] = {
                { "10.96.0.0/12", 0, "10.96.0.0" },
                { "10.96.0.0/12", 1, "10.96.0.1" },
                { "10.96.0.0/12", 10, "10.96.0.10" },
                { "10.96.0.0/12", 256, "10.96.1.0" },
                { "10.96.0.0/24", 255, "10.96.0.255" },
                { "10.96.0.0/24", 256, NULL },
                { "10.1.1.1/32", 0, "10.1.1.1" },
                { "10.1.1.1/32", 1, NULL },
                { "255.255.255.0/24", 256, NULL },
                { "0.0.0.0/0", UINT_MAX, "255.255.255.255" },
                { "fd00::/108", 10, "fd00::a" },
                { "fd00::/64", UINT_MAX, "fd00::ffff:ffff" },
                { "fd00::/108", 1 << 20, NULL },
                { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00/120", 256, NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                InetNetwork n = network(rows[i].network);
                InetAddress a = { .family = 4711 };
                char buffer[INET_TEXT_SIZE];

                assert_int_equal(inet_network_nth(&n, rows[i].index, &a), rows[i].wanted ? 0 : -ERANGE);
                if (rows[i].wanted)
                        assert_string_equal(inet_address_format(&a, buffer), rows[i].wanted);
                else
                        assert_int_equal(a.family, 4711);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_address),  cmocka_unit_test(test_forms),
                cmocka_unit_test(test_network),  cmocka_unit_test(test_contains),
                cmocka_unit_test(test_overlaps), cmocka_unit_test(test_nth),
                cmocka_unit_test(test_loopback),
        };

        return cmocka_run_group_tests_name("common-inet", tests, NULL, NULL);
}
