/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/process-internal.h"

/*
 * Running a child to its end
 *
 * One loop moves all three streams, so that neither side can wait for the other. It ends when the child has
 * ended and its output is read. A process that the child left behind (ssh's control master is one) may keep
 * the pipes open for hours: once the child is gone, the rest of the output has to come within a moment.
 */

#define PIECE_SIZE (64 * 1024)
#define OUTPUT_SIZE_MAX (16 * 1024 * 1024)
#define ERRORS_SIZE_MAX (1024 * 1024)
#define TICK_MIN_MSEC 1
#define TICK_MAX_MSEC 20
#define LINGER_USEC (200 * USEC_PER_MSEC)
#define TERMINATE_USEC (2 * USEC_PER_SEC)

typedef struct Run {
        pid_t pid;
        bool ended;
        uint64_t
                deadline; /* when the next step is due: SIGTERM, SIGKILL, or after the end: no more output */
        int next_signal;  /* SIGTERM, SIGKILL, or 0 */
        int tick;
        int in, out, err;   /* negative once closed */
        ProcessInput input; /* what is left of it */
        char *piece;
        const char *pending; /* what was got and not yet written */
        size_t n_pending;
        ProcessResult result;
} Run;

static void run_done(Run *run) {
        safe_close(run->in);
        safe_close(run->out);
        safe_close(run->err);
        if (run->pid > 0 && !run->ended)
                (void) process_terminate(run->pid);
        if (run->piece)
                explicit_bzero(run->piece, PIECE_SIZE); /* keys travel this way */
        freep(&run->piece);
        process_result_done(&run->result);
}

static int run_start(Run *run, char *const *argv, Error **reterr) {
        _cleanup_close_ int in = -EBADF, out = -EBADF, err = -EBADF;
        int r;

        r = process_pipe(&in, &run->in);
        if (r >= 0)
                r = process_pipe(&run->out, &out);
        if (r >= 0)
                r = process_pipe(&run->err, &err);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run %s", argv && argv[0] ? argv[0] : "nothing");

        /* Our ends only: the child's are separate open files. */
        (void) fcntl(run->in, F_SETFL, O_NONBLOCK);
        (void) fcntl(run->out, F_SETFL, O_NONBLOCK);
        (void) fcntl(run->err, F_SETFL, O_NONBLOCK);
        return process_spawn(argv, in, out, err, &run->pid, reterr);
}

/*
 * A child that does not want its input must not kill us. SIGPIPE is blocked in this thread only, and the one
 * that a write has raised (it is directed at the thread) is taken out again, unless there was one before.
 */
