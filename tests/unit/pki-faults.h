/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/unit/no-sync.h"
#include "tests/unit/pki-fixture.h"

#include <ftw.h>
#include <signal.h>
#include <sys/wait.h>

/*
 * Faults of the disk, and death, for tests of the store
 *
 * Wraps: renameat renameat2 write
 */

typedef enum Fault {
        FAULT_NONE,
        FAULT_KILL,
        FAULT_RENAME,
        FAULT_WRITE
} Fault;

static Fault fault;
static unsigned countdown; /* calls until it happens; counts up while there is none */
static unsigned count;

static bool strikes(Fault of) {
        bool concerns = fault == of || (fault == FAULT_KILL && of == FAULT_RENAME);

        if (of == FAULT_RENAME)
                count++;
        if (!concerns || countdown == 0 || --countdown > 0)
                return false;
        if (fault == FAULT_KILL)
                kill(getpid(), SIGKILL);
        return true;
}

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        if (!strikes(FAULT_RENAME))
                return __real_renameat(from_fd, from, to_fd, to);
        errno = EIO;
        return -1;
}

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
        if (!strikes(FAULT_RENAME))
                return __real_renameat2(from_fd, from, to_fd, to, flags);
        errno = EIO;
        return -1;
}

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size) {
        if (!strikes(FAULT_WRITE))
                return __real_write(fd, data, size);
        errno = ENOSPC;
        return -1;
}

static unsigned n_left_over;

static int look_at(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        n_left_over += startswith(path + ftw->base, ".#") != NULL;
        return 0;
}

static unsigned count_left_over(const UnitDir *d) {
        n_left_over = 0;
        assert_int_equal(nftw(d->path, look_at, 16, FTW_PHYS), 0);
        return n_left_over;
}

static void clean(const UnitDir *d) {
        static const char *const names[] = { "pki", "secrets", "admin.conf", "super-admin.conf" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                assert_int_equal(fs_remove_tree(d->fd, names[i], NULL), 0);
}

/* Every point in the long tier, else a sample. */
_unused_ static unsigned step(void) {
        const char *tier = getenv("HARDWAY_TEST_TIER");

        return tier && streq(tier, "long") ? 1 : 5;
}
