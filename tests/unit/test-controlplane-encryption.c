/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Is the key for secrets that which the apiserver on the node runs with? The node's part runs in a shell, over a file of
 * the test.
 *
 * Wraps: probe_store_file
 */

#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/fs.h"
#include "controlplane/controlplane.h"
#include "tests/unit/plan-fixture.h"

#define CONFIG "/etc/kubernetes/encryption-config.yaml"

static const UnitDir *dir;
static const char *ours;
static bool active;

int __wrap_probe_store_file(const ProbeContext *c, const char *path, const Buffer **ret, Error **reterr);
int __wrap_probe_store_file(const ProbeContext *c, const char *path, const Buffer **ret, Error **reterr) {
        static Buffer content = BUFFER_NULL;

        assert_string_equal(path, "secrets/encryption-key");
        if (!ours)
                return error_set(reterr, ERROR_CONFIG, ENOENT, "%s is missing", path);
        buffer_clear(&content);
        buffer_add_str(&content, ours);
        *ret = &content;
        return 0;
}

static int run_on_node(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        const char *path = strstr(script, CONFIG);
        _cleanup_free_ char *text = NULL, *name = xasprintf("%s/script", dir->path),
                            *command = xasprintf("sh -eu '%s'", name);
        char answer[256];
        FILE *shell;

        if (!path)
                return 0; /* another question, see test-controlplane-lasting.c */
        text = xasprintf("systemctl() { %s; }\n%.*s%s/config%s", active ? ":" : "return 3",
                         (int) (path - script), script, dir->path, path + strlen(CONFIG));
        assert_true(fs_write(AT_FDCWD, name, text, strlen(text), 0600, 0, NULL) >= 0);
        shell = popen(command, "r");
        assert_non_null(shell);
        while (fgets(answer, sizeof(answer), shell))
                buffer_add_str(ret, answer);
        assert_int_equal(pclose(shell), 0);
        return 0;
}

static void write_config(const char *text) {
        _cleanup_free_ char *path = xasprintf("%s/config", dir->path);

        assert_true(fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, NULL) >= 0);
}

/* With those keys ("1 b2xk"), in that order; or without the second. */
static void put_config(const char *first, const char *second) {
        const char *const keys[] = { first, second };
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        buffer_add_str(&text, "providers:\n- secretbox:\n    keys:\n");
        for (size_t i = 0; i < ARRAY_SIZE(keys) && keys[i]; i++)
                buffer_addf(&text, "    - name: \"key%c\"\n      secret: \"%s\"\n", keys[i][0], keys[i] + 2);
        buffer_add_str(&text, "- identity: {}\n");
        write_config(buffer_str(&text));
}

static CheckState judge_node(size_t *ret_n) {
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);
        const ProbeContext context = { .cluster = &c, .exec = run_on_node };
        CheckList checks = {};
        CheckState state = CHECK_OK;

        assert_int_equal(component_kube_apiserver.preflight(&context, nodes, &checks, NULL), 0);
        *ret_n = 0;
        for (size_t i = 0; i < checks.n_checks; i++)
                if (streq(checks.checks[i].id, "encryption-key/c0")) {
                        state = checks.checks[i].state;
                        ++*ret_n;
                }
        check_list_done(&checks);
        return state;
}

static void test_key(void **state) {
        size_t n;

        dir = *state;
        ours = "b3Vycw+/==\n";
        active = true;
        assert_int_equal(judge_node(&n), CHECK_OK); /* there is no such file */
        put_config("1 b3Vycw+/==", NULL);
        assert_int_equal(judge_node(&n), CHECK_OK);
        put_config("1 dGhlaXJz", NULL);
        assert_int_equal(judge_node(&n), CHECK_FAILED);
        assert_int_equal(n, 1);

        active = false; /* what it reads next time may be meant so: a restore of another cluster's data */
        assert_int_equal(judge_node(&n), CHECK_OK);
        active = true;
        ours = NULL; /* told of elsewhere */
        assert_int_equal(judge_node(&n), CHECK_OK);
        assert_int_equal(n, 0);
}

/* While a key is replaced, and after: what the apiserver writes with must be among ours, what it only reads with may go. */
static void test_replaced(void **state) {
        static const struct {
                const char *ours, *first, *second;
                CheckState wanted;
        } rows[] = {
                { "b2xk\n2 bmV3\n", "1 b2xk", NULL, CHECK_OK },     /* trust */
                { "2 bmV3\nb2xk\n", "1 b2xk", "2 bmV3", CHECK_OK }, /* reissue */
                { "2 bmV3\n", "2 bmV3", "1 b2xk", CHECK_OK },       /* finish */
                { "2 bmV3\nb2xk\n", "2 bmV3", NULL, CHECK_OK },     /* taken back */
                { "b2xk\n", "2 bmV3", "1 b2xk", CHECK_FAILED },     /* a directory of before */
                { "2 bmV3\n", "1 b2xk", NULL, CHECK_FAILED },       /* steps left out */
                { "2 bmV3\nb2xk\n", "1 b2xk", NULL,
                  CHECK_FAILED },                           /* the others could not read what is written */
                { "b2xk\n", "2 b2xk", NULL, CHECK_FAILED }, /* under another name */
                { "3 b3RoZXI=\n", "2 bmV3", "1 b2xk", CHECK_FAILED },
        };
        size_t n;

        dir = *state;
        active = true;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                ours = rows[i].ours;
                put_config(rows[i].first, rows[i].second);
                assert_int_equal(judge_node(&n), rows[i].wanted);
        }

        ours = "b2xk\n"; /* as a person writes it */
        write_config(
                "providers:\n  - secretbox:\n      keys:\n        - name: key1\n          secret: b2xk\n");
        assert_int_equal(judge_node(&n), CHECK_OK);
        write_config("providers:\n- kms: {}\n");
        assert_int_equal(judge_node(&n), CHECK_FAILED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_key),
                unit_test_in_dir(test_replaced),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
