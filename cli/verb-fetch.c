/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cli/components.h"
#include "cli/fetch-display.h"
#include "cli/progress-line.h"
#include "common/alloc.h"
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

static Strv arg_mirrors = NULL;
static const char *arg_ca_bundle = NULL, *arg_bundle = NULL, *arg_from = NULL;
static unsigned arg_parallel = 0, arg_deadline_sec = 0;
static bool arg_offline = false, arg_accept_mirror = false, arg_update_lock = false;
static int arg_mode = 0; /* KEY_LIST, KEY_PRUNE, or 0: fetch */
static FetchPin arg_pins[PINS_MAX];
static size_t arg_n_pins = 0;

static const struct argp_option options[] = {
        { "mirror", KEY_MIRROR, "URL", 0,
          "Where from, https:// or file:// (may be repeated, tried in order)", 1 },
        { "ca-bundle", KEY_CA_BUNDLE, "FILE", 0,
          "CAs that the mirror's certificate may be of (the system's)", 1 },
        { "accept-mirror", KEY_ACCEPT_MIRROR, NULL, 0, "The mirror may have builds of its own", 1 },
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
                argp_error(state, "--sha256 takes NAME=HEX or NAME/ARCH=HEX with 64 hex digits, not '%s'", arg);
        if (arg_n_pins == PINS_MAX)
                argp_error(state, "more than %u digests by --sha256", PINS_MAX);
        *hex++ = '\0';
        format_hex(digest, sizeof(digest), hex);
        slash = strchr(arg, '/');
        if (slash)
                *slash++ = '\0';
        arg_pins[arg_n_pins++] = (FetchPin) { .name = arg, .architecture = slash, .sha256 = hex };
}

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_MIRROR:
                strv_add(&arg_mirrors, arg);
                return 0;
        case KEY_CA_BUNDLE:
                arg_ca_bundle = arg;
                return 0;
        case KEY_ACCEPT_MIRROR:
                arg_accept_mirror = true;
                return 0;
        case KEY_PARALLEL:
                if (parse_unsigned(arg, 1, 64, &arg_parallel) < 0)
                        argp_error(state, "--parallel takes a number from 1 to 64, not '%s'", arg);
                return 0;
        case KEY_DEADLINE:
                if (parse_unsigned(arg, 1, DEADLINE_SEC_MAX, &arg_deadline_sec) < 0)
                        argp_error(state, "--deadline takes a number of seconds, a week at most, not '%s'", arg);
                return 0;
        case KEY_OFFLINE:
                arg_offline = true;
                return 0;
        case KEY_SHA256:
                parse_pin(arg, state);
                return 0;
        case KEY_UPDATE_LOCK:
                arg_update_lock = true;
                return 0;
        case KEY_BUNDLE:
                arg_bundle = arg;
                return 0;
        case KEY_FROM:
                arg_from = arg;
                return 0;
        case KEY_LIST:
        case KEY_PRUNE:
                if (arg_mode != 0 && arg_mode != key)
                        argp_error(state, "either --list or --prune");
                arg_mode = key;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

/*
 * The command line's, else the environment's, else the cluster file's; none of them: the official addresses.
 */
static Strv mirrors_for(const Cluster *c) {
        const char *environment = getenv("HARDWAY_MIRROR");

        if (strv_length(arg_mirrors) > 0)
                return strv_copy(arg_mirrors);
        if (environment && *environment)
                return strv_split(environment, " ");
        return strv_copy(c->mirrors);
}

static int fetch_all(VerbContext *v, FetchDisplay *d, const FetchRequest *requests, size_t n, Error **reterr) {
        _cleanup_strv_ Strv mirrors = mirrors_for(v->cluster);
        FetchOptions fetch = {
                .mirrors = mirrors,
                .ca_bundle = arg_ca_bundle,
                .parallel = arg_parallel,
                .offline = arg_offline,
                .deep = v->deep,
                .update_lock = arg_update_lock,
                .accept_mirror = arg_accept_mirror,
                .pins = arg_pins,
                .n_pins = arg_n_pins,
                .deadline_usec = arg_deadline_sec * USEC_PER_SEC,
                .progress = fetch_display_progress,
                .note = fetch_display_note,
                .userdata = d,
                .cancelled = v->cancelled,
        };

        return arg_from ? fetch_from(arg_from, requests, n, &fetch, v->lock, reterr) :
                          fetch_run(requests, n, &fetch, v->lock, reterr);
}

