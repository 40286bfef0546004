/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/events.h"
#include "cli/rollout-show.h"
#include "common/alloc.h"
#include "operate/replace.h"

enum {
        KEY_FORCE = VERB_KEY,
};

static bool arg_force = false;

static const struct argp_option options[] = {
        { "force", KEY_FORCE, NULL, 0, "Although the member is healthy", 1 },
        {},
};

static error_t parse(int key, _unused_ char *arg, _unused_ struct argp_state *state) {
        if (key != KEY_FORCE)
                return ARGP_ERR_UNKNOWN;
        arg_force = true;
        return 0;
}

static int ask(void *userdata, const char *what, Error **reterr) {
        const VerbContext *v = userdata;

        if (v->dry_run) {
                verb_note(v, "Nothing speaks against it. Would ask: %s", what);
                return 0;
        }
        return verb_confirm(v, reterr, "%s", what);
}

static int replace(VerbContext *v, const Node *node, Error **reterr) {
        ReplaceRequest request = { .node = node, .force = arg_force, .confirm = ask, .userdata = v };
        RolloutShow show;
        int r;

        r = rollout_show_begin(v, &show, &request.install, reterr);
        if (r < 0)
                return r;
        r = replace_run(&request, &v->errors);
        rollout_show_end(&show);
        if (v->events)
                event_end(v, r, json_pack("{s:s, s:b}", "name", node->name, "dry_run", v->dry_run), NULL);
        else if (r >= 0 && !v->dry_run)
                verb_note(v, "%s has a new member, which votes.   Next: hardway etcd members", node->name);
        return r;
}

static int run(VerbContext *v, _unused_ int argc, char **argv, Error **reterr) {
        const Node *node = cluster_find_node(v->cluster, argv[0]);

        if (!node)
                return error_set(reterr, ERROR_USAGE, EINVAL, "there is no node %s in the cluster file",
                                 argv[0]);
        if (!(node->roles & ROLE_ETCD))
                return error_set(reterr, ERROR_USAGE, EINVAL, "%s carries no etcd member", argv[0]);
        return replace(v, node, reterr);
}

const Verb verb_etcd_replace = {
        .name = "etcd replace",
        .summary = "Set up a new member in place of a lost one",
        .arguments = "NAME",
        .description =
                "For a node whose machine or disk was replaced, at the same address or at another one that "
                "the cluster file has by now. Refused where the other members are no quorum by "
                "themselves. A run that was stopped is finished by the same command.",
        .arguments_min = 1,
        .arguments_max = 1,
        .common = VERB_OPTIONS_ROLLOUT | VERB_OPTION_YES | VERB_OPTION_IGNORE,
        .needs = VERB_NEEDS_ROLLOUT | VERB_NEEDS_FITTING,
        .options = options,
        .parse = parse,
        .steps = steps_etcd_replace,
        .by_hand = steps_etcdctl,
        .run = run,
};
