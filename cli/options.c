/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/option-words.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "common/alloc.h"
#include "common/config.h"

const char *argp_program_version = "hardway " HARDWAY_VERSION;

enum {
        KEY_COLOR = 0x2000,
        KEY_NODE,
        KEY_JSON,
        KEY_WAIT,
        KEY_DEEP,
        KEY_SUDO,
        KEY_KEEP,
        KEY_YES,
        KEY_DRY_RUN,
        KEY_IGNORE,
        KEY_PASSPHRASE,
};

/* Taken by the program and by every verb, so that they may stand in front of the verb and behind it. */
static const struct argp_option universal[] = {
        { NULL, 0, NULL, 0, "Common options:", 10 },
        { "cluster", 'c', "FILE", 0, "The cluster file (hardway.yaml)", 10 },
        { "quiet", 'q', NULL, 0, "Say only what went wrong", 10 },
        { "verbose", 'v', NULL, 0, "Say more: every command that is sent to a node, and every request", 10 },
        { "color", KEY_COLOR, "WHEN", 0, "Colours: auto, always or never", 10 },
        { NULL, 'h', NULL, OPTION_HIDDEN, NULL, 10 },
};

static const struct {
        unsigned mask;
        struct argp_option option;
} chosen[] = {
        { VERB_OPTION_NODE, { "node", KEY_NODE, "NAME", 0, "Only this node (may be repeated)", 5 } },
        { VERB_OPTION_JSON, { "json", KEY_JSON, NULL, 0, "Results as JSON", 5 } },
        { VERB_OPTION_EVENTS,
          { "json", KEY_JSON, NULL, 0, "What happens, and the result, as lines of JSON", 5 } },
        { VERB_OPTION_WAIT, { "wait", KEY_WAIT, NULL, 0, "Wait for locks that others hold", 5 } },
        { VERB_OPTION_DEEP,
          { "deep", KEY_DEEP, NULL, 0, "Hash every file, also those that look untouched", 5 } },
        { VERB_OPTION_SUDO,
          { "ask-sudo-password", KEY_SUDO, NULL, 0, "Ask for the password that sudo wants", 5 } },
        { VERB_OPTION_SUDO,
          { "keep-connections", KEY_KEEP, NULL, 0, "Leave ssh connections open for the next command", 5 } },
        { VERB_OPTION_YES, { "yes", KEY_YES, NULL, 0, "Do not ask", 5 } },
        { VERB_OPTION_DRY_RUN,
          { "dry-run", KEY_DRY_RUN, NULL, 0, "Show what would be done, and do nothing", 5 } },
        { VERB_OPTION_IGNORE,
          { "ignore", KEY_IGNORE, "NAME", 0, "Go on although this check fails (may be repeated)", 5 } },
        { VERB_OPTION_PASSPHRASE,
          { "passphrase-file", KEY_PASSPHRASE, "FILE", 0,
            "Read the passphrase of the CAs' keys from there (- for standard input)", 5 } },
};

typedef struct VerbParse {
        VerbContext *v;
        Strv arguments;
} VerbParse;

/**
 * options_color() - whether a stream may be coloured
 * @when:       "auto", "always" or "never"
 * @fd:         the stream
 *
 * See no-color.org: any NO_COLOR that is not empty means no, unless the command line says otherwise.
 *
 * Return: true or false.
 */
bool options_color(const char *when, int fd) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        if (streq(when, "always"))
                return true;
        if (streq(when, "never") || (no_color && *no_color) || !term || streq(term, "dumb"))
                return false;
        return isatty(fd);
}

static void set_color(VerbContext *v, const char *when, struct argp_state *state) {
        if (!streq(when, "auto") && !streq(when, "always") && !streq(when, "never"))
                argp_error(state, "--color takes auto, always or never, not '%s'", when);
        v->color = options_color(when, STDOUT_FILENO);
        v->color_error = options_color(when, STDERR_FILENO);
}

