/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/process-internal.h"

#define ERRORS_SIZE_MAX (64 * 1024)
#define TERMINATE_USEC (2 * USEC_PER_SEC)
#define WAIT_TICK_MIN_USEC (1 * USEC_PER_MSEC)
#define WAIT_TICK_MAX_USEC (20 * USEC_PER_MSEC)

struct Process {
        pid_t pid;
        bool running;
        int status;
        int input_fd;
        int output_fd; /* the same number as input_fd for a socket */
        int errors_fd; /* a memfd the child writes to, or -EBADF */
        Buffer errors;
};

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

/*
 * Waits until a child ends or the time is over. Polls: a pidfd would be more elegant, but what we start runs
 * for seconds, and this needs nothing of the kernel.
 */
static int process_await(pid_t pid, uint64_t timeout_usec, int *ret_status) {
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

/*
 * A pair of connected descriptors that are close-on-exec and not 0, 1 or 2, which the child's are put in
 * place of.
 */
static int pair_make(bool socket, int ret[static 2]) {
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

        r = pair_make(/* socket= */ false, pair);
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

/* The ends of the child, closed when it is started or cannot be. */
typedef struct ChildEnds {
        int in;
        int out;
} ChildEnds;

static void child_ends_done(ChildEnds *ends) {
        if (ends->out != ends->in)
                safe_close(ends->out);
        safe_close(ends->in);
        *ends = (ChildEnds) { -EBADF, -EBADF };
}

static int process_connect(Process *p, ProcessFlags flags, ChildEnds *ends) {
        int pair[2], r;

        if (flags & PROCESS_SOCKET) {
                r = pair_make(/* socket= */ true, pair);
                if (r < 0)
                        return r;
                p->input_fd = p->output_fd = pair[0];
                ends->in = ends->out = pair[1];
        } else if (flags & PROCESS_PIPES) {
                r = process_pipe(&ends->in, &p->input_fd);
                if (r < 0)
                        return r;
                r = process_pipe(&p->output_fd, &ends->out);
                if (r < 0)
                        return r;
        } else {
                /* Not the terminal: nobody shall wait for a person to type. */
                ends->in = ends->out = open("/dev/null", O_RDWR | O_CLOEXEC);
                if (ends->in < 0)
                        return -errno;
        }

        if (!(flags & PROCESS_INHERIT_STDERR)) {
                /* Not a pipe, which somebody would have to read lest the child blocks. */
                p->errors_fd = memfd_create("stderr", MFD_CLOEXEC);
                if (p->errors_fd < 0)
                        return -errno;
        }
        return 0;
}

/**
 * process_start() - start a child and leave it running
 * @argv:       the program, looked for in PATH, and its arguments
 * @flags:      PROCESS_SOCKET or PROCESS_PIPES, else it has /dev/null; PROCESS_INHERIT_STDERR
 * @ret:        the child
 * @reterr:     names the program
 *
 * Who writes to a pipe of a child must expect SIGPIPE; a socket can be written with MSG_NOSIGNAL.
 *
 * Return: 0, or a negative errno.
 */
int process_start(char *const *argv, ProcessFlags flags, Process **ret, Error **reterr) {
        _cleanup_(child_ends_done) ChildEnds ends = { -EBADF, -EBADF };
        _cleanup_(process_freep) Process *p = xnew(Process, 1);
        int r;

        p->input_fd = p->output_fd = p->errors_fd = -EBADF;
        r = process_connect(p, flags, &ends);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run %s", argv && argv[0] ? argv[0] : "nothing");
        r = process_spawn(argv, ends.in, ends.out, p->errors_fd, &p->pid, reterr);
        if (r < 0)
                return r;

        p->running = true;
        *ret = TAKE_PTR(p);
        return 0;
}

/**
 * process_fd() - the socket to a child
 * @p:          the child, started with PROCESS_SOCKET
 *
 * Return: the descriptor, lent; negative if there is none.
 */
int process_fd(const Process *p) {
        return p->input_fd == p->output_fd ? p->input_fd : -EBADF;
}

/**
 * process_input_fd() - where to write the input of a child
 * @p:          the child
 *
 * Return: the descriptor, lent; negative if there is none.
 */
int process_input_fd(const Process *p) {
        return p->input_fd;
}

/**
 * process_output_fd() - where to read the output of a child
 * @p:          the child
 *
 * Return: the descriptor, lent; negative if there is none.
 */
int process_output_fd(const Process *p) {
        return p->output_fd;
}

/**
 * process_pid() - the process number of a child
 * @p:          the child
 *
 * Return: the number.
 */
pid_t process_pid(const Process *p) {
        return p->pid;
}

/**
 * process_close_input() - let a child see the end of its input
 * @p:          the child; its output can still be read
 */
void process_close_input(Process *p) {
        if (p->input_fd < 0)
                return;

        if (p->input_fd == p->output_fd)
                (void) shutdown(p->input_fd, SHUT_WR);
        else
                p->input_fd = safe_close(p->input_fd);
}

/**
 * process_wait() - wait until a child ends
 * @p:          the child
 * @timeout_usec: how long; 0 only looks, USEC_INFINITY waits for ever
 * @ret_status: its exit status, 128 + signal if it was killed; may be NULL
 *
 * Does not read the output: a child that blocks on it does not end. May be called again after success.
 *
 * Return: 0, or -ETIMEDOUT if it still runs.
 */
int process_wait(Process *p, uint64_t timeout_usec, int *ret_status) {
        int r;

        if (p->running) {
                r = process_await(p->pid, timeout_usec, &p->status);
                if (r < 0)
                        return r;
                p->running = false;
        }
        if (ret_status)
                *ret_status = p->status;
        return 0;
}

/**
 * process_errors() - what a child has written to standard error so far
 * @p:          the child
 *
 * Return: the text (its first 64 KiB), valid until the next call; never NULL.
 */
const char* process_errors(Process *p) {
        _cleanup_free_ char *text = NULL;
        ssize_t n;

        if (p->errors_fd < 0)
                return "";

        text = xmalloc(ERRORS_SIZE_MAX);
        n = pread(p->errors_fd, text, ERRORS_SIZE_MAX, 0);
        buffer_clear(&p->errors);
        if (n > 0)
                buffer_add(&p->errors, text, (size_t) n);
        return buffer_str(&p->errors);
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

static void process_close(Process *p) {
        if (p->output_fd != p->input_fd)
                safe_close(p->output_fd);
        safe_close(p->input_fd);
        p->output_fd = p->input_fd = -EBADF;
}

/**
 * process_leave() - forget a child without ending it
 * @p:          the child, may be NULL
 *
 * It sees the end of its input, and has to end by itself.
 *
 * Return: NULL.
 */
Process* process_leave(Process *p) {
        if (!p)
                return NULL;

        process_close(p);
        safe_close(p->errors_fd);
        buffer_done(&p->errors);
        free(p);
        return NULL;
}

/**
 * process_free() - end a child and forget it
 * @p:          the child, may be NULL
 *
 * One that still runs gets SIGTERM and, two seconds later, SIGKILL.
 *
 * Return: NULL.
 */
Process* process_free(Process *p) {
        if (!p)
                return NULL;

        process_close(p);
        if (p->running)
                (void) process_terminate(p->pid);
        return process_leave(p);
}
