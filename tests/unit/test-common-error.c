/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <sysexits.h>

static void test_set(void **state) {
        _cleanup_error_ Error *e = NULL;

        assert_int_equal(error_set(&e, ERROR_VERIFY, EBADMSG, "digest of %s", "x"), -EBADMSG);
        assert_int_equal(e->kind, ERROR_VERIFY);
        assert_int_equal(e->errnum, EBADMSG);
        assert_string_equal(e->message, "digest of x");
        assert_null(e->detail);

        assert_int_equal(error_set(NULL, ERROR_IO, -EIO, "nobody listens"), -EIO);
        assert_int_equal(error_set(NULL, ERROR_IO, 0, "a failure is never 0"), -EINVAL);
}

/* A second error must neither leak nor hide the first. */
static void test_set_twice(void **state) {
        _cleanup_error_ Error *e = NULL;

        error_set(&e, ERROR_IO, EIO, "first");
        assert_int_equal(error_set(&e, ERROR_CONFIG, EINVAL, "second"), -EINVAL);
        assert_string_equal(e->message, "first");
        assert_string_equal(e->detail, "and then: second\n");
}

static void test_errno(void **state) {
        _cleanup_error_ Error *e = NULL;

        assert_int_equal(error_set_errno(&e, -ENOSPC, "cannot write %s", "f"), -ENOSPC);
        assert_int_equal(e->kind, ERROR_IO);
        assert_string_equal(e->message, "cannot write f: No space left on device");
}

static void test_prefix(void **state) {
        _cleanup_error_ Error *e = NULL, *f = NULL;

        error_set(&e, ERROR_UNAVAILABLE, ECONNREFUSED, "no answer");
        assert_int_equal(error_prefix(&e, -ECONNREFUSED, "node %s", "cp-1"), -ECONNREFUSED);
        assert_string_equal(e->message, "node cp-1: no answer");
        assert_int_equal(error_prefix(NULL, -EIO, "x"), -EIO);

        error_prefix_once(&e, -ECONNREFUSED, "node cp");
        assert_string_equal(e->message, "node cp: node cp-1: no answer");
        assert_int_equal(error_prefix_once(&e, -ECONNREFUSED, "node cp"), -ECONNREFUSED);
        assert_string_equal(e->message, "node cp: node cp-1: no answer");
        assert_int_equal(error_prefix_once(NULL, -EIO, "x"), -EIO);
        assert_string_equal(error_message_behind(e, "node cp"), "node cp-1: no answer");
        assert_ptr_equal(error_message_behind(e, "node cp-1"), e->message);
        assert_ptr_equal(error_message_behind(e, "node"), e->message);

        /* The callee took no Error. */
        assert_int_equal(error_prefix(&f, -EACCES, "key"), -EACCES);
        assert_string_equal(f->message, "key: Permission denied");
        assert_int_equal(f->kind, ERROR_PERMISSION);
        f = error_free(f);
        assert_int_equal(error_prefix_once(&f, -EACCES, "key"), -EACCES);
        assert_string_equal(f->message, "key: Permission denied");
}

static void test_detail(void **state) {
        _cleanup_error_ Error *e = NULL;

        error_detail(&e, "nothing to add to");
        error_detail(NULL, "nothing at all");
        assert_null(e);

        error_set(&e, ERROR_IO, EIO, "message");
        error_detail(&e, "%s", "");
        assert_null(e->detail);
        error_detail(&e, "one\ntwo");
        error_detail(&e, "three\n");
        assert_string_equal(e->detail, "one\ntwo\nthree\n");
}

/* Text of others must not drive the terminal, or pretend to be a message of its own. */
static void test_hostile_text(void **state) {
        _cleanup_error_ Error *e = NULL;

        error_set(&e, ERROR_IO, EIO, "%s", "a\033[2Jb\nerror: c\r\x7f grün");
        assert_string_equal(e->message, "a?[2Jb error: c ? grün");
        error_prefix(&e, -EIO, "x\ny");
        assert_true(startswith(e->message, "x y: "));
        error_detail(&e, "\tok\033\nok");
        assert_string_equal(e->detail, "\tok?\nok\n");
}

