/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Hostile archives: refused as a whole, by name of the member, before anything of them can appear anywhere.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "fetch/elf.h"
#include "fetch/unpack.h"
#include "tests/fetch/make.h"

static int collect(void *userdata, const void *data, size_t size, Error **reterr) {
        buffer_add(userdata, data, size);
        return 0;
}

static int memory_file(const void *data, size_t size) {
        int fd = memfd_create("archive", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, size), size);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

static int unpack_two(const void *data, size_t size, Buffer *a, Buffer *b, Error **reterr) {
        UnpackMember members[] = { { .name = "top/a", .userdata = a }, { .name = "top/b", .userdata = b } };
        _cleanup_close_ int fd = memory_file(data, size);

        return unpack(fd, members, 2, 1024 * 1024, collect, reterr);
}

static void test_good(void **state) {
        _cleanup_buffer_ Buffer archive = BUFFER_NULL, a = BUFFER_NULL, b = BUFFER_NULL, big = BUFFER_NULL;
        const MakeEntry entries[] = {
                { "top/", 'd', NULL, 0 },       { "top/README.md", '-', "read me", 7 },
                { "top/b", '-', "second", 6 },  { "top/docs/", 'd', NULL, 0 },
                { "top/a", '-', NULL, 300000 }, { "top/docs/..x", '-', "fine", 4 },
        };
        MakeEntry copy[ARRAY_SIZE(entries)];

        make_program(&big, EM_AARCH64, 1, 300000);
        memcpy(copy, entries, sizeof(entries));
        copy[4].data = big.data;
        make_archive(&archive, copy, ARRAY_SIZE(copy));
        assert_int_equal(unpack_two(archive.data, archive.size, &a, &b, NULL), 0);
        assert_string_equal(buffer_str(&b), "second");
        assert_int_equal(a.size, big.size);
        assert_memory_equal(a.data, big.data, big.size);
}

