/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "check/check.h"
#include "common/clock.h"
#include "tests/unit/plan-fixture.h"

/* The rules over nodes that exist in memory only: two controllers and a load balancer. */

typedef struct World {
        Node nodes[3];
        Cluster cluster;
        Facts facts[3];
        Observation observations[3];
        Plan *plans[3];
        Answers answers[3], here;
        CheckNode checked[3];
        CheckWorld world;
        CheckList found;
} World;

static World w;

static unsigned port_of(const Cluster *c) {
        return c->apiserver_port;
}

static const Reach reaches[] = {
        { 2380, .from = ROLE_ETCD, .why = "members" },
        { .port_of = port_of, .from = ROLE_LOADBALANCER, .from_here = true, .why = "the API" },
};

static int no_plan(const PlanContext *c, Plan *plan, Error **reterr) {
        return 0;
}

static const CheckName preflights[] = { { "store-data", "Whose data?", "It is lost." } };

static int fake_preflight(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        check_add(checks, CHECK_FAILED, "store-data/c0", node, "store-data", "is of others");
        return 0;
}

static const Component store = {
        .name = "store",
        .unit = "store.service",
        .roles = ROLE_CONTROLLER,
        .reaches = reaches,
        .n_reaches = ARRAY_SIZE(reaches),
        .data = "/var/lib/store",
        .plan = no_plan,
        .preflight = fake_preflight,
        .preflights = preflights,
        .n_preflights = 1,
};
static const Component *const fakes[] = { &store, NULL };

static int setup(void **state) {
        w = (World) {};
        w.cluster = fixture_cluster(w.nodes);
        w.cluster.endpoint.prefix_length = 32;
        for (size_t i = 0; i < 3; i++) {
                facts_default(&w.cluster, w.nodes + i, w.facts + i);
                w.facts[i].clock = clock_build_date() + 1000;
                w.facts[i].clock_synchronized = true;
                w.facts[i].memory = 4000000000;
                w.facts[i].disk_free = 20000000000;
                w.facts[i].machine_id = xasprintf("%032zu", i + 1);
                strv_addf(&w.facts[i].networks, "eth0 10.77.0.%zu/24", 20 + i);
                w.plans[i] = plan_new(&w.cluster, w.nodes + i);
                w.answers[i].cgroup2 = true;
                w.answers[i].mac = xasprintf("02:00:00:00:00:0%zu", i);
                w.checked[i] = (CheckNode) {
                        .node = w.nodes + i,
                        .facts = w.facts + i,
                        .observation = w.observations + i,
                        .plan = w.plans[i],
                        .answers = w.answers + i,
                        .judged = true,
                };
        }
        w.world = (CheckWorld) { .cluster = &w.cluster,
                                .components = fakes,
                                .nodes = w.checked,
                                .identity = "0123456789abcdef" };
        return 0;
}

static int teardown(void **state) {
        for (size_t i = 0; i < 3; i++) {
                facts_done(w.facts + i);
                plan_free(w.plans[i]);
                answers_done(w.answers + i);
        }
        answers_done(&w.here);
        check_list_done(&w.found);
        return 0;
}

#define rule_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const Check* find(const char *id) {
        for (size_t i = 0; i < w.found.n_checks; i++)
                if (streq(w.found.checks[i].id, id))
                        return w.found.checks + i;
        return NULL;
}

static void ask_all(void) {
        check_list_done(&w.found);
        for (size_t i = 0; i < 3; i++)
                if (w.checked[i].facts)
                        check_node(&w.world, w.checked + i, &w.found);
        check_all(&w.world, &w.found);
}

/* Only this finding is not well; text and advice have these words. */
static void assert_only(const char *id, CheckState state, const char *text, const char *advice) {
        const Check *found;

        ask_all();
        found = find(id);
        assert_non_null(found);
        assert_int_equal(found->state, state);
        assert_contains(found->text, text);
        assert_non_null(found->advice);
        assert_contains(found->advice, advice);
        for (size_t i = 0; i < w.found.n_checks; i++)
                if (w.found.checks + i != found && w.found.checks[i].state != CHECK_OK)
                        fail_msg("%s: %s", w.found.checks[i].id, w.found.checks[i].text);
}

static void answer(size_t i, const char *text) {
        answers_done(w.answers + i);
        answers_parse(text, w.answers + i);
}

