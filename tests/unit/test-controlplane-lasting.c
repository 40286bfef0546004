/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a cluster that lives cannot be given otherwise: by the flags with which its processes run, and those of the plan.
 *
 * Wraps: probe_store_file
 */

#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/fs.h"
#include "controlplane/controlplane.h"
#include "tests/unit/plan-fixture.h"

#define ISSUER "https://kubernetes.default.svc."

static const char *apiserver, *manager; /* what they run with, a word a line; NULL: they do not */

int __wrap_probe_store_file(const ProbeContext *c, const char *path, const Buffer **ret, Error **reterr);
int __wrap_probe_store_file(const ProbeContext *c, const char *path, const Buffer **ret, Error **reterr) {
        return error_set(reterr, ERROR_CONFIG, ENOENT, "%s is missing", path);
}

static int answer(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        const char *text = strstr(script, "kube-apiserver.service")          ? apiserver :
                           strstr(script, "kube-controller-manager.service") ? manager :
                                                                               NULL;

        buffer_add_str(ret, text ? text : "");
        return 0;
}

static void set_network(InetNetwork *network, const char *text) {
        assert_int_equal(inet_network_parse(text, network), 0);
}

static Cluster living(Node nodes[static 3]) {
        Cluster c = fixture_cluster(nodes);

        set_network(c.services, "10.96.0.0/16");
        set_network(c.pods, "10.244.0.0/16");
        c.n_services = c.n_pods = 1;
        return c;
}

/* wanted: a part of what is found, or NULL where all is well */
static void expect(const Cluster *c, const char *id, const char *wanted, const char *advice) {
        const ProbeContext context = { .cluster = c, .exec = answer };
        CheckList checks = {};
        const Check *found = NULL;

        assert_int_equal(component_kube_apiserver.preflight(&context, c->nodes, &checks, NULL), 0);
        assert_int_equal(component_kube_controller_manager.preflight(&context, c->nodes, &checks, NULL), 0);
        for (size_t i = 0; i < checks.n_checks; i++)
                if (streq(checks.checks[i].id, id))
                        found = checks.checks + i;
        assert_non_null(found);
        assert_int_equal(found->state, wanted ? CHECK_FAILED : CHECK_OK);
        if (wanted) {
                assert_contains(found->text, wanted);
                assert_contains(found->advice, advice);
        }
        check_list_done(&checks);
}

static void test_networks(void **state) {
        Node nodes[3];
        Cluster c = living(nodes);

        apiserver = "/opt/kube-apiserver\n--service-cluster-ip-range=10.96.0.0/16\n";
        manager = "/opt/kube-controller-manager\n--cluster-cidr=10.244.0.0/16\n";
        expect(&c, "service-network/c0", NULL, NULL);
        expect(&c, "pod-network/c0", NULL, NULL);

        set_network(c.services, "10.112.0.0/16");
        set_network(c.pods, "10.10.0.0/16");
        expect(&c, "service-network/c0",
               "lives with 10.96.0.0/16, and would be given 10.112.0.0/16 (network.services)",
               "Put it back");
        expect(&c, "pod-network/c0",
               "lives with 10.244.0.0/16, and would be given 10.10.0.0/16 (network.pods)", "Put it back");

        /* a second one may come, and not go */
        set_network(c.services, "10.96.0.0/16");
        set_network(c.services + 1, "fd00:10:96::/112");
        c.n_services = 2;
        expect(&c, "service-network/c0", NULL, NULL);
        apiserver = "--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112\n";
        expect(&c, "service-network/c0", NULL, NULL);
        c.n_services = 1;
        expect(&c, "service-network/c0", "would be given 10.96.0.0/16", "Put it back");

        /* nothing runs: there is nothing to be broken */
        apiserver = manager = NULL;
        expect(&c, "service-network/c0", NULL, NULL);
        expect(&c, "pod-network/c0", NULL, NULL);
}

static void test_issuer(void **state) {
        char list[] = "service-account-issuer", component[] = "kube-apiserver", first[] = ISSUER "home.lan",
             second[] = ISSUER "cluster.local", percent[] = ISSUER "a%20b", home[] = "home.lan",
             local[] = "cluster.local";
        ExtraFlag flags[] = { { .name = list, .value = first }, { .name = list, .value = second } };
        ExtraFlags extra = { .component = component, .flags = flags, .n_flags = 2 };
        Node nodes[3];
        Cluster c = living(nodes);

        apiserver = "--service-account-issuer=" ISSUER "cluster.local\n";
        expect(&c, "issuer/c0", NULL, NULL);
        c.domain = home;
        expect(&c, "issuer/c0", "would be given " ISSUER "home.lan (network.domain",
               "service-account-issuer: [" ISSUER "cluster.local, " ISSUER "home.lan]; then [" ISSUER
               "home.lan, " ISSUER "cluster.local]");

        /* what the advice says: the new one believed, then it signs, then it is alone */
        c.extra_flags = &extra;
        c.n_extra_flags = 1;
        expect(&c, "issuer/c0", "would be given",
               "Go by steps"); /* it would sign what the others do not know */
        flags[0].value = second;
        flags[1].value = first;
        expect(&c, "issuer/c0", NULL, NULL);
        apiserver = "--service-account-issuer=" ISSUER "cluster.local\n--service-account-issuer=" ISSUER
                    "home.lan\n";
        flags[0].value = first;
        flags[1].value = second;
        expect(&c, "issuer/c0", NULL, NULL);
        apiserver = "--service-account-issuer=" ISSUER "home.lan\n--service-account-issuer=" ISSUER
                    "cluster.local\n";
        c.n_extra_flags = 0;
        expect(&c, "issuer/c0", NULL, NULL);
        c.domain = local;
        expect(&c, "issuer/c0", "would be given", "Go by steps");

        /* in the unit file it is doubled */
        apiserver = "--service-account-issuer=" ISSUER "a%20b\n";
        flags[0].value = percent;
        extra.n_flags = c.n_extra_flags = 1;
        expect(&c, "issuer/c0", NULL, NULL);
}

static char *asked; /* what the node's shell has answered */

/* The process is the shell itself. */
static int run_here(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        const UnitDir *dir = userdata;
        _cleanup_free_ char *name = xasprintf("%s/script", dir->path),
                            *command = xasprintf("sh -eu '%s'", name),
                            *text = xasprintf("systemctl() { echo $$; }\n%s", script);
        char line[256];
        FILE *shell;

        assert_true(fs_write(AT_FDCWD, name, text, strlen(text), 0600, 0, NULL) >= 0);
        shell = popen(command, "r");
        assert_non_null(shell);
        while (fgets(line, sizeof(line), shell))
                buffer_add_str(ret, line);
        assert_int_equal(pclose(shell), 0);
        free(asked);
        asked = xstrdup(buffer_str(ret));
        return 0;
}

static void test_question(void **state) {
        Node nodes[3];
        Cluster c = living(nodes);
        const ProbeContext context = { .cluster = &c, .exec = run_here, .userdata = *state };
        CheckList checks = {};

        assert_int_equal(component_kube_controller_manager.preflight(&context, nodes, &checks, NULL), 0);
        assert_contains(asked, "sh\n-eu\n/");
        assert_int_equal(checks.n_checks, 1);
        assert_int_equal(checks.checks[0].state, CHECK_OK);
        check_list_done(&checks);
        free(asked);
        asked = NULL;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_issuer),
                unit_test_in_dir(test_question),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
