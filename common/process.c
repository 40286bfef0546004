/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/process-internal.h"

#define ERRORS_SIZE_MAX (64 * 1024)

struct Process {
        pid_t pid;
        bool running;
        int status;
        int input_fd;
        int output_fd; /* the same number as input_fd for a socket */
        int errors_fd; /* a memfd the child writes to, or -EBADF */
        Buffer errors;
};

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
                r = process_pair(/* socket= */ true, pair);
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
