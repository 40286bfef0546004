/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* cmocka.h wants these in front of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/error.h"
#include "common/fs.h"

/*
 * What unit tests share
 *
 * A test is tests/unit/test-FOLDER-NOUN.c, found by name. It has one group of cmocka tests: TAP knows only
 * one plan. To replace functions it has a comment line " * Wraps: fsync write" and defines __wrap_fsync(),
 * which may call __real_fsync(). A header here that defines some says so itself, and they are replaced in each test
 * that includes it.
 */

/*
 * A call failed as it should: result, kind and errno fit. Frees the error, so that the variable can be used
 * again.
 */
#define assert_failure(r, error, wanted_kind, wanted_errnum)        \
        do {                                                        \
                assert_int_equal((r), -(wanted_errnum));            \
                assert_non_null(error);                             \
                assert_int_equal((error)->kind, (wanted_kind));     \
                assert_int_equal((error)->errnum, (wanted_errnum)); \
                assert_true(*(error)->message);                     \
                assert_null(strchr((error)->message, '\n'));        \
                (error) = error_free(error);                        \
        } while (0)

/* A call succeeded with this result; prints the message if it did not. */
#define assert_success(r, error, wanted)                                   \
        do {                                                               \
                int _r_ = (r);                                             \
                if (error)                                                 \
                        print_error("unexpected: %s\n", (error)->message); \
                assert_null(error);                                        \
                assert_int_equal(_r_, (wanted));                           \
        } while (0)

#define assert_contains(text, part)                                       \
        do {                                                              \
                if (!strstr((text), (part)))                              \
                        fail_msg("\"%s\" not in \"%s\"", (part), (text)); \
        } while (0)

/* A directory of its own for each test: *state points to a UnitDir. */
typedef struct UnitDir {
        char path[64];
        int fd;
} UnitDir;

static inline int unit_dir_setup(void **state) {
        UnitDir *d = xnew(UnitDir, 1);

        (void) snprintf(d->path, sizeof(d->path), "/tmp/hardway-unit-XXXXXX");
        if (!mkdtemp(d->path))
                return -1;
        d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = d;
        return d->fd < 0 ? -1 : 0;
}

static inline int unit_dir_teardown(void **state) {
        UnitDir *d = *state;
        int r;

        r = fs_remove_tree(AT_FDCWD, d->path, NULL);
        close(d->fd);
        free(d);
        return r;
}

#define unit_test_in_dir(f) cmocka_unit_test_setup_teardown(f, unit_dir_setup, unit_dir_teardown)

/* How many names a directory holds, hidden ones included. */
static inline unsigned unit_count_entries(const char *path) {
        DIR *d = opendir(path);
        unsigned n = 0;

        if (!d)
                return 0;
        while (readdir(d))
                n++;
        closedir(d);
        return n - 2;
}

static inline unsigned unit_count_fds(void) {
        return unit_count_entries("/proc/self/fd");
}
