/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>

#include "cli/components.h"
#include "cli/pki-file.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "plan/component.h"

#define OPTION_OUTPUT VERB_KEY

static const char *arg_output = NULL;

static const struct argp_option options[] = {
        { "output", OPTION_OUTPUT, "DIR", 0, "Put a copy of each request there, to be sent away", 0 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case OPTION_OUTPUT:
                arg_output = arg;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

typedef struct Report {
        VerbContext *v;
        json_t *list;
        Strv names, paths;
} Report;

static void report_request(void *userdata, const StoreRequest *request, const char *path, bool made) {
        Report *report = userdata;

        json_array_append_new(report->list, json_pack("{s:s, s:s, s:s, s:b}", "name", request->name, "path",
                                                      path, "ca", request->issuer, "made", made));
        strv_add(&report->names, request->name);
        strv_add(&report->paths, path);
        if (made || report->v->verbose)
                verb_note(report->v, "%-8s  %s", made ? "made" : "kept", path);
}

/* Flat, so that one directory can be sent: "nodes-c0-pki-apiserver.csr". */
static int copy_out(const char *name, const char *path, Error **reterr) {
        _cleanup_free_ char *flat = xstrdup(name), *target = NULL;
        _cleanup_buffer_ Buffer pem = BUFFER_NULL;
        int r;

        for (char *p = flat; *p; p++)
                if (*p == '/')
                        *p = '-';
        target = xasprintf("%s/%s.csr", arg_output, flat);
        r = pki_read_file(path, KEY_SIZE_MAX, &pem, reterr);
        if (r < 0)
                return r;
        r = fs_mkdir_parents(AT_FDCWD, arg_output, 0755, reterr);
        if (r < 0)
                return r;
        r = fs_write(AT_FDCWD, target, pem.data, pem.size, 0644, 0, reterr);
        return r < 0 ? r : 0;
}

static int finish(const Report *report, bool changed, Error **reterr) {
        VerbContext *v = report->v;
        size_t n = strv_length(report->names);
        int r = 0;

        for (size_t i = 0; arg_output && !v->dry_run && r >= 0 && i < n; i++)
                r = copy_out(report->names[i], report->paths[i], reterr);
        if (r < 0)
                return r;
        if (v->json) {
                _cleanup_json_ json_t *tree =
                        json_pack("{s:O, s:b}", "requests", report->list, "dry_run", v->dry_run);

                verb_print_json(tree);
        } else if (n == 0)
                verb_note(v, "Nothing waits for a CA whose key is elsewhere.");
        else
                verb_note(v, "%zu %s for%s%s. The answers are taken by: hardway pki import FILE...", n,
                          !changed   ? "requests were there already, and wait" :
                          v->dry_run ? "requests would be made, and wait" :
                                       "requests wait",
                          " their certificates", arg_output ? ", with copies for sending" : "");
        return 0;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        Report report = { .v = v, .list = json_array() };
        StoreRequests requests = {};
        int r;

        store_requests_for(components, v->cluster, &requests);
        r = store_csr(v->store, requests.requests, requests.n_requests, clock_realtime(), v->dry_run,
                      report_request, &report, reterr);
        if (r >= 0)
                r = finish(&report, r > 0, reterr);
        store_requests_done(&requests);
        json_decref(report.list);
        strv_free(report.names);
        strv_free(report.paths);
        return r < 0 ? r : 0;
}

const Verb verb_pki_csr = {
        .name = "pki csr",
        .summary = "Write signing requests for a CA whose key is kept elsewhere",
        .description = "One for each certificate and kubeconfig that is missing, no longer fits or expires"
                       " soon, each with a new key, in pki/requests. What is in use stays in use until the"
                       " answer is taken by pki import.",
        .common = VERB_OPTION_JSON | VERB_OPTION_WAIT | VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .steps = steps_pki_csr,
        .run = run,
};
