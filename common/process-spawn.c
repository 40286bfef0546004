/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Starting a program, and the end of it, by its number
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/process-internal.h"

#define TERMINATE_USEC (2 * USEC_PER_SEC)
#define WAIT_TICK_MIN_USEC (1 * USEC_PER_MSEC)
#define WAIT_TICK_MAX_USEC (20 * USEC_PER_MSEC)

/**
 * process_kill() - send a signal to a child and those it has started
 * @pid:        the child, not yet waited for
 * @sig:        the signal
 */
void process_kill(pid_t pid, int sig) {
        /* The group first; the child itself too, in case it has moved to another group. */
        (void) kill(-pid, sig);
        (void) kill(pid, sig);
}

/**
 * process_reap() - see whether a child has ended
 * @pid:        the child
 * @ret_status: its exit status, 128 + signal if it was killed
 *
 * Return: 0 if it still runs, 1 if it has ended and must not be waited for again.
 */
int process_reap(pid_t pid, int *ret_status) {
        int status;
        pid_t p;

        do
                p = waitpid(pid, &status, WNOHANG);
        while (p < 0 && errno == EINTR);

        if (p == 0)
                return 0;
        if (p < 0)
                *ret_status = 255; /* we were started with SIGCHLD ignored: the kernel has forgotten it */
        else
                *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        return 1;
}

/**
 * process_await() - wait until a child ends or the time is over
 * @pid:        the child
 * @timeout_usec: how long
 * @ret_status: its exit status, 128 + signal if it was killed
 *
 * Polls: a pidfd would be more elegant, but what we start runs for seconds, and this needs nothing of the
 * kernel.
 *
 * Return: 0, or -ETIMEDOUT.
 */
int process_await(pid_t pid, uint64_t timeout_usec, int *ret_status) {
        uint64_t start = clock_usec(), tick = WAIT_TICK_MIN_USEC;

        for (;;) {
                uint64_t elapsed;

                if (process_reap(pid, ret_status) > 0)
                        return 0;

                elapsed = clock_usec() - start;
                if (elapsed >= timeout_usec)
                        return -ETIMEDOUT;
                clock_sleep(timeout_usec - elapsed < tick ? timeout_usec - elapsed : tick);
                tick = tick * 2 < WAIT_TICK_MAX_USEC ? tick * 2 : WAIT_TICK_MAX_USEC;
        }
}

/**
 * process_pair() - make two connected descriptors for a child
 * @socket:     a socket instead of a pipe
 * @ret:        both ends; of a pipe the reading one first
 *
 * They are close-on-exec and not 0, 1 or 2, which the child's are put in place of.
 *
 * Return: 0, or a negative errno.
 */
int process_pair(bool socket, int ret[static 2]) {
        int pair[2];

        if ((socket ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) : pipe2(pair, O_CLOEXEC)) < 0)
                return -errno;

        for (size_t i = 0; i < 2; i++) {
                int fd = pair[i];

                if (fd > STDERR_FILENO)
                        continue;
                pair[i] = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
                safe_close(fd);
                if (pair[i] < 0) {
                        int r = -errno;

                        safe_close(pair[!i]);
                        return r;
                }
        }
        memcpy(ret, pair, sizeof(pair));
        return 0;
}

/**
 * process_pipe() - make a pipe for a child
 * @ret_read:   its reading end
 * @ret_write:  its writing end
 *
 * Return: 0, or a negative errno.
 */
int process_pipe(int *ret_read, int *ret_write) {
        int pair[2], r;

        r = process_pair(/* socket= */ false, pair);
        if (r < 0)
                return r;

        *ret_read = pair[0];
        *ret_write = pair[1];
        return 0;
}

/* Errors here are errors of memory only. */
static void spawn_check(int r) {
        if (r != 0)
                abort();
}

static void spawn_prepare_files(posix_spawn_file_actions_t *actions, int in, int out, int err) {
        spawn_check(posix_spawn_file_actions_init(actions));
        if (in >= 0)
                spawn_check(posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO));
        if (out >= 0)
                spawn_check(posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO));
        if (err >= 0)
                spawn_check(posix_spawn_file_actions_adddup2(actions, err, STDERR_FILENO));
        /* Also what some library opened without O_CLOEXEC. */
        spawn_check(posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1));
}

/*
 * Default signals and no signal mask, whatever we or who started us ignores or blocks.
 *
 * A group of its own: a Ctrl-C at the terminal goes to hardway alone, which decides whether the children,
 * and so what they do on the nodes, may finish. It also lets us end a child together with what it has
 * started.
 */
static void spawn_prepare_attributes(posix_spawnattr_t *attributes) {
        sigset_t all, none;

        (void) sigfillset(&all);
        (void) sigemptyset(&none);
        spawn_check(posix_spawnattr_init(attributes));
        spawn_check(posix_spawnattr_setsigdefault(attributes, &all));
        spawn_check(posix_spawnattr_setsigmask(attributes, &none));
        spawn_check(posix_spawnattr_setpgroup(attributes, 0));
        spawn_check(posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                                 POSIX_SPAWN_SETPGROUP));
}

/**
 * process_spawn() - start a child
 * @argv:       the program, looked for in PATH, and its arguments
 * @in:         descriptor for its standard input; negative to inherit ours, as for the next two
 * @out:        descriptor for its standard output
 * @err:        descriptor for its standard error
 * @ret:        the child, to be reaped
 * @reterr:     names the program
 *
 * Return: 0, or a negative errno.
 */
int process_spawn(char *const *argv, int in, int out, int err, pid_t *ret, Error **reterr) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        pid_t pid;
        int r;

        if (strv_length(argv) == 0)
                return error_set(reterr, ERROR_INTERNAL, EINVAL, "no program to run");

        spawn_prepare_files(&actions, in, out, err);
        spawn_prepare_attributes(&attributes);
        r = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
        (void) posix_spawnattr_destroy(&attributes);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return error_set_errno(reterr, r, "cannot run %s", argv[0]);

        *ret = pid;
        return 0;
}

/**
 * process_terminate() - end a child that still runs, and reap it
 * @pid:        the child
 *
 * Return: its exit status, 128 + signal if it was killed.
 */
int process_terminate(pid_t pid) {
        int status;

        process_kill(pid, SIGTERM);
        if (process_await(pid, TERMINATE_USEC, &status) < 0) {
                process_kill(pid, SIGKILL);
                (void) process_await(pid, USEC_INFINITY, &status);
        }
        return status;
}
