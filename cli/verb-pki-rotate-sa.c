/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rotate.h"
#include "common/alloc.h"

static const struct argp_option options[] = {
        { "until", ROTATE_KEY_UNTIL, "PHASE", 0,
          "Stop when this phase holds: trust, reissue or finish (reissue: old tokens still hold)", 1 },
        {},
};

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        const RotateArguments arguments = {
                .name = "sa",
                .title = "the key of service accounts",
                /* the last phase is asked for separately: tokens of the old key must have run out, or been replaced */
                .until = ROTATION_REISSUE,
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
        .parse = rotate_parse,
        .steps = steps_pki_rotate_sa,
        .run = run,
};
