/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A restore on one node, before anything is stopped: whose node is it, how far is it, what does it lack?
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/shell.h"
#include "etcd/etcd.h"
#include "fetch/fetch.h"
#include "operate/operate-scripts.h"
#include "operate/restore-internal.h"
#include "plan/edition.h"

#define RESERVE (UINT64_C(64) * 1024 * 1024)  /* left free on each disk */
#define LOG_SIZE (UINT64_C(64) * 1024 * 1024) /* of etcd's log, which it allocates ahead */

/* host_send() wants the node to have been looked at; what there is of a plan does not matter. */
static int look_at(RestoreNode *n, Host *host, Error **reterr) {
        const InstallRequest *q = &n->restore->request->install;
        _cleanup_(plan_freep) Plan *plan = NULL;
        Observation *observation = NULL;
        Facts facts = {};
        PlanContext c = {
                .cluster = q->cluster,
                .node = n->node,
                .store = q->store,
                .lock = q->lock,
        };
        int r;

        r = plan_outline(q->components, &c, &plan, reterr);
        if (r < 0)
                return r;
        r = host_look(host, plan, false, &facts, &observation, reterr);
        if (r >= 0 && observation->identity && !streq_null(observation->identity, n->restore->identity))
                r = error_set(reterr, ERROR_CONFIG, EEXIST, "was installed for another cluster");
        facts_done(&facts);
        observation_free(n->observation);
        n->observation = observation;
        return r;
}

/* Data that lies there is put aside and goes in the end: it has to be of this cluster. Between a swap and its
 * mark it has none, or an old one, and something is aside. */
static int refuse_data(const RestoreNode *n, const EtcdData *data, Error **reterr) {
        int r;

        if (!data->member || data->asides || etcd_data_is_of(data, n->restore->identity))
                return 0;
        r = error_set(reterr, ERROR_CONFIG, EEXIST,
                      "there is etcd data in " ETCD_DATA " that is not of this cluster");
        error_detail(
                reterr,
                "Look at it before anything else. If it can go, remove or move it: mv " ETCD_DATA
                "/member /root/etcd-member. If it is of another cluster of hardway's, all of that goes by: "
                "hardway reset --force --node %s\n",
                n->node->name);
        return r;
}

/* It may have been reset since the last look. */
static void take_data(RestoreNode *n, EtcdData *data) {
        n->data = data->member;
        strv_free(n->asides);
        n->asides = TAKE_PTR(data->asides);
        free(n->token);
        n->token = TAKE_PTR(data->token);
        n->swapped = streq_null(n->token, n->restore->journal.token);
}

static int ask_data(RestoreNode *n, Error **reterr) {
        const InstallRequest *q = &n->restore->request->install;
        const ProbeContext c = host_pool_probes(n->restore->hosts, q->cluster, q->store, q->cancelled);
        _cleanup_(etcd_data_done) EtcdData data = {};
        int r;

        r = etcd_data_look(&c, n->node, &data, reterr);
        if (r < 0)
                return r;
        r = refuse_data(n, &data, reterr);
        take_data(n, &data);
        return r;
}

void restore_script_look(const Restore *s, Buffer *out) {
        _cleanup_free_ char *etcdutl = restore_etcdutl(s->cluster);

        restore_script_begin("is etcd installed?", out);
        shell_add_variable(out, "etcdutl", etcdutl);
        buffer_add_str(out, EMBED_RESTORE_LOOK_SH);
}

static int ask_installed(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL, out = BUFFER_NULL;
        int r;

        restore_script_look(n->restore, &script);
        r = host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), 0, &out, reterr);
        if (r >= 0)
                n->installed = streq(buffer_str(&out), "yes\n");
        return r;
}

/**
 * restore_look() - see how far a node is
 * @n:          the node; what is known of it is set
 * @reterr:     it cannot be reached, or it, or data that lies there, is another cluster's
 *
 * Changes nothing, and says nothing: what is to be asked of the user comes after it.
 *
 * Return: 0 or a negative errno.
 */
int restore_look(RestoreNode *n, Error **reterr) {
        Host *host;
        int r;

        r = host_pool_take(n->restore->hosts, n->node, &host, reterr);
        if (r < 0)
                return r;
        r = look_at(n, host, reterr);
        host_pool_give(n->restore->hosts, n->node);
        if (r >= 0)
                r = ask_installed(n, reterr);
        return r < 0 ? r : ask_data(n, reterr);
}

/**
 * restore_refuse_older() - is this the copy of the cluster directory that the nodes had their keys of last?
 * @s:          the restore, whose nodes were looked at
 * @reterr:     it is not
 *
 * The installation at the end would be refused for it, when nothing runs any more; so it is asked before, and not there. Nor
 * of who goes on once there is new data.
 *
 * Return: 0, or -ESTALE.
 */
