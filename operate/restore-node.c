/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A restore on one node that was looked at: stop, unpack, swap, clean
 *
 * Each step may find that an earlier run has done it. The new data is complete and on the disk under a name of
 * its own before the old is touched; then two renames and the mark make it the member's.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parallel.h"
#include "common/shell.h"
#include "etcd/peer.h"
#include "operate/restore-internal.h"

#define UNPACK_TIMEOUT (3600 * USEC_PER_SEC) /* some GB, on an SD card */

/* The revision is raised by so much; etcd's documentation: more than writes a week makes, and no less than the
 * revisions that the snapshot may be behind. */
#define BUMP "1000000000"

void restore_step(const RestoreNode *n, const char *text) {
        const InstallRequest *q = &n->restore->request->install;

        if (q->event)
                q->event(q->userdata,
                         &(InstallEvent) { .type = INSTALL_STAGE, .node = n->node, .text = text });
}

/* The title in front is what --verbose tells of a script. */
void restore_script_begin(const char *title, Buffer *out) {
        buffer_addf(out, "# %s\n", title);
        shell_add_variable(out, "data", ETCD_DATA);
        shell_add_variable(out, "mark", ETCD_MARK_PATH);
        shell_add_variable(out, "snapshot", SNAPSHOT);
}

char* restore_etcdutl(const Cluster *c) {
        return plan_binary_path(c, ORIGIN_ETCD, "etcdutl");
}

void restore_script_stop(const Component *const *components, const Node *node, const Cluster *c,
                         Buffer *out) {
        _cleanup_strv_ Strv units = NULL;
        _cleanup_free_ char *all = NULL;

        for (const Component *const *p = components; *p; p++)
                if ((*p)->unit && (*p)->roles & ROLE_CONTROL_PLANE && component_on_node(*p, c, node))
                        strv_add(&units, (*p)->unit);
        all = strv_join(units, " ");
        buffer_add_str(out, "# nothing runs, and nothing starts by itself\n");
        restore_script_note(all, out);
        /* Several at once, since some bind to others. Disabled first: a power cut must not start one of them with
         * what it finds half way. */
        buffer_addf(
                out,
                "systemctl disable --quiet %1$s 2>/dev/null || :\n"
                "systemctl stop %1$s 2>/dev/null || :\n"
                "for unit in %1$s; do\n"
                "        if systemctl is-active --quiet $unit; then fail unavailable \"$unit does not stop\"; fi\n"
                "done\n",
                all);
}

int restore_stop(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;

        restore_step(n, "control plane stopped");
        restore_script_stop(n->restore->request->install.components, n->node, n->restore->cluster, &script);
        return host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), 0, NULL, reterr);
}

Strv restore_peer_urls(const Restore *s) {
        Strv urls = NULL;

        for (size_t i = 0; i < s->n_nodes; i++) {
                _cleanup_free_ char *url = etcd_peer_url(s->nodes[i].node);

                if (s->nodes[i].node->roles & ROLE_ETCD)
                        strv_add(&urls, url);
        }
        return urls;
}

const RestoreNode* restore_node(const Restore *s, const Node *node) {
        for (size_t i = 0; i < s->n_nodes; i++)
                if (s->nodes[i].node == node)
                        return s->nodes + i;
        return NULL;
}

static char* initial_cluster(const Restore *s) {
        _cleanup_strv_ Strv members = NULL;

        for (size_t i = 0; i < s->n_nodes; i++) {
                _cleanup_free_ char *url = etcd_peer_url(s->nodes[i].node);

                if (s->nodes[i].node->roles & ROLE_ETCD)
                        strv_addf(&members, "%s=%s", s->nodes[i].node->name, url);
        }
        return strv_join(members, ",");
}

void restore_script_unpack(const Restore *s, const Node *node, Buffer *out) {
        _cleanup_free_ char *etcdutl = restore_etcdutl(s->cluster), *cluster = initial_cluster(s),
                            *url = etcd_peer_url(node);

        buffer_addf(out,
                    "# the new data, beside the old\n"
                    "new=" ETCD_DATA "/restored-%1$s\n"
                    "mkdir -p " ETCD_DATA "\n"
                    "rm -rf -- \"$new\"\n"
                    "if ! %2$s snapshot restore " SNAPSHOT " --name=%3$s --data-dir=\"$new\" "
                    "--initial-cluster=%4$s --initial-cluster-token=%1$s --initial-advertise-peer-urls=%5$s "
                    "--bump-revision=" BUMP " --mark-compacted%6$s >&2; then\n"
                    "        rm -rf -- \"$new\" " SNAPSHOT "\n"
                    "        exit 1\n"
                    "fi\n"
                    "rm -f -- " SNAPSHOT "\n"
                    "chown -R etcd:etcd \"$new\"\n"
                    "sync -f \"$new\"\n",
                    s->journal.token, etcdutl, node->name, cluster, url,
                    s->digest ? "" : " --skip-hash-check");
}