static error_t parse_common(VerbContext *v, int key, char *arg, struct argp_state *state) {
        switch (key) {
        case 'c':
                v->cluster_path = arg;
                return 0;
        case 'q':
                v->quiet = true;
                return 0;
        case 'v':
                v->verbose = true;
                return 0;
        case 'h':
                argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
                return 0;
        case KEY_COLOR:
                set_color(v, arg, state);
                return 0;
        case KEY_NODE:
                strv_add(&v->node_names, arg);
                return 0;
        case KEY_JSON:
                v->json = true;
                return 0;
        case KEY_WAIT:
                v->wait = true;
                return 0;
        case KEY_DEEP:
                v->deep = true;
                return 0;
        case KEY_SUDO:
                v->ask_sudo_password = true;
                return 0;
        case KEY_KEEP:
                v->keep_connections = true;
                return 0;
        case KEY_YES:
                v->yes = true;
                return 0;
        case KEY_DRY_RUN:
                v->dry_run = true;
                return 0;
        case KEY_IGNORE:
                strv_add(&v->ignore, arg);
                return 0;
        case KEY_PASSPHRASE:
                v->passphrase_file = arg;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static error_t parse_program(int key, char *arg, struct argp_state *state) {
        VerbContext *v = state->input;

        /* The first word that is no option is the verb; refusing it ends the parsing there. */
        return parse_common(v, key, arg, state);
}

static error_t parse_verb(int key, char *arg, struct argp_state *state) {
        VerbParse *p = state->input;
        error_t r;

        if (key == ARGP_KEY_ARG) {
                strv_add(&p->arguments, arg);
                return 0;
        }

        r = parse_common(p->v, key, arg, state);
        if (r == ARGP_ERR_UNKNOWN && p->v->verb->parse)
                r = p->v->verb->parse(key, arg, state);
        return r;
}

/* The list of verbs, below the options in --help. */
static char* help_filter(int key, const char *text, void *input) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;

        if (key != ARGP_KEY_HELP_POST_DOC)
                return (char*) text;

        buffer_add_str(&out, "Commands:\n");
        for (const Verb *const *v = verbs; *v; v++)
                buffer_addf(&out, "  %-15s %s\n", (*v)->name, (*v)->summary);
        buffer_add_str(&out, "\nhardway COMMAND --help says more about each, hardway(1) and hardway.yaml(5) "
                             "about all of it.");
        return buffer_take(&out);
}

/**
 * options_parse_program() - read the options in front of the verb
 * @v:          takes them
 * @argc:       as main() has it
 * @argv:       as main() has it
 * @ret_first:  index of the verb, @argc if there is none
 *
 * Return: 0; ends the program for --help and the like.
 */
int options_parse_program(VerbContext *v, int argc, char **argv, int *ret_first) {
        static char name[] = "hardway";
        struct argp_option options[ARRAY_SIZE(universal) + 1] = {};
        const struct argp argp = {
                .options = options,
                .parser = parse_program,
                .args_doc = "COMMAND [OPTION...]",
                .doc = "Install a highly available Kubernetes control plane on plain Linux hosts, and look "
                       "after it.\v",
                .help_filter = help_filter,
        };

        memcpy(options, universal, sizeof(universal));
        argv[0] = argc > 0 ? name : NULL; /* what getopt puts in front of its messages */
        argp_err_exit_status = EX_USAGE;
        /* A note below each help that nobody needs; argp takes this from the environment alone. */
        (void) setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
        v->color = options_color("auto", STDOUT_FILENO);
        v->color_error = options_color("auto", STDERR_FILENO);

        /*
         * Ends at the first word that is no option, with "unknown"; whatever else is wrong has ended the
         * program.
         */
        usage_begin(v);
        (void) argp_parse(&argp, argc, argv, ARGP_IN_ORDER, ret_first, v);
        usage_end();
        return 0;
}

/**
 * options_of_verb() - the options that are taken behind a verb, or in front of it
 * @verb:       the verb; NULL: in front of any
 *
 * Return: its own, those that it shares with others, and those of all, ended by an empty one; the caller frees.
 */
struct argp_option* options_of_verb(const Verb *verb) {
        static const Verb none = {};
        struct argp_option *options;
        size_t n = 0, n_own = 0;

        verb = verb ?: &none;
        while (verb->options &&
               (verb->options[n_own].name || verb->options[n_own].key || verb->options[n_own].doc))
                n_own++;

        options = xnew(struct argp_option, n_own + ARRAY_SIZE(chosen) + ARRAY_SIZE(universal) + 1);
        for (; n < n_own; n++)
                options[n] = verb->options[n];
        for (size_t i = 0; i < ARRAY_SIZE(chosen); i++)
                if (verb->common & chosen[i].mask) {
                        options[n] = chosen[i].option;
                        if (chosen[i].mask == VERB_OPTION_YES && verb->yes)
                                options[n].doc = verb->yes;
                        n++;
                }
        memcpy(options + n, universal, sizeof(universal));
        return options;
}

const struct argp_option* option_find(const struct argp_option *options, const char *word) {
        size_t n = strcspn(word, "=");

        OPTIONS_FOREACH(o, options)
        if (o->name && strlen(o->name) == n && strncmp(o->name, word, n) == 0)
                return o;
        return NULL;
}

/* Of its own, or of argp's. */
static bool is_option(const struct argp_option *options, const char *word) {
        return option_find(options, word) || streq(word, "help") || streq(word, "usage") ||
               streq(word, "version");
}

/*
 * For verbs that are asked about flags of others: what begins with two dashes and is no option, by its full
 * name, goes behind a "--", and what argp would make of its beginning does not matter. *argc grows.
 */
static char** sort_flags(const struct argp_option *options, int *argc, char **argv) {
        char **sorted = xnew(char*, (size_t) *argc + 2), **flags = xnew(char*, (size_t) *argc + 1);
        int n = 0, n_flags = 0;

        for (int i = 0; i < *argc; i++) {
                const char *word = i > 0 ? startswith(argv[i], "--") : NULL;
                const struct argp_option *o = word && *word ? option_find(options, word) : NULL;

                if (word && !*word) {
                        while (++i < *argc)
                                flags[n_flags++] = argv[i];
                        break;
                }
                if (word && !is_option(options, word)) {
                        flags[n_flags++] = argv[i];
                        continue;
                }
                sorted[n++] = argv[i];
                if (i + 1 < *argc &&
                    ((o && o->arg && !strchr(word, '=')) || (i > 0 && streq(argv[i], "-c"))))
                        sorted[n++] = argv[++i];
        }
        if (n_flags > 0) {
                static char end[] = "--";

                sorted[n++] = end;
        }
        memcpy(sorted + n, flags, (size_t) n_flags * sizeof(char*));
        free(flags);
        *argc = n + n_flags;
        return sorted;
}

static int check_count(const Verb *verb, char *const *arguments, Error **reterr) {
        size_t n = strv_length(arguments);

        if (n > verb->arguments_max)
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "%s: unexpected argument '%s', see: hardway %s --help", verb->name,
                                 arguments[verb->arguments_max], verb->name);
        if (n < verb->arguments_min)
                return error_set(reterr, ERROR_USAGE, EINVAL, "%s: %s is missing, see: hardway %s --help",
                                 verb->name, verb->arguments, verb->name);
        return 0;
}

