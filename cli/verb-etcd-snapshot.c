/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/progress-line.h"
#include "cli/progress.h"
#include "cli/snapshot-pull.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "common/fs.h"
#include "etcd/snapshot.h"
#include "operate/snapshot-facts.h"

enum {
        KEY_FORCE = VERB_KEY,
        KEY_PULL,
};

static bool arg_force = false, arg_pull = false;

static const struct argp_option options[] = {
        { "force", KEY_FORCE, NULL, 0, "Replace FILE if it exists", 1 },
        { "pull", KEY_PULL, NULL, 0,
          "Take none; bring the newest that each node took by itself here, into the directory FILE", 1 },
        {},
};

static error_t parse(int key, _unused_ char *arg, _unused_ struct argp_state *state) {
        switch (key) {
        case KEY_FORCE:
                arg_force = true;
                return 0;
        case KEY_PULL:
                arg_pull = true;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

typedef struct Show {
        const VerbContext *v;
        Progress *progress;
        size_t row;
        SnapshotFacts *facts;
} Show;

/* Before it takes the place of FILE. */
static int examine(void *userdata, const char *part, Error **reterr) {
        const Show *s = userdata;

        return snapshot_facts(s->v->cluster, s->v->lock, part, s->facts, reterr);
}

static void show_amount(void *userdata, uint64_t done, uint64_t total) {
        Show *s = userdata;

        progress_amount(s->progress, s->row, done, total);
}

/* The folder of the usual place is ours to make; another one is not. */
static int look_first(const VerbContext *v, const char *given, const char *path, Error **reterr) {
        _cleanup_free_ char *folder = fs_path_dirname(path);

        if (strv_length(v->node_names) > 1)
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "a snapshot is of one member: give --node once");
        if (!given)
                return fs_mkdir_parents(AT_FDCWD, folder, 0700, reterr);
        if (access(folder, W_OK) < 0)
                return error_set(reterr, ERROR_CREATE, errno, "%s: nothing can be written there: %s", folder,
                                 strerror(errno));
        if (!arg_force && access(path, F_OK) == 0)
                return error_set(reterr, ERROR_CREATE, EEXIST,
                                 "%s exists, will not replace it without --force", path);
        return 0;
}

static void print_json(const char *path, const EtcdSaved *saved, const SnapshotFacts *facts) {
        _cleanup_json_ json_t *tree =
                json_pack("{s:s, s:s, s:b, s:b, s:I, s:I}", "file", path, "node", saved->node->name,
                          "quorum", saved->quorum, "older", saved->older, "size", (json_int_t) saved->size,
                          "revision", (json_int_t) (facts->known ? facts->revision : saved->revision));

        if (facts->known)
                json_object_update_new(tree, json_pack("{s:I, s:s}", "keys", (json_int_t) facts->keys,
                                                       "hash", facts->hash));
        verb_print_json(tree);
}

static void print_result(const VerbContext *v, const char *path, const EtcdSaved *saved,
                         const SnapshotFacts *facts) {
        _cleanup_free_ char *size = format_size(saved->size);

        if (saved->older)
                verb_warn(
                        v,
                        "%s has data of another cluster, or of before the last restore: this is not what the "
                        "cluster has",
                        saved->node->name);
        else if (!saved->quorum)
                verb_warn(
                        v,
                        "%s reaches no quorum: what was written last may have been on the others alone, and "
                        "is missing in this snapshot",
                        saved->node->name);
        if (v->json)
                print_json(path, saved, facts);
        else if (facts->known)
                verb_note(v, "Wrote %s: %s of %s, revision %" PRIu64 ", %" PRIu64 " keys, hash %s.", path,
                          size, saved->node->name, facts->revision, facts->keys, facts->hash);
        else
                verb_note(v,
                          "Wrote %s: %s of %s, revision %" PRIu64
                          " or later. Its digest is right; no etcdutl "
                          "is here to look into it.",
                          path, size, saved->node->name, saved->revision);
}

static int save(VerbContext *v, const char *path, EtcdSaved *ret, SnapshotFacts *ret_facts, Error **reterr) {
        ProbeContext context = probe_context(v->cluster, v->store, v->cancelled);
        const Node *node = v->node_names ? v->nodes[0] : NULL;
        _cleanup_(progress_freep) Progress *progress = progress_new(v);
        SnapshotFacts facts = {};
        Show show = {
                .v = v,
                .progress = progress,
                .row = progress_add(progress, node ? node->name : "etcd"),
                .facts = &facts,
        };
        const EtcdSaveRequest request = {
                .node = node,
                .path = path,
                .check = examine,
                .progress = show_amount,
                .userdata = &show,
        };
        int r;

        progress_step(progress, show.row, STAGE_SNAPSHOT, NULL);
        context.looks_only = true;
        r = etcd_save(&context, &request, ret, reterr);
        if (r < 0) {
                progress_end(progress, show.row, false, "failed");
                return r;
        }
        progress_remove(progress, show.row);
        *ret_facts = facts;
        return 0;
}

static int take(VerbContext *v, const char *given, Error **reterr) {
        _cleanup_free_ char *path = given ? xstrdup(given) : etcd_save_path(v->cluster);
        SnapshotFacts facts;
        EtcdSaved saved;
        int r;

        r = look_first(v, given, path, reterr);
        if (r >= 0)
                r = save(v, path, &saved, &facts, reterr);
        if (r < 0)
                return r;
        print_result(v, path, &saved, &facts);
        return 0;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        const char *given = argc > 0 ? argv[0] : NULL;

        if (arg_pull && arg_force)
                return error_set(reterr, ERROR_USAGE, EINVAL, "--pull never replaces anything: no --force");
        return arg_pull ? snapshot_pull_run(v, given, reterr) : take(v, given, reterr);
}

const Verb verb_etcd_snapshot = {
        .name = "etcd snapshot",
        .summary = "Save etcd's data to a file",
        .arguments = "[FILE]",
        .description =
                "Of a member that reaches a quorum. Its digest is computed again while it arrives, and "
                "FILE appears when all of it is on the disk, or not at all. Without FILE it goes to "
                "snapshots/ beside the cluster file. It holds all that is in the cluster, and what is "
                "encrypted there stays so.",
        .arguments_max = 1,
        .common = VERB_OPTION_NODE | VERB_OPTION_JSON | VERB_OPTION_SUDO,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .steps = steps_etcd_snapshot,
        .by_hand = steps_etcdctl,
        .run = run,
};
