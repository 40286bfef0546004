/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rotate.h"
#include "common/alloc.h"
#include "plan/names.h"

static const char *const phases[_ROTATION_PHASE_MAX] = {
        [ROTATION_TRUST] = "all apiservers can read with both, the old one and the new one",
        [ROTATION_REISSUE] = "what is written is encrypted with the new one, both are read with",
        [ROTATION_FINISH] = "no apiserver has the old one any more",
};

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        const RotateArguments arguments = {
                .name = NAME_ENCRYPTION_KEY_FILE,
                .title = "the key for secrets",
                .until = ROTATION_FINISH,
                .command = "hardway pki rotate-key",
                .phases = phases,
                .between = "all secrets, through an apiserver",
                .after =
                        "Make a backup: hardway backup FILE. Snapshots of before need the old key, which etcd restore"
                        " takes from there.",
        };

        return rotate_verb(v, &arguments, reterr);
}

const Verb verb_pki_rotate_key = {
        .name = "pki rotate-key",
        .summary = "Replace the key that encrypts secrets in etcd",
        .description =
                "In three phases, each rolled out to all nodes before the next one begins: all"
                " apiservers can read with the old and the new key (trust); they write with the new one"
                " (reissue); all secrets are written anew, and the old key goes (finish). A run that was"
                " stopped is gone on with by the next.",
        .common = VERB_OPTIONS_ROLLOUT,
        .needs = VERB_NEEDS_ROLLOUT,
        .options = rotate_options,
        .parse = rotate_parse,
        .steps = steps_pki_rotate_key,
        .run = run,
};
