/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "cli/checks.h"
#include "cli/failover.h"
#include "cli/table.h"
#include "common/alloc.h"

static void print_table(const VerbContext *v, const CheckList *checks) {
        _cleanup_(table_freep) Table *t = table_new(v, "WHAT", "NODE", "STATE", "FOUND", NULL);

        table_text(t, 3);
        for (size_t i = 0; i < checks->n_checks; i++) {
                const Check *c = &checks->checks[i];

                table_row(t, c->subject, c->node ?: "", check_state_to_string(c->state), c->text, NULL);
                table_style(t, 2, check_state_style(c->state));
        }
        table_print(t);
}

/* The table has no room for what to do. */
static void point_on(VerbContext *v, const CheckList *checks) {
        size_t n = 0;

        for (size_t i = 0; i < checks->n_checks; i++)
                n += checks->checks[i].state != CHECK_OK;
        if (n > 0)
                verb_note(v, "Not well: %zu of %zu. What to do about each: hardway verify", n,
                          checks->n_checks);
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        _cleanup_free_ char *last = failover_last(v);
        _cleanup_(check_list_done) CheckList checks = {};
        int r;

        failover_tell(v, &checks); /* before a host that is cut off is waited for */
        r = checks_ask(v, &checks, reterr);
        if (r < 0)
                return r;
        if (last)
                check_add(&checks, CHECK_OK, "failover", NULL, "failover", "%s", last);
        if (v->json) {
                _cleanup_json_ json_t *tree = checks_to_json(v, &checks);

                verb_print_json(tree);
        } else {
                print_table(v, &checks);
                point_on(v, &checks);
        }
        return 0;
}

const Verb verb_status = {
        .name = "status",
        .summary = "Show the state of the cluster as a table",
        .description =
                "The facts that verify looks at, and what the last verify --failover has shown; the exit status does not depend on them. What to do about what is not well, verify tells.",
        .common = VERB_OPTION_JSON | VERB_OPTION_SUDO,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_ON_LIVING,
        .steps = steps_status,
        .run = run,
};
