/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/components.h"
#include "cli/pki-file.h"
#include "cli/store-report.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "plan/component.h"

#define OPTION_PROTECT VERB_KEY

static Strv arg_protect = NULL;

static const struct argp_option options[] = {
        { "protect", OPTION_PROTECT, "CA", 0,
          "Put the key of cluster, etcd, front-proxy or all under a passphrase (may be repeated)", 0 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case OPTION_PROTECT:
                strv_add(&arg_protect, arg);
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

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

/* Where a node was made, one that is not in the cluster file may be the same machine, with another name. */
static void tell_of_former(const Report *report) {
        const VerbContext *v = report->v;
        _cleanup_strv_ Strv names = report->n_made > 0 ? store_nodes(v->store) : NULL;

        STRV_FOREACH(name, names)
                if (!cluster_find_node(v->cluster, *name))
                        verb_note(
                                v,
                                "%s has no node %s any more (%s/pki/nodes/%s). If that was renamed: by another name "
                                "it is another node, see CHANGES in hardway.yaml(5).",
                                v->cluster_path, *name, v->directory, *name);
}

/* "all", or the word for one of them. */
static int protect(VerbContext *v, const StoreRequests *requests, const char *word, Error **reterr) {
        const StoreRequest *ca = NULL;
        int r;

        if (!streq(word, "all")) {
                r = pki_find_ca(requests->requests, requests->n_requests, word, &ca, reterr);
                if (r < 0)
                        return r;
                store_protect(v->store, ca->name);
                return 0;
        }
        for (size_t i = 0; i < requests->n_requests; i++)
                if (requests->requests[i].type == STORE_CA)
                        store_protect(v->store, requests->requests[i].name);
        return 0;
}

static int make(VerbContext *v, const StoreRequests *requests, Report *report, Error **reterr) {
        if (v->dry_run)
                return store_examine(v->store, requests->requests, requests->n_requests, clock_realtime(),
                                     store_report_entry, report, reterr);
        return store_generate(v->store, requests->requests, requests->n_requests, clock_realtime(),
                              store_report_entry, report, reterr);
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        Report report = { .v = v, .list = json_array() };
        StoreRequests requests = {};
        int r = 0;

        store_requests_for(components, v->cluster, &requests);
        STRV_FOREACH(word, arg_protect)
                if (r >= 0)
                        r = protect(v, &requests, *word, reterr);
        if (r >= 0)
                r = make(v, &requests, &report, reterr);
        if (r >= 0)
                print_sum(&report, v->dry_run);
        if (r >= 0 && !v->json)
                tell_of_former(&report);
        store_requests_done(&requests);
        json_decref(report.list);
        strv_free(arg_protect);
        return r < 0 ? r : 0;
}

const Verb verb_pki_gen = {
        .name = "pki gen",
        .summary = "Make the CAs, keys and certificates that are missing",
        .description = "What is valid is kept; what no longer fits the cluster file or expires within 30"
                       " days is issued anew, with a new key; a CA is never replaced. Everything lies in"
                       " pki/ and secrets/ beside the cluster file, and as admin.conf and super-"
                       "admin.conf.",
        .common = VERB_OPTION_JSON | VERB_OPTION_WAIT | VERB_OPTION_DRY_RUN | VERB_OPTION_PASSPHRASE,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .run = run,
        .steps = steps_pki_gen,
};