static void test_hostile(void **state) {
        static const struct {
                MakeEntry entry;
                int errnum;
                const char *words;
        } rows[] = {
                { { "../evil", '-', "x", 1 }, EBADMSG, "member '../evil' has '..' in its name" },
                { { "top/../../evil", '-', "x", 1 }, EBADMSG, "has '..' in its name" },
                { { "top/..", 'd', NULL, 0 }, EBADMSG, "has '..' in its name" },
                { { "/etc/passwd", '-', "x", 1 }, EBADMSG, "member '/etc/passwd' has an absolute name" },
                { { "top/link", 'l', NULL, 0 }, EBADMSG, "member 'top/link' is a link" },
                { { "top/hard", 'h', NULL, 0 }, EBADMSG, "member 'top/hard' is a link" },
                { { "top/device", 'c', NULL, 0 }, EBADMSG, "neither a file nor a directory" },
                { { "top/fifo", 'p', NULL, 0 }, EBADMSG, "neither a file nor a directory" },
                { { "top/a", '-', "other", 5 }, EBADMSG, "member 'top/a' is there twice" },
                { { "./top/a", '-', "other", 5 }, EBADMSG, "is there twice" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (int first = 0; first < 2; first++) {
                        _cleanup_buffer_ Buffer archive = BUFFER_NULL, a = BUFFER_NULL, b = BUFFER_NULL;
                        _cleanup_error_ Error *error = NULL;
                        MakeEntry entries[3] = { { "top/a", '-', "aaa", 3 }, { "top/b", '-', "bbb", 3 } };

                        /* It does not matter whether all that is wanted has been seen before. */
                        entries[2] = rows[i].entry;
                        if (first)
                                entries[2] = entries[0], entries[0] = rows[i].entry;
                        make_archive(&archive, entries, 3);
                        assert_int_equal(unpack_two(archive.data, archive.size, &a, &b, &error),
                                         -rows[i].errnum);
                        assert_int_equal(error->kind, ERROR_VERIFY);
                        if (!strstr(error->message, rows[i].words) && !first)
                                fail_msg("%s", error->message);
                }
}

static void test_wrong_type(void **state) {
        static const char types[] = "dlhcp";

        for (size_t i = 0; types[i]; i++) {
                _cleanup_buffer_ Buffer archive = BUFFER_NULL, a = BUFFER_NULL, b = BUFFER_NULL;
                const MakeEntry entries[] = { { "top/a", types[i], NULL, 0 }, { "top/b", '-', "bbb", 3 } };

                make_archive(&archive, entries, 2);
                /* A directory "top/a/" is another name than "top/a". */
                assert_int_equal(unpack_two(archive.data, archive.size, &a, &b, NULL),
                                 types[i] == 'd' ? -ENOENT : -EBADMSG);
        }
}

static void test_missing(void **state) {
        _cleanup_buffer_ Buffer archive = BUFFER_NULL, a = BUFFER_NULL, b = BUFFER_NULL;
        const MakeEntry entries[] = { { "top/a", '-', "aaa", 3 },
                                      { "b", '-', "bbb", 3 },
                                      { "top/b/b", '-', "b", 1 } };
        _cleanup_error_ Error *error = NULL;

        make_archive(&archive, entries, 3);
        assert_int_equal(unpack_two(archive.data, archive.size, &a, &b, &error), -ENOENT);
        assert_string_equal(error->message, "it has no member 'top/b'");
}

static void test_bombs(void **state) {
        _cleanup_free_ char *zeros = xcalloc(1, 2 * 1024 * 1024);
        static const char *const names[] = { "top/a", "top/unwanted" };

        /*
         * Wanted or not, alone or in many pieces: what unpacks to more than the limit is not read to its
         * end.
         */
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_buffer_ Buffer archive = BUFFER_NULL, a = BUFFER_NULL, b = BUFFER_NULL;
                _cleanup_error_ Error *error = NULL;
                const MakeEntry entries[] = { { names[i], '-', zeros, 2 * 1024 * 1024 },
                                              { "top/b", '-', "b", 1 } };

                make_archive(&archive, entries, 2);
                assert_true(archive.size < 16 * 1024);
                assert_int_equal(unpack_two(archive.data, archive.size, &a, &b, &error), -EFBIG);
                assert_non_null(strstr(error->message, names[i]));
                assert_int_equal(a.size, 0);
        }

        {
                _cleanup_buffer_ Buffer archive = BUFFER_NULL, a = BUFFER_NULL, b = BUFFER_NULL;
                MakeEntry entries[100];

                for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
                        entries[i] = (MakeEntry) { "x", '-', zeros, 20000 };
                make_archive(&archive, entries, ARRAY_SIZE(entries));
                assert_int_equal(unpack_two(archive.data, archive.size, &a, &b, NULL), -EFBIG);
        }
        {
                _cleanup_buffer_ Buffer archive = BUFFER_NULL, a = BUFFER_NULL;
                _cleanup_free_ MakeEntry *entries = xnew(MakeEntry, UNPACK_ENTRIES_MAX + 1);
                UnpackMember member = { .name = "top/a", .userdata = &a };
                _cleanup_close_ int fd = -EBADF;

                for (size_t i = 0; i <= UNPACK_ENTRIES_MAX; i++)
                        entries[i] = (MakeEntry) { "x", '-', NULL, 0 };
                make_archive(&archive, entries, UNPACK_ENTRIES_MAX + 1);
                fd = memory_file(archive.data, archive.size);
                assert_int_equal(unpack(fd, &member, 1, UNPACK_SIZE_MAX, collect, NULL), -EFBIG);
        }
}

/* Cut at every byte: never success, and never a crash. */
static void test_truncated(void **state) {
        _cleanup_buffer_ Buffer archive = BUFFER_NULL, program = BUFFER_NULL;
        MakeEntry entries[] = { { "top/a", '-', NULL, 2000 }, { "top/b", '-', "bbb", 3 } };

        make_program(&program, EM_AARCH64, 1, 2000);
        entries[0].data = program.data;
        make_archive(&archive, entries, 2);
        for (size_t n = 0; n < archive.size; n++) {
                _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL;
                _cleanup_error_ Error *error = NULL;

                if (unpack_two(archive.data, n, &a, &b, &error) >= 0 && n + 8 < archive.size)
                        fail_msg("%zu of %zu bytes are taken for the whole", n, archive.size);
        }
}

static void test_junk(void **state) {
        _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL;
        static const char *const texts[] = { "", "<html>not found</html>", "\x1f\x8b junk", "PK\x03\x04" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_true(unpack_two(texts[i], strlen(texts[i]), &a, &b, NULL) < 0);
}

static void test_elf(void **state) {
        static const struct {
                uint16_t machine;
                const char *architecture, *words;
        } rows[] = {
                { EM_AARCH64, "arm64", NULL },
                { EM_X86_64, "amd64", NULL },
                { EM_X86_64, "arm64", "x is a program for amd64, not for arm64" },
                { EM_AARCH64, "amd64", "x is a program for arm64, not for amd64" },
                { EM_MIPS, "amd64", "for another machine" },
        };
        _cleanup_close_ int text = memory_file("#!/bin/sh\n# a script of more than 20 bytes", 41),
                            none = memory_file("", 0);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_buffer_ Buffer program = BUFFER_NULL;
                _cleanup_close_ int fd = -EBADF;
                _cleanup_error_ Error *error = NULL;

                make_program(&program, rows[i].machine, 1, 100);
                fd = memory_file(program.data, program.size);
                assert_int_equal(elf_check(fd, rows[i].architecture, "x", &error),
                                 rows[i].words ? -ENOEXEC : 0);
                if (rows[i].words && !strstr(error->message, rows[i].words))
                        fail_msg("%s", error->message);
        }
        assert_int_equal(elf_check(text, "amd64", "x", NULL), -ENOEXEC);
        assert_int_equal(elf_check(none, "amd64", "x", NULL), -ENOEXEC);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),       cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_wrong_type), cmocka_unit_test(test_missing),
                cmocka_unit_test(test_bombs),      cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_junk),       cmocka_unit_test(test_elf),
        };

        return cmocka_run_group_tests_name("fetch-unpack", tests, NULL, NULL);
}