static void test_propagate(void **state) {
        _cleanup_error_ Error *e = NULL, *f = NULL;

        error_set(&e, ERROR_TEMPORARY, EBUSY, "locked");
        assert_int_equal(error_propagate(&f, TAKE_PTR(e)), -EBUSY);
        assert_string_equal(f->message, "locked");

        error_set(&e, ERROR_IO, EIO, "discarded");
        assert_int_equal(error_propagate(NULL, TAKE_PTR(e)), -EIO);
        error_set(&e, ERROR_IO, EIO, "also");
        assert_int_equal(error_propagate(&f, TAKE_PTR(e)), -EIO);
        assert_string_equal(f->detail, "and then: also\n");

        f = error_free(f);
        assert_int_equal(error_propagate(&f, NULL), -EINVAL);
        assert_int_equal(f->kind, ERROR_INTERNAL);
}

static void test_exit_codes(void **state) {
        static const int codes[] = {
                [ERROR_INTERNAL] = 70,    [ERROR_USAGE] = 64,  [ERROR_CONFIG] = 65,
                [ERROR_UNAVAILABLE] = 69, [ERROR_CREATE] = 73, [ERROR_IO] = 74,
                [ERROR_TEMPORARY] = 75,   [ERROR_VERIFY] = 76, [ERROR_PERMISSION] = 77,
        };
        Error e = {};

        assert_int_equal(ARRAY_SIZE(codes), _ERROR_KIND_MAX);
        for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
                e.kind = (ErrorKind) i;
                assert_int_equal(error_exit_code(&e), codes[i]);
        }
        e.kind = _ERROR_KIND_INVALID;
        assert_int_equal(error_exit_code(&e), EX_SOFTWARE);
        assert_int_equal(error_exit_code(NULL), 0);
}

static void test_kinds(void **state) {
        static const struct {
                int errnum;
                ErrorKind kind;
        } rows[] = {
                { ENOSPC, ERROR_IO },
                { EDQUOT, ERROR_IO },
                { EIO, ERROR_IO },
                { ENOENT, ERROR_IO },
                { EACCES, ERROR_PERMISSION },
                { EPERM, ERROR_PERMISSION },
                { EROFS, ERROR_CREATE },
                { EEXIST, ERROR_CREATE },
                { EAGAIN, ERROR_TEMPORARY },
                { -EBUSY, ERROR_TEMPORARY },
                { ETIMEDOUT, ERROR_UNAVAILABLE },
                { EHOSTUNREACH, ERROR_UNAVAILABLE },
                { EBADMSG, ERROR_VERIFY },
                { EINVAL, ERROR_INTERNAL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(error_kind_from_errno(rows[i].errnum), rows[i].kind);
}

static void test_list(void **state) {
        _cleanup_(error_list_done) ErrorList list = ERROR_LIST_NULL;
        Error *e = NULL;

        error_list_take(&list, NULL);
        assert_int_equal(list.n_errors, 0);
        for (unsigned i = 0; i < 10; i++)
                error_list_add(&list, ERROR_CONFIG, EINVAL, "problem %u", i);
        error_set(&e, ERROR_IO, EIO, "last");
        error_list_take(&list, e);
        assert_int_equal(list.n_errors, 11);
        assert_string_equal(list.errors[0]->message, "problem 0");
        assert_ptr_equal(list.errors[10], e);
        assert_int_equal(error_exit_code(list.errors[0]), 65);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set),       cmocka_unit_test(test_set_twice),
                cmocka_unit_test(test_errno),     cmocka_unit_test(test_prefix),
                cmocka_unit_test(test_detail),    cmocka_unit_test(test_hostile_text),
                cmocka_unit_test(test_propagate), cmocka_unit_test(test_exit_codes),
                cmocka_unit_test(test_kinds),     cmocka_unit_test(test_list),
        };

        return cmocka_run_group_tests_name("common-error", tests, NULL, NULL);
}
