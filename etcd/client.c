/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * etcd's JSON gateway
 *
 * Every call is a POST with a JSON body. The names are those of the protocol buffers (etcd
 * api/etcdserverpb/rpc.proto), 64-bit numbers are strings, and what is zero, false or empty is left out.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/json.h"
#include "etcd/client-internal.h"

#define TIMEOUT_DEFAULT (5 * USEC_PER_SEC)

static uint64_t endpoint_timeout(const EtcdEndpoint *e) {
        return e->timeout_usec > 0 ? e->timeout_usec : TIMEOUT_DEFAULT;
}

/* Takes body over. */
int etcd_call(const EtcdEndpoint *e, const char *path, json_t *body, json_t **ret, Error **reterr) {
        _cleanup_free_ char *url = xasprintf("%s%s", e->url, path);
        const HttpRequest request = {
                .method = "POST",
                .url = url,
                .timeout_usec = endpoint_timeout(e),
                .connect_timeout_usec = endpoint_timeout(e),
        };
        _cleanup_json_ json_t *sent = body;

        return http_request_json(e->http, &request, sent, ret, reterr);
}

static Strv text_array(const json_t *array) {
        Strv v = NULL;
        size_t i;
        json_t *item;

        json_array_foreach(array, i, item)
                if (json_is_string(item))
                        strv_add(&v, json_string_value(item));
        return v;
}

static void member_from_json(const json_t *tree, EtcdMember *ret) {
        const char *name = json_text(tree, "name");

        *ret = (EtcdMember) {
                .id = json_uint64(tree, "ID"),
                .name = name && *name ? xstrdup(name) : NULL,
                .peer_urls = text_array(json_object_get(tree, "peerURLs")),
                .client_urls = text_array(json_object_get(tree, "clientURLs")),
                .learner = json_is_true(json_object_get(tree, "isLearner")),
        };
}

void etcd_members_from_json(const json_t *tree, EtcdMembers *ret) {
        const json_t *list = json_object_get(tree, "members");
        EtcdMembers m = {
                .cluster_id = json_uint64(json_object_get(tree, "header"), "cluster_id"),
                .members = xnew(EtcdMember, json_array_size(list) + 1),
        };

        for (; m.n_members < json_array_size(list); m.n_members++)
                member_from_json(json_array_get(list, m.n_members), m.members + m.n_members);
        *ret = m;
}

/**
 * etcd_members() - the list of members
 * @e:          the member to ask
 * @linearizable: ask through the quorum; fails without one
 * @ret:        the list; freed by etcd_members_done()
 * @reterr:     why it could not be had
 *
 * Return: 0 or a negative errno.
 */
int etcd_members(const EtcdEndpoint *e, bool linearizable, EtcdMembers *ret, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        int r;

        r = etcd_call(e, "/v3/cluster/member/list", json_pack("{s:b}", "linearizable", linearizable), &tree,
                      reterr);
        if (r < 0)
                return r;
        etcd_members_from_json(tree, ret);
        return 0;
}

const EtcdMember* etcd_members_find(const EtcdMembers *m, uint64_t id) {
        for (size_t i = 0; i < m->n_members; i++)
                if (m->members[i].id == id)
                        return m->members + i;
        return NULL;
}

const EtcdMember* etcd_members_find_name(const EtcdMembers *m, const char *name) {
        for (size_t i = 0; i < m->n_members; i++)
                if (streq_null(m->members[i].name, name))
                        return m->members + i;
        return NULL;
}

const EtcdMember* etcd_members_find_peer(const EtcdMembers *m, const char *peer_url) {
        for (size_t i = 0; i < m->n_members; i++)
                if (strv_contains(m->members[i].peer_urls, peer_url))
                        return m->members + i;
        return NULL;
}

void etcd_members_done(EtcdMembers *m) {
        for (size_t i = 0; i < m->n_members; i++) {
                free(m->members[i].name);
                strv_free(m->members[i].peer_urls);
                strv_free(m->members[i].client_urls);
        }
        free(m->members);
        *m = (EtcdMembers) {};
}

const char* etcd_role(const EtcdStatus *s) {
        if (s->learner)
                return "learner";
        return s->leader == s->member_id ? "leader" : "follower";
}

/**
 * etcd_status() - what a member says of itself
 * @e:          the member
 * @ret:        its status; freed by etcd_status_done()
 * @reterr:     why it could not be had
 *
 * Return: 0 or a negative errno.
 */
