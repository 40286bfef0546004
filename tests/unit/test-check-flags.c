/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "check/check.h"
#include "common/fs.h"
#include "tests/unit/plan-fixture.h"

/* Flags of the user's against the names in a program, which is a file of the test. */

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const Artifact artifacts[] = { { "kube-apiserver", ORIGIN_KUBERNETES } };
static const Flag flags[] = { { "audit-log-maxsize", "100" }, { "made-up-by-hardway", "1" } };
static const Component apiserver = {
        .name = "kube-apiserver",
        .roles = ROLE_CONTROLLER,
        .artifacts = artifacts,
        .n_artifacts = ARRAY_SIZE(artifacts),
        .flags = flags,
        .n_flags = ARRAY_SIZE(flags),
};
static const Component *const components[] = { &apiserver, NULL };

/* As Go has them: end to end, some put together at the start, some with underscores. */
static const char program[] =
        "\177ELF goaway-chanceaudit-log-maxsizemax-requests-inflightaudit-%s-truncate-enabled"
        "concurrent_rc_syncs\0the end";

static void put_program(const UnitDir *dir) {
        _cleanup_free_ char *folder = xasprintf("%s/sha256/aa", dir->path),
                            *path = xasprintf("%s/" SHA, folder);

        assert_true(fs_mkdir_parents(AT_FDCWD, folder, 0755, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, path, program, sizeof(program) - 1, 0755, 0, NULL) >= 0);
}

/* The text and advice of what is found, or "". */
static char* find(const UnitDir *dir, const Lock *lock, const char *name) {
        ExtraFlag flag = { .name = (char*) name };
        ExtraFlags extra = { .component = (char*) "kube-apiserver", .flags = &flag, .n_flags = 1 };
        Node nodes[3];
        CheckNode checked[3] = {};
        Cluster c = fixture_cluster(nodes);
        const CheckWorld w = {
                .cluster = &c, .components = components, .nodes = checked, .lock = lock, .cache = dir->path
        };
        CheckList found = {};
        char *text = xstrdup("");

        c.extra_flags = &extra;
        c.n_extra_flags = 1;
        check_all(&w, &found);
        for (size_t i = 0; i < found.n_checks; i++)
                if (streq(found.checks[i].id, "flags")) {
                        assert_int_equal(found.checks[i].state, CHECK_FAILED);
                        free(text);
                        text = xasprintf("%s\n%s", found.checks[i].text, found.checks[i].advice);
                }
        check_list_done(&found);
        return text;
}

static void test_flags(void **state) {
        static const struct {
                const char *name, *told; /* NULL: nothing */
        } cases[] = {
                { "max-requests-inflight", NULL },
                { "goaway-chance", NULL },
                { "audit-webhook-truncate-enabled", NULL },
                { "concurrent-rc-syncs", NULL },
                { "made-up-by-hardway", NULL },
                { "max-request-inflight",
                  "extra-args.kube-apiserver.max-request-inflight: kube-apiserver has no such flag\n" },
                { "audit-log-maxsise", "has no such flag; did you mean 'audit-log-maxsize'?" },
                { "audit-webhook-truncate-enable-it", "has no such flag" },
                { "the-end", "has no such flag" },
        };
        const UnitDir *dir = *state;
        _cleanup_(lock_freep) Lock *lock = lock_new("hardway.lock");
        LockEntry entry = {
                .name = (char*) "kube-apiserver",
                .version = (char*) "v1.36.3",
                .architecture = (char*) "amd64",
                .url = (char*) "https://example.com/",
                .sha256 = (char*) SHA,
                .size = sizeof(program) - 1,
        };
        _cleanup_free_ char *without = NULL;

        lock_put(lock, &entry);
        without = find(dir, lock, "max-request-inflight"); /* not fetched yet: nothing can be said */
        assert_string_equal(without, "");
        put_program(dir);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *text = find(dir, lock, cases[i].name);

                if (cases[i].told)
                        assert_contains(text, cases[i].told);
                else
                        assert_string_equal(text, "");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_flags),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
