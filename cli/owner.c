/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/owner.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/parse.h"

static bool works_on_this_machine(const VerbContext *v) {
        for (size_t i = 0; v->cluster && i < v->cluster->n_nodes; i++)
                if (v->cluster->nodes[i].local)
                        return true;
        return false;
}

/* The first that is somebody else's; the caller frees. */
static char* find_foreign(const VerbContext *v, uid_t *ret_owner) {
        static const char *const names[] = { VERB_EXCLUSIVE_FILE, VERB_LOCK_FILE, "pki", "pki/.cluster-file",
                                             "secrets" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_free_ char *path = verb_path(v, names[i]);
                struct stat st;

                if (lstat(path, &st) < 0 || st.st_uid == geteuid())
                        continue;
                *ret_owner = st.st_uid;
                return TAKE_PTR(path);
        }
        return NULL;
}

/**
 * owner_explain() - why we may not, if somebody else has been at work here
 * @v:          the context
 * @reterr:     the error, which gets what to do as its detail
 */
void owner_explain(const VerbContext *v, Error **reterr) {
        uid_t owner;
        _cleanup_free_ char *path = geteuid() != 0 ? find_foreign(v, &owner) : NULL;
        const struct passwd *user = path ? getpwuid(owner) : NULL;

        if (!path)
                return;
        if (owner == 0 && works_on_this_machine(v))
                error_detail(reterr,
                             "%s belongs to root, as one of the nodes is this machine: sudo hardway %s\n",
                             path, v->verb->name);
        else
                error_detail(
                        reterr,
                        "%s belongs to %s: hardway was run %s here. To give all of it back: sudo chown -R \"$USER\" %s\n",
                        path, user ? user->pw_name : "somebody else",
                        owner == 0 ? "by sudo" : "by that user", v->directory);
}

/**
 * owner_warn() - before root makes files in a directory of the user who has typed "sudo"
 * @v:          the context; its needs are fulfilled
 *
 * Keys of CAs are readable for their owner alone, so that user could not go on without sudo, and as root ssh has other keys
 * and another configuration.
 */
void owner_warn(const VerbContext *v) {
        const char *name = getenv("SUDO_USER"), *text = getenv("SUDO_UID");
        struct stat st;
        unsigned uid;

        if (geteuid() != 0 || !(v->verb->needs & VERB_NEEDS_EXCLUSIVE) || works_on_this_machine(v))
                return;
        if (!name || !text || parse_unsigned(text, 1, UINT32_MAX, &uid) < 0 || stat(v->directory, &st) < 0 ||
            st.st_uid != uid)
                return;
        verb_warn(
                v,
                "hardway needs no sudo here, only nodes that are this machine (local: true) do: what it writes now "
                "will be root's, and %s will have to use sudo ever after",
                name);
}
