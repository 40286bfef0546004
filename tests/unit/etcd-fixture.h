/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/json.h"
#include "etcd/etcd.h"
#include "etcd/internal.h"
#include "tests/unit/fake-clock.h"
#include "tests/unit/no-http.h"
#include "tests/unit/plan-fixture.h"

/*
 * Two members that are well, dead, without a leader, behind, or of another cluster, as their answers and the list say
 *
 * Wraps: http_request store_file store_nodes store_addresses
 */

typedef struct Member {
        bool up;   /* the process runs */
        bool away; /* the list does not know it as started */
        uint64_t leader, cluster, revision;
        const char *alarm;
        bool catches_up;
        const char *metrics;
        bool learner;
        int refusal; /* what asking one that is not up fails with; 0: ECONNREFUSED */
} Member;

static Member members[2];
static unsigned n_transfers;
static bool together; /* each is asked before any answers */
static atomic_uint n_asked, n_alone;
static bool removed;                  /* the second one, from the list */
static bool behind;                   /* ... and the first one has not heard of it, by itself */
static const char *peer;              /* where the list has the second one for its peers, or NULL */
static uint64_t health_usec;          /* how long the last question for health would have waited */
static const char *metrics_later;     /* what the first one serves after a while, or NULL */
static const char *told, *told_later; /* by a node itself, now and after a while */
static uint64_t elected;              /* who leads after a while; 0: nobody */
static size_t n_gone;                 /* further voters in the list, which nobody can reach */

static inline int answer(HttpResponse *ret, long status, json_t *tree) {
        _cleanup_json_ json_t *body = tree;
        _cleanup_free_ char *text = json_dumps(body, JSON_COMPACT);

        *ret = (HttpResponse) { .status = status };
        buffer_add_str(&ret->body, text);
        return 0;
}

static inline json_t* number(uint64_t n) {
        _cleanup_free_ char *text = xasprintf("%llu", (unsigned long long) n);

        return json_string(text);
}

static inline json_t* header(size_t i) {
        return json_pack("{s:o,s:o,s:o}", "cluster_id", number(members[i].cluster), "member_id",
                         number(100 + i), "revision", number(members[i].revision));
}

static inline int answer_status(HttpResponse *ret, size_t i) {
        json_t *tree =
                json_pack("{s:o,s:s,s:s}", "header", header(i), "version", "3.6.16", "dbSize", "20480");

        if (members[i].leader)
                json_object_set_new(tree, "leader", number(members[i].leader));
        if (members[i].alarm)
                json_object_set_new(tree, "errors", json_pack("[s]", members[i].alarm));
        if (members[i].learner)
                json_object_set_new(tree, "isLearner", json_true());
        return answer(ret, 200, tree);
}

static inline int answer_list(HttpResponse *ret, size_t asked, bool linearizable) {
        json_t *list = json_array();

        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                _cleanup_free_ char *name = xasprintf("c%zu", i);
                json_t *m;

                if (i == 1 && removed && !(behind && !linearizable))
                        continue;
                m = json_pack("{s:o,s:s}", "ID", number(100 + i), "name", name);
                if (i == 1 && peer)
                        json_object_set_new(m, "peerURLs", json_pack("[s]", peer));
                if (members[i].learner)
                        json_object_set_new(m, "isLearner", json_true());
                if (!members[i].away)
                        json_object_set_new(
                                m, "clientURLs",
                                json_pack("[s]", i == 1 ? "https://10.77.0.21:2379" : "https://x:2379"));
                json_array_append_new(list, m);
        }
        for (size_t i = 0; i < n_gone; i++) {
                _cleanup_free_ char *name = xasprintf("gone-%zu", i);

                json_array_append_new(list, json_pack("{s:o,s:s,s:[s]}", "ID", number(200 + i), "name", name,
                                                      "clientURLs", "https://gone:2379"));
        }
        return answer(ret, 200, json_pack("{s:o,s:o}", "header", header(asked), "members", list));
}

