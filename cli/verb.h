/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <argp.h>

#include "cluster/cluster.h"
#include "common/error.h"
#include "common/json.h"
#include "fetch/lock.h"
#include "host/host.h"
#include "pki/store.h"

/*
 * Verbs: what `hardway VERB` does
 *
 * A verb is a constant of type Verb in a file verb-NAME.c of its own, and one row in cli/verbs.h. All that
 * the program knows of it is in that constant: help, man page check, command line and the order of things
 * before run() come from there.
 *
 *     enum {
 *             KEY_OFFLINE = VERB_KEY,
 *     };
 *
 *     static bool arg_offline = false;
 *
 *     static const struct argp_option options[] = {
 *             { "offline", KEY_OFFLINE, NULL, 0, "Use what is in the cache, ask nobody", 0 },
 *             {},
 *     };
 *
 *     static error_t parse(int key, char *arg, struct argp_state *state) {
 *             switch (key) {
 *             case KEY_OFFLINE:
 *                     arg_offline = true;
 *                     return 0;
 *             default:
 *                     return ARGP_ERR_UNKNOWN;
 *             }
 *     }
 *
 *     static int run(VerbContext *v, int argc, char **argv, Error **reterr) { ... }
 *
 *     const Verb verb_install = {
 *             .name = "install",
 *             .summary = "Install or update the nodes",
 *             .common = VERB_OPTION_NODE | VERB_OPTION_WAIT,
 *             .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_NEEDS_EXCLUSIVE,
 *             .options = options,
 *             .parse = parse,
 *             .run = run,
 *     };
 *
 * Keys of a verb's own options are VERB_KEY and up (or a letter that no common option uses: those are c, q,
 * v). run() gets what is left of the command line, counted against arguments_min and arguments_max. It
 * prints results to standard output, and returns the exit status (0, or for instance EX_PROTOCOL), or a
 * negative errno with reterr set, which the program prints once and turns into the exit status. Where
 * several things failed (five nodes), run() adds each to v->errors and returns the negative value without
 * setting reterr. The VerbContext and all that hangs on it belongs to the program.
 */

typedef enum VerbCommon {
        VERB_OPTION_NODE = 1 << 0,    /* --node NAME, repeatable: v->nodes holds the chosen ones */
        VERB_OPTION_JSON = 1 << 1,    /* --json */
        VERB_OPTION_WAIT = 1 << 2,    /* --wait: wait for locks that others hold */
        VERB_OPTION_DEEP = 1 << 3,    /* --deep: hash everything */
        VERB_OPTION_SUDO = 1 << 4,    /* the verb works on nodes: --ask-sudo-password, --keep-connections */
        VERB_OPTION_YES = 1 << 5,     /* --yes: do not ask */
        VERB_OPTION_DRY_RUN = 1 << 6, /* --dry-run */
        VERB_OPTION_IGNORE = 1 << 7,  /* --ignore NAME, repeatable: findings of `check` that do not count */
        VERB_OPTION_PASSPHRASE = 1 << 8, /* --passphrase-file FILE: the verb may need the key of a CA */
        VERB_OPTION_EVENTS = 1 << 9,     /* --json: what happens, one event a line, see cli/events.h */
} VerbCommon;                            /* -c, --quiet, --verbose and --color are taken by every verb */

typedef enum VerbNeeds {
        VERB_NEEDS_CLUSTER = 1 << 0, /* v->cluster, and v->nodes */
        VERB_NEEDS_STORE = 1 << 1,   /* v->store */
        VERB_NEEDS_LOCK = 1 << 2,    /* v->lock: hardway.lock */
        VERB_NEEDS_EXCLUSIVE =
                1 << 3, /* nobody else may change the cluster directory, or the cluster, meanwhile */
        VERB_ON_LIVING =
                1
                << 5, /* works on clusters that serve: the cluster file is read with CLUSTER_LOAD_SERVING */
        VERB_NEEDS_FITTING = 1 << 6, /* what is in the store fits the cluster file, see plan/store-fit.h */
} VerbNeeds;

/* What all that change nodes by a rollout have in common. */
#define VERB_OPTIONS_ROLLOUT (VERB_OPTION_EVENTS | VERB_OPTION_WAIT | VERB_OPTION_SUDO | VERB_OPTION_DRY_RUN)
#define VERB_NEEDS_ROLLOUT \
        (VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING)

#define VERB_KEY 0x1000

#define VERB_CLUSTER_FILE "hardway.yaml" /* where -c says nothing */

/* Beside it: who is at work (it stays when nobody is), and the binaries with their digests. */
#define VERB_EXCLUSIVE_FILE ".hardway-busy"
#define VERB_LOCK_FILE "hardway.lock"

typedef struct VerbContext VerbContext;

/* What a verb does, one thing after the other, for `explain`. */
typedef struct VerbStep {
        const char *name;
        const char *what; /* what it does, and why */
        const char *
                by_hand; /* the same by hand: a text for explain_fill(); NULL: there is nothing to be typed */
} VerbStep;

