/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sysexits.h>

#include "cli/checks.h"
#include "cli/failover.h"
#include "common/alloc.h"
#include "common/clock.h"

enum {
        KEY_FAILOVER = VERB_KEY,
        KEY_DRILL,
        KEY_POWER,
};

static bool arg_failover = false;
static Strv arg_drills = NULL;
static const char *arg_power = NULL;

static const struct argp_option options[] = {
        { "failover", KEY_FAILOVER, NULL, 0,
          "Break one thing after the other and measure what clients notice", 1 },
        { "drill", KEY_DRILL, "NAME", 0, "Of --failover, only this; may be repeated", 1 },
        { "power", KEY_POWER, "COMMAND", 0,
          "Of --failover, also cut hosts off, by COMMAND cut|on|down|up NODE", 1 },
        {},
};

static error_t parse(int key, char *arg, _unused_ struct argp_state *state) {
        switch (key) {
        case KEY_FAILOVER:
                arg_failover = true;
                return 0;
        case KEY_DRILL:
                strv_add(&arg_drills, arg);
                return 0;
        case KEY_POWER:
                arg_power = arg;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static bool tells_events(void) {
        return arg_failover;
}

static int run_checks(VerbContext *v, Error **reterr) {
        uint64_t start = clock_usec();
        _cleanup_(check_list_done) CheckList checks = {};
        size_t failed;
        int r;

        failover_recover(v, arg_power, &checks);
        r = checks_ask(v, &checks, reterr);
        if (r < 0)
                return r;
        failed = check_list_failed(&checks);
        if (v->json) {
                _cleanup_json_ json_t *tree = checks_to_json(v, &checks);

                verb_print_json(tree);
        } else {
                _cleanup_free_ char *span = clock_format_span(clock_usec() - start);

                checks_print(v, &checks);
                if (failed == 0)
                        verb_note(v, "%zu checks in %s: all is well", checks.n_checks, span);
                else
                        printf("%zu of %zu checks failed (%s)\n", failed, checks.n_checks, span);
        }
        return failed > 0 ? EX_PROTOCOL : 0;
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        int r;

        if (arg_failover) {
                v->doing = "verify --failover";
                r = failover_run(v, arg_drills, arg_power, reterr);
        } else if (arg_drills || (arg_power && !failover_is_pending(v)))
                r = error_set(reterr, ERROR_USAGE, EINVAL, "--drill and --power belong to --failover");
        else
                r = run_checks(v, reterr);
        arg_drills = strv_free(arg_drills);
        return r;
}

const Verb verb_verify = {
        .name = "verify",
        .summary = "Prove that the cluster works",
        .description =
                "The VIP, every apiserver, etcd member, leader and load balancer: one line per check, with what to do where one fails. Exit status 76 if any failed.",
        .common =
                VERB_OPTION_JSON | VERB_OPTION_DEEP | VERB_OPTION_SUDO | VERB_OPTION_YES | VERB_OPTION_WAIT,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .tells_events = tells_events,
        .run = run,
        .steps = steps_verify,
};
