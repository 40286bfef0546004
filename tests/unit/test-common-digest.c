/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/digest.h"

#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA512_ABC                                                         \
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static void test_memory(void **state) {
        char hex[SHA256_HEX_SIZE];

        sha256_hex("abc", 3, hex);
        assert_string_equal(hex, SHA256_ABC);
        sha256_hex(NULL, 0, hex);
        assert_string_equal(hex, SHA256_EMPTY);
}

static void test_pieces(void **state) {
        _cleanup_(digest_freep) Digest *d = digest_new("SHA256"), *e = digest_new("SHA512");
        _cleanup_free_ char *empty = digest_hex(d), *abc = NULL, *again = NULL, *long_abc = NULL;

        assert_string_equal(empty, SHA256_EMPTY);
        digest_add(d, "a", 1);
        digest_add(d, "bc", 2);
        abc = digest_hex(d);
        again = digest_hex(d);
        assert_string_equal(abc, SHA256_ABC);
        assert_string_equal(again, SHA256_ABC);

        digest_add(e, "abc", 3);
        long_abc = digest_hex(e);
        assert_string_equal(long_abc, SHA512_ABC);
        assert_null(digest_free(NULL));
}

/* "ab" "c" and "a" "bc" are different fields. */
static void test_fields(void **state) {
        _cleanup_(digest_freep) Digest *d = digest_new("SHA256"), *e = digest_new("SHA256");
        _cleanup_free_ char *one = NULL, *two = NULL;

        digest_add_str(d, "ab");
        digest_add_str(d, "c");
        digest_add_str(e, "a");
        digest_add_str(e, "bc");
        one = digest_hex(d);
        two = digest_hex(e);
        assert_string_not_equal(one, two);
}

static void test_file(void **state) {
        UnitDir *d = *state;
        char hex[SHA256_HEX_SIZE], wanted[SHA256_HEX_SIZE];
        _cleanup_free_ char *data = xcalloc(1, 300000);
        _cleanup_close_ int fd = -EBADF, dir = -EBADF;

        assert_int_equal(fs_write(d->fd, "x", data, 300000, 0600, 0, NULL), 1);
        fd = openat(d->fd, "x", O_RDONLY | O_CLOEXEC);
        assert_int_equal(sha256_hex_file(fd, hex), 0);
        sha256_hex(data, 300000, wanted);
        assert_string_equal(hex, wanted);

        assert_int_equal(sha256_hex_file(fd, hex), 0);
        assert_string_equal(hex, SHA256_EMPTY);

        dir = openat(d->fd, ".", O_RDONLY | O_CLOEXEC);
        assert_int_equal(sha256_hex_file(dir, hex), -EISDIR);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_fields),
                unit_test_in_dir(test_file),
        };

        return cmocka_run_group_tests_name("common-digest", tests, NULL, NULL);
}