typedef struct Verb {
        const char *name;        /* "install"; of a group: "pki gen" */
        const char *summary;     /* one line, no full stop */
        const char *arguments;   /* of the usage line: "FILE"; NULL: takes none */
        const char *description; /* further text of --help, or NULL */
        unsigned arguments_min, arguments_max;
        bool arguments_may_be_flags; /* "--etcd-servers" is an argument, unless it is an option */
        unsigned common;             /* mask of VerbCommon */
        const char *yes;             /* what --yes says where nothing is asked; or NULL */
        bool (*tells_events)(void);  /* if only some of its options make --json events; or NULL */
        bool own_events;             /* it tells them itself, but for an error that is the last one */
        /* what its --json document has besides "errors" if it failed; or NULL */
        void (*add_failure)(json_t *tree, const Error *error);
        unsigned needs;                    /* mask of VerbNeeds */
        const struct argp_option *options; /* its own, ended by an empty one, or NULL */
        argp_parser_t parse;               /* of its own options, or NULL */
        const VerbStep *steps;             /* ended by an empty one */
        const char *by_hand;               /* what the commands of the steps take for granted; or NULL */
        int (*run)(VerbContext *v, int argc, char **argv, Error **reterr);
} Verb;

struct VerbContext {
        const Verb *verb;

        /* from the command line */
        const char *cluster_path;    /* of the cluster file: hardway.yaml unless -c */
        Strv node_names;             /* as given by --node */
        Strv ignore;                 /* as given by --ignore */
        const char *passphrase_file; /* NULL: the terminal is asked, if the store has to open a key */
        bool json, quiet, verbose, wait, deep, yes, dry_run, ask_sudo_password, keep_connections;
        bool color;       /* standard output may be coloured */
        bool color_error; /* standard error may be */
        bool terminal;    /* standard output is a terminal: lines may be rewritten */

        bool passphrase_was_read;
        char *sudo_password; /* see verb_host_options() */

        const volatile int
                *cancelled; /* non-zero since SIGINT, SIGTERM or SIGHUP: end after the write in hand */

        /* from the verb's needs, see above; else NULL */
        char *directory; /* where the cluster file is; always set */
        Cluster *cluster;
        const Node **nodes; /* those of --node, or all, in the order of the cluster file */
        size_t n_nodes;
        Store *store;
        Lock *lock;
        int exclusive_fd;
        /* for holder, where the verb's name says too little: "verify --failover"; or NULL */
        const char *doing;
        char *holder;         /* see verb_holder() */
        bool events;          /* --json is events */
        bool ends_with_event; /* --json: the last line is one, also if the verb tells the others itself */
        bool events_ended;    /* it was printed */

        Strv shown; /* of commands, see cli/command-show.h */

        struct Progress *progress; /* while there is one: see cli/progress.h */
        ErrorList errors;          /* more than one; all are printed */
};

/* What needs are made of, for verbs that need a thing only sometimes; each does nothing the second time. */
int verb_load_cluster(VerbContext *v, Error **reterr);
int verb_open_store(VerbContext *v, Error **reterr);
int verb_load_lock(VerbContext *v, Error **reterr);
int verb_lock_exclusive(VerbContext *v, Error **reterr);
int verb_stopped(const VerbContext *v, Error **reterr);
char* verb_path(const VerbContext *v, const char *name); /* "admin.conf" -> beside the cluster file */

/*
 * Whether a node of v->nodes is this machine, which takes root without sudo: verb_host_options() sees to
 * that too.
 */
const char* verb_holder(VerbContext *v); /* of all locks, as others will read it; lent */
int verb_host_options(VerbContext *v, HostOptions *ret,
                      Error **reterr);              /* asks for the sudo password if told to; lent by v */
int verb_ask(const char *question, Error **reterr); /* what --yes is no answer to */
int verb_confirm(const VerbContext *v, Error **reterr, const char *format, ...)
        _printf_(3, 4); /* 0, or an error: no */
int verb_read_password(const char *prompt, char **ret,
                       Error **reterr); /* from the terminal, without echo; secret_freep() */

/* cli/steps-*.c: what verbs do, step by step */
extern const VerbStep steps_install[], steps_plan[], steps_fetch[], steps_verify[], steps_reset[],
        steps_check[], steps_status[], steps_init[], steps_kubeconfig[], steps_explain[], steps_pki_gen[],
        steps_pki_list[], steps_pki_check[], steps_pki_csr[], steps_pki_import[], steps_pki_import_ca[],
        steps_pki_renew[], steps_pki_rotate_ca[], steps_pki_rotate_sa[], steps_pki_rotate_key[],
        steps_backup[], steps_restore[], steps_etcd_members[], steps_etcd_snapshot[], steps_etcd_defrag[],
        steps_etcd_replace[], steps_etcd_restore[];
extern const char steps_etcdctl[]; /* Verb.by_hand of those that ask etcd */

/* Lines for people: not shown with --quiet, nor with --json. Results are printed with printf(). */
void verb_note(const VerbContext *v, const char *format, ...) _printf_(2, 3);
void verb_print_json(const json_t *tree);
bool verb_json_was_printed(void); /* a document, by the former */
void verb_print_error(const VerbContext *v, const Error *error);
/* "hardway: warning: ..." on standard error; shown with --quiet too. */
void verb_warn(const VerbContext *v, const char *format, ...) _printf_(2, 3);
/* For the log: standard error, whatever else is shown. */
void verb_log(const VerbContext *v, const char *text);

/* SGR sequences for standard output, empty where colours are not wanted. */
typedef enum Style {
        STYLE_NONE,
        STYLE_BOLD,
        STYLE_DIM,
        STYLE_RED,
        STYLE_GREEN,
        STYLE_YELLOW,
        _STYLE_MAX
} Style;
const char* style_sequence(Style style); /* STYLE_NONE ends what another began */
const char* verb_style(const VerbContext *v, Style style);
