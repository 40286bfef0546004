/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/passphrase.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "operate/backup.h"

enum {
        KEY_PASSPHRASE_FILE = VERB_KEY,
        KEY_FORCE,
};

static const char *arg_passphrase_file = NULL;
static bool arg_force = false;

static const struct argp_option options[] = {
        { "passphrase-file", KEY_PASSPHRASE_FILE, "FILE", 0,
          "Read the passphrase from the only line of FILE, - for standard input, instead of asking", 1 },
        { "force", KEY_FORCE, NULL, 0, "Replace FILE if it exists", 1 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_PASSPHRASE_FILE:
                arg_passphrase_file = arg;
                return 0;
        case KEY_FORCE:
                arg_force = true;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static void print_names(const BackupResult *result) {
        STRV_FOREACH(name, result->names)
                (void) printf("%s\n", *name);
}

/* What can be refused is refused before anybody types a passphrase twice. */
static int look_first(VerbContext *v, const char *path, BackupResult *result, Error **reterr) {
        if (!arg_force && access(path, F_OK) == 0) {
                (void) error_set(reterr, ERROR_CREATE, EEXIST, "%s exists, will not replace it", path);
                error_detail(reterr, "It may be the backup of another cluster. Replace it with --force.");
                return -EEXIST;
        }
        return backup_write(v->directory, fs_path_basename(v->cluster_path), path, NULL, clock_realtime(),
                            BACKUP_DRY_RUN, result, reterr);
}

static int run(VerbContext *v, _unused_ int argc, char **argv, Error **reterr) {
        _cleanup_(backup_result_done) BackupResult result = BACKUP_RESULT_NULL;
        _cleanup_secret_ char *passphrase = NULL;
        const char *path = argv[0];
        int r;

        r = look_first(v, path, &result, reterr);
        if (r < 0)
                return r;
        if (v->dry_run) {
                print_names(&result);
                return 0;
        }

        r = passphrase_read("the backup", arg_passphrase_file, /* twice= */ true, &passphrase, reterr);
        if (r < 0)
                return r;
        backup_result_done(&result);
        r = backup_write(v->directory, fs_path_basename(v->cluster_path), path, passphrase, clock_realtime(),
                         arg_force ? BACKUP_REPLACE : 0, &result, reterr);
        if (r < 0)
                return r;
        verb_note(v, "Wrote %s: %zu files, %zu KiB. Without its passphrase nobody can read it, nor can you.",
                  path, strv_length(result.names), (result.size + 1023) / 1024);
        return 0;
}

const Verb verb_backup = {
        .name = "backup",
        .summary = "Put the cluster directory into one file under a passphrase",
        .arguments = "FILE",
        .description =
                "The cluster file, pki/, secrets/, hardway.lock and the administrators' kubeconfigs: all that "
                "cannot be made again, as this machine holds the only copy of the CAs' keys. The nodes' data "
                "is not in it.",
        .arguments_min = 1,
        .arguments_max = 1,
        .common = VERB_OPTION_WAIT | VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_EXCLUSIVE | VERB_NEEDS_STORE,
        .options = options,
        .parse = parse,
        .run = run,
        .steps = steps_backup,
};
