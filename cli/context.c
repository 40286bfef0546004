/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "cli/command-show.h"
#include "cli/components.h"
#include "cli/owner.h"
#include "cli/passphrase.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/holder.h"
#include "plan/store-fit.h"

void verb_context_init(VerbContext *v) {
        *v = (VerbContext) {
                .cluster_path = VERB_CLUSTER_FILE,
                .terminal = isatty(STDOUT_FILENO),
                .exclusive_fd = -EBADF,
        };
}

void verb_context_done(VerbContext *v) {
        strv_free(v->node_names);
        strv_free(v->ignore);
        strv_free(v->shown);
        secret_freep(&v->sudo_password);
        free(v->directory);
        free(v->holder);
        free(v->nodes);
        store_free(v->store);
        lock_free(v->lock);
        cluster_free(v->cluster);
        safe_close(v->exclusive_fd);
        error_list_done(&v->errors);
        *v = (VerbContext) { .exclusive_fd = -EBADF };
}

/**
 * verb_path() - the path of something beside the cluster file
 * @v:          the context
 * @name:       "admin.conf"
 *
 * Return: the path; the caller frees.
 */
char* verb_path(const VerbContext *v, const char *name) {
        return streq(v->directory, ".") ? xstrdup(name) : xasprintf("%s/%s", v->directory, name);
}

static int unknown_node(const VerbContext *v, const char *name, Error **reterr) {
        _cleanup_strv_ Strv names = NULL;
        _cleanup_free_ char *all = NULL;
        const char *nearest;

        for (size_t i = 0; i < v->cluster->n_nodes; i++)
                strv_add(&names, v->cluster->nodes[i].name);

        nearest = string_nearest(name, (const char *const *) names);
        if (nearest)
                return error_set(reterr, ERROR_USAGE, EINVAL,
                                 "--node: %s has no node '%s'; did you mean '%s'?", v->cluster_path, name,
                                 nearest);
        all = strv_join(names, ", ");
        return error_set(reterr, ERROR_USAGE, EINVAL, "--node: %s has no node '%s' (it has %s)",
                         v->cluster_path, name, all);
}

/* In the order of the cluster file, whatever order and how often they were named in. */
static int select_nodes(VerbContext *v, Error **reterr) {
        STRV_FOREACH(name, v->node_names)
                if (!cluster_find_node(v->cluster, *name))
                        return unknown_node(v, *name, reterr);

        v->nodes = xnew(const Node*, v->cluster->n_nodes);
        for (size_t i = 0; i < v->cluster->n_nodes; i++) {
                const Node *n = &v->cluster->nodes[i];

                if (strv_length(v->node_names) == 0 || strv_contains(v->node_names, n->name))
                        v->nodes[v->n_nodes++] = n;
        }
        return 0;
}

/**
 * verb_load_cluster() - read the cluster file, and choose the nodes
 * @v:          the context; gets the cluster and the nodes, or errors
 * @reterr:     a node that is not in the file
 *
 * Return: 0, or a negative errno.
 */
int verb_load_cluster(VerbContext *v, Error **reterr) {
        unsigned flags = v->verb->needs & VERB_ON_LIVING ? CLUSTER_LOAD_SERVING : 0;
        int r;

        if (v->cluster)
                return 0;

        r = cluster_load(v->cluster_path, flags, &v->cluster, &v->errors);
        if (r < 0)
                return r;

        for (size_t i = 0; i < v->cluster->warnings.n_errors; i++)
                verb_warn(v, "%s", v->cluster->warnings.errors[i]->message);
        return select_nodes(v, reterr);
}

/* Of the keys of CAs, when one has to be opened, or is to be put under it (new). A file says the same each
 * time: what it said was wrong. */
static int ask_passphrase(void *userdata, const char *file, bool new, char **ret, Error **reterr) {
        VerbContext *v = userdata;
        bool again = v->passphrase_was_read;

        if (v->passphrase_file && again)
                return error_set(reterr, ERROR_PERMISSION, EKEYREJECTED, "%s: the passphrase in %s is wrong",
                                 file, v->passphrase_file);
        if (again)
                verb_warn(v, "%s: the passphrase is wrong", file);
        v->passphrase_was_read = true;
        return passphrase_read(new ? "the CAs' keys" : file, v->passphrase_file, new, ret, reterr);
}

/**
 * verb_open_store() - open pki/ and secrets/
 * @v:          the context; gets the store
 * @reterr:     why it cannot be opened, or that it is another cluster file's
 *
 * Return: 0, or a negative errno.
 */
int verb_open_store(VerbContext *v, Error **reterr) {
        int r;

        if (v->store)
                return 0;
        r = store_open(v->directory, &v->store, reterr);
        if (r < 0)
                return r;
        r = store_claim(v->store, fs_path_basename(v->cluster_path), reterr);
        if (r < 0) {
                v->store = store_free(v->store);
                return r;
        }
        store_set_passphrase(v->store, ask_passphrase, v);
        store_set_cancelled(v->store, v->cancelled);
        return 0;
}

/**
 * verb_load_lock() - read hardway.lock
 * @v:          the context; gets the lock
 * @reterr:     why it cannot be read
 *
 * Return: 0, or a negative errno.
 */
int verb_load_lock(VerbContext *v, Error **reterr) {
        _cleanup_free_ char *path = verb_path(v, VERB_LOCK_FILE);

        return v->lock ? 0 : lock_load(path, &v->lock, reterr);
}

/**
 * verb_holder() - who we are, for those who find a lock taken
 * @v:          the context; keeps it
 *
 * The same for all locks of a run, from the first one on: a node knows by it that a session which it still has is
 * of this very run.
 *
 * Return: one line; lent.
 */
