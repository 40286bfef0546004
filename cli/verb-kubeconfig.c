/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/kubeconfig-user.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/parse.h"
#include "common/shell.h"
#include "pki/kubeconfig.h"

#define ADMIN "admin.conf"

enum {
        KEY_OUTPUT = VERB_KEY,
        KEY_FORCE,
        KEY_USER,
        KEY_GROUP,
        KEY_DAYS,
        KEY_MASTERS,
};

static const char *arg_output = NULL;
static bool arg_force = false;
static KubeconfigUser arg_user = { .days = KUBECONFIG_USER_DAYS };
static bool arg_days = false;

static const struct argp_option options[] = {
        { "output", KEY_OUTPUT, "FILE", 0, "Write it there, readable for you alone, instead of printing it",
          1 },
        { "force", KEY_FORCE, NULL, 0, "Replace FILE if it exists", 1 },
        { "user", KEY_USER, "NAME", 0, "One for somebody else, certified now, and kept nowhere", 2 },
        { "group", KEY_GROUP, "NAME", 0, "A group that the user is in (may be repeated)", 2 },
        { "days", KEY_DAYS, "N", 0, "How long the user is let in (7): nothing withdraws a certificate", 2 },
        { "system-masters", KEY_MASTERS, NULL, 0,
          "Let the group be system:masters, which may do everything whatever roles say", 2 },
        {},
};

static void check_options(struct argp_state *state) {
        if (!arg_user.name && (arg_user.groups || arg_days || arg_user.masters))
                argp_error(state, "--group, --days and --system-masters are about whom --user names");
}

static error_t parse(int key, char *arg, struct argp_state *state) {
        switch (key) {
        case KEY_OUTPUT:
                arg_output = arg;
                return 0;
        case KEY_FORCE:
                arg_force = true;
                return 0;
        case KEY_USER:
                arg_user.name = arg;
                return 0;
        case KEY_GROUP:
                strv_add(&arg_user.groups, arg);
                return 0;
        case KEY_DAYS:
                arg_days = true;
                if (parse_unsigned(arg, 1, CERTIFICATE_DAYS_MAX, &arg_user.days) < 0)
                        argp_error(state, "--days: '%s' is not a number of days", arg);
                return 0;
        case KEY_MASTERS:
                arg_user.masters = true;
                return 0;
        case ARGP_KEY_END:
                check_options(state);
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

static int write_output(const Buffer *text, Error **reterr) {
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
        return r;
}

static int run_administrator(VerbContext *v, Error **reterr) {
        const Buffer *text;
        int r;

        r = store_file(v->store, ADMIN, &text, reterr);
        if (r >= 0)
                r = warn_of_other_server(v, text, reterr);
        if (r < 0)
                return r;
        if (!arg_output) {
                (void) fwrite(text->data, 1, text->size, stdout);
                return 0;
        }
        r = write_output(text, reterr);
        if (r >= 0)
                verb_note(v, "%s %s: the way into the cluster %s, as its administrator.",
                          r > 0 ? "Wrote" : "Unchanged:", arg_output, v->cluster->name);
        return r < 0 ? r : 0;
}

/* What a certificate says is who somebody is; what he may do is said in the cluster. */
static void tell_user(const VerbContext *v, int64_t expires) {
        _cleanup_free_ char *until = clock_format_iso(expires), *admin = verb_path(v, ADMIN);
        _cleanup_buffer_ Buffer name = BUFFER_NULL;

        shell_add_quoted(&name, arg_user.name);
        verb_note(v, "Wrote %s: the way into the cluster %s as %s, until %s.", arg_output, v->cluster->name,
                  arg_user.name, until);
        if (kubeconfig_user_is_administrator(&arg_user)) {
                verb_note(
                        v,
                        "Whoever has it may do everything until then: the rights of a group cannot be taken from one of its "
                        "members alone. --days makes the time shorter.");
                return;
        }
        verb_note(
                v,
                "What may be done with it is for role bindings to say, such as: kubectl --kubeconfig %s create "
                "clusterrolebinding NAME --clusterrole=view --user=%s",
                admin, buffer_str(&name));
}

static int run_user(VerbContext *v, Error **reterr) {
        _cleanup_buffer_secret_ Buffer text = BUFFER_NULL;
        int64_t expires = 0;
        int r;

        r = kubeconfig_user_check(v, &arg_user, reterr);
        if (r >= 0 && arg_output && !arg_force && access(arg_output, F_OK) == 0)
                r = write_output(&text, reterr); /* says so before a passphrase is asked for */
        if (r >= 0)
                r = kubeconfig_user_make(v, &arg_user, &text, &expires, reterr);
        if (r < 0)
                return r;
        if (!arg_output) {
                (void) fwrite(text.data, 1, text.size, stdout);
                return 0;
        }
        r = write_output(&text, reterr);
        if (r >= 0)
                tell_user(v, expires);
        return r < 0 ? r : 0;
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        int r = arg_user.name ? run_user(v, reterr) : run_administrator(v, reterr);

        arg_user.groups = strv_free(arg_user.groups);
        return r;
}

const Verb verb_kubeconfig = {
        .name = "kubeconfig",
        .summary = "Print the administrator's kubeconfig, or somebody else's",
        .description = "Whoever has it is the cluster's administrator. To use it at once:\n\n"
                       "  hardway kubeconfig --output ~/.kube/config\n"
                       "  kubectl get --raw /version\n\n"
                       "For somebody else, with a key that is made now and kept nowhere else:\n\n"
                       "  hardway kubeconfig --user alice --group developers --output alice.conf\n"
                       "  kubectl create clusterrolebinding developers --clusterrole=view\n"
                       "      --group=developers",
        .common = VERB_OPTION_PASSPHRASE,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_ON_LIVING,
        .options = options,
        .parse = parse,
        .steps = steps_kubeconfig,
        .run = run,
};
