/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "check/check.h"
#include "cli/components.h"
#include "cli/events.h"
#include "cli/rollout-show.h"
#include "common/alloc.h"
#include "operate/restore.h"

enum {
        KEY_FORCE = VERB_KEY,
        KEY_SURVIVOR,
        KEY_WITHOUT,
};

static bool arg_force = false;
static const char *arg_survivor = NULL;
static Strv arg_without = NULL;

static const struct argp_option options[] = {
        { "survivor", KEY_SURVIVOR, "NAME", 0, "Instead of FILE: what the member on this node has", 1 },
        { "without", KEY_WITHOUT, "NAME", 0,
          "Leave out a node that is gone; to be replaced later. May be repeated", 1 },
        { "force", KEY_FORCE, NULL, 0, "The data of another cluster, or of before the last restore, too",
          1 },
        {},
};

static error_t parse(int key, char *arg, _unused_ struct argp_state *state) {
        switch (key) {
        case KEY_FORCE:
                arg_force = true;
                return 0;
        case KEY_SURVIVOR:
                arg_survivor = arg;
                return 0;
        case KEY_WITHOUT:
                strv_add(&arg_without, arg);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static char* describe(const RestoreQuestion *q) {
        if (!q->snapshot && q->stops)
                return xasprintf(
                        "what %s has (it answers nobody: etcd and the apiserver there are stopped to "
                        "read it)",
                        q->survivor->name);
        if (!q->snapshot)
                return xasprintf("what %s has", q->survivor->name);
        if (!q->facts->known)
                return xstrdup(q->snapshot);
        return xasprintf("%s (revision %" PRIu64 ", %" PRIu64 " keys)", q->snapshot, q->facts->revision,
                         q->facts->keys);
}

static int ask(void *userdata, const RestoreQuestion *question, Error **reterr) {
        const VerbContext *v = userdata;
        _cleanup_free_ char *what = describe(question), *gone = strv_join(arg_without, ", ");

        verb_note(v, "Now: %s.", question->state);
        if (question->earlier)
                verb_note(v, "%s.", question->earlier);
        if (*gone)
                verb_note(v, "Taken for gone: %s. Whoever of them runs after all goes on with the old data.",
                          gone);
        if (v->dry_run) {
                verb_note(v, "Would replace all data of cluster %s by %s.", v->cluster->name, what);
                return 0;
        }
        return verb_confirm(v, reterr,
                            "Replace all data of cluster %s by %s? What was written since is lost.",
                            v->cluster->name, what);
}

static const Node* find_member(const VerbContext *v, const char *name, Error **reterr) {
        const Node *node = cluster_find_node(v->cluster, name);

        if (node && node->roles & ROLE_ETCD)
                return node;
        (void) error_set(reterr, ERROR_USAGE, EINVAL,
                         node ? "%s carries no etcd member" : "there is no node %s in the cluster file",
                         name);
        return NULL;
}

/* v->nodes becomes those that take part. */
static int leave_out(VerbContext *v, Error **reterr) {
        size_t n = 0;

        STRV_FOREACH(name, arg_without) {
                if (!find_member(v, *name, reterr))
                        return -EINVAL;
                if (arg_survivor && streq(*name, arg_survivor))
                        return error_set(reterr, ERROR_USAGE, EINVAL,
                                         "%s cannot be the survivor and left out", *name);
        }
        for (size_t i = 0; i < v->n_nodes; i++)
                if (!strv_contains(arg_without, v->nodes[i]->name))
                        v->nodes[n++] = v->nodes[i];
        v->n_nodes = n;
        return 0;
}

static void print_result(VerbContext *v, const RestoreResult *result) {
        if (v->json) {
                json_t *tree = json_pack("{s:s, s:I, s:I, s:b}", "snapshot", result->snapshot, "members",
                                         (json_int_t) result->n_members, "revision",
                                         (json_int_t) result->revision, "resumed", result->resumed);

                event_end(v, 0, tree, NULL);
                return;
        }
        verb_note(v, "Restored %s on %zu member%s: revision %" PRIu64 " now.   Next: hardway verify",
                  result->snapshot, result->n_members, result->n_members == 1 ? "" : "s", result->revision);
        STRV_FOREACH(name, arg_without)
                verb_warn(
                        v,
                        "%s is no member any more: do not switch it on with its old disk, whose etcd would "
                        "still be of the old cluster. Put it in order by: hardway etcd replace %s",
                        *name, *name);
}

static int restore(VerbContext *v, const Node *survivor, const char *snapshot, Error **reterr) {
        RestoreRequest request = {
                .snapshot = snapshot,
                .survivor = survivor,
                .force = arg_force,
                .confirm = ask,
                .userdata = v,
        };
        RestoreResult result;
        RolloutShow show;
        int r;

        r = rollout_show_begin(v, &show, &request.install, reterr);
        if (r < 0)
                return r;
        r = restore_run(&request, &result, &v->errors);
        rollout_show_end(&show);
        if (r >= 0 && !v->dry_run)
                print_result(v, &result);
        restore_result_done(&result);
        return r;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        const Node *survivor = NULL;
        int r;

        if ((argc > 0) == (arg_survivor != NULL))
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "give the snapshot that is to be restored, or --survivor NAME");
        if (arg_survivor) {
                survivor = find_member(v, arg_survivor, reterr);
                if (!survivor)
                        return -EINVAL;
        }
        r = check_names_exist(components, v->ignore, reterr);
        if (r >= 0)
                r = leave_out(v, reterr);
        return r < 0 ? r : restore(v, survivor, argc > 0 ? argv[0] : NULL, reterr);
}

const Verb verb_etcd_restore = {
        .name = "etcd restore",
        .summary = "Make a snapshot the data of the whole cluster",
        .arguments = "[FILE]",
        .description =
                "Looks at all nodes and asks, stops the control plane, restores the snapshot on every member, "
                "and starts everything. The old data is kept aside until the new is seen to serve. A run that "
                "was stopped is finished by the same command. Hosts with nothing on them will do.",
        .arguments_max = 1,
        .common = VERB_OPTIONS_ROLLOUT | VERB_OPTION_YES | VERB_OPTION_IGNORE,
        .needs = VERB_NEEDS_ROLLOUT | VERB_NEEDS_FITTING,
        .options = options,
        .parse = parse,
        .steps = steps_etcd_restore,
        .by_hand = steps_etcdctl,
        .run = run,
};
