/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The directory for scheduled snapshots, which the cluster file names: is it nobody else's?
 *
 * It becomes etcd's, the oldest in it goes when there are too many, and all that is ours in it when the node is reset.
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "etcd/etcd-scripts.h"
#include "etcd/internal.h"
#include "etcd/snapshot.h"

/**
 * etcd_is_place() - is this the directory for scheduled snapshots?
 * @item:       of a plan
 *
 * Return: true if it is.
 */
bool etcd_is_place(const PlanItem *item) {
        return streq(item->id, ETCD_PLACE_ID);
}

/**
 * etcd_was_place() - was a directory of an earlier plan, of which no more is known, for scheduled snapshots?
 * @path:       the directory
 * @owner:      whose it is by that plan
 *
 * Return: true if it may have been: all that is etcd's besides its data is at a place that somebody chose.
 */
bool etcd_was_place(const char *path, const char *owner) {
        return streq(owner, "etcd:etcd") && !streq(path, ETCD_DATA);
}

/**
 * etcd_preflight_place() - is the directory for snapshots for them alone?
 * @c:          the context of the probe
 * @node:       the node that is about to be changed
 * @checks:     gets a finding: a directory that somebody else uses is a failure
 * @reterr:     why the node cannot be asked
 *
 * Return: 0 or a negative errno.
 */
int etcd_preflight_place(const ProbeContext *c, const Node *node, CheckList *checks, Error **reterr) {
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        const char *directory = c->cluster->snapshots.directory, *name;
        int r;

        if (c->cluster->snapshots.every_hours == 0)
                return 0;
        shell_add_variable(&variables, "directory", directory);
        shell_add_variable(&variables, "record", "/var/lib/hardway/applied.json");
        r = probe_exec(c, node, "whose is the directory for snapshots?", &variables, EMBED_ETCD_PLACE_SH,
                       &out, reterr);
        if (r < 0)
                return r;
        name = startswith(buffer_str(&out), "foreign ");
        if (name)
                check_advise(check_add_on(checks, CHECK_FAILED, SNAPSHOTS_PREFLIGHT, node,
                                          SNAPSHOTS_PREFLIGHT,
                                          "%s is in use: %.*s is there, which is no snapshot", directory,
                                          (int) strcspn(name, "\n"), name),
                             "Choose a directory for the snapshots alone: snapshots.directory in %s",
                             c->cluster->path);
        else
                check_add_on(checks, CHECK_OK, SNAPSHOTS_PREFLIGHT, node, SNAPSHOTS_PREFLIGHT, "%s is %s",
                             directory, startswith(buffer_str(&out), "ours") ? "ours" : "free");
        return 0;
}
