/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "cli/events.h"
#include "cli/rollout-show.h"
#include "cli/store-report.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"
#include "operate/renew.h"
#include "pki/certificate.h"

#define SEC_PER_DAY INT64_C(86400)

enum {
        KEY_EXPIRING = VERB_KEY,
        KEY_CHANGED,
};

static bool arg_due = false;
static int64_t arg_due_sec = 0;

static const struct argp_option options[] = {
        { "expiring", KEY_EXPIRING, "SPAN", 0,
          "Only those that end within that time (30d), or do not fit the cluster file any more", 1 },
        { "changed", KEY_CHANGED, NULL, 0, "Only those that do not fit the cluster file any more", 1 },
        {},
};

/* "30d", "12h"; a mere number is one of days. */
static error_t parse_expiring(const char *arg, struct argp_state *state) {
        unsigned days;

        if (parse_unsigned(arg, 0, CERTIFICATE_DAYS_MAX, &days) >= 0)
                arg_due_sec = days * SEC_PER_DAY;
        else if (parse_span(arg, CERTIFICATE_DAYS_MAX * SEC_PER_DAY, &arg_due_sec) < 0)
                argp_error(state, "--expiring takes a length of time, such as 30d or 12h, not '%s'", arg);
        arg_due = true;
        return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_EXPIRING:
                return parse_expiring(arg, state);
        case KEY_CHANGED:
                arg_due = true;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static void print_json(VerbContext *v, int r, const RenewResult *result, json_t *entries) {
        json_t *tree = json_pack("{s:O, s:b, s:b}", "entries", entries, "dry_run", v->dry_run, "resumed",
                                 result->resumed);

        if (!v->dry_run)
                json_object_set_new(tree, "rollout", rollout_to_json(&result->install));
        event_end(v, r, tree, NULL);
}

static void print_dry_run(const VerbContext *v, const RenewResult *result) {
        _cleanup_free_ char *nodes = strv_join(result->nodes, ", ");

        verb_note(v, "Would be: %zu renewed%s%s%s. Nothing was written.", result->n_renewed,
                  *nodes ? ", and rolled out one node at a time: " : "", nodes,
                  result->resumed ? "; an earlier renewal would be finished along with it" : "");
}

static void print_summary(const VerbContext *v, const RenewResult *result) {
        _cleanup_free_ char *duration = clock_format_span(result->install.duration_usec);
        size_t n = strv_length(result->nodes);

        if (v->dry_run)
                print_dry_run(v, result);
        else if (result->n_renewed == 0 && !result->resumed)
                verb_note(v, "Nothing is to be renewed.");
        else if (result->n_renewed == 0)
                verb_note(v,
                          "The renewal that was stopped is finished: %zu node%s in use of new"
                          " certificates, each looked at (%s).",
                          n, n == 1 ? "" : "s", duration);
        else
                verb_note(v, "%zu renewed; %zu node%s in use of new certificates, each looked at (%s).",
                          result->n_renewed, n, n == 1 ? "" : "s", duration);
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        Report report = { .v = v, .list = json_array() };
        RenewResult result = {};
        RenewRequest request = {
                .only_nodes = v->node_names != NULL,
                .names = argc > 0 ? argv : NULL,
                .due = arg_due,
                .due_sec = arg_due_sec,
                .now = clock_realtime(),
                .report = store_report_entry,
                .userdata = &report,
        };
        RolloutShow show;
        int r;

        r = rollout_show_begin(v, &show, &request.install, reterr);
        if (r >= 0) {
                r = renew_run(&request, &result, &v->errors);
                rollout_show_end(&show);
                if (v->json)
                        print_json(v, r, &result, report.list);
                else if (r >= 0)
                        print_summary(v, &result);
        }
        renew_result_done(&result);
        json_decref(report.list);
        return r;
}

const Verb verb_pki_renew = {
        .name = "pki renew",
        .summary = "Renew certificates, and roll them out one node at a time",
        .arguments = "[NAME...]",
        .description = "All certificates and kubeconfigs, or those that are named (apiserver, etcd/server,"
                       " admin), are issued anew, each with a new key. The nodes get theirs one after the"
                       " other, behind the load balancers; what each of them then shows is compared. A node"
                       " that fails gets its old ones back, and the others keep what they have. A renewal"
                       " that was stopped is finished by the next.",
        .arguments_max = 4096,
        .common = VERB_OPTIONS_ROLLOUT | VERB_OPTION_NODE | VERB_OPTION_PASSPHRASE,
        .needs = VERB_NEEDS_ROLLOUT,
        .options = options,
        .parse = parse,
        .steps = steps_pki_renew,
        .run = run,
};
