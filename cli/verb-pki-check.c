/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/checks.h"
#include "cli/components.h"
#include "cli/events.h"
#include "cli/hint.h"
#include "cli/table.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"
#include "pki/certificate.h"
#include "verify/pki.h"

#define SEC_PER_DAY INT64_C(86400)

enum {
        OPTION_WARN = VERB_KEY,
        OPTION_CRITICAL,
        OPTION_NO_NODES
};

static int64_t arg_warn = 0; /* not given */
static int64_t arg_critical = 0;
static bool arg_no_nodes = false;

static const struct argp_option options[] = {
        { "warn", OPTION_WARN, "SPAN", 0,
          "Warn from this much life left on (30d, or a third of a shorter life)", 0 },
        { "critical", OPTION_CRITICAL, "SPAN", 0,
          "Call it critical from this much life left on (7d, or a tenth of a shorter life)", 0 },
        { "no-nodes", OPTION_NO_NODES, NULL, 0, "Look at the store alone, and connect to nobody", 0 },
        {},
};

static error_t parse_span_argument(const char *arg, int64_t *ret, const struct argp_state *state) {
        if (parse_span(arg, CERTIFICATE_DAYS_MAX * SEC_PER_DAY, ret) < 0)
                argp_error(state, "not a length of time: '%s' (30d, 12h, 90m)", arg);
        return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case OPTION_WARN:
                return parse_span_argument(arg, &arg_warn, state);
        case OPTION_CRITICAL:
                return parse_span_argument(arg, &arg_critical, state);
        case OPTION_NO_NODES:
                arg_no_nodes = true;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

/* What monitoring plugins answer with (Monitoring Plugins Development Guidelines, "Plugin Return Codes"). */
static const struct {
        const char *word, *json;
} states[] = {
        [CHECK_OK] = { "OK", "ok" },
        [CHECK_WARNING] = { "WARNING", "warning" },
        [CHECK_FAILED] = { "CRITICAL", "critical" },
};

typedef struct Sum {
        CheckState state;
        size_t counts[CHECK_FAILED + 1];
        char *line; /* the one that a monitoring system shows */
} Sum;

static Sum sum_up(const VerbContext *v, const CheckList *checks) {
        Sum sum = { .state = CHECK_OK };
        const Check *worst = checks->n_checks > 0 ? checks->checks : NULL;

        for (size_t i = 0; i < checks->n_checks; i++)
                sum.counts[checks->checks[i].state]++;
        if (worst)
                sum.state = worst->state;
        if (sum.state == CHECK_OK)
                sum.line = xasprintf("all of %zu checks of %s are well", checks->n_checks, v->cluster->name);
        else
                sum.line =
                        xasprintf("%zu critical, %zu warning%s of %zu checks: %s%s%s: %s",
                                  sum.counts[CHECK_FAILED], sum.counts[CHECK_WARNING],
                                  sum.counts[CHECK_WARNING] == 1 ? "" : "s", checks->n_checks,
                                  worst->node ?: "", worst->node ? ": " : "", worst->subject, worst->text);
        return sum;
}

static char* days_left(const Check *c) {
        const json_t *left = json_object_get(c->data, "seconds_left");

        return left ? xasprintf("%lld", (long long) (json_integer_value(left) / SEC_PER_DAY)) : xstrdup("");
}

static void print_table(const VerbContext *v, const CheckList *checks, const Sum *sum) {
        _cleanup_(table_freep) Table *t =
                table_new(v, "STATE", "WHAT", "NODE", "DAYS LEFT", "FOUND", "WHAT TO DO", NULL);

        printf("%s%s%s - %s\n", verb_style(v, check_state_style(sum->state)), states[sum->state].word,
               verb_style(v, STYLE_NONE), sum->line);
        table_align_right(t, 3);
        table_text(t, 4);
        table_text(t, 5);
        for (size_t i = 0; i < checks->n_checks; i++) {
                const Check *c = checks->checks + i;
                _cleanup_free_ char *days = days_left(c),
                                    *advice = hint_complete(v->cluster_path, c->advice ?: "");

                if (v->quiet && c->state == CHECK_OK)
                        continue;
                table_row(t, states[c->state].json, c->subject, c->node ?: "", days, c->text, advice, NULL);
                table_style(t, 0, check_state_style(c->state));
        }
        if (!v->quiet || sum->state != CHECK_OK)
                table_print(t);
}

static json_t* check_to_json(const Check *c) {
        json_t *object =
                json_pack("{s:s, s:s*, s:s, s:s, s:s, s:s*}", "id", c->id, "node", c->node, "subject",
                          c->subject, "state", states[c->state].json, "text", c->text, "advice", c->advice);

        if (c->data)
                json_object_update(object, c->data);
        return object;
}

static void print_json(const VerbContext *v, const CheckList *checks, const Sum *sum) {
        json_t *list = json_array();
        _cleanup_json_ json_t *tree = NULL;

        for (size_t i = 0; i < checks->n_checks; i++)
                json_array_append_new(list, check_to_json(checks->checks + i));
        tree = json_pack("{s:s, s:s, s:i, s:s, s:I, s:I, s:I, s:o}", "cluster", v->cluster->name, "state",
                         states[sum->state].json, "status", (int) sum->state, "summary", sum->line, "ok",
                         (json_int_t) sum->counts[CHECK_OK], "warning",
                         (json_int_t) sum->counts[CHECK_WARNING], "critical",
                         (json_int_t) sum->counts[CHECK_FAILED], "checks", list);
        verb_print_json(tree);
}

/* Whoever looks at the state, as of all other documents, is told that there is none (a plugin's UNKNOWN). */
static void add_failure(json_t *tree, const Error *error) {
        (void) json_object_set_new(tree, "state", json_string("unknown"));
        (void) json_object_set_new(tree, "status", json_integer(error_exit_code(error)));
        (void) json_object_set_new(tree, "summary", event_string(error->message));
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        PkiCheckRequest request = {
                .cluster = v->cluster,
                .components = components,
                .store = v->store,
                .nodes = v->nodes,
                .n_nodes = v->n_nodes,
                .no_nodes = arg_no_nodes,
                .now = clock_realtime(),
                .warn_sec = arg_warn,
                .critical_sec = arg_critical,
        };
        CheckList checks = {};
        HostOptions host = {};
        Sum sum;
        int r;

        if ((arg_critical ?: PKI_URGENT_SEC) > (arg_warn ?: STORE_RENEW_BEFORE_SEC))
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "--critical is more than --warn: nothing would ever be warned of");
        if (!arg_no_nodes) {
                r = verb_host_options(v, &host, reterr);
                if (r < 0)
                        return r;
        }
        request.host = &host;
        r = pki_check_run(&request, &checks, reterr);
        if (r < 0)
                return r;

        sum = sum_up(v, &checks);
        if (v->json)
                print_json(v, &checks, &sum);
        else
                print_table(v, &checks, &sum);
        free(sum.line);
        check_list_done(&checks);
        return (int) sum.state;
}

const Verb verb_pki_check = {
        .name = "pki check",
        .summary = "Compare keys and certificates: store, nodes, as served",
        .description = "The store is compared with the cluster file, the nodes' files with the store, what"
                       " the apiservers, etcd, controller managers and schedulers show with both; dates and"
                       " clocks are looked at. One table, worst first. Exit status 0, 1 or 2 for well,"
                       " warning, critical, as monitoring plugins have it.",
        .common = VERB_OPTION_JSON | VERB_OPTION_NODE | VERB_OPTION_SUDO,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .add_failure = add_failure,
        .steps = steps_pki_check,
        .run = run,
};