const char* verb_holder(VerbContext *v) {
        if (!v->holder) {
                _cleanup_free_ char *command = xasprintf("hardway %s", v->doing ?: v->verb->name);

                v->holder = holder_format(command);
        }
        return v->holder;
}

/**
 * verb_lock_exclusive() - keep other hardways away from the cluster directory
 * @v:          the context; holds the lock to its end
 * @reterr:     who holds it
 *
 * Return: 0, or a negative errno.
 */
int verb_lock_exclusive(VerbContext *v, Error **reterr) {
        _cleanup_free_ char *path = verb_path(v, VERB_EXCLUSIVE_FILE);
        _cleanup_error_ Error *error = NULL;

        if (v->exclusive_fd >= 0)
                return 0;

        v->exclusive_fd = fs_lock(AT_FDCWD, path, verb_holder(v), /* wait= */ false, &error);
        if (v->exclusive_fd == -EBUSY && v->wait) {
                _cleanup_free_ char *by_whom = xstrdup(error->message);

                verb_note(v, "Waiting: %s", by_whom);
                error = error_free(error);
                v->exclusive_fd = fs_lock(AT_FDCWD, path, verb_holder(v), /* wait= */ true, &error);
                if (v->exclusive_fd == -EINTR)
                        return error_set(reterr, ERROR_TEMPORARY, ECANCELED,
                                         "stopped while waiting, and nothing was changed: %s", by_whom);
        }
        return v->exclusive_fd < 0 ? error_propagate(reterr, TAKE_PTR(error)) : 0;
}

/**
 * verb_stopped() - what was seen is half of it if somebody has pressed Ctrl-C
 * @v:          the context
 * @reterr:     says so
 *
 * For verbs that only look.
 *
 * Return: 0, or -ECANCELED.
 */
int verb_stopped(const VerbContext *v, Error **reterr) {
        return error_if_cancelled(v->cancelled, reterr, "stopped as asked; nothing was changed");
}

/* What would be rolled out otherwise: addresses for which nobody has a certificate. */
static int require_fitting(VerbContext *v, Error **reterr) {
        _cleanup_(store_misfits_done) StoreMisfits misfits = {};
        _cleanup_free_ char *text = NULL;
        int r;

        if (strv_contains(v->ignore, CHECK_CERTIFICATES))
                return 0;
        r = store_find_misfits(v->store, components, v->cluster, clock_realtime(), &misfits, reterr);
        if (r < 0 || misfits.n_misfits == 0)
                return r;
        if (store_misfits_are_harmless(&misfits)) {
                text = store_misfits_tell(&misfits, /* harmless= */ true);
                verb_warn(v, "%.*s (%s)", (int) strcspn(text, "\n"), text, store_misfits_command(&misfits));
                return 0;
        }
        text = store_misfits_tell(&misfits, /* harmless= */ false);
        r = error_set(reterr, ERROR_CONFIG, ESTALE,
                      "the certificates do not fit %s, or have expired: run %s first", v->cluster_path,
                      store_misfits_command(&misfits));
        error_detail(reterr, "%s\n", text);
        return r;
}

/**
 * verb_fulfil_needs() - get what the verb says it needs
 * @v:          the context; its verb is set
 * @reterr:     what is not to be had; or v->errors has it
 *
 * Return: 0, or a negative errno.
 */
int verb_fulfil_needs(VerbContext *v, Error **reterr) {
        static const struct {
                unsigned need;
                int (*get)(VerbContext *v, Error **reterr);
        } rows[] = {
                { VERB_NEEDS_CLUSTER, verb_load_cluster }, { VERB_NEEDS_EXCLUSIVE, verb_lock_exclusive },
                { VERB_NEEDS_STORE, verb_open_store },     { VERB_NEEDS_LOCK, verb_load_lock },
                { VERB_NEEDS_FITTING, require_fitting },
        };
        int r;

        v->directory = fs_path_dirname(v->cluster_path);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (!(v->verb->needs & rows[i].need))
                        continue;
                r = rows[i].get(v, reterr);
                if (r == -EACCES || r == -EPERM)
                        owner_explain(v, reterr);
                if (r < 0)
                        return r;
        }
        owner_warn(v);
        return 0;
}

static void tell_waiting(void *userdata, const Node *node, const char *holder) {
        const VerbContext *v = userdata;

        verb_note(v, "%s: waiting, as it is in use by %s", node->name, holder);
}

/**
 * verb_host_options() - how the nodes are to be reached
 * @v:          the context; keeps the password
 * @ret:        the options, lent by @v
 * @reterr:     a node is this machine and we are not root, or no password could be asked for
 *
 * Return: 0, or a negative errno.
 */
int verb_host_options(VerbContext *v, HostOptions *ret, Error **reterr) {
        int r;

        for (size_t i = 0; i < v->n_nodes; i++)
                if (v->nodes[i]->local && geteuid() != 0)
                        return error_set(
                                reterr, ERROR_PERMISSION, EPERM,
                                "node %s is this machine: %s has to run as root (try: sudo hardway %s)",
                                v->nodes[i]->name, v->verb->name, v->verb->name);

        if (v->ask_sudo_password && !v->sudo_password) {
                r = verb_read_password("Password for sudo on the nodes: ", &v->sudo_password, reterr);
                if (r < 0)
                        return r;
        }

        *ret = (HostOptions) {
                .sudo_password = v->sudo_password,
                .keep_master = v->keep_connections,
                .trace = v->verbose && !v->quiet ? command_show : NULL,
                .waiting = tell_waiting,
                .userdata = v,
                .cancelled = v->cancelled,
                .looks_only = v->dry_run || !(v->verb->needs & VERB_NEEDS_EXCLUSIVE),
        };
        return 0;
}
