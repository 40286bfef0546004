/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/shell.h"
#include "plan/probe.h"

/* What is asked of a node. */

static int keep(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        buffer_add_str(userdata, script);
        return 0;
}

/* What somebody else has said is a word to the shell, whatever it is made of. */
static void test_exec(void **state) {
        const Node node = { .name = (char*) "c0" };
        _cleanup_buffer_ Buffer sent = BUFFER_NULL, variables = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        ProbeContext c = { .exec = keep, .userdata = &sent };

        shell_add_variable(&variables, "H_NAME", "it's\n$(reboot)");
        shell_add_number(&variables, "H_PORT", 2381);
        assert_success(probe_exec(&c, &node, "who is it?", &variables, "echo \"$H_NAME\"\n", NULL, &error),
                       error, 0);
        assert_string_equal(buffer_str(&sent), "# who is it?\nH_NAME='it'\\''s\n$(reboot)'\nH_PORT=2381\n"
                                               "echo \"$H_NAME\"\n");

        buffer_clear(&sent);
        assert_success(probe_exec(&c, &node, "is it there?", NULL, ":\n", NULL, &error), error, 0);
        assert_string_equal(buffer_str(&sent), "# is it there?\n:\n");

        c.exec = NULL;
        assert_failure(probe_exec(&c, &node, "is it there?", NULL, ":\n", NULL, &error), error,
                       ERROR_INTERNAL, EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exec),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
