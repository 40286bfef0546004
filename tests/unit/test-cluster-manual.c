/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "cluster/input.h"
#include "common/buffer.h"

/* hardway.yaml(5) has every key of the tables, in their order, says which are required, and has no other. */

#define MANUAL_SIZE_MAX (256u * 1024u)

static void add_keys(const Key *keys, const char *prefix, Buffer *out) {
        for (const Key *key = keys; key->name; key++) {
                _cleanup_free_ char *name = xasprintf("%s%s", prefix, key->name);
                _cleanup_free_ char *inner = xasprintf("%s.", name);

                buffer_addf(out, "*%s*%s\n", name, key->required ? " (required)" : "");
                if (key->keys)
                        add_keys(key->keys, inner, out);
        }
}

/* The lines of the section KEYS that begin an entry. */
static void add_entries(char *text, Buffer *out) {
        _cleanup_strv_ Strv lines = strv_split(strstr(text, "\n# KEYS\n") + strlen("\n# KEYS\n"), "\n");

        STRV_FOREACH(line, lines) {
                if ((*line)[0] == '#')
                        return;
                if ((*line)[0] == '*')
                        buffer_addf(out, "%s\n", *line);
        }
}

static void test_keys(void **state) {
        _cleanup_free_ char *path = xasprintf("%s/man/hardway.yaml.5.scd", getenv("TEST_SOURCE_ROOT"));
        _cleanup_buffer_ Buffer manual = BUFFER_NULL, wanted = BUFFER_NULL, found = BUFFER_NULL;
        Error *error = NULL;

        assert_success(fs_read(AT_FDCWD, path, MANUAL_SIZE_MAX, &manual, &error), error, 0);
        add_keys(cluster_keys, "", &wanted);
        add_entries(manual.data, &found);
        assert_string_equal(buffer_str(&found), buffer_str(&wanted));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
