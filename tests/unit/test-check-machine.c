/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/check-fixture.h"

/* The rules over what a machine is: its hardware, its system, its clock, and that there is only one of it */

static void test_architecture(void **state) {
        w.facts[0].architecture = ARCH_AMD64;
        assert_only("architecture/c0", CHECK_FAILED, "this machine is amd64, the cluster file says arm64",
                    "arch");
        w.facts[0].architecture = ARCH_ARM64;
        w.facts[0].userland_matches = false;
        assert_only("architecture/c0", CHECK_FAILED, "64-bit kernel with a 32-bit userland", "64-bit image");
        w.facts[0].architecture = _ARCH_INVALID; /* armv7l */
        assert_only("architecture/c0", CHECK_FAILED, "of another kind", "arch");
}

static void test_system(void **state) {
        w.facts[1].systemd_version = 247;
        assert_only("systemd/c1", CHECK_FAILED, "systemd 247 is too old", "Debian 12");
        w.facts[1].systemd_version = 252;
        w.facts[1].name_resolves = false;
        assert_only("name/c1", CHECK_WARNING, "does not resolve", "127.0.1.1 c1");
        w.facts[1].name_resolves = true;
        answer(1, "cgroup2\nname c1 slow\n");
        assert_only("name/c1", CHECK_WARNING, "takes seconds", "127.0.1.1 c1");
}

static void test_clock(void **state) {
        w.facts[2].clock_offset = 301;
        w.facts[0].clock_offset = w.facts[1].clock_offset = 290;
        assert_only("clock/lb0", CHECK_FAILED, "301 s ahead of ours", "timedatectl");
        w.facts[0].clock_offset = 250;
        w.facts[1].clock_offset = 260;
        w.facts[2].clock_offset = 189;
        assert_only("clock-spread", CHECK_FAILED, "the clock of lb0 is 71 s behind that of c1",
                    "timedatectl");
        w.checked[2].judged = false; /* nothing will be changed there */
        ask_all();
        assert_int_equal(find("clock-spread")->state, CHECK_OK);
        w.checked[2].judged = true;
        w.facts[0].clock_offset = w.facts[1].clock_offset = w.facts[2].clock_offset = 0;
        w.facts[0].clock = clock_build_date() - 1;
        assert_only("clock/c0", CHECK_FAILED, "did not exist yet", "timedatectl");
        w.facts[0].clock = clock_build_date();
        w.facts[0].clock_synchronized = false;
        assert_only("clock-sync/c0", CHECK_WARNING, "not synchronised", "set-ntp");
}

static void test_unique(void **state) {
        free(w.facts[1].machine_id);
        w.facts[1].machine_id = xstrdup(w.facts[0].machine_id);
        assert_only("machine-ids/c1", CHECK_FAILED, "has the same machine-id as c0",
                    "systemd-machine-id-setup");
        w.facts[1].machine_id[0] = 'x';
        free(w.facts[2].hostname);
        w.facts[2].hostname = xstrdup("c1");
        assert_only("hostnames/lb0", CHECK_WARNING, "has the same hostname as c1: c1", "set-hostname");
        w.facts[2].hostname[0] = 'd';
        answer(1, "cgroup2\nmac 02:00:00:00:00:00\n");
        assert_only("mac-addresses/c1", CHECK_FAILED, "has the same MAC address as c0", "another");
        answer(1, "cgroup2\nproduct 1234 \n");
        answer(2, "cgroup2\nproduct 1234\n");
        assert_only("product-ids/lb0", CHECK_WARNING, "has the same product id as c1: 1234", "UUID");
}

static void test_memory(void **state) {
        w.facts[0].memory = w.facts[2].memory = 512000000;
        assert_only("memory/c0", CHECK_WARNING, "512 MB of memory are little", "more");
        w.facts[0].memory = 4000000000;
        w.facts[0].page_size = 16384;
        assert_only("page-size/c0", CHECK_WARNING, "memory pages of 16 KiB", "built for them");
        answer(0, "cgroup2\nmodel Raspberry Pi 5 Model B Rev 1.0 \n");
        assert_only("page-size/c0", CHECK_WARNING, "memory pages of 16 KiB", "kernel=kernel8.img");
        w.facts[0].page_size = 4096;
        answer(0, "cgroup2\nswap /var/swap\nswap /dev/zram0\n");
        assert_only("swap/c0", CHECK_WARNING, "swaps to /var/swap:", "swapoff");
        answer(0, "cgroup2\nswap /dev/zram0\n");
        answer(2, "cgroup2\nswap /var/swap\n"); /* nothing on a load balancer waits for it */
        ask_all();
        assert_string_equal(find("swap/c0")->text, "to compressed memory only");
        assert_null(find("swap/lb0"));
}