/* What did arrive is pinned, whatever became of the rest. Pins that change are shown, each as it was and is. */
static int save_lock(VerbContext *v, const FetchDisplay *d, const Lock *before, Error **reterr) {
        _cleanup_buffer_ Buffer diff = BUFFER_NULL;
        _cleanup_strv_ Strv lines = NULL;

        if (!lock_changed(v->lock))
                return 0;
        if (lock_diff(before, v->lock, &diff) > 0) {
                lines = strv_split(buffer_str(&diff), "\n");
                verb_note(v, "hardway.lock changes:");
                STRV_FOREACH(line, lines) {
                        verb_note(v, "%s", *line);
                        fetch_display_event(d, json_pack("{s:s, s:s}", "event", "lock", "change", *line));
                }
        }
        return lock_save(v->lock, reterr);
}

static void tell_end(VerbContext *v, FetchDisplay *d, size_t n) {
        _cleanup_free_ char *size = format_size(d->bytes);

        if (arg_from)
                verb_note(v, "%zu binaries from %s, verified. Next: hardway install", n, arg_from);
        else if (d->n_fetched == 0)
                verb_note(v, "%zu binaries: all in the cache and as hardway.lock says.", n);
        else
                verb_note(v, "%zu binaries, %s fetched and verified. Next: hardway install", n, size);
        if (arg_bundle)
                verb_note(v, "%s holds all of it; on the other side: hardway fetch --from %s", arg_bundle, arg_bundle);
        fetch_display_event(d, json_pack("{s:s, s:I, s:I, s:I}", "event", "done", "binaries", (json_int_t) n,
                                         "fetched", (json_int_t) d->n_fetched, "bytes", (json_int_t) d->bytes));
}

static int fetch(VerbContext *v, const FetchRequest *requests, size_t n, Error **reterr) {
        _cleanup_free_ char *lock_path = verb_path(v, "hardway.lock");
        _cleanup_(lock_freep) Lock *before = lock_copy(v->lock);
        _cleanup_(fetch_display_done) FetchDisplay d = {};
        _cleanup_close_ int share = -EBADF;
        int r, q;

        share = fetch_cache_share(NULL, lock_path, reterr);
        if (share < 0)
                return share;
        fetch_display_init(&d, v);
        r = fetch_all(v, &d, requests, n, reterr);
        fetch_display_end(&d);
        q = save_lock(v, &d, before, r < 0 ? NULL : reterr);
        if (r < 0 || q < 0)
                return r < 0 ? r : q;
        if (arg_bundle) {
                r = fetch_bundle(arg_bundle, requests, n, NULL, v->lock, reterr);
                if (r < 0)
                        return r;
        }
        tell_end(v, &d, n);
        return 0;
}

static int prune(const VerbContext *v, Error **reterr) {
        _cleanup_free_ char *size = NULL;
        FetchPruned pruned = {};
        int r;

        r = fetch_prune(NULL, v->wait, v->dry_run, &pruned, reterr);
        if (r < 0)
                return r;
        size = format_size(pruned.bytes);
        verb_note(v, "%zu files, %s: %s", pruned.n_files, size, v->dry_run ? "would be removed" : "removed");
        return 0;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        FetchRequest *requests = NULL;
        size_t n = 0;
        int r;

        if (v->dry_run && arg_mode != KEY_PRUNE)
                return error_set(reterr, ERROR_USAGE, EINVAL, "fetch: --dry-run goes with --prune only");
        if (arg_mode == KEY_PRUNE)
                return prune(v, reterr);

        r = arg_mode == KEY_LIST ? 0 : verb_lock_exclusive(v, reterr);
        if (r >= 0)
                r = verb_load_lock(v, reterr);
        if (r < 0)
                return r;
        fetch_requests_for(components, v->cluster, &requests, &n);
        r = arg_mode == KEY_LIST ? fetch_list(v, requests, n) : fetch(v, requests, n, reterr);
        fetch_requests_free(requests, n);
        arg_mirrors = strv_free(arg_mirrors);
        return r;
}

const Verb verb_fetch = {
        .name = "fetch",
        .summary = "Download and verify the binaries for the nodes",
        .description = "Each is hashed while it arrives, compared with the published digest and with "
                       "hardway.lock, which pins what was fetched first, and only then appears in the "
                       "cache. Mirrors (--mirror, else HARDWAY_MIRROR, else those of the cluster file) "
                       "take the place of the official addresses and have the same layout.",
        .common = VERB_OPTION_DEEP | VERB_OPTION_WAIT | VERB_OPTION_JSON | VERB_OPTION_DRY_RUN,
        .needs = VERB_NEEDS_CLUSTER | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .run = run,
};
