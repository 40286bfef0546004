/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "cluster/write.h"

static ClusterDraftNode draft_nodes[] = {
        { .name = (char*) "c0", .address = (char*) "10.77.0.20", .roles = ROLE_CONTROLLER },
        { .name = (char*) "c1", .address = (char*) "10.77.0.21", .roles = ROLE_CONTROLLER, .local = true },
        { .name = (char*) "c2",
          .address = (char*) "10.77.0.22",
          .roles = ROLE_CONTROLLER,
          .host_key =
                  (char*) "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2QTp3xOnUvTf+5cMTNbF0tyxP1Xk0WmbtnJkOt6o0x" },
        { .name = (char*) "lb0", .address = (char*) "10.77.0.11", .roles = ROLE_LOADBALANCER },
        { .name = (char*) "lb1", .address = (char*) "10.77.0.12", .roles = ROLE_LOADBALANCER },
};

static const ClusterDraft draft_minimal = {
        .vip = "10.77.0.10",
        .nodes = draft_nodes,
        .n_nodes = ARRAY_SIZE(draft_nodes),
};

static void test_minimal(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_(cluster_freep) Cluster *c = NULL;
        ErrorList errors = ERROR_LIST_NULL;

        cluster_write_draft(&draft_minimal, &text);
        assert_int_equal(cluster_load_text("f", text.data, text.size, &c, &errors), 0);
        assert_string_equal(c->name, "kubernetes");
        assert_int_equal(c->n_nodes, 5);
        assert_int_equal(c->endpoint.vrrp_id, 10);
        assert_null(c->nodes[0].ssh.user);
        assert_true(c->nodes[1].local);
        assert_non_null(c->nodes[2].ssh.host_key);
        assert_int_equal(c->warnings.n_errors, 0);
        for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n"))
                assert_true(strlen(line) <= 140);
}

static void test_everything(void **state) {
        _cleanup_strv_ Strv names = strv_new("k8s.home.lan", "k8s", NULL);
        _cleanup_strv_ Strv mirrors = strv_new("file:///srv/my%20mirror", NULL);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_(cluster_freep) Cluster *c = NULL;
        ErrorList errors = ERROR_LIST_NULL;
        ClusterDraft d = draft_minimal;

        d.name = "home";
        d.kubernetes = "v1.37.1";
        d.architecture = "amd64";
        d.port = "9000";
        d.vip_names = names;
        d.pods = "10.20.0.0/16";
        d.services = "10.30.0.0/16";
        d.domain = "home.lan";
        d.ssh_user = "pi";
        d.network_profile = "wifi";
        d.disk_profile = "sdcard";
        d.key_type = "rsa:2048";
        d.mirrors = mirrors;

        cluster_write_draft(&d, &text);
        assert_int_equal(cluster_load_text("f", text.data, text.size, &c, &errors), 0);
        assert_string_equal(c->name, "home");
        assert_int_equal(c->kubernetes.minor, 37);
        assert_int_equal(c->etcd.minor, 7);
        assert_int_equal(c->nodes[0].architecture, ARCH_AMD64);
        assert_int_equal(c->endpoint.port, 9000);
        assert_int_equal(strv_length(c->endpoint.names), 2);
        assert_string_equal(c->domain, "home.lan");
        assert_string_equal(c->nodes[0].ssh.user, "pi");
        assert_int_equal(c->network_profile, NETWORK_WIFI);
        assert_int_equal(c->disk_profile, DISK_SDCARD);
        assert_int_equal(c->certificates.key_type, KEY_RSA_2048);
        assert_string_equal(c->mirrors[0], "file:///srv/my%20mirror");
}

/* Whatever stands in a flag stays one value: refused as such, and never another key. */
static void test_hostile(void **state) {
        static const char *const values[] = {
                "",   "x: y", "x #y", "'",  "\"",   "\\",        "a\nb: c", "[a]",  "{a: b}", "*a",
                "&a", "!a",   "%a",   "@a", "`a",   "- a",       "? a",     "| a",  "> a",    "x:",
                "\t", "\x01", ":",    "-",  "~x y", "a, b: c }", "a\"b\\c", "\x7f", "---\n",  "x\r\ny",
        };

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                _cleanup_buffer_ Buffer text = BUFFER_NULL;
                Cluster *c = NULL;
                ErrorList errors = ERROR_LIST_NULL;
                ClusterDraft d = draft_minimal;

                d.name = values[i];
                d.ssh_user = values[i];
                d.domain = values[i];
                cluster_write_draft(&d, &text);
                assert_int_equal(cluster_load_text(NULL, text.data, text.size, &c, &errors), -EINVAL);
                if (errors.n_errors != 3)
                        for (size_t k = 0; k < errors.n_errors; k++)
                                print_error("%zu: %s\n", i, errors.errors[k]->message);
                assert_int_equal(errors.n_errors, 3);
                assert_non_null(startswith(errors.errors[0]->message, "cluster: "));
                assert_non_null(startswith(errors.errors[1]->message, "network.domain: "));
                assert_non_null(startswith(errors.errors[2]->message, "ssh.user: "));
                error_list_done(&errors);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_minimal),
                cmocka_unit_test(test_everything),
                cmocka_unit_test(test_hostile),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
