/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/components.h"
#include "cli/store-report.h"
#include "common/alloc.h"
#include "common/clock.h"

static void print_sum(const Report *report, bool dry_run) {
        VerbContext *v = report->v;

        if (v->json) {
                _cleanup_json_ json_t *tree =
                        json_pack("{s:O, s:b}", "entries", report->list, "dry_run", dry_run);

                verb_print_json(tree);
                return;
        }

        if (report->n_waits > 0)
                verb_note(v, "%zu wait for a CA whose key is not here. Next: hardway pki csr",
                          report->n_waits);
        if (report->n_made + report->n_reissued + report->n_waits == 0)
                verb_note(v, "%zu keys, certificates and secrets: all valid, nothing to do.",
                          report->n_kept);
        else
                verb_note(v, "%s%zu made, %zu reissued, %zu kept.", dry_run ? "Would be: " : "",
                          report->n_made, report->n_reissued, report->n_kept);
        if (report->n_made > 0 && report->n_waits == 0 && !dry_run)
                verb_note(v, "The only copy of the CAs is %s/pki. Next: hardway fetch", v->directory);
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        Report report = { .v = v, .list = json_array() };
        StoreRequests requests = {};
        int r;

        store_requests_for(components, v->cluster, &requests);
        if (v->dry_run)
                r = store_examine(v->store, requests.requests, requests.n_requests, clock_realtime(),
                                  store_report_entry, &report, reterr);
        else
                r = store_generate(v->store, requests.requests, requests.n_requests, clock_realtime(),
                                   store_report_entry, &report, reterr);
        if (r >= 0)
                print_sum(&report, v->dry_run);

        store_requests_done(&requests);
        json_decref(report.list);
        return r < 0 ? r : 0;
}

const Verb verb_pki_gen = {
        .name = "pki gen",
        .summary = "Make the CAs, keys and certificates that are missing",
        .description = "What is valid is kept; what no longer fits the cluster file or expires within 30"
                       " days is issued anew, with a new key; a CA is never replaced. Everything lies in"
                       " pki/ and secrets/ beside the cluster file, and as admin.conf and super-"
                       "admin.conf.",
        .common = VERB_OPTION_JSON | VERB_OPTION_WAIT | VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .run = run,
};
