/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/components.h"
#include "cli/verb.h"
#include "common/alloc.h"
#include "plan/render.h"

enum {
        KEY_OUTPUT = VERB_KEY,
        KEY_SECRETS,
};

static const char *arg_output = NULL;
static bool arg_secrets = false;

static const struct argp_option options[] = {
        { "output", KEY_OUTPUT, "DIR", 0,
          "Write each node's files below DIR/NODE, and the rest as DIR/NODE.items", 1 },
        { "secrets", KEY_SECRETS, NULL, 0, "With --output: write keys too, not only their fingerprints", 1 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_OUTPUT:
                arg_output = arg;
                return 0;
        case KEY_SECRETS:
                arg_secrets = true;
                return 0;
        case ARGP_KEY_END:
                if (arg_secrets && !arg_output)
                        argp_error(state, "--secrets is for --output");
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static int make_plan(VerbContext *v, const Node *node, Plan **ret, Error **reterr) {
        Facts facts = {};
        const PlanContext context = {
                .cluster = v->cluster,
                .node = node,
                .facts = &facts,
                .store = v->store,
                .lock = v->lock,
        };
        int r;

        facts_default(v->cluster, node, &facts);
        r = plan_node(components, &context, ret, reterr);
        facts_done(&facts);
        return r < 0 ? error_prefix(reterr, r, "node %s", node->name) : 0;
}

static int show_plan(VerbContext *v, const Plan *plan, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        if (arg_output)
                return plan_render_tree(plan, arg_output, arg_secrets, reterr);

        if (plan->node != v->nodes[0])
                (void) putchar('\n');
        plan_render_list(plan, &text);
        (void) fwrite(text.data, 1, text.size, stdout);
        return 0;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        _cleanup_strv_ Strv missing = NULL;
        int r;

        for (size_t i = 0; i < v->n_nodes; i++) {
                _cleanup_(plan_freep) Plan *plan = NULL;

                r = make_plan(v, v->nodes[i], &plan, reterr);
                if (r < 0)
                        return r;
                r = show_plan(v, plan, reterr);
                if (r < 0)
                        return r;
                STRV_FOREACH(m, plan->missing)
                        if (!strv_contains(missing, *m))
                                strv_add(&missing, *m);
        }

        if (arg_output)
                verb_note(v, "Wrote the plan of %zu nodes to %s.", v->n_nodes, arg_output);
        if (missing)
                verb_warn(v, "the plan is not complete: %zu things are missing, the first of them %s",
                          strv_length(missing), missing[0]);
        return 0;
}

const Verb verb_plan = {
        .name = "plan",
        .summary = "Show everything that install would make true on the nodes",
        .description = "No node is asked: what they would tell of themselves (network interfaces, "
                       "versions of packages) has its usual value, unless the cluster file says "
                       "otherwise.",
        .common = VERB_OPTION_NODE,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .run = run,
};
