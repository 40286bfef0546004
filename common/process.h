/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/strv.h"

/*
 * Child processes: argv in, no shell, descriptors close-on-exec, default signals.
 *
 * process_run() runs to the end: feeds input, collects output and errors (each cut at a limit, the child is
 * never blocked by us), waits. process_start() leaves the child running with a socket or pipes in our hands;
 * the owner calls process_wait() or process_free(), which ends (SIGTERM, then SIGKILL) and reaps a child
 * still running.
 *
 * Input may be bytes or a callback that is asked for more until it returns 0, for streams that should not
 * stand in memory (libarchive's writer pulls files this way).
 */

typedef ssize_t (*ProcessFeed)(void *userdata, void *buffer, size_t size); /* > 0 bytes, 0 end, -errno */

typedef struct ProcessInput {
        const void *data; /* bytes first ... */
        size_t size;
        ProcessFeed feed; /* ... then these, or NULL */
        void *userdata;
        const volatile int *cancelled; /* non-zero ends the child, as if its time were over; or NULL */
} ProcessInput;

typedef struct ProcessResult {
        int status; /* exit status; 128 + signal if killed */
        Buffer out;
        Buffer err;
        bool timed_out;
} ProcessResult;

#define PROCESS_RESULT_NULL ((ProcessResult) {})

int process_run(char *const *argv, const ProcessInput *input, uint64_t timeout_usec, ProcessResult *ret,
                Error **reterr);
void process_result_done(ProcessResult *result);

typedef struct Process Process;

typedef enum ProcessFlags {
        PROCESS_SOCKET = 1 << 0,         /* standard input and output are a socket, fd is its other end */
        PROCESS_PIPES = 1 << 1,          /* input_fd and output_fd are pipes of ours */
        PROCESS_INHERIT_STDERR = 1 << 2, /* otherwise standard error is kept for process_errors() */
} ProcessFlags;

int process_start(char *const *argv, ProcessFlags flags, Process **ret, Error **reterr);
int process_fd(const Process *p);        /* the socket; lent */
int process_input_fd(const Process *p);  /* lent */
int process_output_fd(const Process *p); /* lent */
void process_close_input(Process *p);
int process_wait(Process *p, uint64_t timeout_usec, int *ret_status); /* -ETIMEDOUT: still running */
const char* process_errors(Process *p); /* what standard error holds so far; never NULL */
pid_t process_pid(const Process *p);
Process* process_leave(Process *p);
Process* process_free(Process *p);
DEFINE_CLEANUP(Process*, process_free)
