/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Are the files there that flags in extra-args name? The node's part runs in a shell, over files of the test.
 */

#include "tests/unit/unit.h"

#include <stdio.h>

#include "check/check.h"
#include "common/fs.h"
#include "tests/unit/plan-fixture.h"

static const UnitDir *dir;
static const char *before; /* the script: what stands for programs of the node */
static size_t n_asked;

static int run_on_node(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        _cleanup_free_ char *name = xasprintf("%s/script", dir->path),
                            *text = xasprintf("%s%s", before, script),
                            *command = xasprintf("sh -eu '%s'", name);
        char answer[256];
        FILE *shell;

        if (!strstr(script, "H_FILES="))
                return 0; /* preflights of components */
        n_asked++;
        assert_true(fs_write(AT_FDCWD, name, text, strlen(text), 0600, 0, NULL) >= 0);
        shell = popen(command, "r");
        assert_non_null(shell);
        while (fgets(answer, sizeof(answer), shell))
                buffer_add_str(ret, answer);
        assert_int_equal(pclose(shell), 0);
        return 0;
}

static void ask(const char *component, const char *flag, const char *path, CheckList *ret) {
        static const Component table[] = {
                { .name = "etcd", .roles = ROLE_ETCD },
                { .name = "kube-apiserver", .roles = ROLE_CONTROLLER },
                { .name = "kube-controller-manager", .roles = ROLE_CONTROLLER },
                { .name = "kube-scheduler", .roles = ROLE_CONTROLLER },
        };
        static const Component *const components[] = { table, table + 1, table + 2, table + 3, NULL };
        static const char *const planned[] = { "/etc/kubernetes/authentication-config.yaml",
                                               "/etc/kubernetes/pki/ca.crt",
                                               "/etc/kubernetes/scheduler.conf" };
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        ExtraFlag flags[] = { { .name = (char*) flag, .value = (char*) path } };
        ExtraFlags extra = { .component = (char*) component, .flags = flags, .n_flags = 1 };
        const ProbeContext context = { .cluster = &c, .exec = run_on_node };
        _cleanup_(plan_freep) Plan *plan = plan_new(&c, nodes);
        CheckNode n[] = { { .node = nodes, .plan = plan }, { .node = nodes + 1 }, { .node = nodes + 2 } };
        const CheckWorld w = { .cluster = &c, .components = components, .nodes = n };

        for (size_t i = 0; i < ARRAY_SIZE(planned); i++)
                plan_add_file(plan, "kube-apiserver", planned[i], planned[i], 0644, "x", "why");
        c.extra_flags = &extra;
        c.n_extra_flags = 1;
        assert_int_equal(check_components(&w, &context, nodes, ret, NULL), 0);
}

/* NULL: none. */
static const Check* finding(const CheckList *checks) {
        const Check *found = NULL;

        for (size_t i = 0; i < checks->n_checks; i++)
                if (streq(checks->checks[i].subject, "flag-files")) {
                        assert_null(found);
                        found = checks->checks + i;
                }
        return found;
}

static void assert_found(const char *component, const char *flag, const char *path, CheckState state,
                         const char *text, const char *advice) {
        CheckList checks = {};
        const Check *found;

        ask(component, flag, path, &checks);
        found = finding(&checks);
        assert_non_null(found);
        assert_string_equal(found->id, "flag-files/c0");
        assert_int_equal(found->state, state);
        assert_contains(found->text, text);
        if (advice)
                assert_contains(found->advice, advice);
        check_list_done(&checks);
}

#define NO_USER "id() { return 1; }\ngetent() { return 2; }\n"
#define NO_GROUP "id() { :; }\ngetent() { return 2; }\nsetpriv() { return 1; }\n"
#define THERE "id() { :; }\ngetent() { :; }\n"
#define MAY THERE "setpriv() { [ \"$*\" = \"--reuid $2 --regid $2 --init-groups test -r $8\" ]; }\n"
#define MAY_NOT THERE "setpriv() { return 1; }\n"
#define MAKE \
        "systemd-sysusers --inline 'u kube-scheduler - - /nonexistent /usr/sbin/nologin'; then chgrp kube-scheduler,"

static void test_files(void **state) {
        _cleanup_free_ char *open = NULL, *closed = NULL, *missing = NULL;

        dir = *state;
        open = xasprintf("%s/it's open", dir->path);
        closed = xasprintf("%s/closed", dir->path);
        missing = xasprintf("%s/missing", dir->path);
        assert_true(fs_write(AT_FDCWD, open, "x", 1, 0644, 0, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, closed, "x", 1, 0640, 0, NULL) >= 0);

        before = NO_USER;
        assert_found("kube-apiserver", "audit-policy-file", open, CHECK_OK, "all are there", NULL);
        assert_found("kube-apiserver", "audit-policy-file", missing, CHECK_FAILED,
                     "missing is not there, which", "where the user kube-apiserver can read it");
        assert_found("kube-scheduler", "config", closed, CHECK_FAILED, "kube-scheduler could not read /",
                     MAKE);
        /* in hardway's directory, and not hardway's */
        assert_found("kube-apiserver", "authentication-token-webhook-config-file",
                     "/etc/kubernetes/hook.conf", CHECK_FAILED, "/etc/kubernetes/hook.conf is not there",
                     NULL);
        assert_found("etcd", "client-crl-file", missing, CHECK_FAILED, "which a flag of etcd names", NULL);
        before = NO_GROUP;
        assert_found("kube-scheduler", "config", open, CHECK_OK, "all are there", NULL);
        assert_found("kube-scheduler", "config", closed, CHECK_FAILED, "kube-scheduler could not read /",
                     MAKE);
        before = MAY;
        assert_found("kube-scheduler", "config", closed, CHECK_OK, "all are there", NULL);
        before = MAY_NOT;
        assert_found("kube-controller-manager", "root-ca-file", open, CHECK_FAILED,
                     "kube-controller-manager could not read /", "else: chgrp kube-controller-manager, and");
        assert_found("kube-apiserver", "audit-policy-file", missing, CHECK_FAILED, "is not there", NULL);
}

/* What names no file, and what the plan brings along. */
static void test_not_asked(void **state) {
        static const char *const flags[][2] = {
                { "audit-log-path", "/srv/audit/log" },
                { "client-ca-file", "/etc/kubernetes/pki/ca.crt" },
                { "authentication-config", "/etc/kubernetes/authentication-config.yaml" },
                { "authorization-kubeconfig", "/etc/kubernetes/scheduler.conf" },
                { "client-ca-file", "%d/ca.crt" },
                { "v", "2" },
        };
        CheckList checks = {};

        dir = *state;
        n_asked = 0;
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                ask("kube-apiserver", flags[i][0], flags[i][1], &checks);
        assert_null(finding(&checks));
        assert_int_equal(n_asked, 0);
        check_list_done(&checks);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_files),
                unit_test_in_dir(test_not_asked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
