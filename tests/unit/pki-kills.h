/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/unit/no-sync.h"
#include "tests/unit/pki-fixture.h"

#include <signal.h>
#include <sys/wait.h>

/*
 * Death before any of the calls that give or take a name
 *
 * Wraps: renameat renameat2 unlink
 */

static unsigned countdown; /* calls until the process is killed; 0: never */
static unsigned count;

static void strike(void) {
        count++;
        if (countdown > 0 && --countdown == 0)
                kill(getpid(), SIGKILL);
}

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        strike();
        return __real_renameat(from_fd, from, to_fd, to);
}

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
        strike();
        return __real_renameat2(from_fd, from, to_fd, to, flags);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) {
        strike();
        return __real_unlink(path);
}
