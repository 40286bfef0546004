/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rotate.h"
#include "common/alloc.h"

enum {
        KEY_UNTIL = VERB_KEY,
};

/* The last phase is asked for separately: tokens of the old key must have run out, or been replaced. */
static RotationPhase arg_until = ROTATION_REISSUE;

static const struct argp_option options[] = {
        { "until", KEY_UNTIL, "PHASE", 0,
          "Stop when this phase holds: trust, reissue or finish (reissue: old tokens still hold)", 1 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        if (key != KEY_UNTIL)
                return ARGP_ERR_UNKNOWN;
        arg_until = rotate_parse_until(arg, state);
        return 0;
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        const RotateArguments arguments = {
                .name = "sa",
                .title = "the key of service accounts",
                .until = arg_until,
                .warning = "Tokens that the old key has signed stop working with the last phase.",
                .command = "hardway pki rotate-sa --until finish",
                .phases = rotate_trust,
                .after = "Make a backup: hardway backup FILE",
        };

        return rotate_verb(v, &arguments, reterr);
}

const Verb verb_pki_rotate_sa = {
        .name = "pki rotate-sa",
        .summary = "Replace the key of service accounts under a running cluster",
        .description = "In three phases, each rolled out to all nodes before the next one begins: tokens of"
                       " the old and the new key are accepted (trust); tokens are signed with the new one"
                       " (reissue); those of the old one are refused (finish). The last one is only gone"
                       " through if it is asked for.",
        .common = VERB_OPTIONS_ROLLOUT | VERB_OPTION_YES,
        .needs = VERB_NEEDS_ROLLOUT,
        .options = options,
        .parse = parse,
        .steps = steps_pki_rotate_sa,
        .run = run,
};
