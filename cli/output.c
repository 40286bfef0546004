/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

#include "cli/events.h"
#include "cli/hint.h"
#include "cli/progress.h"
#include "common/alloc.h"
#include "common/buffer.h"
#include "common/text.h"

/* All that is printed, and the two things that are asked. */

#define PASSWORD_SIZE_MAX 1024

const char* style_sequence(Style style) {
        static const char *const sequences[_STYLE_MAX] = {
                [STYLE_NONE] = "\033[0m", [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",
                [STYLE_RED] = "\033[31m", [STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m",
        };

        return sequences[style];
}

/**
 * verb_style() - how to make standard output look
 * @v:          the context
 * @style:      STYLE_NONE ends what another began
 *
 * Return: an escape sequence, or "" where colours are not wanted.
 */
const char* verb_style(const VerbContext *v, Style style) {
        return v->color ? style_sequence(style) : "";
}

static const char* error_style(const VerbContext *v, Style style) {
        return v->color_error ? style_sequence(style) : "";
}

static void print_line(const VerbContext *v, FILE *stream, const char *text) {
        if (v->progress) {
                progress_above(v->progress, stream, text);
                return;
        }
        (void) fflush(stdout);
        (void) fprintf(stream, "%s\n", text);
        (void) fflush(stream);
}

static char* vformat_hint(const VerbContext *v, const char *format, va_list ap) _printf_(2, 0);
static char* vformat_hint(const VerbContext *v, const char *format, va_list ap) {
        _cleanup_free_ char *text = text_harmless(xvasprintf(format, ap), TEXT_LINES | TEXT_COLORS);

        return hint_complete(v->cluster_path, text);
}

/**
 * verb_note() - say something that is no result
 * @v:          the context
 * @format:     printf-style, one line without its end
 */
void verb_note(const VerbContext *v, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        if (v->quiet || (v->json && !v->events))
                return;

        va_start(ap, format);
        text = vformat_hint(v, format, ap);
        va_end(ap);
        if (v->events)
                event_text(v, "note", NULL, text);
        else if (v->progress)
                progress_note(v->progress, "%s", text);
        else
                print_line(v, stdout, text);
}

/**
 * verb_warn() - say that something should be looked into
 * @v:          the context
 * @format:     printf-style, one line without its end
 */
void verb_warn(const VerbContext *v, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *line = NULL;
        va_list ap;

        va_start(ap, format);
        text = vformat_hint(v, format, ap);
        va_end(ap);
        line = xasprintf("hardway: %swarning:%s %s", error_style(v, STYLE_YELLOW),
                         error_style(v, STYLE_NONE), text);
        print_line(v, stderr, line);
        if (v->events && !v->quiet)
                event_text(v, "warning", NULL, text);
}

/**
 * verb_log() - say what is no result, nor of interest without having asked for it
 * @v:          the context
 * @text:       harmless lines, without the end of the last one
 */
void verb_log(const VerbContext *v, const char *text) {
        print_line(v, stderr, text);
}

/**
 * verb_print_error() - say what failed
 * @v:          the context
 * @error:      the error; its detail is printed below it, indented
 */
void verb_print_error(const VerbContext *v, const Error *error) {
        /* Without a command, the commands that there are may be what is told. */
        const char *path = v->verb ? v->cluster_path : VERB_CLUSTER_FILE;
        _cleanup_free_ char *message = hint_complete(path, error->message),
                            *detail = error->detail ? hint_complete(path, error->detail) : NULL;
        const char *line = detail;

        (void) fflush(stdout);
        (void) fprintf(stderr, "%shardway:%s %s\n", error_style(v, STYLE_RED), error_style(v, STYLE_NONE),
                       message);
        while (line && *line) {
                size_t n = strcspn(line, "\n");

                (void) fprintf(stderr, "%s%.*s\n", n > 0 ? "  " : "", (int) n, line);
                line += n + (line[n] == '\n');
        }
}

static bool json_printed;

/**
 * verb_print_json() - print a result
 * @tree:       the result
 */
void verb_print_json(const json_t *tree) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;

        json_printed = true;
        json_write(tree, &out);
        (void) fwrite(out.data, 1, out.size, stdout);
}

bool verb_json_was_printed(void) {
        return json_printed;
}

static int open_terminal(Error **reterr) {
        int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return error_set(reterr, ERROR_USAGE, ENOTTY, "there is no terminal to ask at");
        return fd;
}

/* One line, without its end. More than fits is refused, as half an answer is another answer. */
static int read_line(int fd, char *buffer, size_t size, Error **reterr) {
        size_t n = 0;

        for (;;) {
                char c;
                ssize_t r = read(fd, &c, 1);

                if (r < 0)
                        return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "interrupted");
                if (r == 0 || c == '\n')
                        break;
                if (n + 1 == size)
                        return error_set(reterr, ERROR_USAGE, EINVAL, "the answer is too long");
                buffer[n++] = c;
        }
        buffer[n] = '\0';
        return 0;
}

