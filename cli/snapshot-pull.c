/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/snapshot-pull.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/progress-line.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "operate/pull.h"

/* The usual folder is ours to make; another one is not. */
static int open_directory(const VerbContext *v, const char *given, char **ret, Error **reterr) {
        _cleanup_free_ char *path = given ? xstrdup(given) : verb_path(v, "snapshots"),
                            *inside = xasprintf("%s/.", path);
        int r;

        if (!given) {
                r = fs_mkdir_parents(AT_FDCWD, path, 0700, reterr);
                if (r < 0)
                        return r;
        }
        if (access(inside, W_OK) < 0)
                return error_set(reterr, ERROR_CREATE, errno, "%s: nothing can be written there: %s", path,
                                 strerror(errno));
        *ret = TAKE_PTR(path);
        return 0;
}

static json_t* to_json(const Node *node, const Pulled *p) {
        json_t *tree =
                json_pack("{s:s, s:s}", "node", node->name, "outcome", pull_outcome_to_string(p->outcome));

        if (p->path)
                json_object_update_new(tree, json_pack("{s:s, s:I, s:I, s:I}", "file", p->path, "size",
                                                       (json_int_t) p->scheduled.size, "revision",
                                                       (json_int_t) p->scheduled.revision, "time",
                                                       (json_int_t) p->scheduled.taken));
        return tree;
}

static void tell(const VerbContext *v, const Node *node, const Pulled *p) {
        const EtcdScheduled *s = &p->scheduled;
        _cleanup_free_ char *size = format_size(s->size),
                            *age = clock_format_span((s->now > s->taken ? s->now - s->taken : 0) *
                                                     USEC_PER_SEC);

        if (p->outcome == PULL_LEFT_OUT) {
                verb_warn(v,
                          "%s was left out by a restore: the snapshots that it has are of the cluster of "
                          "before, and were not brought here (hardway etcd replace %s)",
                          node->name, node->name);
                return;
        }
        if (s->failed)
                verb_warn(v, "%s: the last snapshot failed (there: journalctl -u etcd-snapshot)",
                          node->name);
        if (p->outcome == PULL_NONE)
                verb_note(v, "%s has %s.", node->name,
                          v->cluster->snapshots.every_hours > 0 ? "taken none yet" :
                                                                  "none: snapshots.every is never");
        else
                verb_note(v, "%s %s: %s of %s, revision %" PRIu64 ", %s old.",
                          p->outcome == PULL_HERE ? "Have" : "Wrote", p->path, size, node->name, s->revision,
                          age);
}

static int pull_all(VerbContext *v, HostPool *hosts, const char *directory, json_t *list) {
        int r = 0;

        for (size_t i = 0; i < v->n_nodes; i++) {
                _cleanup_(pulled_done) Pulled pulled = {};
                Error *error = NULL;
                int k;

                if (!(v->nodes[i]->roles & ROLE_ETCD))
                        continue;
                k = snapshot_pull(hosts, v->cluster, v->store, v->nodes[i], directory, &pulled, &error);
                if (k < 0) {
                        error_list_take(&v->errors, error);
                        r = r < 0 ? r : k;
                        continue;
                }
                tell(v, v->nodes[i], &pulled);
                json_array_append_new(list, to_json(v->nodes[i], &pulled));
        }
        return r;
}

/**
 * snapshot_pull_run() - bring the newest scheduled snapshots here
 * @v:          the context
 * @directory:  where to, or NULL for the usual place
 * @reterr:     why nothing can be brought; what fails of single nodes is added to the context's errors
 *
 * Return: 0 or a negative errno.
 */
int snapshot_pull_run(VerbContext *v, const char *directory, Error **reterr) {
        _cleanup_(host_pool_freep) HostPool *hosts = NULL;
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ char *path = NULL;
        HostOptions options;
        int r;

        r = verb_host_options(v, &options, reterr);
        if (r >= 0)
                r = open_directory(v, directory, &path, reterr);
        if (r < 0)
                return r;
        hosts = host_pool_new(v->cluster, &options);
        r = pull_all(v, hosts, path, list);
        if (v->json)
                verb_print_json(list);
        return r;
}