static ssize_t write_no_sigpipe(int fd, const void *data, size_t size) {
        static const struct timespec zero = {};
        sigset_t sigpipe, pending, old;
        ssize_t n;

        (void) sigemptyset(&sigpipe);
        (void) sigaddset(&sigpipe, SIGPIPE);
        (void) sigpending(&pending);
        (void) pthread_sigmask(SIG_BLOCK, &sigpipe, &old);

        n = write(fd, data, size);
        if (n < 0) {
                int saved = errno;

                if (saved == EPIPE && !sigismember(&pending, SIGPIPE))
                        while (sigtimedwait(&sigpipe, NULL, &zero) < 0 && errno == EINTR)
                                ;
                errno = saved;
        }
        (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
        return n;
}

/* Gets the next piece of input: 1, 0 at its end, or what the callback says. */
static int run_refill(Run *run) {
        ssize_t n;

        if (run->input.size > 0) {
                run->pending = run->input.data;
                run->n_pending = run->input.size;
                run->input.size = 0;
                return 1;
        }
        if (!run->input.feed)
                return 0;

        if (!run->piece)
                run->piece = xmalloc(PIECE_SIZE);
        n = run->input.feed(run->input.userdata, run->piece, PIECE_SIZE);
        if (n < 0)
                return (int) n;
        if (n == 0) {
                run->input.feed = NULL;
                return 0;
        }
        run->pending = run->piece;
        run->n_pending = (size_t) n;
        return 1;
}

static int run_write(Run *run, const char *program, Error **reterr) {
        ssize_t n;

        if (run->n_pending == 0) {
                int r = run_refill(run);

                if (r < 0)
                        return error_set_errno(reterr, r, "cannot get the input of %s", program);
                if (r == 0) {
                        run->in = safe_close(run->in);
                        return 0;
                }
        }

        n = write_no_sigpipe(run->in, run->pending, run->n_pending);
        if (n >= 0) {
                run->pending += n;
                run->n_pending -= (size_t) n;
        } else if (errno != EAGAIN && errno != EINTR)
                run->in =
                        safe_close(run->in); /* it has enough; its exit status says whether that is right */
        return 0;
}

static void run_read(int *fd, Buffer *b, size_t limit) {
        char piece[PIECE_SIZE / 4];
        ssize_t n = read(*fd, piece, sizeof(piece));

        if (n > 0) {
                size_t room = limit - b->size;

                /* What is too much is read all the same, so that the child can go on. */
                buffer_add(b, piece, (size_t) n < room ? (size_t) n : room);
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                *fd = safe_close(*fd);
        explicit_bzero(piece, sizeof(piece));
}

/* Waits a tick at most, as the end of the child wakes nobody if its descriptors live on elsewhere. */
static int run_poll(Run *run, const char *program, Error **reterr) {
        struct pollfd fds[] = {
                { .fd = run->in, .events = POLLOUT },
                { .fd = run->out, .events = POLLIN },
                { .fd = run->err, .events = POLLIN },
        };
        int n = poll(fds, ARRAY_SIZE(fds), run->tick);

        if (n < 0)
                return errno == EINTR ? 0 : error_set_errno(reterr, errno, "cannot wait for %s", program);
        if (n == 0 && run->tick < TICK_MAX_MSEC)
                run->tick *= 2;
        else if (n > 0)
                run->tick = TICK_MIN_MSEC;

        if (fds[1].revents)
                run_read(&run->out, &run->result.out, OUTPUT_SIZE_MAX);
        if (fds[2].revents)
                run_read(&run->err, &run->result.err, ERRORS_SIZE_MAX);
        if (fds[0].revents)
                return run_write(run, program, reterr);
        return 0;
}

static void run_heed_cancelled(Run *run, uint64_t now) {
        if (run->ended || run->result.timed_out || !run->input.cancelled || !*run->input.cancelled)
                return;
        run->next_signal = SIGTERM;
        run->deadline = now;
}

static void run_look_after_child(Run *run) {
        uint64_t now = clock_usec();

        run_heed_cancelled(run, now);
        if (!run->ended && process_reap(run->pid, &run->result.status) > 0) {
                run->ended = true;
                run->in = safe_close(run->in);
                run->deadline = now + LINGER_USEC;
        }

        if (run->ended) {
                if (now >= run->deadline) {
                        run->out = safe_close(run->out);
                        run->err = safe_close(run->err);
                }
        } else if (run->next_signal != 0 && now >= run->deadline) {
                run->result.timed_out = true;
                process_kill(run->pid, run->next_signal);
                run->next_signal = run->next_signal == SIGTERM ? SIGKILL : 0;
                run->deadline = now + TERMINATE_USEC;
        }
}

/**
 * process_run() - run a child to its end
 * @argv:       the program, looked for in PATH, and its arguments
 * @input:      its standard input, or NULL for none
 * @timeout_usec: when to end it, 0 or USEC_INFINITY for never
 * @ret:        how it ended, its output (the first 16 MiB) and standard error (the first MiB); the
 *              caller calls process_result_done()
 * @reterr:     names the program
 *
 * That the child fails, is killed, or is ended because it took too long (result.timed_out) is a result, no
 * error. It is if it cannot be started, or if the callback of the input fails, in which case the child is
 * ended.
 *
 * Return: 0, or a negative errno.
 */
int process_run(char *const *argv, const ProcessInput *input, uint64_t timeout_usec, ProcessResult *ret,
                Error **reterr) {
        _cleanup_(run_done) Run run = { .in = -EBADF, .out = -EBADF, .err = -EBADF, .tick = TICK_MIN_MSEC };
        uint64_t now = clock_usec();
        int r;

        if (timeout_usec > 0 && timeout_usec < USEC_INFINITY - now) {
                run.deadline = now + timeout_usec;
                run.next_signal = SIGTERM;
        }
        if (input)
                run.input = *input;

        r = run_start(&run, argv, reterr);
        if (r < 0)
                return r;
        while (!run.ended || run.out >= 0 || run.err >= 0) {
                r = run_poll(&run, argv[0], reterr);
                if (r < 0)
                        return r;
                run_look_after_child(&run);
        }

        *ret = run.result;
        run.result = PROCESS_RESULT_NULL;
        return 0;
}

/**
 * process_result_done() - free what a result holds
 * @result:     the result; its output is wiped, as it may hold a secret
 */
void process_result_done(ProcessResult *result) {
        buffer_wipe(&result->out);
        buffer_wipe(&result->err);
        *result = PROCESS_RESULT_NULL;
}
