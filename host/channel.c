/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Having a script run on the node, to its end or as long as it is needed. */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"
#include "host/host-internal.h"
#include "host/host-scripts.h"

#define RUN_TIMEOUT_USEC (300 * USEC_PER_SEC)

/* From the start of ssh to the first line of the script. A sudo that waits for a name server takes 20 s
 * of it. */
#define BEGIN_TIMEOUT_USEC (60 * USEC_PER_SEC)

/* What a login shell may print before we are heard */
#define NOISE_LINES_MAX 1000
#define LINE_SIZE_MAX (64 * 1024)

void answer_done(Answer *a) {
        buffer_wipe(&a->out);
        buffer_wipe(&a->err);
}

static void make_nonce(char ret[static NONCE_SIZE]) {
        uint8_t bytes[(NONCE_SIZE - 1) / 2];

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
                abort(); /* cannot happen for so few bytes, see getrandom(2) */
        format_hex(bytes, sizeof(bytes), ret);
}

/* Tells how the script ended. Not of one that stays: whoever reads what that prints would take it for more. */
static char* end_text(const char *nonce, bool stays) {
        return stays ? xstrdup("\n)\n") :
                       xasprintf("\n)\nr=$?\nprintf '\\nhardway-end %%s %%s\\n' %s \"$r\"\nexit \"$r\"\n",
                                 nonce);
}

/*
 * All that is sent before the script's own input. The script stands in parentheses: a shell reads them to
 * their end before it does anything, so a script that arrived cut does nothing.
 */
static void write_header(const Host *h, const Script *script, bool stays, const char *nonce,
                         char *const *argv, Buffer *ret) {
        _cleanup_free_ char *end = end_text(nonce, stays);
        _cleanup_buffer_ Buffer variables = BUFFER_NULL;
        _cleanup_free_ char *begin = NULL;

        shell_add_variable(&variables, "H_NONCE", nonce);
        shell_add_variable(&variables, "H_ROOT", h->root);
        begin = xasprintf("printf 'hardway-begin %%s\\n' %s\n(\n%s", nonce, buffer_str(&variables));

        if (h->password)
                buffer_addf(ret, "%s\n", h->password);
        buffer_addf(ret, "hardway-script %zu\n%s",
                    strlen(begin) + EMBED_PRELUDE_SH_SIZE + strlen(script->text) + strlen(end), begin);
        buffer_add(ret, EMBED_PRELUDE_SH, EMBED_PRELUDE_SH_SIZE);
        buffer_add_str(ret, script->text);
        buffer_add_str(ret, end);
        trace_script(h, script, argv, begin, end);
}

/* Cuts everything but the script's own output away. 1 if it ran to its end, 0 if it began only, -ENOENT
 * if it did not even begin. */
static int unwrap(const char *nonce, Buffer *out, unsigned *ret_status) {
        _cleanup_free_ char *begin = xasprintf("hardway-begin %s\n", nonce);
        _cleanup_free_ char *end = xasprintf("\nhardway-end %s ", nonce);
        char *from, *to;
        size_t size;

        from = out->size > 0 ? memmem(out->data, out->size, begin, strlen(begin)) : NULL;
        if (!from)
                return -ENOENT;
        from += strlen(begin);
        size = out->size - (size_t) (from - out->data);
        memmove(out->data, from, size);
        out->data[out->size = size] = 0;

        to = memmem(out->data, out->size, end, strlen(end));
        if (!to)
                return 0;
        to[strcspn(to + 1, "\n") + 1] = 0;
        if (parse_unsigned(to + strlen(end), 0, 255, ret_status) < 0)
                return 0;
        out->size = (size_t) (to - out->data);
        *to = 0;
        return 1;
}

static int broken_off(const Host *h, const Script *script, const ProcessResult *result, Error **reterr) {
        const char *err = buffer_str(&result->err);

        if (h->options.looks_only) {
                int r = error_if_cancelled(h->cancelled, reterr, "%s: stopped as asked", script->name);

                if (r < 0)
                        return r;
        }
        if (result->timed_out)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "%s: no answer after %u s",
                                 script->name,
                                 (unsigned) ((script->timeout_usec ?: RUN_TIMEOUT_USEC) / USEC_PER_SEC));
        if (*err && !h->node->local) {
                _cleanup_error_ Error *error = NULL;
                int r = ssh_error(h, result->status, err, &error);

                if (r == -ECONNRESET || r == -EHOSTDOWN)
                        return error_propagate(reterr, TAKE_PTR(error));
        }
        (void) error_set(reterr, ERROR_UNAVAILABLE, ECONNRESET, "the connection broke off (%s)",
                         script->name);
        if (*err)
                error_detail(reterr, "%s%s", err, endswith(err, "\n") ? "" : "\n");
        return -ECONNRESET;
}

static int judge(const Host *h, const Script *script, ProcessResult *result, const char *nonce,
                 Error **reterr) {
        unsigned status = 0;
        int r;

        r = unwrap(nonce, &result->out, &status);
        if (r < 0 && !result->timed_out)
                return ssh_error(h, result->status, buffer_str(&result->err), reterr);
        if (r <= 0)
                return broken_off(h, script, result, reterr);
        return status == 0 ? 0 : script_error(script->name, (int) status, buffer_str(&result->err), reterr);
}

