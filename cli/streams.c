/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Why standard output failed, or 0. Only one thread at a time writes to a stream. */
static int output_error;

static const volatile int *cancelled;

/* Written by a process that shares the terminal or the pipe with one that wants no waiting, as ssh does. */
static bool wait_for_room(void) {
        struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };
        int n = poll(&fd, 1, *cancelled ? 0 : -1);

        if (n == 0)
                errno = EINTR;
        return n > 0;
}

/* What stdio has gathered: all of it, or less, which stdio takes for a failure. */
static ssize_t write_output(void *cookie, const char *data, size_t size) {
        size_t done = 0;

        while (output_error == 0 && done < size) {
                ssize_t n = write(STDOUT_FILENO, data + done, size - done);
                bool again =
                        n >= 0 || errno == EINTR || (errno == EAGAIN && (wait_for_room() || errno == EINTR));

                done += n > 0 ? (size_t) n : 0;
                if (!again)
                        output_error = errno;
                else if (done < size && *cancelled)
                        /* whoever was told to end does not wait for a reader that has stopped reading */
                        output_error = EINTR;
        }
        return (ssize_t) done;
}

/* Some file systems, those of networks above all, say only now that there is no room. */
static int close_output(void *cookie) {
        if (close(STDOUT_FILENO) < 0 && output_error == 0)
                output_error = errno;
        return 0;
}

/*
 * A program may be started without some of them, and what it opens next would get their numbers: results would
 * go into a key. Who has no standard output has to be told what was meant for it; no standard error is a wish.
 */
static void open_missing(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
                        (void) open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

/* Whoever has left the pager does not want to hear of it. */
static void tell(void) {
        if (output_error == 0 || output_error == EPIPE)
                return;
        (void) fprintf(stderr, "hardway: standard output cannot be written: %s\n",
                       output_error == EBADF ? "it is closed" :
                       output_error == EINTR ? "interrupted while it was waited for its reader" :
                                               strerror(output_error));
}

static void end(int status, void *userdata) {
        bool failed;

        (void) fclose(stdout);
        tell();
        failed = output_error != 0 || ferror(stderr);
        /* Results that did not arrive are a failure, also where 1 or 2 were one of them. */
        if (failed && status < EX__BASE)
                _exit(EX_IOERR);
}

void streams_begin(const volatile int *end_after) {
        static const cookie_io_functions_t functions = { .write = write_output, .close = close_output };
        FILE *output;

        cancelled = end_after;
        open_missing();
        output = fopencookie(NULL, "w", functions);
        if (!output)
                abort(); /* memory */
        (void) setvbuf(output, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
        stdout = output;
        if (on_exit(end, NULL) != 0)
                abort();
}
