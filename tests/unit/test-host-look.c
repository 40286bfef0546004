/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Understanding what look.sh prints: an answer of a real node, and answers that are not as they should
 * be. */

#include "host/look-parse.h"
#include "plan-fixture.h"
#include "unit.h"

#define NONCE "0123456789abcdef"
#define STAMP "1795258754.977910182:1795258754.977910182:10456719"
#define SHA "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

typedef struct Section {
        const char *name, *text;
} Section;

/* As a Debian 12 node printed it. */
static const Section good[] = {
        { "applied",
          "{\"identity\": \"id-1\", \"files\": [\n"
          "{\"path\": \"/etc/a\", \"sha256\": \"" SHA "\", \"stamp\": \"5:" STAMP "\"},\n"
          "{\"path\": \"/etc/b\", \"sha256\": \"" SHA "\", \"stamp\": \"6:" STAMP "\"},\n"
          "{\"path\": \"/usr/local/bin/etcd\", \"sha256\": \"link:/opt/etcd\", \"stamp\": \"\"}],\n"
          "\"traces\": [\"user etcd\", \"directory /var/lib/etcd etcd:etcd\"]}\n" },
        { "generation", "12\n" },
        { "paths", "81a4 root:root 5 " STAMP " etc/a\n"
                   "8180 etcd:etcd 5 " STAMP " etc/b\n"
                   "41c0 etcd:etcd 4096 " STAMP " var/lib/etcd\n"
                   "a1ff root:root 9 " STAMP " usr/local/bin/etcd -> /opt/etcd\n"
                   "81a4 root:root 5 " STAMP " etc/a\n" },
        { "units",
          "MainPID=36\nResult=success\nNRestarts=2\nId=etcd.service\nLoadState=loaded\nActiveState=active\n"
          "SubState=running\nJob=419\nFragmentPath=/etc/systemd/system/etcd.service\nDropInPaths=/etc/systemd/system/etcd.service.d/a.conf /run/b.conf\n"
          "UnitFileState=enabled\nNeedDaemonReload=yes\n"
          "\n"
          "MainPID=0\nResult=success\nNRestarts=0\nId=foo.service\nLoadState=not-found\nActiveState=inactive\n"
          "SubState=dead\nDropInPaths=\nUnitFileState=\nNeedDaemonReload=no\n" },
        { "inputs", "/proc/36/environ:HARDWAY_INPUTS=abc\n" },
        { "users", "etcd:x:998:998:etcd:/var/lib/etcd:/usr/sbin/nologin\n" },
        { "packages", "haproxy installed\nkeepalived not-installed\n" },
        { "tools", "apt-get\n" },
        { "systemd", "systemd 252.so\n" },
        { "files",
          "etc/machine-id:6f0e7477f21142c3a26cc8467b2b69d6\n"
          "etc/hosts:127.0.1.1\th0\netc/nsswitch.conf:hosts:          files dns\n"
          "run/hardway/etcd.service.loaded:" SHA "  /etc/a\nrun/hardway/etcd.service.loaded:second\n"
          "run/hardway/other.service.loaded:x\n"
          "/proc/sys/kernel/hostname:h0\n/proc/meminfo:MemTotal:       24684096 kB\n"
          "/proc/meminfo:MemFree:        1234 kB\n"
          "/sys/fs/cgroup/cgroup.controllers:cpuset cpu io memory hugetlb pids\n"
          "proc/sys/net/ipv4/ip_local_port_range:32768\t60999\n"
          "var/lib/hardway/taken:/etc/a kept\nvar/lib/hardway/taken:/etc/b nothing foo.service masked inactive\n"
          "var/lib/hardway/directories:complete\nvar/lib/hardway/directories:directory /var/lib/etcd etcd:etcd nothing\n"
          "var/lib/hardway/directories:chosen /srv/a b:b 2755 root:adm\nvar/lib/hardway/directories:directory /var/li\n"
          "var/lib/hardway/etcd-identity:id-0\n"
          "/proc/cpuinfo:flags\t\t: fpu vme aes xsave\n/proc/self/smaps:KernelPageSize:       16 kB\n" },
        { "machine", "x86_64\n 7f 45 4c 46 02 01 01 00 00 00 00 00 00 00 00 00\n 03 00 3e 00\n" },
        { "addresses",
          "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
          "2: host0    inet 10.77.0.20/25 brd 10.77.0.255 scope global host0\\   valid_lft forever\n"
          "2: host0    inet6 fe80::1/64 scope link \\       valid_lft forever preferred_lft forever\n" },
        { "listening", "LISTEN 0      128    0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=36,fd=3))\n"
                       "LISTEN 0      128       [::]:22    [::]:* users:((\"sshd\",pid=36,fd=4))\n"
                       "LISTEN 0      4096   127.0.0.53%lo:53 0.0.0.0:*\n"
                       "LISTEN 0      4096   *:6443 *:* users:((\"kube-apiserver\",pid=9,fd=7))\n" },
        { "disk", "1000 4096 opt\n500 4096 var/lib\n" },
        { "clock", "yes\n1795258754\n" },
};