/**
 * verb_read_password() - ask for a secret at the terminal
 * @prompt:     what to ask, with a blank at its end
 * @ret:        the answer; the caller frees it with secret_freep()
 * @reterr:     there is no terminal, or the question was interrupted
 *
 * Return: 0, or a negative errno.
 */
int verb_read_password(const char *prompt, char **ret, Error **reterr) {
        char buffer[PASSWORD_SIZE_MAX];
        _cleanup_close_ int fd = -EBADF;
        struct termios old, silent;
        int r;

        fd = open_terminal(reterr);
        if (fd < 0)
                return fd;
        if (tcgetattr(fd, &old) < 0)
                return error_set_errno(reterr, errno, "terminal");

        silent = old;
        silent.c_lflag &= ~(tcflag_t) ECHO;
        (void) tcsetattr(fd, TCSAFLUSH, &silent);
        (void) dprintf(fd, "%s", prompt);
        r = read_line(fd, buffer, sizeof(buffer), reterr);
        (void) tcsetattr(fd, TCSAFLUSH, &old);
        (void) dprintf(fd, "\n");

        if (r >= 0)
                *ret = xstrdup(buffer);
        explicit_bzero(buffer, sizeof(buffer));
        return r;
}

static int ask(const char *question, Error **reterr) {
        _cleanup_close_ int fd = open_terminal(reterr);
        char answer[16];
        int r;

        if (fd < 0)
                return fd;
        (void) fflush(stdout);
        (void) dprintf(fd, "%s [y/N] ", question);
        r = read_line(fd, answer, sizeof(answer), reterr);
        if (r < 0)
                return r;
        if (streq(answer, "y") || streq(answer, "yes") || streq(answer, "Y"))
                return 0;
        return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "not confirmed, nothing done");
}

/**
 * verb_ask() - ask what --yes is no answer to
 * @question:   without "[y/N]"
 * @reterr:     the answer was no, or there was nobody to ask
 *
 * Return: 0 for yes; -ENOTTY if nobody can be asked; another negative errno.
 */
int verb_ask(const char *question, Error **reterr) {
        if (!isatty(STDIN_FILENO))
                return error_set(reterr, ERROR_USAGE, ENOTTY, "there is nobody who could be asked");
        return ask(question, reterr);
}

/**
 * verb_confirm() - ask before something is destroyed
 * @v:          the context; --yes is an answer
 * @reterr:     the answer was no, or there was nobody to ask
 * @format:     printf-style question, without "[y/N]"
 *
 * Return: 0 for yes, or a negative errno.
 */
int verb_confirm(const VerbContext *v, Error **reterr, const char *format, ...) {
        _cleanup_free_ char *question = NULL;
        va_list ap;

        if (v->yes)
                return 0;
        if (!isatty(STDIN_FILENO))
                return error_set(reterr, ERROR_USAGE, ENOTTY, "%s wants --yes where nobody can be asked",
                                 v->verb->name);

        va_start(ap, format);
        question = xvasprintf(format, ap);
        va_end(ap);
        return ask(question, reterr);
}