/**
 * channel_run() - run a script on the node, as root, to its end
 * @h:          the host
 * @script:     what to run, and what it reads
 * @ret:        what it printed; the caller calls answer_done()
 * @reterr:     why it could not run, or why it failed
 *
 * Return: 0, or a negative errno: -ECONNRESET if it may have done its work although we do not know.
 */
int channel_run(Host *h, const Script *script, Answer *ret, Error **reterr) {
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        _cleanup_strv_ Strv argv = transport_argv(h, script->flags);
        _cleanup_buffer_secret_ Buffer header = BUFFER_NULL;
        ProcessInput input = script->stream;
        char nonce[NONCE_SIZE];
        int r;

        make_nonce(nonce);
        write_header(h, script, /* stays= */ false, nonce, argv, &header);
        input.data = header.data;
        input.size = header.size;
        input.cancelled = h->options.looks_only ? h->cancelled : NULL;
        r = process_run(argv, &input, script->timeout_usec ?: RUN_TIMEOUT_USEC, &result, reterr);
        if (r < 0)
                return r;
        r = judge(h, script, &result, nonce, reterr);
        if (r < 0)
                return r;
        *ret = (Answer) { .out = result.out, .err = result.err };
        memcpy(ret->nonce, nonce, sizeof(nonce));
        result = PROCESS_RESULT_NULL;
        return 0;
}

/**
 * channel_read_line() - the next line that a running script prints
 * @p:          its process
 * @timeout_usec: how long to wait for it
 * @ret:        the line without its newline; what was in there is gone
 *
 * Takes byte by byte, as what comes behind the line may be for somebody else.
 *
 * Return: 1, 0 if the output has ended, -ETIMEDOUT, or another negative errno.
 */
int channel_read_line(Process *p, uint64_t timeout_usec, Buffer *ret) {
        struct pollfd fd = { .fd = process_fd(p), .events = POLLIN };
        uint64_t start = clock_usec();

        buffer_clear(ret);
        for (;;) {
                uint64_t elapsed = clock_usec() - start;
                ssize_t n;
                char c;

                if (elapsed >= timeout_usec)
                        return -ETIMEDOUT;
                (void) poll(&fd, 1, (int) ((timeout_usec - elapsed) / USEC_PER_MSEC) + 1);
                n = recv(fd.fd, &c, 1, MSG_DONTWAIT);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        continue;
                if (n <= 0)
                        return n == 0 || errno == ECONNRESET ? 0 : -errno;
                if (c == '\n')
                        return 1;
                if (ret->size >= LINE_SIZE_MAX)
                        return -EMSGSIZE;
                buffer_add_char(ret, c);
        }
}

static int send_all(int fd, const Buffer *b) {
        for (size_t done = 0; done < b->size;) {
                ssize_t n = send(fd, b->data + done, b->size - done, MSG_NOSIGNAL);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0)
                        done += (size_t) n;
        }
        return 0;
}

static int await_begin(Process *p, const char *nonce) {
        _cleanup_free_ char *begin = xasprintf("hardway-begin %s", nonce);
        _cleanup_buffer_ Buffer line = BUFFER_NULL;

        for (unsigned i = 0; i < NOISE_LINES_MAX; i++) {
                int r = channel_read_line(p, BEGIN_TIMEOUT_USEC, &line);

                if (r <= 0)
                        return r < 0 ? r : -ENOTCONN;
                /* a login shell's noise may lack its newline */
                if (endswith(buffer_str(&line), begin))
                        return 0;
        }
        return -EPROTO;
}

/**
 * channel_start() - start a script on the node that stays, as root
 * @h:          the host
 * @script:     what to run
 * @ret:        the process; process_fd() is the script's input and output
 * @reterr:     why it could not be started
 *
 * Return: 0, or a negative errno.
 */
int channel_start(Host *h, const Script *script, Process **ret, Error **reterr) {
        _cleanup_(process_freep) Process *p = NULL;
        _cleanup_strv_ Strv argv = transport_argv(h, script->flags);
        _cleanup_buffer_secret_ Buffer header = BUFFER_NULL;
        char nonce[NONCE_SIZE];
        int r, status = 0;

        make_nonce(nonce);
        write_header(h, script, /* stays= */ true, nonce, argv, &header);
        r = process_start(argv, PROCESS_SOCKET, &p, reterr);
        if (r < 0)
                return r;
        r = send_all(process_fd(p), &header);
        if (r >= 0)
                r = await_begin(p, nonce);
        if (r == -ETIMEDOUT)
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "%s: no answer after %u s",
                                 script->name, (unsigned) (BEGIN_TIMEOUT_USEC / USEC_PER_SEC));
        if (r < 0) {
                (void) process_wait(p, 2 * USEC_PER_SEC, &status);
                return ssh_error(h, status, process_errors(p), reterr);
        }
        *ret = TAKE_PTR(p);
        return 0;
}