static void write_answer(const Section *replacement, Buffer *out) {
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                const Section *s =
                        replacement && streq(good[i].name, replacement->name) ? replacement : good + i;

                if (!s->text)
                        continue;
                buffer_addf(out, "\n@" NONCE " %s\n", s->name);
                buffer_add_str(out, s->text);
                if (streq(s->name, "inputs") && out->size > 0)
                        out->data[out->size - 1] = 0; /* words of /proc/PID/environ end with a NUL */
        }
}

static int parse(const Section *replacement, Facts *facts, Look *ret, Error **reterr) {
        _cleanup_buffer_ Buffer answer = BUFFER_NULL;
        _cleanup_strv_ Strv units = strv_new("etcd.service", "foo.service", NULL);
        _cleanup_strv_ Strv sysctls = strv_new("net.ipv4.ip_local_port_range", NULL);
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        LookRequest request = {
                .nonce = NONCE, .address = &nodes[0].address, .units = units, .sysctls = sysctls
        };

        facts_default(&c, nodes, facts);
        write_answer(replacement, &answer);
        return look_parse(&request, answer.data, answer.size, facts, ret, reterr);
}

static void test_observation(void **state) {
        _cleanup_(facts_done) Facts f = {};
        _cleanup_(look_done) Look look = LOOK_NULL;
        _cleanup_error_ Error *error = NULL;
        const Observation *o;
        const ObservedUnit *u;

        assert_success(parse(NULL, &f, &look, &error), error, 0);
        o = look.observation;
        assert_string_equal(o->identity, "id-1");
        assert_int_equal(o->generation, 12);
        assert_int_equal(o->n_applied, 3);
        assert_int_equal(strv_length(o->traces), 2);
        assert_int_equal(strv_length(o->taken), 2);
        assert_string_equal(o->taken[1], "/etc/b nothing foo.service masked inactive");
        /* what a full disk has cut off says nothing */
        assert_int_equal(strv_length(o->made), 2);
        assert_true(o->made_whole);
        assert_string_equal(o->made[1], "chosen /srv/a b:b 2755 root:adm");
        assert_string_equal(o->traces[1], "directory /var/lib/etcd etcd:etcd");
        assert_int_equal(o->n_paths, 4);
        assert_int_equal(observation_path(o, "/etc/a")->mode, 0644);
        assert_string_equal(observation_path(o, "/etc/a")->sha256, SHA);
        assert_null(observation_path(o, "/etc/b")->sha256); /* recorded under another stamp */
        assert_string_equal(observation_path(o, "/etc/b")->owner, "etcd:etcd");
        assert_int_equal(observation_path(o, "/var/lib/etcd")->type, OBSERVED_DIRECTORY);
        assert_int_equal(observation_path(o, "/usr/local/bin/etcd")->type, OBSERVED_SYMLINK);
        assert_string_equal(observation_path(o, "/usr/local/bin/etcd")->target, "/opt/etcd");
        u = observation_unit(o, "etcd.service");
        assert_string_equal(u->active_state, "active");
        assert_string_equal(u->inputs, "abc");
        assert_string_equal(u->loaded, SHA "  /etc/a\nsecond\n");
        assert_true(u->needs_reload);
        assert_true(u->queued);
        assert_int_equal(u->n_restarts, 2);
        assert_int_equal(strv_length(u->drop_ins), 2);
        assert_string_equal(u->fragment, "/etc/systemd/system/etcd.service");
        u = observation_unit(o, "foo.service");
        assert_string_equal(u->load_state, "not-found");
        assert_false(u->queued);
        assert_null(u->inputs);
        assert_string_equal(o->users[0], "etcd");
        assert_string_equal(o->packages[0], "haproxy");
        assert_int_equal(strv_length(o->packages), 1);
        assert_string_equal(o->sysctls[0], "net.ipv4.ip_local_port_range=32768 60999");
}

