/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/pull.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "operate/receive.h"
#include "plan/left-out.h"

const char* pull_outcome_to_string(PullOutcome o) {
        static const char *const names[] = {
                [PULL_NONE] = "none",
                [PULL_LEFT_OUT] = "left-out",
                [PULL_HERE] = "here",
                [PULL_DONE] = "pulled",
        };

        return names[o];
}

void pulled_done(Pulled *p) {
        free(p->path);
        *p = (Pulled) {};
}

/* What the node keeps was looked through by etcdutl; that nothing was lost on the way, the digest tells. */
static int check(const char *part, Error **reterr) {
        _cleanup_(etcd_snapshot_file_done) EtcdSnapshotFile f = {};
        int r;

        r = etcd_snapshot_inspect(part, &f, reterr);
        if (r < 0)
                return r;
        if (!f.digest)
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: has no digest at its end", part);
        return 0;
}

static int receive(HostPool *hosts, const Node *node, const char *source, const char *path, uint64_t size,
                   Error **reterr) {
        Host *host;
        int r;

        r = host_pool_take(hosts, node, &host, reterr);
        if (r < 0)
                return r;
        r = receive_file_limited(host, source, path, size, check, reterr);
        host_pool_give(hosts, node);
        return r;
}

/**
 * snapshot_pull() - bring a node's newest scheduled snapshot here
 * @hosts:      the nodes
 * @cluster:    whose nodes they are
 * @store:      its keys, beside which stands who was left out by a restore; or NULL
 * @node:       one with an etcd member
 * @directory:  where to; it is there
 * @ret:        what came of it; to be released with pulled_done()
 * @reterr:     the node cannot be asked, or what it sent is damaged or cannot be written
 *
 * Return: 0 or a negative errno.
 */
int snapshot_pull(HostPool *hosts, const Cluster *cluster, Store *store, const Node *node,
                  const char *directory, Pulled *ret, Error **reterr) {
        const ProbeContext context = host_pool_probes(hosts, cluster, NULL, NULL);
        _cleanup_free_ char *path = NULL, *source = NULL;
        Pulled pulled = { .outcome = PULL_HERE };
        int r;

        if (plan_left_out(store, node)) {
                *ret = (Pulled) { .outcome = PULL_LEFT_OUT };
                return 0;
        }
        r = etcd_scheduled(&context, node, &pulled.scheduled, reterr);
        if (r < 0)
                return r;
        if (!*pulled.scheduled.file) {
                pulled.outcome = PULL_NONE;
                *ret = pulled;
                return 0;
        }
        path = xasprintf("%s/%s-%s-%s", directory, cluster->name, node->name, pulled.scheduled.file);
        source = xasprintf("%s/%s", cluster->snapshots.directory, pulled.scheduled.file);
        if (access(path, F_OK) < 0) {
                if (pulled.scheduled.missing)
                        return error_set(reterr, ERROR_UNAVAILABLE, ENOENT,
                                         "%s: the snapshot that it took last is gone: %s", node->name,
                                         source);
                r = etcd_save_space(path, pulled.scheduled.size, reterr);
                if (r >= 0)
                        r = receive(hosts, node, source, path, pulled.scheduled.size, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "%s", node->name);
                pulled.outcome = PULL_DONE;
        }
        pulled.path = TAKE_PTR(path);
        *ret = pulled;
        return 0;
}