int etcd_status(const EtcdEndpoint *e, EtcdStatus *ret, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        const json_t *header;
        int r;

        r = etcd_call(e, "/v3/maintenance/status", json_object(), &tree, reterr);
        if (r < 0)
                return r;
        header = json_object_get(tree, "header");
        *ret = (EtcdStatus) {
                .cluster_id = json_uint64(header, "cluster_id"),
                .member_id = json_uint64(header, "member_id"),
                .leader = json_uint64(tree, "leader"),
                .revision = json_uint64(header, "revision"),
                .raft_term = json_uint64(tree, "raftTerm"),
                .raft_index = json_uint64(tree, "raftIndex"),
                .raft_applied_index = json_uint64(tree, "raftAppliedIndex"),
                .db_size = json_uint64(tree, "dbSize"),
                .db_size_in_use = json_uint64(tree, "dbSizeInUse"),
                .db_quota = json_uint64(tree, "dbSizeQuota"),
                .version = xstrdup_null(json_text(tree, "version")),
                .errors = text_array(json_object_get(tree, "errors")),
                .learner = json_is_true(json_object_get(tree, "isLearner")),
        };
        return 0;
}

void etcd_status_done(EtcdStatus *s) {
        free(s->version);
        strv_free(s->errors);
        *s = (EtcdStatus) {};
}

/**
 * etcd_health() - is a member well?
 * @e:          the member
 * @serializable: look at the member alone; else it has to reach a quorum
 * @ret_reason: why it is not ("RAFT NO LEADER"), or NULL; the caller frees; may be NULL
 * @reterr:     it did not answer
 *
 * An alarm for a full database is no ill health: reads still work (etcd
 * server/etcdserver/api/etcdhttp/health.go).
 *
 * Return: 1 if it is, 0 if it says that it is not, or a negative errno.
 */
int etcd_health(const EtcdEndpoint *e, bool serializable, char **ret_reason, Error **reterr) {
        _cleanup_free_ char *url =
                xasprintf("%s/health?exclude=NOSPACE%s", e->url, serializable ? "&serializable=true" : "");
        const HttpRequest request = {
                .url = url,
                .timeout_usec = endpoint_timeout(e),
                .connect_timeout_usec = endpoint_timeout(e),
        };
        _cleanup_(http_response_done) HttpResponse response = HTTP_RESPONSE_NULL;
        _cleanup_json_ json_t *tree = NULL;
        const char *health;
        int r;

        r = http_request(e->http, &request, &response, reterr);
        if (r < 0)
                return r;
        r = json_parse(url, response.body.data, response.body.size, &tree, reterr);
        if (r < 0)
                return r;
        health = json_text(tree, "health");
        if (response.status == 200 && health && streq(health, "true"))
                return 1;
        if (ret_reason)
                *ret_reason = xstrdup_null(json_text(tree, "reason"));
        return 0;
}

/**
 * etcd_revision() - how far the store has come
 * @e:          the member to ask
 * @linearizable: read through the quorum: no less than what any client was ever told; else this member's own
 * @ret:        the revision
 * @reterr:     why it could not be had
 *
 * Return: 0 or a negative errno.
 */
int etcd_revision(const EtcdEndpoint *e, bool linearizable, uint64_t *ret, Error **reterr) {
        _cleanup_json_ json_t *tree = NULL;
        /* one key that nobody has; the answer's header is what counts */
        json_t *body = json_pack("{s:s,s:b,s:b}", "key", "aGFyZHdheQ==", "count_only", 1, "serializable",
                                 !linearizable);
        int r;

        r = etcd_call(e, "/v3/kv/range", body, &tree, reterr);
        if (r < 0)
                return r;
        *ret = json_uint64(json_object_get(tree, "header"), "revision");
        return 0;
}

/**
 * etcd_transfer_leadership() - make another member the leader
 * @e:          the leader of now
 * @target:     the id of the member that shall lead
 * @reterr:     why that is not so
 *
 * Return: 0 once the other leads, or a negative errno.
 */
int etcd_transfer_leadership(const EtcdEndpoint *e, uint64_t target, Error **reterr) {
        _cleanup_free_ char *id = xasprintf("%" PRIu64, target);

        return etcd_call(e, "/v3/maintenance/transfer-leadership", json_pack("{s:s}", "targetID", id), NULL,
                         reterr);
}