static void test_facts(void **state) {
        _cleanup_(facts_done) Facts f = {};
        _cleanup_(look_done) Look look = LOOK_NULL;
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *listening = NULL, *addresses = NULL, *networks = NULL;

        assert_success(parse(NULL, &f, &look, &error), error, 0);
        assert_true(f.observed && f.userland_matches && f.has_apt && f.has_aes && f.cgroup_memory &&
                    f.name_resolves);
        assert_true(f.clock_synchronized);
        assert_int_equal(f.architecture, ARCH_AMD64);
        assert_string_equal(f.hostname, "h0");
        assert_int_equal(f.systemd_version, 252);
        assert_string_equal(f.interface, "host0");
        assert_int_equal(f.prefix_length, 25);
        assert_int_equal(f.memory, 24684096ull * 1024);
        assert_int_equal(f.disk_free, 500 * 4096);
        assert_int_equal(f.page_size, 16384);
        assert_int_equal(f.clock, 1795258754);
        listening = strv_join(f.listening, ",");
        assert_string_equal(listening,
                            "0.0.0.0:22 sshd,[::]:22 sshd,127.0.0.53:53,[::]:6443 kube-apiserver");
        addresses = strv_join(f.addresses, ",");
        assert_string_equal(addresses, "127.0.0.1,10.77.0.20,fe80::1");
        networks = strv_join(f.networks, ",");
        assert_string_equal(networks, "lo 127.0.0.1/8,host0 10.77.0.20/25,host0 fe80::1/64");
}

/* The tightest file system counts, also where nothing is free on it: that is not the same as not known. */
static void test_full_disk(void **state) {
        _cleanup_(facts_done) Facts f = {};
        _cleanup_(look_done) Look look = LOOK_NULL;
        _cleanup_error_ Error *error = NULL;

        assert_success(parse(&(Section) { "disk", "0 4096 var/lib\n500 4096 opt\n" }, &f, &look, &error),
                       error, 0);
        assert_int_equal(f.disk_free, 1);
}

