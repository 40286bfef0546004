/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is left: the data of one member, as a snapshot
 *
 * A member that was up when the quorum went still gives one. One that was started since answers nobody; it is
 * stopped, which makes it write down all it has, and its database is taken as it lies.
 */

#include <fcntl.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/fs.h"
#include "etcd/snapshot.h"
#include "operate/receive.h"
#include "operate/restore-internal.h"

#define DATABASE ETCD_DATA "/member/snap/db"

static int stop_member(Host *host, Error **reterr) {
        static const char script[] =
                "# a clean end writes all to the database\n"
                "systemctl stop kube-apiserver.service etcd.service 2>/dev/null || systemctl stop etcd.service\n"
                "if systemctl is-active --quiet etcd.service; then fail unavailable \"etcd does not stop\"; fi\n"
                "[ -f " DATABASE " ] || fail missing \"there is no " DATABASE "\"\n";

        return host_exec(host, script, NULL, reterr);
}

static int take_database(Restore *s, const Node *node, const char *path, Error **reterr) {
        Host *host;
        int r;

        r = host_pool_take(s->hosts, node, &host, reterr);
        if (r < 0)
                return r;
        r = host_lock(host, s->request->install.holder, s->request->install.wait, reterr);
        if (r >= 0)
                r = stop_member(host, reterr);
        if (r >= 0)
                r = receive_file(host, DATABASE, path, NULL, reterr);
        host_pool_give(s->hosts, node);
        return r < 0 ? error_prefix(reterr, r, "%s", node->name) : 0;
}

/**
 * survivor_save() - take what the surviving member has
 * @s:          the restore
 * @ret_path:   the snapshot, in snapshots/ beside the cluster file; the caller frees
 * @reterr:     it cannot be had
 *
 * Return: 0 or a negative errno.
 */
int survivor_save(Restore *s, char **ret_path, Error **reterr) {
        const Node *node = s->request->survivor;
        const ProbeContext context = { .cluster = s->cluster, .store = s->request->install.store };
        _cleanup_free_ char *path = etcd_save_path(s->cluster), *folder = fs_path_dirname(path);
        const EtcdSaveRequest request = { .node = node, .path = path };
        EtcdSaved saved;
        int r;

        r = fs_mkdir_parents(AT_FDCWD, folder, 0700, reterr);
        if (r < 0)
                return r;
        if (etcd_save(&context, &request, &saved, NULL) < 0)
                r = take_database(s, node, path, reterr);
        if (r >= 0)
                *ret_path = TAKE_PTR(path);
        return r;
}