int restore_unpack(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;
        Host *host;
        int r;

        if (!(n->node->roles & ROLE_ETCD) || n->swapped)
                return 0;
        restore_step(n, "snapshot");
        r = host_pool_take(n->restore->hosts, n->node, &host, reterr);
        if (r < 0)
                return r;
        r = host_send(host, n->restore->path, SNAPSHOT, n->restore->journal.digest, NULL, NULL, reterr);
        host_pool_give(n->restore->hosts, n->node);
        if (r < 0)
                return r;
        restore_step(n, "unpacked");
        restore_script_unpack(n->restore, n->node, &script);
        return host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), UNPACK_TIMEOUT, NULL,
                                  reterr);
}

/*
 * before-TOKEN says that the old data is out of the way: what lies in member/ after that is of this very
 * restore, by a run that was killed before it wrote the mark.
 */
void restore_script_swap(const Restore *s, Buffer *out) {
        _cleanup_free_ char *mark = etcd_mark_text(s->identity, s->journal.token);

        buffer_addf(out,
                    "# the new data takes the place of the old, which stays aside\n"
                    "cd " ETCD_DATA "\n"
                    "[ -d restored-%1$s/member ] || fail missing \"the data that was unpacked is gone\"\n"
                    "if [ -d before-%1$s ]; then\n"
                    "        rm -rf member\n"
                    "elif [ -d member ]; then\n"
                    "        mv -T member before-%1$s\n"
                    "else\n"
                    "        mkdir before-%1$s\n"
                    "fi\n"
                    "mv -T restored-%1$s/member member\n"
                    "rm -rf restored-%1$s\n"
                    "sync -f .\n"
                    "umask 022\n"
                    "printf '%%s' '%2$s' >" ETCD_MARK_PATH ".new\n"
                    "sync " ETCD_MARK_PATH ".new\n"
                    "mv -f -T " ETCD_MARK_PATH ".new " ETCD_MARK_PATH "\n"
                    "sync /var/lib/hardway\n",
                    s->journal.token, mark);
}

int restore_swap(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;

        if (!(n->node->roles & ROLE_ETCD) || n->swapped)
                return 0;
        restore_step(n, "data swapped");
        restore_script_swap(n->restore, &script);
        return host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), 0, NULL, reterr);
}

/* Data that another restore has put aside, one that was never seen to serve, may be the only copy. */
void restore_script_clean(const Restore *s, Buffer *out) {
        buffer_addf(out,
                    "# what was kept until the new data was seen to work\n"
                    "rm -rf -- " ETCD_DATA "/before-%s " ETCD_DATA "/restored-* " SNAPSHOT "\n",
                    s->journal.token);
        if (s->finished)
                buffer_addf(out, "rm -rf -- " ETCD_DATA "/before-%s\n", s->earlier.token);
        restore_script_forget(out);
        buffer_add_str(out, "for one in " ETCD_DATA "/before-*; do\n"
                            "        if [ -d \"$one\" ]; then echo \"${one##*/before-}\"; fi\n"
                            "done\n");
}

int restore_clean(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL, out = BUFFER_NULL;
        int r;

        if (n->node->roles & ROLE_ETCD)
                restore_script_clean(n->restore, &script);
        else
                restore_script_forget(&script);
        r = host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), 0, &out, reterr);
        if (r < 0)
                return r;
        strv_free(n->asides);
        n->asides = strv_split(buffer_str(&out), "\n");
        return 0;
}

typedef struct Job {
        RestoreNode *node;
        int (*run)(RestoreNode *n, Error **reterr);
} Job;

static void run_job(void *item) {
        Job *j = item;
        int r;

        r = j->run(j->node, &j->node->error);
        if (r < 0)
                (void) error_prefix_once(&j->node->error, r, j->node->node->name);
}

/**
 * restore_each() - do something on all nodes, at once
 * @s:          the restore
 * @job:        what
 * @errors:     gets an Error for each node on which it failed
 *
 * Return: 0, or the negative result of the first that failed.
 */
int restore_each(Restore *s, int (*job)(RestoreNode *n, Error **reterr), ErrorList *errors) {
        _cleanup_free_ Job *jobs = xnew(Job, s->n_nodes + 1);
        int r = 0;

        for (size_t i = 0; i < s->n_nodes; i++)
                jobs[i] = (Job) { .node = s->nodes + i, .run = job };
        parallel_each(run_job, jobs, sizeof(Job), s->n_nodes);
        for (size_t i = 0; i < s->n_nodes; i++) {
                if (!s->nodes[i].error)
                        continue;
                if (r == 0)
                        r = -s->nodes[i].error->errnum;
                error_list_take(errors, TAKE_PTR(s->nodes[i].error));
        }
        return r;
}
