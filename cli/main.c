/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "cli/command-show.h"
#include "cli/complete.h"
#include "cli/context.h"
#include "cli/events.h"
#include "cli/options.h"
#include "cli/streams.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "common/alloc.h"

/*
 * hardway: find the verb, read the command line, get what the verb needs, run
 * it, print what went wrong, say by the exit status what the caller may do
 * about it.
 */

/* Looked at by everything that takes long. A signal handler has nothing but globals. */
static volatile int cancelled = 0;

static void on_signal(int signal_number) {
        /* The first one asks us to end after the write in hand; who insists is not kept waiting. */
        if (cancelled) {
                (void) signal(signal_number, SIG_DFL);
                (void) raise(signal_number);
        }
        cancelled = signal_number;
}

static void catch_signals(void) {
        static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
        struct sigaction action = { .sa_handler = on_signal };

        (void) sigemptyset(&action.sa_mask);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                struct sigaction old;

                /* nohup(1) wants hangups ignored, and it is right. */
                if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
                        continue;
                (void) sigaction(numbers[i], &action, NULL);
        }

        /* A child that closes its end early, or a pager that was left, is an error like others. */
        action.sa_handler = SIG_IGN;
        (void) sigaction(SIGPIPE, &action, NULL);
}

/*
 * What a crash leaves would have keys and passphrases in it, and lie in the directory that is committed. A byte is too
 * little for a file, and what keeps the kernel from giving it to a handler such as systemd-coredump: of nothing it would
 * (fs/coredump.c). Not PR_SET_DUMPABLE, which closes /proc/PID/fd to our own children (operate/drill-hit.c).
 */
static void leave_no_core(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_CORE, &limit) < 0)
                return;
        limit.rlim_cur = limit.rlim_max > 1 ? 1 : limit.rlim_max;
        (void) setrlimit(RLIMIT_CORE, &limit);
}

/* Prints all that failed, once; the exit status is that of the first. */
static int report(const VerbContext *v, const Error *error) {
        const Error *first = v->errors.n_errors > 0 ? v->errors.errors[0] : error;

        for (size_t i = 0; i < v->errors.n_errors; i++)
                verb_print_error(v, v->errors.errors[i]);
        if (error)
                verb_print_error(v, error);
        if (!first) {
                (void) fprintf(stderr, "hardway: %s failed without a reason, which is a bug\n",
                               v->verb ? v->verb->name : "it");
                return EX_SOFTWARE;
        }
        return error_exit_code(first);
}

static int run_verb(VerbContext *v, int argc, char **argv, Error **reterr) {
        _cleanup_strv_ Strv arguments = NULL;
        int n, r;

        n = verb_find(argc, argv, &v->verb, reterr);
        if (n < 0)
                return n;

        r = options_parse_verb(v, argc - n + 1, argv + n - 1, &arguments, reterr);
        if (r < 0)
                return r;

        if (v->verbose && !v->quiet)
                http_set_trace(request_show, v);

        r = verb_fulfil_needs(v, reterr);
        if (r < 0)
                return r;
        return v->verb->run(v, (int) strv_length(arguments), arguments, reterr);
}

/* "help pki gen" is "pki gen --help", and "help" alone is "--help". */
static char** put_help_last(int argc, char **argv) {
        static char option[] = "--help";
        char **words = xnew(char*, (size_t) argc + 1);

        for (int i = 1; i < argc; i++)
                words[i - 1] = argv[i];
        words[argc - 1] = option;
        return words;
}

static bool wants_help(const char *word) {
        return streq(word, "--help") || streq(word, "-h") || streq(word, "-?");
}

static int run_words(VerbContext *v, int argc, char **argv, Error **reterr) {
        _cleanup_free_ char **words = streq(argv[0], "help") ? put_help_last(argc, argv) : NULL;
        _cleanup_free_ char *group = NULL;

        if (streq(argv[0], COMPLETE_WORD))
                return complete_print(v, argc - 1, argv + 1);
        argv = words ?: argv;
        if (words && argc == 1) {
                char *program[] = { argv[0], argv[0], NULL };

                return options_parse_program(v, 2, program, &argc);
        }
        group = argc == 2 && wants_help(argv[1]) ? verb_group_help(argv[0]) : NULL;
        if (group) {
                (void) fputs(group, stdout);
                return 0;
        }
        return run_verb(v, argc, argv, reterr);
}

int main(int argc, char **argv) {
        _cleanup_error_ Error *error = NULL;
        VerbContext v;
        int first = argc, r;

        leave_no_core();
        /* Only the characters: messages are English, and numbers have a point in them. */
        (void) setlocale(LC_CTYPE, "");
        catch_signals();
        streams_begin(&cancelled);

        verb_context_init(&v);
        v.cancelled = &cancelled;
        v.json = usage_wants_json(argc, argv); /* until the verb's options are read */
        (void) options_parse_program(&v, argc, argv, &first);
        if (first >= argc)
                r = error_set(&error, ERROR_USAGE, EINVAL, "which command? See: hardway --help");
        else
                r = run_words(&v, argc - first, argv + first, &error);
        if (v.json)
                verb_tell_end(&v, r, error);
        if (r < 0)
                r = report(&v, error);

        verb_context_done(&v);
        return r;
}
