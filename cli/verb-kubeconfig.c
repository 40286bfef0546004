/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>

#include "cli/verb.h"
#include "common/alloc.h"
#include "common/fs.h"
#include "pki/kubeconfig.h"

#define ADMIN "admin.conf"

enum {
        KEY_OUTPUT = VERB_KEY,
        KEY_FORCE,
};

static const char *arg_output = NULL;
static bool arg_force = false;

static const struct argp_option options[] = {
        { "output", KEY_OUTPUT, "FILE", 0, "Write it there, readable for you alone, instead of printing it",
          1 },
        { "force", KEY_FORCE, NULL, 0, "Replace FILE if it exists", 1 },
        {},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_OUTPUT:
                arg_output = arg;
                return 0;
        case KEY_FORCE:
                arg_force = true;
                return 0;
        default:
                return ARGP_ERR_UNKNOWN;
        }
}

/* After an edit of the cluster file, until pki gen has followed. */
static int warn_of_other_server(const VerbContext *v, const Buffer *text, Error **reterr) {
        _cleanup_(kubeconfig_done) Kubeconfig k = KUBECONFIG_NULL;
        _cleanup_free_ char *server = cluster_endpoint_url(v->cluster);
        int r;

        r = kubeconfig_parse(ADMIN, text->data, text->size, &k, reterr);
        if (r >= 0 && !streq(k.server, server))
                verb_warn(v, "%s points at %s, and %s says %s. To have it made anew: hardway pki gen", ADMIN,
                          k.server, v->cluster_path, server);
        return r;
}

static int write_output(VerbContext *v, const Buffer *text, Error **reterr) {
        _cleanup_free_ char *directory = fs_path_dirname(arg_output);
        int r;

        /* A machine that had no kubeconfig has no ~/.kube. */
        r = fs_mkdir_parents(AT_FDCWD, directory, 0700, reterr);
        if (r < 0)
                return r;
        r = fs_write(AT_FDCWD, arg_output, text->data, text->size, 0600, arg_force ? 0 : FS_EXCLUSIVE,
                     reterr);
        if (r == -EEXIST)
                error_detail(
                        reterr,
                        "It may be the way into another cluster. Write this one elsewhere, and have kubectl "
                        "use both by KUBECONFIG=%s:OTHER; or replace it with --force.",
                        arg_output);
        if (r < 0)
                return r;
        verb_note(v, "%s %s: the way into the cluster %s, as its administrator.",
                  r > 0 ? "Wrote" : "Unchanged:", arg_output, v->cluster->name);
        return 0;
}

static int run(VerbContext *v, int argc, char **argv, Error **reterr) {
        const Buffer *text;
        int r;

        r = store_file(v->store, ADMIN, &text, reterr);
        if (r >= 0)
                r = warn_of_other_server(v, text, reterr);
        if (r < 0)
                return r;
        if (arg_output)
                return write_output(v, text, reterr);
        (void) fwrite(text->data, 1, text->size, stdout);
        return 0;
}

const Verb verb_kubeconfig = {
        .name = "kubeconfig",
        .summary = "Print the administrator's kubeconfig, which points at the VIP",
        .description = "Whoever has it is the cluster's administrator. To use it at once:\n\n"
                       "  hardway kubeconfig --output ~/.kube/config\n"
                       "  kubectl get --raw /version",
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .steps = steps_kubeconfig,
        .run = run,
};