static void test_all_is_well(void **state) {
        ask_all();
        for (size_t i = 0; i < w.found.n_checks; i++) {
                assert_int_equal(w.found.checks[i].state, CHECK_OK);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(w.found.checks[i].id, w.found.checks[k].id);
        }
        assert_non_null(find("architecture/c0"));
        assert_non_null(find("vip-network/lb0"));
        assert_null(find("vip-network/c0"));
        assert_non_null(find("members"));
}

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

static void test_addresses(void **state) {
        w.facts[1].address_dynamic = true;
        assert_only("addresses/c1", CHECK_WARNING, "has 10.77.0.21 for a time only", "--ignore addresses");
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

/* A node that could not be looked at is not compared, not reached, and nothing is known of it. */
static void test_unknown(void **state) {
        w.checked[1] = (CheckNode) { .node = w.nodes + 1 };
        free(w.facts[1].machine_id);
        w.facts[1].machine_id = xstrdup(w.facts[0].machine_id);
        answer(0, "cgroup2\nway 10.77.0.21/2380 silent\n");
        ask_all();
        for (size_t i = 0; i < w.found.n_checks; i++)
                assert_int_equal(w.found.checks[i].state, CHECK_OK);
        assert_null(find("architecture/c1"));
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

static void test_software(void **state) {
        AppliedFile applied[] = { { .path = (char*) "/opt/hardway/kubernetes-v1.36.3/kube-apiserver" },
                                  { .path = (char*) "/opt/hardway/kubernetes-v1.35.4/kube-apiserver" } };

        w.observations[0].identity = (char*) "fedcba9876543210";
        assert_only("identity/c0", CHECK_FAILED, "identity fedcba98..., ours is 01234567...",
                    "hardway reset");
        w.world.identity = NULL;
        assert_only("identity/c0", CHECK_FAILED, "this directory has none yet", "hardway restore");
        w.observations[0].identity = NULL;
        answer(0,
               "cgroup2\nleftover /etc/kubernetes/kubelet.conf\nleftover /etc/kubernetes/manifests/etcd.yaml\n"
               "leftover /root/x\n");
        assert_only("leftovers/c0", CHECK_FAILED,
                    "kubeadm was here: /etc/kubernetes/kubelet.conf, /etc/kubernetes/manifests/etcd.yaml",
                    "kubeadm reset");
        answer(0, "cgroup2\nleftover /var/lib/rancher/k3s\n");
        assert_only("leftovers/c0", CHECK_WARNING, "k3s was here", "k3s-uninstall.sh");
        answer(0, "cgroup2\nleftover /var/lib/k0s\nleftover k0sworker.service\n");
        assert_only("leftovers/c0", CHECK_FAILED, "k0s was here", "k0s reset");
        answer(0, "cgroup2\nleftover rke2-agent.service\n");
        assert_only("leftovers/c0", CHECK_FAILED, "RKE2 was here", "rke2-uninstall.sh");
        answer(0, "cgroup2\n");
        w.world.serving = true;
        w.observations[0].applied = applied + 1;
        w.observations[0].n_applied = 1;
        ask_all();
        assert_int_equal(find("versions/c0")->state, CHECK_FAILED);
        assert_contains(find("versions/c0")->text, "runs Kubernetes v1.35.4, and going to v1.36.3");
        /* what is kept for the way back does not run */
        w.observations[0].applied = applied;
        w.observations[0].n_applied = 2;
        ask_all();
        assert_int_equal(find("versions/c0")->state, CHECK_OK);
        w.observations[0].n_applied = 0;
}

static void test_packages(void **state) {
        plan_add_package(w.plans[2], "haproxy", "haproxy", "w");
        answer(2, "cgroup2\npackage haproxy \n");
        assert_only("packages/lb0", CHECK_FAILED, "apt knows no package haproxy", "apt-get update");
        answer(2, "cgroup2\npackage haproxy 2.6.12\n");
        ask_all();
        assert_int_equal(find("packages/lb0")->state, CHECK_OK);
        w.facts[2].has_apt = false;
        answer(2, "cgroup2\n");
        assert_only("packages/lb0", CHECK_FAILED, "has no apt, and haproxy is not installed",
                    "package manager");
        strv_add(&w.observations[2].packages, "haproxy");
        ask_all();
        assert_int_equal(find("packages/lb0")->state, CHECK_OK);
        w.observations[2].packages = strv_free(w.observations[2].packages);
}

static void test_ports(void **state) {
        ObservedUnit unit = { .name = (char*) "store.service", .main_pid = 7 };
        PlanItem *item = plan_add_unit(w.plans[0], "store", "store.service", fixture_unit("s"), "w");

        plan_unit_listens(item, 6443);
        strv_add(&w.facts[0].listening, "0.0.0.0:16443 nginx");
        strv_add(&w.facts[0].listening, "[::]:6443 store");
        ask_all();
        assert_int_equal(find("ports-free/c0")->state, CHECK_OK);
        strv_add(&w.facts[0].listening, "[::]:6443 nginx");
        assert_only("ports-free/c0", CHECK_FAILED, "port 6443, which store needs, is taken by nginx",
                    "ss -ltnp");
        w.observations[0].units = &unit; /* ours holds it */
        w.observations[0].n_units = 1;
        ask_all();
        assert_int_equal(find("ports-free/c0")->state, CHECK_OK);
        w.observations[0].n_units = 0;
}

/* What others have where ours would be, on a node that hardway has not installed. */
static void test_taken(void **state) {
        ObservedUnit unit = { .name = (char*) "store.service", .main_pid = 7 };
        ObservedPath link = { .path = (char*) "/usr/local/bin/kubectl", .type = OBSERVED_FILE };

        plan_add_unit(w.plans[0], "store", "store.service", fixture_unit("s"), "w");
        plan_add_symlink(w.plans[0], "store", "link", "/usr/local/bin/kubectl", "/opt/hardway/v1/kubectl",
                         "w");
        ask_all();
        assert_int_equal(find("services/c0")->state, CHECK_OK);
        assert_int_equal(find("programs/c0")->state, CHECK_OK);

        w.observations[0].units = &unit;
        w.observations[0].n_units = 1;
        assert_only("services/c0", CHECK_FAILED, "store.service: runs, and is not hardway's",
                    "systemctl cat store.service");
        unit.inputs = (char*) "0123"; /* of a run that was killed before it could record anything */
        ask_all();
        assert_int_equal(find("services/c0")->state, CHECK_OK);

        w.observations[0].paths = &link;
        w.observations[0].n_paths = 1;
        assert_only("programs/c0", CHECK_FAILED, "/usr/local/bin/kubectl: is there",
                    "sudo rm /usr/local/bin/kubectl");
        link.type = OBSERVED_SYMLINK;
        link.target = (char*) "/opt/k3s/kubectl";
        assert_only("programs/c0", CHECK_FAILED, "is not hardway's", "until a reset puts it back");
        link.target = (char*) "/opt/hardway/v0/kubectl";
        ask_all();
        assert_int_equal(find("programs/c0")->state, CHECK_OK);

        /* drift is told by the comparison */
        link.target = (char*) "/opt/k3s/kubectl";
        unit.inputs = NULL;
        w.observations[0].identity = (char*) w.world.identity;
        ask_all();
        assert_null(find("programs/c0"));
        assert_null(find("services/c0"));
        w.observations[0] = (Observation) {};
}

static const char *told;

static int tell(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        assert_contains(script, "directories='/srv/audit store'\n");
        buffer_add_str(ret, told);
        told = NULL;
        return 0;
}

static void assert_directories(const char *text) {
        const ProbeContext c = { .exec = tell };
        _cleanup_error_ Error *error = NULL;

        check_list_done(&w.found);
        assert_success(check_components(&w.world, &c, w.nodes, &w.found, &error), error, 0);
        assert_null(told);
        if (text)
                assert_string_equal(find("directories/c0")->text, text);
        else
                assert_null(find("directories/c0"));
}

/* Asked about only if it is there, and not the service's by the record of an earlier run. */
static void test_directories(void **state) {
        ObservedPath path = { .path = (char*) "/srv/audit", .type = OBSERVED_DIRECTORY };

        plan_add_directory(w.plans[0], "store", "flag-directory-0", "/srv/audit", 0700, "store:store", "w")
                ->directory.chosen = true;
        assert_directories(NULL);
        w.observations[0].paths = &path;
        w.observations[0].n_paths = 1;
        told = "";
        assert_directories(NULL);
        told = "/srv/audit store photos.db postgres\n";
        assert_directories("/srv/audit is in use: photos.db is there, which belongs to postgres");
        assert_int_equal(find("directories/c0")->state, CHECK_FAILED);
        told = "/srv/audit store . postgres\n";
        assert_directories("/srv/audit belongs to postgres");
        strv_add(&w.observations[0].traces, "chosen /srv/audit store:store");
        assert_directories(NULL);
        strv_free(w.observations[0].traces);
        w.observations[0] = (Observation) {};
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

static void test_members(void **state) {
        w.cluster.etcd_even = (char*) "hardway.yaml:9:3: an even number of members";
        assert_only("members", CHECK_FAILED, "hardway.yaml:9:3", "Three");
        w.observations[0].identity = (char*) w.world.identity; /* it has served */
        ask_all();
        assert_null(find("members"));
}

static void test_ignored(void **state) {
        char *names[] = { (char*) "systemd", (char*) "clock-sync", (char*) "store-data", NULL };
        char *wrong[] = { (char*) "sytemd", NULL }, *one[] = { (char*) "systemd/c1", NULL };
        _cleanup_error_ Error *error = NULL;
        CheckList found = {};

        assert_int_equal(check_names_exist(fakes, names, &error), 0);
        assert_int_equal(check_names_exist(fakes, wrong, &error), -EINVAL);
        assert_contains(error->message, "there is no check 'sytemd'; did you mean 'systemd'?");
        error = error_free(error);
        w.world.ignore = names;
        w.facts[0].systemd_version = 200;
        w.facts[0].clock_synchronized = false;
        ask_all();
        assert_int_equal(find("systemd/c0")->state, CHECK_WARNING);
        assert_contains(find("systemd/c0")->text, "ignored: systemd 200 is too old");
        assert_int_equal(find("clock-sync/c0")->state, CHECK_OK);
        assert_int_equal(check_components(&w.world, NULL, w.nodes, &found, &error), 0);
        assert_int_equal(found.checks[0].state, CHECK_WARNING);
        check_list_done(&found);

        /* of one node alone */
        w.world.ignore = one;
        w.facts[1].systemd_version = 200;
        ask_all();
        assert_int_equal(find("systemd/c0")->state, CHECK_FAILED);
        assert_int_equal(find("systemd/c1")->state, CHECK_WARNING);
}

/* Whoever adds a rule says what has to be so, and what happens if it is not: for explain. */
static void test_texts(void **state) {
        _cleanup_free_ CheckName *names = NULL;
        bool of_rule = false, of_component = false;
        size_t n;

        check_names_list(fakes, &names, &n);
        for (size_t i = 0; i < n; i++) {
                assert_true(names[i].name && names[i].why && names[i].without);
                of_rule |= streq(names[i].name, "systemd");
                of_component |= streq(names[i].name, "store-data");
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(names[i].name, names[k].name);
        }
        assert_true(of_rule && of_component);
}

/* The exit status is that of what failed. */
static void test_errors(void **state) {
        _cleanup_error_ Error *error = NULL, *unreachable = NULL, *back = NULL;

        w.facts[0].disk_free = 1;
        ask_all();
        error = check_to_error(find("disk-space/c0"));
        assert_int_equal(error_exit_code(error), 74);
        assert_contains(error->message, "c0: 67 MB are needed");
        assert_string_equal(error->detail, "Make room where /var/lib and /opt lie.\n");

        (void) error_set(&unreachable, ERROR_PERMISSION, EACCES, "c1: ssh: refused");
        error_detail(&unreachable, "Look at the key.\n");
        check_failure(w.nodes + 1, unreachable, &w.found);
        assert_string_equal(find("ssh/c1")->text, "ssh: refused");
        assert_string_equal(find("ssh/c1")->advice, "Look at the key.");
        back = check_to_error(find("ssh/c1"));
        assert_int_equal(error_exit_code(back), 77);
}

/* What comes from a node may be anything. */
static void test_bad_answers(void **state) {
        Answers a;

        answers_parse("", &a);
        answers_done(&a);
        answers_parse("way\nway x\nway x y\nname\npackage\nsync\nsync 0 1\nsync 10 -1\nsync 10 1.x\nswap\n"
                      "arp-ignore x\nmodel\nmodel  \nunknown thing\nleftover\n \n",
                      &a);
        assert_int_equal(a.n_ways + a.n_names + a.n_packages + a.sync_writes + a.arp_ignore, 0);
        assert_null(a.model);
        assert_null(a.swaps);
        answers_done(&a);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                rule_test(test_all_is_well), rule_test(test_architecture), rule_test(test_system),
                rule_test(test_clock),       rule_test(test_unique),       rule_test(test_unknown),
                rule_test(test_memory),      rule_test(test_cgroup),       rule_test(test_disk),
                rule_test(test_software),    rule_test(test_packages),     rule_test(test_ports),
                rule_test(test_taken),       rule_test(test_directories),  rule_test(test_names),
                rule_test(test_reach),       rule_test(test_vip),          rule_test(test_members),
                rule_test(test_ignored),     rule_test(test_texts),        rule_test(test_errors),
                rule_test(test_bad_answers), rule_test(test_addresses),
        };

        return cmocka_run_group_tests_name("check rules", tests, NULL, NULL);
}
