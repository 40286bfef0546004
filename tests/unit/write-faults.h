/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/*
 * A disk that refuses one of the calls which change it, for any reason, or death before that call. Who includes this may
 * have further ones ask strikes().
 *
 * Wraps: fsync openat renameat unlink unlinkat write
 */

static unsigned count, countdown; /* calls, until it happens; 0: never */
static int trouble;               /* an errno, or 0: the run is killed */

static const int troubles[] = { ENOSPC, EROFS, EACCES, EIO };

static bool strikes(void) {
        count++;
        if (countdown == 0 || --countdown > 0)
                return false;
        if (trouble == 0)
                (void) kill(getpid(), SIGKILL);
        errno = trouble;
        return true;
}

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size) {
        return strikes() ? -1 : __real_write(fd, data, size);
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
        return strikes() ? -1 : 0;
}

int __real_openat(int dir_fd, const char *path, int flags, ...);
int __wrap_openat(int dir_fd, const char *path, int flags, ...);
int __wrap_openat(int dir_fd, const char *path, int flags, ...) {
        va_list ap;
        mode_t mode;

        if (!(flags & O_CREAT))
                return __real_openat(dir_fd, path, flags);
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
        return strikes() ? -1 : __real_openat(dir_fd, path, flags, mode);
}

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        return strikes() ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) {
        return strikes() ? -1 : __real_unlink(path);
}

int __real_unlinkat(int dir_fd, const char *path, int flags);
int __wrap_unlinkat(int dir_fd, const char *path, int flags);
int __wrap_unlinkat(int dir_fd, const char *path, int flags) {
        return strikes() ? -1 : __real_unlinkat(dir_fd, path, flags);
}

/* Like fork(2): the child dies before its call number at, and has to _exit() if there is none. */
static pid_t fork_to_die(unsigned at) {
        pid_t pid = fork();

        if (pid == 0) {
                trouble = 0;
                countdown = at;
        }
        return pid;
}

static void await_killed(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
