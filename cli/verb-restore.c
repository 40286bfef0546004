/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/hint.h"
#include "cli/passphrase.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "operate/backup.h"

enum {
        KEY_PASSPHRASE_FILE = VERB_KEY,
        KEY_DIRECTORY,
};

static const char *arg_passphrase_file = NULL;
static const char *arg_directory = NULL;

static const struct argp_option options[] = {
        { "directory", KEY_DIRECTORY, "DIR", 0, "Where to; made if need be (the working directory)", 1 },
        { "passphrase-file", KEY_PASSPHRASE_FILE, "FILE", 0,
          "Read the passphrase from the only line of FILE, - for standard input, instead of asking", 1 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_PASSPHRASE_FILE:
                arg_passphrase_file = arg;
                return 0;
        case KEY_DIRECTORY:
                arg_directory = arg;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

/* The cluster file that has come back: the commands that follow are about that one. */
static char* cluster_file_of(const BackupResult *result, const char *directory) {
        STRV_FOREACH(name, result->names)
                if (!strchr(*name, '/') && (endswith(*name, ".yaml") || endswith(*name, ".yml")))
                        return streq(directory, ".") ? xstrdup(*name) : xasprintf("%s/%s", directory, *name);
        return NULL;
}

static int run(VerbContext *v, _unused_ int argc, char **argv, Error **reterr) {
        _cleanup_(backup_result_done) BackupResult result = BACKUP_RESULT_NULL;
        const char *directory = arg_directory ?: v->directory;
        _cleanup_secret_ char *passphrase = NULL;
        int r;

        r = passphrase_read("the backup", arg_passphrase_file, /* twice= */ false, &passphrase, reterr);
        if (r < 0)
                return r;
        r = backup_restore(argv[0], passphrase, directory, clock_realtime(), v->dry_run ? BACKUP_DRY_RUN : 0,
                           &result, reterr);
        if (r < 0)
                return r;

        if (v->dry_run) {
                STRV_FOREACH(name, result.names)
                        (void) printf("%s\n", *name);
                return 0;
        }
        if (result.n_new == 0)
                verb_note(v, "All %zu files are in %s already, as in the backup: nothing to do.",
                          strv_length(result.names), directory);
        else {
                _cleanup_free_ char *file = cluster_file_of(&result, directory),
                                    *next = hint_complete(file ?: VERB_CLUSTER_FILE, "hardway status");

                verb_note(v, "Restored %zu of %zu files to %s. Next: %s", result.n_new,
                          strv_length(result.names), directory, next);
        }
        return 0;
}

const Verb verb_restore = {
        .name = "restore",
        .summary = "Bring a cluster directory back from a backup",
        .arguments = "FILE",
        .description =
                "On this machine or another one. Nothing is replaced: a file that is there already has to be "
                "the same.",
        .arguments_min = 1,
        .arguments_max = 1,
        .common = VERB_OPTION_DRY_RUN,
        .options = options,
        .parse = parse,
        .run = run,
        .steps = steps_restore,
};
