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
#include "operate/operate-scripts.h"
#include "operate/restore-internal.h"

#define UNPACK_TIMEOUT (3600 * USEC_PER_SEC) /* some GB, on an SD card */

void restore_step(const RestoreNode *n, Stage stage) {
        install_stage(&n->restore->request->install, n->node, stage);
}

/* The title in front is what --verbose tells of a script. */
void restore_script_begin(const char *title, Buffer *out) {
        buffer_addf(out, "# %s\n", title);
        shell_add_variable(out, "data", ETCD_DATA);
        shell_add_variable(out, "mark", ETCD_MARK_PATH);
        shell_add_variable(out, "snapshot", SNAPSHOT);
        shell_add_variable(out, "note", NOTE);
}

char* restore_etcdutl(const Cluster *c) {
        return plan_binary_path(c, ORIGIN_ETCD, "etcdutl");
}

/* All that may run, whatever the cluster file has there by now: a member of before would start its apiserver again
 * (Upholds=), and serve the old data. */
void restore_script_stop(const Component *const *components, Buffer *out) {
        _cleanup_strv_ Strv units = NULL;
        _cleanup_free_ char *all = NULL;

        for (const Component *const *p = components; *p; p++)
                if ((*p)->unit && (*p)->roles & ROLE_CONTROL_PLANE)
                        strv_add(&units, (*p)->unit);
        all = strv_join(units, " ");
        buffer_add_str(out, "# nothing runs, and nothing starts by itself\n");
        restore_script_note(all, out);
        buffer_add_str(out, EMBED_RESTORE_STOP_SH);
}

int restore_stop(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;

        restore_step(n, STAGE_RESTORE_STOP);
        restore_script_stop(n->restore->request->install.components, &script);
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
        _cleanup_free_ char *etcdutl = restore_etcdutl(s->cluster), *members = initial_cluster(s),
                            *url = etcd_peer_url(node);

        restore_script_begin("the new data, beside the old", out);
        shell_add_variable(out, "token", s->journal.token);
        shell_add_variable(out, "etcdutl", etcdutl);
        shell_add_variable(out, "name", node->name);
        shell_add_variable(out, "members", members);
        shell_add_variable(out, "url", url);
        shell_add_variable(out, "skip_hash_check", s->digest ? "" : "yes");
        buffer_add_str(out, EMBED_RESTORE_UNPACK_SH);
}

int restore_unpack(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;
        Host *host;
        int r;

        if (!(n->node->roles & ROLE_ETCD) || n->swapped)
                return 0;
        restore_step(n, STAGE_RESTORE_SEND);
        r = host_pool_take(n->restore->hosts, n->node, &host, reterr);
        if (r < 0)
                return r;
        r = host_send(host, n->restore->path, SNAPSHOT, n->restore->journal.digest, NULL, NULL, reterr);
        host_pool_give(n->restore->hosts, n->node);
        if (r < 0)
                return r;
        restore_step(n, STAGE_RESTORE_UNPACK);
        restore_script_unpack(n->restore, n->node, &script);
        return host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), UNPACK_TIMEOUT, NULL,
                                  reterr);
}

void restore_script_swap(const Restore *s, Buffer *out) {
        _cleanup_free_ char *mark = etcd_mark_text(s->identity, s->journal.token);

        restore_script_begin("the new data takes the place of the old, which stays aside", out);
        shell_add_variable(out, "token", s->journal.token);
        shell_add_variable(out, "mark_text", mark);
        buffer_add_str(out, EMBED_RESTORE_SWAP_SH);
}

int restore_swap(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;

        if (!(n->node->roles & ROLE_ETCD) || n->swapped)
                return 0;
        restore_step(n, STAGE_RESTORE_SWAP);
        restore_script_swap(n->restore, &script);
        return host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), 0, NULL, reterr);
}

void restore_script_clean(const Restore *s, Buffer *out) {
        restore_script_begin("what was kept until the new data was seen to work", out);
        shell_add_variable(out, "token", s->journal.token);
        shell_add_variable(out, "earlier", s->finished ? s->earlier.token : "");
        buffer_add_str(out, EMBED_RESTORE_CLEAN_SH);
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
