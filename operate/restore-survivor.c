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
#include "operate/operate-scripts.h"
#include "operate/receive.h"
#include "operate/restore-internal.h"

#define DATABASE ETCD_DATA "/member/snap/db"

static int refuse_before(const Restore *s, const char *name, Error **reterr) {
        int r;

        if (s->request->force)
                return 0;
        r = error_set(reterr, ERROR_CONFIG, EXDEV, "the etcd data of %s is not that of the last restore",
                      name);
        error_detail(reterr, "It is of before. If that is what you want nevertheless: --force\n");
        return r;
}

static int refuse_aside(const Restore *s, const char *name, const char *token, Error **reterr) {
        int r;

        r = error_set(
                reterr, ERROR_CONFIG, EBUSY,
                "%s has the data of a restore that did not come to its end, and not what it had itself",
                name);
        if (streq_null(s->earlier.token, token) && !*s->earlier.survivor)
                error_detail(reterr, "Go on with that restore: hardway etcd restore %s\n",
                             s->earlier.snapshot);
        error_detail(reterr,
                     "What it had lies in " ETCD_DATA
                     "/before-%s there; member/snap/db in it can be restored "
                     "like a snapshot. If what runs now is what you want, move that away.\n",
                     token);
        return r;
}

/**
 * survivor_check() - may its data be taken?
 * @s:          the restore; nodes were looked at, and the survey is made
 * @reterr:     why not
 *
 * Return: 0 or a negative errno.
 */
int survivor_check(const Restore *s, Error **reterr) {
        const Node *node = s->request->survivor;
        const EtcdSight *sight = etcd_survey_find(&s->survey, node);
        _cleanup_free_ char *token = etcd_token(s->request->install.store);
        const RestoreNode *n = restore_node(s, node);

        if (!n || !sight)
                return error_set(reterr, ERROR_USAGE, EINVAL, "%s takes no part", node->name);
        STRV_FOREACH(aside, n->asides)
                if (!s->finished || !streq_null(s->earlier.token, *aside))
                        return refuse_aside(s, node->name, *aside, reterr);
        if (!n->data)
                return error_set(reterr, ERROR_CONFIG, ENOENT, "%s has no etcd data in " ETCD_DATA,
                                 node->name);
        if (sight->state == ETCD_STRANGER || !streq_null(n->token, token))
                return refuse_before(s, node->name, reterr);
        return 0;
}

bool survivor_answers(const Restore *s) {
        const EtcdSight *sight = etcd_survey_find(&s->survey, s->request->survivor);

        return sight && sight->answers;
}

static int stop_member(Host *host, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;

        buffer_add_str(&script, "# a clean end writes all to the database\n"
                                "[ -f " DATABASE " ] || fail missing \"there is no " DATABASE "\"\n");
        restore_script_note("kube-apiserver.service etcd.service", &script);
        buffer_add_str(&script, EMBED_RESTORE_SURVIVOR_SH);
        return host_exec(host, buffer_str(&script), NULL, reterr);
}

/* Where the snapshot is to be: s->path. */
static int make_place(Restore *s, Error **reterr) {
        _cleanup_free_ char *path = etcd_save_path(s->cluster), *folder = fs_path_dirname(path);
        int r;

        r = fs_mkdir_parents(AT_FDCWD, folder, 0700, reterr);
        if (r < 0)
                return r;
        free(s->path);
        s->path = TAKE_PTR(path);
        return 0;
}

/**
 * survivor_save() - take what a member has that answers
 * @s:          the restore; its path becomes the snapshot's, in snapshots/ beside the cluster file
 * @reterr:     it cannot be had, or not be written here
 *
 * Return: 0 or a negative errno.
 */
int survivor_save(Restore *s, Error **reterr) {
        const InstallRequest *q = &s->request->install;
        const ProbeContext context = probe_context(s->cluster, q->store, q->cancelled);
        EtcdSaveRequest request = { .node = s->request->survivor };
        EtcdSaved saved;
        int r;

        r = make_place(s, reterr);
        if (r < 0)
                return r;
        request.path = s->path;
        return etcd_save(&context, &request, &saved, reterr);
}

/**
 * survivor_take() - stop a member that answers nobody, and take its database
 * @s:          the restore; its path becomes that of the database here
 * @reterr:     it cannot be had, or not be written here; restore_fail() starts it again
 *
 * Return: 0 or a negative errno.
 */
int survivor_take(Restore *s, Error **reterr) {
        const Node *node = s->request->survivor;
        Host *host;
        int r;

        r = make_place(s, reterr);
        if (r >= 0)
                r = host_pool_take(s->hosts, node, &host, reterr);
        if (r < 0)
                return r;
        r = stop_member(host, reterr);
        if (r >= 0)
                r = receive_file(host, DATABASE, s->path, NULL, reterr);
        host_pool_give(s->hosts, node);
        return r < 0 ? error_prefix(reterr, r, "%s", node->name) : 0;
}