/* As iproute2 shows what DHCP gave, and what a router's advertisement did. */
static void test_dynamic(void **state) {
        static const struct {
                const char *text;
                bool dynamic;
        } cases[] = {
                { "2: eth0    inet 10.77.0.20/24 brd 10.77.0.255 scope global dynamic noprefixroute eth0\\"
                  "       valid_lft 85839sec preferred_lft 85839sec\n",
                  true },
                { "2: eth0    inet 10.77.0.20/24 brd 10.77.0.255 scope global eth0\\       valid_lft forever\n"
                  "2: eth0    inet6 2001:db8::1/64 scope global dynamic mngtmpaddr \\       valid_lft 900sec\n",
                  false },
                { "2: dynamic    inet 10.77.0.20/24 scope global noprefixroute eth0\\       valid_lft forever\n",
                  false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(facts_done) Facts f = {};
                _cleanup_(look_done) Look look = LOOK_NULL;
                _cleanup_error_ Error *error = NULL;

                assert_success(parse(&(Section) { "addresses", cases[i].text }, &f, &look, &error), error, 0);
                assert_int_equal(f.address_dynamic, cases[i].dynamic);
        }
}

/* A Raspberry Pi with a 64-bit kernel and a 32-bit userland, and machines that are neither. */
static void test_architecture(void **state) {
        static const struct {
                const char *text;
                Architecture architecture;
                bool matches;
        } cases[] = {
                { "aarch64\n 7f 45 4c 46 02 01 01 00 00 00 00 00 00 00 00 00\n 03 00 b7 00\n", ARCH_ARM64,
                  true },
                { "aarch64\n 7f 45 4c 46 01 01 01 00 00 00 00 00 00 00 00 00\n 03 00 28 00\n", ARCH_ARM64,
                  false },
                { "armv7l\n 7f 45 4c 46 01 01 01 00 00 00 00 00 00 00 00 00\n 03 00 28 00\n", _ARCH_INVALID,
                  false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(facts_done) Facts f = {};
                _cleanup_(look_done) Look look = LOOK_NULL;
                _cleanup_error_ Error *error = NULL;

                assert_success(parse(&(Section) { "machine", cases[i].text }, &f, &look, &error), error, 0);
                assert_int_equal(f.architecture, cases[i].architecture);
                assert_int_equal(f.userland_matches, cases[i].matches);
        }
}

static void test_bad(void **state) {
        static const Section cases[] = {
                { "applied", "{\"identity\": 1" },
                { "applied", "{\"files\": [{\"path\": \"relative\", \"sha256\": \"\", \"stamp\": \"\"}]}" },
                { "applied", "{}" },
                { "generation", "-1\n" },
                { "generation", "18446744073709551615\n" },
                { "paths", "81a4 root:root 5 1795258754:1795258754:1 etc/a\n" }, /* no nanoseconds */
                { "paths", "81a4 root:root 5 %.9Y:%.9Z:1 etc/a\n" },
                { "paths", "81a4 root:root 5\n" },
                { "paths", "xyz root:root 5 " STAMP " etc/a\n" },
                { "paths", "81a4 root:root five " STAMP " etc/a\n" },
                { "units", "" },
                { "units", "LoadState=loaded\nActiveState=active\n" },
                { "units", "garbage\n" },
                { "systemd", "\n" },
                { "systemd", "systemd x\n" },
                { "files", "no colon\n" },
                { "files", "etc/shadow:root\n" },
                { "files", "/proc/meminfo:MemTotal: many kB\n" },
                { "machine", "x86_64\n" },
                { "machine", "x86_64\n zz 45 4c 46 02 01 01 00 00 00 00 00 00 00 00 00\n 03 00 3e 00\n" },
                { "addresses", "1: lo inet\n" },
                { "addresses", "1: lo inet 300.0.0.1/8\n" },
                { "addresses", "1: lo inet 10.0.0.1/129\n" },
                { "listening", "LISTEN\n" },
                { "listening", "LISTEN 0 1 nowhere 0.0.0.0:*\n" },
                { "disk", "x 4096 opt\n" },
                { "disk", "18446744073709551615 4096 opt\n" },
                { "clock", "maybe\n" },
                { "clock", NULL },
                { "files", NULL },
                { "applied", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(facts_done) Facts f = {};
                _cleanup_(look_done) Look look = LOOK_NULL;
                _cleanup_error_ Error *error = NULL;
                int r = parse(cases + i, &f, &look, &error);

                if (r >= 0)
                        fail_msg("accepted %s: %s", cases[i].name, cases[i].text);
                assert_non_null(error);
                assert_null(look.observation);
                assert_false(f.observed);
        }
}

static void test_digests(void **state) {
        _cleanup_(facts_done) Facts f = {};
        _cleanup_(look_done) Look look = LOOK_NULL;
        _cleanup_error_ Error *error = NULL;
        const char text[] = "\n@" NONCE " digests\n" SHA "  etc/b\n";
        const char bad[] = "\n@" NONCE " digests\n" SHA " etc/b\n";

        assert_success(parse(NULL, &f, &look, &error), error, 0);
        assert_success(look_parse_digests(NONCE, text, strlen(text), look.observation, &error), error, 0);
        assert_string_equal(observation_path(look.observation, "/etc/b")->sha256, SHA);
        assert_true(look_parse_digests(NONCE, bad, strlen(bad), look.observation, &error) < 0);
        error = error_free(error);
        assert_true(look_parse_digests("ffff", text, strlen(text), look.observation, &error) < 0);
}

static void test_sysctl_path(void **state) {
        _cleanup_free_ char *dots = sysctl_path("net.ipv4.conf.eth0/1.forwarding");
        _cleanup_free_ char *slashes = sysctl_path("net/ipv4/conf/eth0.1/forwarding");

        assert_string_equal(dots, "proc/sys/net/ipv4/conf/eth0.1/forwarding");
        assert_string_equal(slashes, dots);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_observation),  cmocka_unit_test(test_facts),
                cmocka_unit_test(test_architecture), cmocka_unit_test(test_bad),
                cmocka_unit_test(test_digests),      cmocka_unit_test(test_sysctl_path),
                cmocka_unit_test(test_full_disk),    cmocka_unit_test(test_dynamic),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