int restore_refuse_older(const Restore *s, Error **reterr) {
        const InstallRequest *q = &s->request->install;
        _cleanup_free_ const Observation **seen = xnew(const Observation*, s->cluster->n_nodes + 1);
        _cleanup_free_ char *outdated = NULL;
        int r;

        if (strv_contains(q->ignore, EDITION_CHECK) || journal_is_committed(s->directory, &s->journal))
                return 0;
        for (size_t i = 0; i < s->n_nodes; i++)
                seen[s->nodes[i].node->index] = s->nodes[i].observation;
        outdated = edition_tell(q->store, s->cluster, seen);
        if (!outdated)
                return 0;
        r = error_set(reterr, ERROR_CONFIG, ESTALE, "%s", outdated);
        error_detail(reterr, "%s\n", EDITION_LOST "the same command with --ignore " EDITION_CHECK);
        return r;
}

/* The plan is of etcd alone: what other components have there, or an older version, looks superfluous to it. */
static void keep_removals_back(Changes *changes) {
        size_t n = 0;

        for (size_t i = 0; i < changes->n_changes; i++) {
                Change *c = changes->changes + i;

                if (c->type != CHANGE_REMOVE) {
                        changes->changes[n++] = *c;
                        continue;
                }
                free(c->path);
                free(c->reason);
        }
        changes->n_changes = n;
}

static int put_etcd(RestoreNode *n, Host *host, PlanContext *c, Error **reterr) {
        static const Component *const only[] = { &component_etcd, NULL };
        const InstallRequest *q = &n->restore->request->install;
        _cleanup_free_ char *cache = q->cache ? xstrdup(q->cache) : fetch_cache_default();
        _cleanup_(observation_freep) Observation *observation = NULL;
        _cleanup_(plan_freep) Plan *outline = NULL, *plan = NULL;
        HostPut put = { .cache = cache, .lock = q->lock };
        Facts facts = {};
        Changes changes = {};
        int r;

        r = plan_outline(only, c, &outline, reterr);
        if (r < 0)
                return r;
        r = host_look(host, outline, false, &facts, &observation, reterr);
        if (r < 0)
                return r;
        c->facts = &facts;
        r = plan_node(only, c, &plan, reterr);
        if (r >= 0) {
                plan_compare(plan, observation, &changes);
                keep_removals_back(&changes);
                put.plan = plan;
                put.changes = &changes;
                r = host_put(host, &put, reterr);
        }
        changes_done(&changes);
        facts_done(&facts);
        return r;
}

/**
 * restore_equip() - put what a restore needs on a host that has nothing
 * @n:          the node
 * @reterr:     it could not be put there
 *
 * etcd's programs, user and files alone, and nothing is started: etcd's first start is with the data that is
 * restored. An installation would ask whether the members agree with one another, which is what is to be mended.
 *
 * Return: 0 or a negative errno.
 */
int restore_equip(RestoreNode *n, Error **reterr) {
        const InstallRequest *q = &n->restore->request->install;
        PlanContext c = { .cluster = q->cluster, .node = n->node, .store = q->store, .lock = q->lock };
        Host *host;
        int r;

        if (n->installed || !(n->node->roles & ROLE_ETCD))
                return 0;
        restore_step(n, STAGE_RESTORE_EQUIP);
        r = host_pool_take(n->restore->hosts, n->node, &host, reterr);
        if (r < 0)
                return r;
        r = put_etcd(n, host, &c, reterr);
        host_pool_give(n->restore->hosts, n->node);
        return r;
}

void restore_script_room(const Restore *s, Buffer *out) {
        uint64_t file = (s->size + RESERVE) / 1024 + 1, data = (s->size + LOG_SIZE + RESERVE) / 1024 + 1;

        restore_script_begin("is there room for the new data beside the old?", out);
        buffer_addf(out, "data_kib=%" PRIu64 " file_kib=%" PRIu64 "\n", data, file);
        buffer_add_str(out, EMBED_RESTORE_ROOM_SH);
}

int restore_room(RestoreNode *n, Error **reterr) {
        _cleanup_buffer_ Buffer script = BUFFER_NULL;

        restore_step(n, STAGE_RESTORE_LOOK);
        if (!(n->node->roles & ROLE_ETCD) || n->swapped)
                return 0;
        restore_script_room(n->restore, &script);
        return host_pool_exec_for(n->restore->hosts, n->node, buffer_str(&script), 0, NULL, reterr);
}
