/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/rotate.h"
#include "common/alloc.h"

#define AFTER "Make a backup: hardway backup FILE"

static const struct {
        const char *word;
        RotateArguments arguments;
} rows[] = {
        { "cluster",
          { .name = "ca",
            .title = "the cluster's CA",
            .warning =
                    "Kubeconfigs and certificates that others were given stop working with the last phase.",
            .command = "hardway pki rotate-ca cluster",
            .phases = rotate_trust,
            .after =
                    "Give the new kubeconfigs to whoever uses them, and make a backup: hardway backup FILE" } },
        { "etcd",
          { .name = "etcd/ca",
            .title = "etcd's CA",
            .command = "hardway pki rotate-ca etcd",
            .phases = rotate_trust,
            .after = AFTER } },
        { "front-proxy",
          { .name = "front-proxy-ca",
            .title = "the front proxy's CA",
            .command = "hardway pki rotate-ca front-proxy",
            .phases = rotate_trust,
            .after = AFTER } },
};

/* Without a word it is the one that is under way. */
static int find_row(VerbContext *v, const char *word, RotateArguments *ret, Error **reterr) {
        _cleanup_(rotation_done) Rotation rotation = {};
        int r = 0;

        if (!word)
                r = store_rotation(v->store, &rotation, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (streq_null(rows[i].word, word) || streq_null(rows[i].arguments.name, rotation.name)) {
                        *ret = rows[i].arguments;
                        return 0;
                }
        if (word)
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "there is no CA '%s': cluster, etcd or front-proxy", word);
        return error_set(reterr, ERROR_USAGE, EINVAL,
                         "no CA is being replaced: say which one is to be, cluster, etcd or front-proxy");
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        RotateArguments arguments;
        int r;

        r = find_row(v, argc > 0 ? argv[0] : NULL, &arguments, reterr);
        if (r < 0)
                return r;
        arguments.until = ROTATION_FINISH;
        return rotate_verb(v, &arguments, reterr);
}

const Verb verb_pki_rotate_ca = {
        .name = "pki rotate-ca",
        .summary = "Replace a CA under the running cluster",
        .arguments = "[cluster|etcd|front-proxy]",
        .description = "In three phases, each rolled out to all nodes before the next one begins: all trust"
                       " the old and the new CA (trust); all certificates are issued by the new one"
                       " (reissue); the old one is dropped (finish). A run that was stopped is gone on with"
                       " by the next.",
        .arguments_max = 1,
        .common = VERB_OPTIONS_ROLLOUT | VERB_OPTION_YES | VERB_OPTION_PASSPHRASE,
        .needs = VERB_NEEDS_ROLLOUT,
        .options = rotate_options,
        .parse = rotate_parse,
        .steps = steps_pki_rotate_ca,
        .run = run,
};
