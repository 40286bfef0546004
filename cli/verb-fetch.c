/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cli/fetch-run.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/parse.h"

enum {
        KEY_MIRROR = VERB_KEY,
        KEY_CA_BUNDLE,
        KEY_PARALLEL,
        KEY_DEADLINE,
        KEY_OFFLINE,
        KEY_SHA256,
        KEY_ACCEPT_MIRROR,
        KEY_UPDATE_LOCK,
        KEY_BUNDLE,
        KEY_FROM,
        KEY_LIST,
        KEY_PRUNE,
};

#define DEADLINE_SEC_MAX (7U * 24 * 3600)
#define PINS_MAX 64U

static FetchArguments arg_fetch = {};
static FetchPin arg_pins[PINS_MAX];

static const struct argp_option options[] = {
        { "mirror", KEY_MIRROR, "URL", 0,
          "Where from, https:// or file:// (may be repeated, tried in order)", 1 },
        { "ca-bundle", KEY_CA_BUNDLE, "FILE", 0,
          "CAs that the mirror's certificate may be of (the system's)", 1 },
        { "accept-mirror", KEY_ACCEPT_MIRROR, NULL, 0, "The word of the mirror (or of the bundle) is enough",
          1 },
        { "parallel", KEY_PARALLEL, "N", 0, "Downloads at once (4)", 1 },
        { "deadline", KEY_DEADLINE, "SECONDS", 0, "Give up after so long; the next run goes on", 1 },
        { "offline", KEY_OFFLINE, NULL, 0, "Connect to nobody: check that the cache has everything", 1 },
        { "sha256", KEY_SHA256, "NAME=HEX", 0, "What the digest has to be (may be repeated)", 2 },
        { "update-lock", KEY_UPDATE_LOCK, NULL, 0, "Change hardway.lock to what is published now", 2 },
        { "bundle", KEY_BUNDLE, "FILE", 0, "Write all of it into one file, too", 3 },
        { "from", KEY_FROM, "FILE", 0, "Take it from such a file, and connect to nobody", 3 },
        { "list", KEY_LIST, NULL, 0, "Show what is pinned, by whose word, and what is in the cache", 4 },
        { "prune", KEY_PRUNE, NULL, 0, "Remove from the cache what no hardway.lock names", 4 },
        {},
};

/* NAME=HEX or NAME/ARCH=HEX; argv stays as long as the program. */
static void parse_pin(char *arg, struct argp_state *state) {
        unsigned char digest[(SHA256_HEX_SIZE - 1) / 2];
        char *hex = strchr(arg, '='), *slash;

        if (!hex || hex == arg || parse_hex(hex + 1, digest, sizeof(digest)) < 0)
                argp_error(state, "--sha256 takes NAME=HEX or NAME/ARCH=HEX with 64 hex digits, not '%s'",
                           arg);
        if (arg_fetch.options.n_pins == PINS_MAX)
                argp_error(state, "more than %u digests by --sha256", PINS_MAX);
        *hex++ = '\0';
        format_hex(digest, sizeof(digest), hex);
        slash = strchr(arg, '/');
        if (slash)
                *slash++ = '\0';
        arg_fetch.options.pins = arg_pins;
        arg_pins[arg_fetch.options.n_pins++] =
                (FetchPin) { .name = arg, .architecture = slash, .sha256 = hex };
}

static error_t parse(int key, char *arg, struct argp_state *state) {
        unsigned seconds;

        switch (key) {
        case KEY_MIRROR:
                strv_add(&arg_fetch.mirrors, arg);
                return 0;
        case KEY_CA_BUNDLE:
                arg_fetch.options.ca_bundle = arg;
                return 0;
        case KEY_ACCEPT_MIRROR:
                arg_fetch.options.accept_mirror = true;
                return 0;
        case KEY_PARALLEL:
                if (parse_unsigned(arg, 1, 64, &arg_fetch.options.parallel) < 0)
                        argp_error(state, "--parallel takes a number from 1 to 64, not '%s'", arg);
                return 0;
        case KEY_DEADLINE:
                if (parse_unsigned(arg, 1, DEADLINE_SEC_MAX, &seconds) < 0)
                        argp_error(state, "--deadline takes a number of seconds, a week at most, not '%s'",
                                   arg);
                arg_fetch.options.deadline_usec = seconds * USEC_PER_SEC;
                return 0;
        case KEY_OFFLINE:
                arg_fetch.options.offline = true;
                return 0;
        case KEY_SHA256:
                parse_pin(arg, state);
                return 0;
        case KEY_UPDATE_LOCK:
                arg_fetch.options.update_lock = true;
                return 0;
        case KEY_BUNDLE:
                arg_fetch.bundle = arg;
                return 0;
        case KEY_FROM:
                arg_fetch.from = arg;
                return 0;
        case KEY_LIST:
                arg_fetch.list = true;
                return 0;
        case KEY_PRUNE:
                arg_fetch.prune = true;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

static bool tells_events(void) {
        return !arg_fetch.list && !arg_fetch.prune;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        int r;

        r = fetch_run_verb(v, &arg_fetch, reterr);
        arg_fetch.mirrors = strv_free(arg_fetch.mirrors);
        return r;
}

const Verb verb_fetch = {
        .name = "fetch",
        .summary = "Download and verify the binaries for the nodes",
        .description = "Each is hashed while it arrives, compared with the published digest and with "
                       "hardway.lock, which pins what was fetched first, and only then appears in the "
                       "cache; what was cut off is gone on with. Mirrors (--mirror, else HARDWAY_MIRROR, "
                       "else those of the cluster file) take the place of the official addresses and have "
                       "the same layout.",
        .common = VERB_OPTION_DEEP | VERB_OPTION_WAIT | VERB_OPTION_JSON | VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_CLUSTER | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .tells_events = tells_events,
        .own_events = true,
        .run = run,
        .steps = steps_fetch,
};
