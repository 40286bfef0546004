/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/components.h"
#include "cli/pki-file.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "plan/component.h"

enum {
        OPTION_CERT = VERB_KEY,
        OPTION_KEY,
        OPTION_CHAIN
};

static const char *arg_cert = NULL, *arg_key = NULL, *arg_chain = NULL;

static const struct argp_option options[] = {
        { "cert", OPTION_CERT, "FILE", 0, "Its certificate", 0 },
        { "key", OPTION_KEY, "FILE", 0, "Its key; without it, certificates are asked for by pki csr", 0 },
        { "chain", OPTION_CHAIN, "FILE", 0,
          "The certificates above an intermediate CA: its issuer first, a root last", 0 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case OPTION_CERT:
                arg_cert = arg;
                return 0;
        case OPTION_KEY:
                arg_key = arg;
                return 0;
        case OPTION_CHAIN:
                arg_chain = arg;
                return 0;
        case ARGP_KEY_END:
                if (!arg_cert)
                        argp_error(state, "the certificate is missing: --cert FILE");
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static int import(VerbContext *v, const StoreRequests *requests, const StoreRequest *ca, Error **reterr) {
        _cleanup_buffer_secret_ Buffer key = BUFFER_NULL;
        _cleanup_buffer_ Buffer certificate = BUFFER_NULL, chain = BUFFER_NULL;
        const CaImport from = {
                .certificate_name = arg_cert,
                .key_name = arg_key,
                .chain_name = arg_chain,
                .certificate = &certificate,
                .key = arg_key ? &key : NULL,
                .chain = arg_chain ? &chain : NULL,
        };
        int r;

        r = pki_read_file(arg_cert, KEY_SIZE_MAX, &certificate, reterr);
        if (r >= 0 && arg_key)
                r = pki_read_file(arg_key, KEY_SIZE_MAX, &key, reterr);
        if (r >= 0 && arg_chain)
                r = pki_read_file(arg_chain, KEY_SIZE_MAX, &chain, reterr);
        if (r < 0)
                return r;
        return store_import_ca(v->store, requests->requests, requests->n_requests, ca->name, &from,
                               clock_realtime(), v->dry_run, reterr);
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        const StoreRequest *ca = NULL;
        StoreRequests requests = {};
        int r;

        store_requests_for(components, v->cluster, &requests);
        r = pki_find_ca(requests.requests, requests.n_requests, argc > 0 ? argv[0] : "cluster", &ca, reterr);
        if (r >= 0)
                r = import(v, &requests, ca, reterr);
        if (r == 0)
                verb_note(v, "%s is the CA %s already: nothing to do.", arg_cert, ca->name);
        else if (r > 0)
                verb_note(v, "%s %s as the CA %s%s.%s", arg_cert, v->dry_run ? "would be taken" : "is taken",
                          ca->name, arg_key ? "" : ", without its key",
                          v->dry_run ? "" : " Next: hardway pki gen");
        store_requests_done(&requests);
        return r < 0 ? r : 0;
}

const Verb verb_pki_import_ca = {
        .name = "pki import-ca",
        .summary = "Use a CA of your own, also without its key",
        .arguments = "[cluster|etcd|front-proxy]",
        .description = "For a store that has no such CA yet: before the first pki gen. Another CA is never"
                       " replaced. Without key, the cluster's certificates are asked for by pki csr and"
                       " taken by pki import.",
        .arguments_max = 1,
        .common = VERB_OPTION_WAIT | VERB_OPTION_DRY_RUN | VERB_OPTION_PASSPHRASE,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_NEEDS_EXCLUSIVE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .steps = steps_pki_import_ca,
        .run = run,
};