/**
 * options_choose_events() - is JSON events?
 * @v:          the context, as far as the command line was read
 */
void options_choose_events(VerbContext *v) {
        const Verb *verb = v->verb;

        v->ends_with_event =
                v->json && verb &&
                (verb->common & VERB_OPTION_EVENTS || (verb->tells_events && verb->tells_events()));
        v->events = v->ends_with_event && !verb->own_events;
}

/**
 * options_parse_verb() - read the options behind the verb
 * @v:          takes them; its verb is set
 * @argc:       how many words, the first of which is (the last of) the verb's name
 * @argv:       the words
 * @ret_arguments: what is no option; the caller frees
 * @reterr:     too many of those, or too few
 *
 * Return: 0, or -EINVAL; ends the program for --help and the like.
 */
int options_parse_verb(VerbContext *v, int argc, char **argv, Strv *ret_arguments, Error **reterr) {
        _cleanup_free_ struct argp_option *options = options_of_verb(v->verb);
        _cleanup_free_ char **sorted = NULL;
        _cleanup_free_ char *name = xasprintf("hardway %s", v->verb->name);
        _cleanup_free_ char *doc = xasprintf("%s.\v%s", v->verb->summary, v->verb->description ?: "");
        const struct argp argp = {
                .options = options,
                .parser = parse_verb,
                .args_doc = v->verb->arguments,
                .doc = doc,
        };
        VerbParse parse = { .v = v };
        int r;

        /* What argp puts in front of its messages. */
        argv[0] = name;
        if (v->verb->arguments_may_be_flags)
                argv = sorted = sort_flags(options, &argc, argv);
        r = option_words_check(v->verb, options, argc, argv, reterr);
        if (r < 0) {
                options_choose_events(v);
                return r;
        }
        usage_begin(v);
        v->json = false; /* so far it was a word, which this verb may not have as an option */
        r = -argp_parse(&argp, argc, argv, 0, NULL, &parse);
        usage_end();
        if (r < 0)
                return error_set_errno(reterr, r, "command line");
        options_choose_events(v);

        r = check_count(v->verb, parse.arguments, reterr);
        if (r < 0) {
                strv_free(parse.arguments);
                return r;
        }
        *ret_arguments = parse.arguments;
        return 0;
}
