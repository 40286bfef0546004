/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "cluster/write.h"
#include "common/buffer.h"

/*
 * tests/golden/errors: NAME.yaml is a cluster file with something wrong, NAME.errors what is said of it. The
 * environment variable HARDWAY_GOLDEN_UPDATE=1 makes the latter anew; look at the difference before you commit it.
 */

#define SIZE_MAX_GOLDEN (64u * 1024u)

static int is_case(const struct dirent *entry) {
        return endswith(entry->d_name, ".yaml");
}

/* The messages of one case, one per line; warnings too, since there are no others to see them in. */
static void messages(int dir, const char *name, Buffer *out) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_(cluster_freep) Cluster *c = NULL;
        ErrorList errors = ERROR_LIST_NULL;
        Error *error = NULL;

        assert_success(fs_read(dir, name, CLUSTER_FILE_SIZE_MAX, &text, &error), error, 0);
        if (cluster_load_text(name, text.data ?: "", text.size, &c, &errors) >= 0)
                fail_msg("%s was accepted", name);
        for (size_t i = 0; i < errors.n_errors; i++) {
                assert_int_equal(errors.errors[i]->kind, ERROR_CONFIG);
                buffer_addf(out, "%s\n", errors.errors[i]->message);
        }
        error_list_done(&errors);
}

static bool check_case(int dir, const char *name) {
        _cleanup_free_ char *wanted_name =
                xasprintf("%.*s.errors", (int) (strlen(name) - strlen(".yaml")), name);
        _cleanup_buffer_ Buffer found = BUFFER_NULL, wanted = BUFFER_NULL;
        Error *error = NULL;

        messages(dir, name, &found);
        if (getenv("HARDWAY_GOLDEN_UPDATE")) {
                assert_true(fs_write(dir, wanted_name, found.data, found.size, 0644, 0, &error) >= 0);
                return true;
        }

        assert_true(fs_read_optional(dir, wanted_name, SIZE_MAX_GOLDEN, &wanted, &error) >= 0);
        if (streq(buffer_str(&found), buffer_str(&wanted)))
                return true;
        print_error("%s: wanted:\n%s\nfound:\n%s\n", name, buffer_str(&wanted), buffer_str(&found));
        return false;
}

static void test_golden(void **state) {
        _cleanup_free_ char *path = xasprintf("%s/tests/golden/errors", getenv("TEST_SOURCE_ROOT"));
        _cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent **entries = NULL;
        int n, bad = 0;

        assert_true(dir >= 0);
        n = scandir(path, &entries, is_case, alphasort);
        assert_true(n > 0);
        for (int i = 0; i < n; i++) {
                bad += !check_case(dir, entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        assert_int_equal(bad, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
