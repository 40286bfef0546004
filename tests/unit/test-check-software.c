/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/check-fixture.h"

/* The rules over what is on a machine already, and what can be had there */

static void test_software(void **state) {
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
        w.checked[0].joins = true; /* with another role */
        ask_all();
        assert_int_equal(find("programs/c0")->state, CHECK_FAILED);
        assert_int_equal(find("services/c0")->state, CHECK_FAILED);
        w.checked[0].joins = false;
        w.observations[0] = (Observation) {};
}

static const char *told, *asked = "directories='/srv/audit store'\n";

static int tell(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        assert_contains(script, asked);
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

/* A service's own, that nobody chose: what an earlier installation by another tool has left there would become the service's, and go
 * with it. */
static void test_directories_of_services(void **state) {
        ObservedPath paths[] = {
                { .path = (char*) "/var/log/store", .type = OBSERVED_DIRECTORY },
                { .path = (char*) "/var/lib/data", .type = OBSERVED_DIRECTORY },
                { .path = (char*) "/etc/store", .type = OBSERVED_DIRECTORY },
        };

        plan_add_directory(w.plans[0], "store", "log", "/var/log/store", 0700, "store:store", "w");
        plan_add_directory(w.plans[0], "store", "data", "/var/lib/data", 0700, "store:store", "w")
                ->directory.asked = true;
        plan_add_directory(w.plans[0], "store", "etc", "/etc/store", 0755, "root:root", "w");
        w.observations[0].paths = paths;
        w.observations[0].n_paths = ARRAY_SIZE(paths);
        asked = "directories='/var/log/store store'\n";
        told = "/var/log/store store audit.log root\n";
        assert_directories("/var/log/store is in use: audit.log is there, which belongs to root");
        assert_contains(find("directories/c0")->advice, "mv /var/log/store /var/log/store.old");
        /* of a run that was killed before it recorded more */
        strv_add(&w.observations[0].made, "directory /var/log/store store:store nothing");
        assert_directories(NULL);
        strv_free(w.observations[0].made);
        w.observations[0] = (Observation) {};
}

int main(void) {
        const struct CMUnitTest tests[] = {
                rule_test(test_software),    rule_test(test_packages),
                rule_test(test_ports),       rule_test(test_taken),
                rule_test(test_directories), rule_test(test_directories_of_services),
        };

        return cmocka_run_group_tests_name("check software", tests, NULL, NULL);
}