#define PI "model Raspberry Pi 4 Model B Rev 1.4 \ncgroup2\n"

static void test_cgroup(void **state) {
        static const struct {
                const char *answer, *text, *advice;
        } cases[] = {
                { PI "cmdline coherent_pool=1M cgroup_disable=memory root=/dev/mmcblk0p2\n"
                     "cmdline-file /boot/firmware/cmdline.txt\ncmdline-next root=/dev/mmcblk0p2 rootwait\n",
                  "has no memory controller",
                  "sudo sed -i '1s/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt" },
                { PI "cmdline cgroup_disable=memory\ncmdline-file /boot/cmdline.txt\ncmdline-next a\n",
                  "has no memory controller",
                  "sudo sed -i '1s/$/ cgroup_enable=memory/' /boot/cmdline.txt" },
                { PI "cmdline cgroup_disable=memory\ncmdline-file /boot/firmware/cmdline.txt\n"
                     "cmdline-next root=x cgroup_enable=memory \n",
                  "has no memory controller", "already: reboot" },
                { PI "cmdline cgroup_disable=memory cgroup_enable=memory\n", "has no memory controller",
                  "this kernel does not know it" },
                { "cgroup2\ncmdline quiet cgroup_disable=memory\n", "has no memory controller",
                  "Take cgroup_disable=memory off" },
                { "cgroup2\n", "has no memory controller", "CONFIG_MEMCG" },
                { "cmdline quiet\n", "no cgroup v2", "systemd.unified_cgroup_hierarchy=1" },
        };

        w.facts[0].cgroup_memory = w.facts[2].cgroup_memory = false;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                answer(0, cases[i].answer);
                assert_only("cgroup/c0", CHECK_WARNING, cases[i].text, cases[i].advice);
        }
}

static void test_disk(void **state) {
        ObservedUnit unit = { .name = (char*) "store.service", .main_pid = 7 };

        w.facts[0].disk_free = 100000000;
        w.checked[0].put_size = 90000000;
        assert_only("disk-space/c0", CHECK_FAILED, "157 MB are needed on its disk, 100 MB are free", "room");
        w.facts[0].disk_free = 3000000000;
        assert_only("disk-space/c0", CHECK_WARNING, "3000 MB are free", "room");
        w.facts[0].disk_free = 300000000;
        w.checked[0].put_size = 0;
        w.plans[0]->incomplete = true; /* nothing was fetched: how much it will be is an estimate */
        assert_only("disk-space/c0", CHECK_FAILED, "467 MB are needed", "room");
        w.facts[0].disk_free = 20000000000;

        answer(0, "cgroup2\nsync 10 0.0107831\nsync 10 0.2\n");
        assert_only("disk-sync/c0", CHECK_WARNING, "takes 10.5 ms on average, 20.0 ms in the worst batch",
                    "profile.disk: sdcard");
        answer(0, "cgroup2\nsync 10 9.1e-05\nsync 10 0.26\nsync 10 0.001\n");
        assert_only("disk-sync/c0", CHECK_WARNING, "8.7 ms on average, 26.0 ms in the worst", "sdcard");
        w.cluster.disk_profile = DISK_SDCARD;
        ask_all();
        assert_int_equal(find("disk-sync/c0")->state, CHECK_OK);
        answer(0, "cgroup2\nsync 10 0.01\n");
        ask_all();
        assert_contains(find("disk-sync/c0")->text,
                        "1.0 ms on average, 1.0 ms in the worst batch; profile.disk: ssd");
        assert_null(find("disk-sync/lb0"));
        w.observations[0].units = &unit;
        w.observations[0].n_units = 1;
        ask_all();
        assert_contains(find("disk-sync/c0")->text, "as store runs");
        w.observations[0].n_units = 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                rule_test(test_architecture), rule_test(test_system), rule_test(test_clock),
                rule_test(test_unique),       rule_test(test_memory), rule_test(test_cgroup),
                rule_test(test_disk),
        };

        return cmocka_run_group_tests_name("check machine", tests, NULL, NULL);
}
