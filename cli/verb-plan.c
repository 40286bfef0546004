/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/events.h"
#include "cli/plan-show.h"
#include "cli/rollout-show.h"
#include "common/alloc.h"
#include "common/clock.h"

#define STATUS_DIFFERS 2

enum {
        KEY_OFFLINE = VERB_KEY,
        KEY_OUTPUT,
        KEY_SECRETS,
        KEY_SCRIPT,
        KEY_EXITCODE,
};

static const char *arg_output = NULL;
static bool arg_offline = false, arg_secrets = false, arg_script = false, arg_exitcode = false;

static const struct argp_option options[] = {
        { "detailed-exitcode", KEY_EXITCODE, NULL, 0, "Exit with 2 if a node differs from its plan", 1 },
        { "offline", KEY_OFFLINE, NULL, 0, "Ask no node: list all that install would make true", 1 },
        { "output", KEY_OUTPUT, "DIR", 0,
          "Ask no node: write each node's files below DIR/NODE, and the rest as DIR/NODE.items", 1 },
        { "script", KEY_SCRIPT, NULL, 0, "Print the whole installation of one node as a shell script", 1 },
        { "secrets", KEY_SECRETS, NULL, 0, "With --output: write keys too, not only their fingerprints", 1 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_EXITCODE:
                arg_exitcode = true;
                return 0;
        case KEY_OFFLINE:
                arg_offline = true;
                return 0;
        case KEY_OUTPUT:
                arg_output = arg;
                return 0;
        case KEY_SECRETS:
                arg_secrets = true;
                return 0;
        case KEY_SCRIPT:
                arg_script = true;
                return 0;
        case ARGP_KEY_END:
                if (arg_script && (arg_output || arg_exitcode))
                        argp_error(state, "--script goes with neither --output nor --detailed-exitcode");
                if (arg_secrets && !arg_output)
                        argp_error(state, "--secrets is for --output");
                if (arg_exitcode && (arg_output || arg_offline))
                        argp_error(state, "--detailed-exitcode is for comparing with the nodes");
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

/* Null where it cannot be told, as a node was not looked at and the others are as planned. */
static json_t* differs_to_json(const InstallResult *result) {
        bool known = true;

        for (size_t i = 0; i < result->n_nodes; i++)
                known = known && result->nodes[i].known;
        if (rollout_count_differing(result) > 0 || result->leavers)
                return json_true();
        return known ? json_false() : json_null();
}

static void print_json(const VerbContext *v, const InstallResult *result) {
        _cleanup_json_ json_t *tree = NULL;
        json_t *nodes = json_array();

        for (size_t i = 0; i < result->n_nodes; i++) {
                json_t *node = rollout_node_to_json(result->nodes + i);

                if (result->nodes[i].diff)
                        json_object_set_new(node, "diff", json_string(result->nodes[i].diff));
                json_array_append_new(nodes, node);
        }
        tree = json_pack("{so,so}", "differs", differs_to_json(result), "nodes", nodes);
        if (result->leavers)
                json_object_set_new(tree, "leavers", rollout_leavers_to_json(result));
        if (result->outdated)
                json_object_set_new(tree, "outdated", json_string(result->outdated));
        if (v->errors.n_errors > 0)
                json_object_set_new(tree, "errors", errors_to_json(v, NULL));
        verb_print_json(tree);
}

static void print_summary(const VerbContext *v, const InstallResult *result) {
        _cleanup_free_ char *duration = clock_format_span(result->duration_usec);
        size_t n = rollout_count_differing(result);

        if (n == 0 && result->leavers)
                verb_note(
                        v,
                        "%zu node%s, %zu items: no node differs; hardway install would take out what is said.",
                        result->n_nodes, result->n_nodes == 1 ? "" : "s", result->n_items);
        else if (n == 0)
                verb_note(v, "%zu node%s, %zu items: nothing differs (%s)", result->n_nodes,
                          result->n_nodes == 1 ? "" : "s", result->n_items, duration);
        else if (result->changed)
                verb_note(v, "%zu of %zu node%s differ from the plan; hardway install would make it so.", n,
                          result->n_nodes, result->n_nodes == 1 ? "" : "s");
        else
                verb_note(v, "%zu of %zu node%s differ from the plan, by what hardway install leaves alone.",
                          n, result->n_nodes, result->n_nodes == 1 ? "" : "s");
}

static int compare(VerbContext *v, Error **reterr) {
        RolloutShow show;
        InstallRequest request;
        InstallResult result = {};
        int r;

        r = rollout_show_begin(v, &show, &request, reterr);
        if (r < 0)
                return r;
        show.looks_only = true;
        request.dry_run = true;
        rollout_show_nodes(&show);
        r = install_run(&request, &result, &v->errors);
        rollout_show_end(&show);
        if (verb_stopped(v, reterr) < 0) {
                error_list_done(&v->errors);
                install_result_done(&result);
                return -ECANCELED;
        }

        if (v->json)
                print_json(v, &result);
        for (size_t i = 0; i < result.n_nodes && !v->json; i++)
                rollout_show_diff(v, result.nodes + i);
        if (!v->json)
                rollout_show_leavers(&result);
        if (!v->json)
                rollout_show_outdated(v, &result);
        if (r >= 0 && !v->json)
                print_summary(v, &result);
        if (r >= 0 && arg_exitcode && (rollout_count_differing(&result) > 0 || result.leavers))
                r = STATUS_DIFFERS;
        install_result_done(&result);
        return r;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        bool offline = arg_output || arg_offline;
        const PlanShow show = { .output = arg_output, .secrets = arg_secrets, .print = offline };
        int r;

        if ((offline || arg_script) && v->json)
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "plan: --json is for comparing with the nodes");
        if (arg_script && v->n_nodes != 1)
                return error_set(reterr, ERROR_USAGE, EINVAL, "plan: --script is for one node: --node NAME");
        if (arg_script)
                return plan_show_script(v, v->nodes[0], /* ask= */ !arg_offline, reterr);
        r = plan_show_all(v, &show, reterr);
        return r < 0 || offline ? r : compare(v, reterr);
}

const Verb verb_plan = {
        .name = "plan",
        .summary = "Show how the nodes differ from what they should be",
        .description =
                "Every node is looked at, and nothing is locked or changed: what is missing, edited (as a "
                "diff), of another mode or owner, stopped, disabled, masked, overridden, or runs with "
                "something older. hardway install mends exactly that. With --offline or --output no node "
                "is asked: what they would tell of themselves (network interfaces, versions of packages) "
                "has its usual value, unless the cluster file says otherwise.",
        .common = VERB_OPTION_NODE | VERB_OPTION_JSON | VERB_OPTION_DEEP | VERB_OPTION_SUDO,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_NEEDS_FITTING |
                 VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .run = run,
        .steps = steps_plan,
};
