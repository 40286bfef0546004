/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "cli/components.h"
#include "cli/pki-entry.h"
#include "cli/pki-file.h"
#include "common/alloc.h"
#include "common/clock.h"

#define ANSWERS_SIZE_MAX (4U * 1024 * 1024)

typedef struct Report {
        VerbContext *v;
        json_t *list;
        size_t n_taken, n_waits;
} Report;

static void report_entry(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                         int64_t expires) {
        Report *report = userdata;
        _cleanup_free_ char *date = NULL;

        report->n_waits += outcome == STORE_WAITS;
        if (outcome != STORE_MADE && outcome != STORE_REISSUED)
                return;
        report->n_taken++;
        json_array_append_new(report->list, json_pack("{s:s, s:I}", "name", request->name, "expires",
                                                      (json_int_t) expires));
        date = pki_date(expires);
        verb_note(report->v, "taken     %-44s  until %s", request->name, date);
}

static void print_sum(const Report *report) {
        VerbContext *v = report->v;

        if (v->json) {
                _cleanup_json_ json_t *tree = json_pack("{s:O, s:I, s:b}", "taken", report->list, "waits",
                                                        (json_int_t) report->n_waits, "dry_run", v->dry_run);

                verb_print_json(tree);
                return;
        }
        if (report->n_taken == 0) {
                verb_note(v,
                          "Nothing was taken: what is given is here already, or is a CA's (hardway pki "
                          "import-ca); %zu still to come.",
                          report->n_waits);
                return;
        }
        verb_note(v, "%s%zu taken, %zu still to come.%s", v->dry_run ? "Would be: " : "", report->n_taken,
                  report->n_waits, report->n_waits == 0 ? " Next: hardway install" : "");
}

static int import(VerbContext *v, const StoreRequests *requests, const StoreAnswer *answers,
                  size_t n_answers) {
        Report report = { .v = v, .list = json_array() };
        int r;

        r = store_import(v->store, requests->requests, requests->n_requests, answers, n_answers,
                         clock_realtime(), v->dry_run, report_entry, &report, &v->errors);
        if (r >= 0)
                print_sum(&report);
        json_decref(report.list);
        return r < 0 ? r : 0;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        _cleanup_free_ StoreAnswer *answers = xnew(StoreAnswer, (size_t) argc);
        _cleanup_free_ Buffer *files = xnew(Buffer, (size_t) argc);
        StoreRequests requests = {};
        int r = 0;

        for (int i = 0; r >= 0 && i < argc; i++) {
                r = pki_read_file(argv[i], ANSWERS_SIZE_MAX, files + i, reterr);
                answers[i] = (StoreAnswer) { .name = argv[i], .pem = files + i };
        }
        if (r >= 0) {
                store_requests_for(components, v->cluster, &requests);
                r = import(v, &requests, answers, (size_t) argc);
                store_requests_done(&requests);
        }
        for (int i = 0; i < argc; i++)
                buffer_done(files + i);
        return r;
}

const Verb verb_pki_import = {
        .name = "pki import",
        .summary = "Take certificates that were asked for by pki csr",
        .arguments = "FILE...",
        .description = "In any order and number. Each is held against what was asked: key, issuer, names,"
                       " usages, dates. If one is wrong, none is taken.",
        .arguments_min = 1,
        .arguments_max = 4096,
        .common = VERB_OPTION_JSON | VERB_OPTION_WAIT | VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .steps = steps_pki_import,
        .run = run,
};