int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr);
int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr) {
        size_t i = strstr(q->url, "10.77.0.21") ? 1 : 0;
        Member *m = members + i;

        if (!m->up || strstr(q->url, "//gone:"))
                return error_set(reterr, ERROR_UNAVAILABLE, m->refusal ?: ECONNREFUSED,
                                 "%s: connection refused", q->url);
        if (strstr(q->url, ":2380/version"))
                return answer(ret, 200, json_object());
        if (strstr(q->url, "/metrics")) {
                *ret = (HttpResponse) { .status = 200 };
                buffer_add_str(&ret->body, m->metrics ? m->metrics : "");
                return 0;
        }
        if (strstr(q->url, "/health"))
                health_usec = q->timeout_usec;
        if (strstr(q->url, "/health"))
                return m->leader ?
                               answer(ret, 200, json_pack("{s:s}", "health", "true")) :
                               answer(ret, 503,
                                      json_pack("{s:s,s:s}", "health", "false", "reason", "RAFT NO LEADER"));
        if (strstr(q->url, "/maintenance/status")) {
                n_alone += together && !fixture_meet(&n_asked, 2);
                return answer_status(ret, i);
        }
        if (m->learner && !strstr(q->body, "serializable\":true"))
                return answer(ret, 503, json_pack("{s:s}", "error", "rpc not supported for learner"));
        if (strstr(q->url, "/member/list")) {
                bool linearizable = strstr(q->body, "true");

                if (linearizable && behind && m->leader == 0)
                        return answer(ret, 503, json_pack("{s:s}", "message", "etcdserver: no leader"));
                return answer_list(ret, i, linearizable);
        }
        if (strstr(q->url, "/kv/range"))
                return answer(ret, 200, json_pack("{s:o}", "header", header(i)));
        if (strstr(q->url, "/member/remove")) {
                assert_non_null(strstr(q->body, "\"101\""));
                removed = true;
                return answer(ret, 200, json_object());
        }
        if (strstr(q->url, "/transfer-leadership")) {
                assert_non_null(strstr(q->body, "\"101\""));
                n_transfers++;
                members[0].leader = members[1].leader = 101;
                return answer(ret, 200, json_object());
        }
        fail_msg("%s", q->url);
        return -EINVAL;
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "etcd/ca");
        assert_contains(credential, "/pki/etcd/healthcheck-client");
}

void fake_meanwhile(void) {
        if (metrics_later)
                members[0].metrics = metrics_later;
        if (told_later)
                told = told_later;
        if (elected)
                members[1].leader = elected;
        if (members[1].catches_up)
                members[1].revision++;
}

static inline void all_well(void) {
        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                members[i] = (Member) { .up = true, .leader = 100, .cluster = 7, .revision = 50 };
        n_transfers = 0;
        n_gone = 0;
}

/* Each test has a cluster of its own. */
#define FIXTURE                                                        \
        Node nodes[3];                                                 \
        Cluster c = fixture_cluster(nodes);                            \
        ProbeContext context = { .cluster = &c };                      \
        _cleanup_(probe_result_done) _unused_ ProbeResult result = {}; \
        all_well()

static inline int tell(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        buffer_add_str(ret, told);
        if (strstr(script, "whose etcd data is there?"))
                buffer_add_str(ret, "end\n");
        return 0;
}

int __real_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);
int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr);

/* The members stand for a store that has an identity and nothing else. */
int __wrap_store_file(Store *s, const char *path, const Buffer **ret, Error **reterr) {
        static Buffer identity = { .data = (char*) "0125ab\n", .size = 7 };

        if (s != (Store*) members)
                return __real_store_file(s, path, ret, reterr);
        if (!streq(path, "secrets/identity"))
                return error_set(reterr, ERROR_CONFIG, ENOENT, "%s: no such file", path);
        *ret = &identity;
        return 0;
}

/* What was made for nodes that the cluster file may not have any more: their addresses are those of members. */
static const char *former; /* a node's name, or NULL */
Strv __wrap_store_nodes(const Store *s);
int __wrap_store_addresses(Store *s, const char *path, CertificateProfile *ret, Error **reterr);

Strv __wrap_store_nodes(const Store *s) {
        return former ? strv_new(former, "lb0", NULL) : NULL;
}

int __wrap_store_addresses(Store *s, const char *path, CertificateProfile *ret, Error **reterr) {
        static const char *const addresses[] = { "127.0.0.1", "::1", "10.77.0.21" };
        _cleanup_free_ char *wanted = NULL;
        InetAddress address;

        if (strstr(path, "nodes/lb0/"))
                return -ENOENT;
        wanted = xasprintf("nodes/%s/pki/etcd/server.crt", former ?: "nobody");
        assert_string_equal(path, wanted);
        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
                assert_int_equal(inet_address_parse(addresses[i], &address), 0);
                certificate_profile_add_address(ret, &address);
        }
        return 0;
}

static inline const Check* find_check(const CheckList *l, const char *id) {
        for (size_t i = 0; i < l->n_checks; i++)
                if (streq(l->checks[i].id, id))
                        return l->checks + i;
        return NULL;
}

static inline CheckState state_of(const ProbeContext *context, const char *id) {
        _cleanup_(check_list_done) CheckList checks = {};
        const Check *check;

        assert_int_equal(component_etcd.verify(context, &checks), 0);
        check = find_check(&checks, id);
        assert_non_null(check);
        assert_true(check->state == CHECK_OK || check->advice);
        return check->state;
}
