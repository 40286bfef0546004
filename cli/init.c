/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/init.h"

#include <fcntl.h>

#include "common/alloc.h"
#include "common/fs.h"

static int mark_local(ClusterDraft *draft, char *const *local, Error **reterr) {
        STRV_FOREACH(name, local) {
                bool found = false;

                for (size_t i = 0; i < draft->n_nodes; i++)
                        if (streq(draft->nodes[i].name, *name))
                                found = draft->nodes[i].local = true;
                if (!found)
                        return error_set(reterr, ERROR_USAGE, EINVAL, "--local: there is no node '%s'",
                                         *name);
        }
        return 0;
}

/* The same words as for a file, of which only the flags that went into it are to blame. */
static int check_draft(VerbContext *v, const Buffer *text) {
        int r;

        r = cluster_load_text(NULL, text->data, text->size, &v->cluster, &v->errors);
        for (size_t i = 0; i < v->errors.n_errors; i++)
                v->errors.errors[i]->kind = ERROR_USAGE;
        if (r < 0)
                return r;

        for (size_t i = 0; i < v->cluster->warnings.n_errors; i++)
                verb_warn(v, "%s", v->cluster->warnings.errors[i]->message);
        return 0;
}

static int refuse_overwriting(const VerbContext *v, Error **reterr) {
        if (access(v->cluster_path, F_OK) < 0)
                return 0;
        return error_set(reterr, ERROR_CREATE, EEXIST, "%s is there already, and is not overwritten",
                         v->cluster_path);
}

static int refuse_foreign_store(const VerbContext *v, Error **reterr) {
        _cleanup_(store_freep) Store *store = NULL;
        int r;

        if (access(v->directory, F_OK) < 0)
                return 0;
        r = store_open(v->directory, &store, reterr);
        return r < 0 ? r : store_claim_unused(store, fs_path_basename(v->cluster_path), reterr);
}

/**
 * init_run() - write a cluster directory
 * @v:          the context
 * @draft:      what the cluster file shall say; its nodes get marks and host keys
 * @local:      names of nodes that are this machine
 * @trust_hosts: whether to ask the nodes for their host keys
 * @reterr:     what is wrong; or v->errors has it
 *
 * Return: 0, or a negative errno.
 */
int init_run(VerbContext *v, ClusterDraft *draft, char *const *local, bool trust_hosts, Error **reterr) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = refuse_overwriting(v, reterr);
        if (r >= 0)
                r = refuse_foreign_store(v, reterr);
        if (r < 0)
                return r;
        r = mark_local(draft, local, reterr);
        if (r < 0)
                return r;

        /* Once without the keys, so that a bad flag is refused before anybody is asked. */
        cluster_write_draft(draft, &text);
        r = check_draft(v, &text);
        if (r < 0)
                return r;
        if (trust_hosts) {
                r = init_trust_hosts(v, draft->nodes, draft->n_nodes, reterr);
                if (r < 0)
                        return r;
                buffer_clear(&text);
                cluster_write_draft(draft, &text);
        }

        r = fs_mkdir_parents(AT_FDCWD, v->directory, 0755, reterr);
        if (r < 0)
                return r;
        r = init_write_ignore(v, reterr);
        if (r < 0)
                return r;
        r = fs_write(AT_FDCWD, v->cluster_path, text.data, text.size, 0644, FS_EXCLUSIVE, reterr);
        if (r < 0)
                return r;
        verb_note(v, "Wrote %s. Read it through; then: hardway check", v->cluster_path);
        return 0;
}
