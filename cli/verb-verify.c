/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <sysexits.h>

#include "cli/checks.h"
#include "common/alloc.h"
#include "common/clock.h"

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        uint64_t start = clock_usec();
        CheckList checks = {};
        size_t failed;
        int r;

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
        check_list_done(&checks);
        return failed > 0 ? EX_PROTOCOL : 0;
}

const Verb verb_verify = {
        .name = "verify",
        .summary = "Prove that the cluster works",
        .description =
                "The VIP, every apiserver, etcd member, leader and load balancer: one line per check, with what to do where one fails. Exit status 76 if any failed.",
        .common = VERB_OPTION_JSON | VERB_OPTION_DEEP | VERB_OPTION_SUDO,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_LOCK | VERB_ON_LIVING,
        .run = run,
        .steps = steps_verify,
};
