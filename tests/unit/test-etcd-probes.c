/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * etcd's probes and checks against members that are well, dead, without a leader, behind, or of another
 * cluster.
 *
 * Wraps: http_request store_file store_nodes store_addresses
 */

#include "tests/unit/unit.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/process.h"
#include "etcd/etcd.h"
#include "etcd/internal.h"
#include "etcd/snapshot.h"
#include "etcd/survey.h"
#include "tests/unit/fake-clock.h"
#include "tests/unit/no-http.h"
#include "tests/unit/plan-fixture.h"

typedef struct Member {
        bool up;   /* the process runs */
        bool away; /* the list does not know it as started */
        uint64_t leader, cluster, revision;
        const char *alarm;
        bool catches_up;
        const char *metrics;
        bool learner;
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

static int answer(HttpResponse *ret, long status, json_t *tree) {
        _cleanup_json_ json_t *body = tree;
        _cleanup_free_ char *text = json_dumps(body, JSON_COMPACT);

        *ret = (HttpResponse) { .status = status };
        buffer_add_str(&ret->body, text);
        return 0;
}

static json_t* number(uint64_t n) {
        _cleanup_free_ char *text = xasprintf("%llu", (unsigned long long) n);

        return json_string(text);
}

static json_t* header(size_t i) {
        return json_pack("{s:o,s:o,s:o}", "cluster_id", number(members[i].cluster), "member_id",
                         number(100 + i), "revision", number(members[i].revision));
}

static int answer_status(HttpResponse *ret, size_t i) {
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

static int answer_list(HttpResponse *ret, size_t asked, bool linearizable) {
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

static size_t count_led(void) {
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                n += members[i].up && members[i].leader != 0;
        return n;
}

int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr);

int __wrap_http_request(HttpClient *c, const HttpRequest *q, HttpResponse *ret, Error **reterr) {
        size_t i = strstr(q->url, "10.77.0.21") ? 1 : 0;
        Member *m = members + i;

        if (!m->up || strstr(q->url, "//gone:"))
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "%s: connection refused", q->url);
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

static void all_well(void) {
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

static void test_ready(void **state) {
        FIXTURE;

        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_string_equal(result.text, "member of 2, leader");
        assert_int_equal(health_usec, USEC_PER_SEC);

        /* where a wrong "no" leaves a gate out, a slow disk has its time */
        context.before = true;
        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(health_usec, 3 * USEC_PER_SEC);
        context.before = false;

        members[0].leader = 0;
        members[1].up = false;
        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_BLOCKED);
        assert_string_equal(result.text, "1 of 2 members, quorum needs 2");

        members[1] = (Member) { .up = true };
        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_string_equal(result.text, "2 of 2 members, no leader yet");

        members[0].up = false;
        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text, "connection refused");
}

static void test_serving(void **state) {
        bool serving = true;
        FIXTURE;

        members[0].up = members[1].up = false;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_false(serving);
        members[1].up = true;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_true(serving);
        members[1].leader = 0;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_false(serving);
}

/* A member that is away has the others not wait for it in turn. */
static void test_serving_at_once(void **state) {
        bool serving = false;
        FIXTURE;

        n_asked = 0;
        together = true;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        together = false;
        assert_true(serving);
        assert_int_equal(n_alone, 0);
}

static void test_gate(void **state) {
        FIXTURE;

        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);

        members[1].up = false;
        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text, "c1");

        members[1].away = true; /* never started: nobody waits for it */
        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);

        members[0].up = false;
        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
}

static int tell(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        buffer_add_str(ret, told);
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
        wanted = xasprintf("nodes/%s/pki/etcd/server.crt", former);
        assert_string_equal(path, wanted);
        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
                assert_int_equal(inet_address_parse(addresses[i], &address), 0);
                certificate_profile_add_address(ret, &address);
        }
        return 0;
}

/* The cluster lives where an edit of the cluster file has nothing of it any more. */
static void test_serving_elsewhere(void **state) {
        _cleanup_error_ Error *error = NULL;
        bool serving = false;
        FIXTURE;

        context.store = (Store*) members;
        members[0].up = false;
        former = "old";

        /* it is in the cluster file, under whatever name */
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_true(serving);

        (void) inet_address_parse("10.77.0.20", &nodes[1].address);
        serving = false;
        assert_int_equal(component_etcd.serving(&context, &serving, &error), -EEXIST);
        assert_false(serving);
        assert_int_equal(error->kind, ERROR_UNAVAILABLE);
        assert_contains(error->message, "etcd of this cluster serves on old (10.77.0.21:2379)");
        assert_contains(error->detail, "hardway etcd restore FILE");
        error = error_free(error);

        /* a member of the cluster file that has another address by it than where it serves */
        former = "c1";
        assert_int_equal(component_etcd.serving(&context, &serving, &error), -EEXIST);
        assert_false(serving);
        assert_contains(error->message,
                        "etcd of this cluster serves on c1 at 10.77.0.21:2379, which is not its "
                        "address by the cluster file");
        assert_contains(error->detail, "put today's addresses back into the cluster file");
        assert_contains(error->detail, "hardway etcd replace NAME");
        former = "old";

        /* without a leader it has its data all the same; switched off it has not */
        members[1].leader = 0;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), -EEXIST);
        members[1].up = false;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_false(serving);
        former = NULL;
        context.store = NULL;
}

/* etcd went to hosts of its own, and on a controller of today's file a member serves. */
static void test_serving_on_a_controller(void **state) {
        _cleanup_error_ Error *error = NULL;
        bool serving = false;
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "of 0125ab\netcd_server_has_leader 1\n";
        nodes[0].roles = ROLE_CONTROLLER;
        nodes[1].roles = ROLE_ETCD;
        members[1].up = false;
        assert_int_equal(component_etcd.serving(&context, &serving, &error), -EEXIST);
        assert_contains(error->message, "etcd of this cluster serves on c0");
        members[0].up = false;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), -EHOSTUNREACH);
        assert_false(serving);
        context.store = NULL;
}

/* Nobody answers this machine: what do the nodes themselves say? */
static void test_serving_unseen(void **state) {
        static const struct {
                const char *told;
                int result;
        } rows[] = {
                { "of 0125ab\netcd_server_has_leader 1\n", -EHOSTUNREACH },
                { "of 0125ab\n", 0 },
                { "of 77\netcd_server_has_leader 1\n",
                  0 }, /* another cluster's: that is refused elsewhere */
                { "of \netcd_server_has_leader 1\n", 0 },
                { "", 0 },
        };
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        members[0].up = members[1].up = false;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_error_ Error *error = NULL;
                bool serving = false;

                told = rows[i].told;
                assert_int_equal(component_etcd.serving(&context, &serving, &error), rows[i].result);
                assert_false(serving);
                if (error)
                        assert_contains(error->message, "etcd serves on c0, and this machine cannot ask it");
        }
        context.store = NULL;
}

/* Between two leaders: that takes its time, and is over then. Where no quorum runs nobody waits. */
static void test_election_is_serving(void **state) {
        bool serving = false;
        uint64_t begin;
        FIXTURE;

        c.timings.etcd_election_msec = 5000;
        members[0].leader = members[1].leader = 0;
        elected = 101;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_true(serving);

        elected = 0;
        members[1].leader = 0;
        begin = fake_now;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_false(serving);
        assert_in_range(fake_now - begin, 10 * USEC_PER_SEC, 11 * USEC_PER_SEC);

        members[0].up = false;
        begin = fake_now;
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), 0);
        assert_int_equal(fake_now, begin);

        /* the same, where only the nodes can tell */
        context.store = (Store*) members;
        context.exec = tell;
        members[1].up = false;
        told = "of 0125ab\netcd_server_has_leader 0\n";
        told_later = "of 0125ab\netcd_server_has_leader 1\n";
        assert_int_equal(component_etcd.serving(&context, &serving, NULL), -EHOSTUNREACH);
        told_later = NULL;
        context.store = NULL;
}

/* Taken out of the list, and in the cluster file again. */
static void test_taken_out(void **state) {
        CheckList checks = {};
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "data\n0125ab\n";
        members[1].up = false;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_OK);
        removed = true;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_FAILED);
        assert_contains(checks.checks[1].text, "was taken out of etcd's members");
        assert_contains(checks.checks[1].advice, "hardway etcd replace c1; or hardway reset --node c1");

        /* nobody knows, as on a cluster that is off */
        members[0].up = false;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[2].state, CHECK_OK);
        removed = false;
        check_list_done(&checks);
        context.store = NULL;
}

/* A member that lost its data is out of the list as a quorum has it; one that is behind still knows it as started. */
static void test_taken_out_a_moment_ago(void **state) {
        CheckList checks = {};
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "none\n0125ab\n";
        members[1].up = false;
        behind = removed = true;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_OK);

        /* without a quorum what one knows is all there is */
        members[0].leader = 0;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_FAILED);
        assert_contains(checks.checks[1].text,
                        "is a member of the running etcd cluster, but its data is gone");
        behind = removed = false;
        check_list_done(&checks);
        context.store = NULL;
}

#define ENTRY(url, name) "member \"peerURLs\":[\"https://" url ":2380\"],\"name\":\"" name "\"\n"

static const char *entries[2]; /* in the data of each */

static int tell_of_data(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        buffer_add_str(ret, strstr(script, "at which address") || strstr(script, "how far has") ?
                                    entries[node->index] :
                                    told);
        return 0;
}

/* All hosts got other addresses, with their data: no member would find another. */
static void test_renumbered(void **state) {
        CheckList checks = {};
        const Check *check;
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell_of_data;
        told = "data\n0125ab\n";
        entries[0] = ENTRY("10.77.9.20", "c0") "revision 50\n";
        entries[1] = ENTRY("10.77.9.21", "c1") "revision 51\n";
        members[0].up = members[1].up = false;
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        check = checks.checks;
        assert_int_equal(check->state, CHECK_FAILED);
        assert_string_equal(check->subject, "etcd-data");
        assert_contains(check->text,
                        "is of a member at https://10.77.9.20:2380, by the cluster file it is at "
                        "https://10.77.0.20:2380");
        assert_contains(check->advice, "hardway etcd restore --survivor c1, whose data has got furthest");
        check_list_done(&checks);

        /* what it was before may be in there beside what it is; and where nobody can tell nothing is said */
        entries[0] = ENTRY("10.77.9.20", "c0") ENTRY("10.77.0.20", "c0") "revision 50\n";
        assert_int_equal(component_etcd.preflight(&context, nodes, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_OK);
        entries[1] = "";
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_OK);
        check_list_done(&checks);
        context.store = NULL;
}

/* One of them did, and the others go on without it. */
static void test_renumbered_alone(void **state) {
        CheckList checks = {};
        FIXTURE;

        context.store = (Store*) members;
        context.exec = tell;
        told = "data\n0125ab\n";
        members[1].up = false;
        peer = "https://10.77.9.21:2380";
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[0].state, CHECK_FAILED);
        assert_contains(checks.checks[0].text, "the members have it at https://10.77.9.21:2380");
        assert_contains(checks.checks[0].advice, "hardway etcd replace c1");
        peer = "https://10.77.0.21:2380";
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.checks[1].state, CHECK_OK);
        peer = NULL;
        check_list_done(&checks);
        context.store = NULL;
}

/* The directory for snapshots becomes etcd's: not if it is somebody's. */
static void test_place(void **state) {
        static const struct {
                const char *told, *text;
                CheckState state;
        } rows[] = {
                { "free\n", "/srv/etcd is free", CHECK_OK },
                { "ours\n", "/srv/etcd is ours", CHECK_OK },
                { "foreign 2019-photos.db\n",
                  "/srv/etcd is in use: 2019-photos.db is there, which is no snapshot", CHECK_FAILED },
                { "foreign \033[2J\nb\n", "/srv/etcd is in use: ?[2J is there, which is no snapshot",
                  CHECK_FAILED },
        };
        CheckList checks = {};
        FIXTURE;

        context.exec = tell;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const Check *check;

                c.snapshots =
                        (SnapshotPolicy) { .every_hours = 6, .keep = 3, .directory = (char*) "/srv/etcd" };
                told = rows[i].told;
                assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
                check = checks.checks;
                assert_string_equal(check->id, "snapshots-directory/c1");
                assert_string_equal(check->subject, "snapshots-directory");
                assert_int_equal(check->state, rows[i].state);
                assert_string_equal(check->text, rows[i].text);
                if (check->state == CHECK_FAILED)
                        assert_contains(check->advice, "snapshots.directory in hardway.yaml");
                check_list_done(&checks);
        }
        /* where none are taken there is no place for them */
        c.snapshots.every_hours = 0;
        assert_int_equal(component_etcd.preflight(&context, nodes + 1, &checks, NULL), 0);
        assert_int_equal(checks.n_checks, 1);
        assert_string_equal(checks.checks[0].id, "etcd-data/c1");
        check_list_done(&checks);
}

static void assert_gate(const ProbeContext *c, const Node *node, const char *text) {
        _cleanup_(probe_result_done) ProbeResult result = {};

        assert_int_equal(component_etcd.gate(c, node, &result, NULL), 0);
        assert_int_equal(result.state, text ? PROBE_WAITING : PROBE_READY);
        if (text)
                assert_string_equal(result.text, text);
}

/* What a quorum is made of is etcd's list: who is gone for good, and out of the cluster file, still counts. */
static void test_gate_by_list(void **state) {
        FIXTURE;

        context.before = true;
        assert_gate(&context, nodes, NULL); /* of two each is needed, whatever is done */
        n_gone = 1;
        assert_gate(&context, nodes,
                    "without the member of c0 1 of 3 voters would be healthy, and quorum needs 2; lost: "
                    "gone-0 (not in the cluster file)");
        assert_gate(&context, nodes + 2, NULL); /* a load balancer, which takes no vote away */
        context.before = false;
        assert_gate(&context, nodes, NULL); /* it is back, and the two are the quorum */

        /* one that never came is not waited for, but is no reason to stop one of the two that are there */
        all_well();
        members[1] = (Member) { .away = true };
        n_gone = 1;
        assert_gate(&context, nodes, NULL);
        context.before = true;
        assert_gate(&context, nodes,
                    "without the member of c0 0 of 3 voters would be healthy, and quorum needs 2; lost: c1, "
                    "gone-0 (not in the cluster file)");
}

static void test_hand_over(void **state) {
        _cleanup_error_ Error *error = NULL;
        bool leads = false;
        FIXTURE;

        assert_int_equal(component_etcd.leads(&context, nodes, &leads, NULL), 0);
        assert_true(leads);
        assert_success(component_etcd.hand_over(&context, nodes + 1, &error), error, 0); /* does not lead */
        assert_int_equal(n_transfers, 0);
        assert_success(component_etcd.hand_over(&context, nodes, &error), error, 0);
        assert_int_equal(n_transfers, 1);
        assert_int_equal(component_etcd.leads(&context, nodes, &leads, NULL), 0);
        assert_false(leads);

        all_well();
        members[1].up = false;
        assert_failure(component_etcd.hand_over(&context, nodes, &error), error, ERROR_UNAVAILABLE,
                       EHOSTUNREACH);
        assert_int_equal(n_transfers, 0);
}

/* Two members: one of them is the quorum of nothing. */
static void test_spare(void **state) {
        const Node *one, *none;
        FIXTURE;

        one = nodes + 1;
        none = nodes + 2; /* a load balancer */
        assert_int_equal(component_etcd.spare(&context, &none, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_null(result.text);
        assert_int_equal(component_etcd.spare(&context, &one, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);
        assert_string_equal(result.text, "etcd would have 1 healthy members of 2, and quorum needs 2");
        members[0].up = members[1].up = false;
        assert_int_equal(component_etcd.spare(&context, &one, 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);
        assert_contains(result.text, "cannot be asked");
}

static const Check* find_check(const CheckList *l, const char *id) {
        for (size_t i = 0; i < l->n_checks; i++)
                if (streq(l->checks[i].id, id))
                        return l->checks + i;
        return NULL;
}

/* The first member is back with the data of before a restore, and reaches a quorum; the second is the cluster. */
static void test_older(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path),
                            *path = xasprintf("%s/" ETCD_TOKEN, d->path),
                            *text = etcd_token_text("00112233445566778899aabbccddeeff", 8);
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_(check_list_done) CheckList checks = {};
        const Node *lb, *one;
        bool yes = true;
        FIXTURE;

        lb = nodes + 2;
        one = nodes + 1;
        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, NULL) >= 0);
        assert_true(store_open(d->path, &store, NULL) >= 0);
        context.store = store;
        members[1].cluster = 8;
        members[1].leader = 101;

        assert_int_equal(component_etcd.ready(&context, nodes, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_FAILED);
        assert_contains(result.text, "hardway etcd replace c0");
        assert_int_equal(component_etcd.ready(&context, nodes + 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_int_equal(component_etcd.leads(&context, nodes, &yes, NULL), 0);
        assert_false(yes);
        /* the leadership is handed over to nobody of another cluster */
        assert_int_equal(component_etcd.hand_over(&context, nodes + 1, NULL), -EHOSTUNREACH);
        assert_int_equal(component_etcd.gate(&context, nodes + 1, &result, NULL), 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_contains(result.text,
                        "the member of c0 is not healthy: its data is of another cluster, or of before");
        assert_int_equal(component_etcd.spare(&context, &one, 1, &result, NULL), 0);
        assert_string_equal(result.text, "etcd would have 0 healthy members of 2, and quorum needs 2");
        assert_int_equal(component_etcd.verify(&context, &checks), 0);
        assert_int_equal(find_check(&checks, "etcd.member/c0")->state, CHECK_FAILED);
        assert_string_equal(find_check(&checks, "etcd.member/c0")->advice, "hardway etcd replace c0");

        members[1].up = false;
        assert_int_equal(component_etcd.serving(&context, &yes, NULL), 0);
        assert_false(yes);
        assert_int_equal(component_etcd.spare(&context, &lb, 1, &result, NULL), 0);
        assert_contains(result.text, "cannot be asked");
        assert_int_equal(component_etcd.gate(&context, nodes, &result, NULL), 0);
        assert_string_equal(result.text, "no member answers");
}

static CheckState state_of(const ProbeContext *context, const char *id) {
        _cleanup_(check_list_done) CheckList checks = {};
        const Check *check;

        assert_int_equal(component_etcd.verify(context, &checks), 0);
        check = find_check(&checks, id);
        assert_non_null(check);
        assert_true(check->state == CHECK_OK || check->advice);
        return check->state;
}

static void test_verify(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        FIXTURE;

        assert_int_equal(component_etcd.verify(&context, &checks), 0);
        for (size_t i = 0; i < checks.n_checks; i++) {
                assert_int_equal(checks.checks[i].state, CHECK_OK);
                for (size_t j = 0; j < i; j++)
                        assert_string_not_equal(checks.checks[i].id, checks.checks[j].id);
        }
        assert_int_equal(json_uint64(find_check(&checks, "etcd.member/c0")->data, "revision"), 50);
}

static void test_verify_finds(void **state) {
        FIXTURE;

        members[1].up = false;
        assert_int_equal(state_of(&context, "etcd.member/c1"), CHECK_FAILED);
        assert_int_equal(state_of(&context, "etcd.quorum"), CHECK_FAILED);
        assert_int_equal(state_of(&context, "etcd.member/c0"), CHECK_OK);
        assert_int_equal(count_led(), 1);

        all_well();
        members[1].cluster = 8;
        assert_int_equal(state_of(&context, "etcd.cluster"), CHECK_FAILED);

        all_well();
        members[1].leader = 101;
        assert_int_equal(state_of(&context, "etcd.leader"), CHECK_FAILED);

        all_well();
        members[0].alarm = "memberID:100 alarm:NOSPACE ";
        assert_int_equal(state_of(&context, "etcd.alarms/c0"), CHECK_FAILED);

        all_well();
        members[1].revision = 49;
        assert_int_equal(state_of(&context, "etcd.revision"), CHECK_FAILED);
        members[1].catches_up = true;
        members[1].revision = 40;
        assert_int_equal(state_of(&context, "etcd.revision"), CHECK_OK);

        all_well();
        c.etcd.patch = 17;
        assert_int_equal(state_of(&context, "etcd.member/c0"), CHECK_WARNING);

        all_well();
        c.nodes[1].name = (char*) "other";
        assert_int_equal(state_of(&context, "etcd.members"), CHECK_FAILED);
}

/* It comes first, and is asked nothing that a learner refuses. */
static void test_verify_learner(void **state) {
        _cleanup_(check_list_done) CheckList checks = {};
        FIXTURE;

        members[0].learner = true;
        members[0].leader = members[1].leader = 101;
        assert_int_equal(component_etcd.verify(&context, &checks), 0);
        assert_contains(find_check(&checks, "etcd.member/c0")->text, "healthy, learner, ");
        assert_int_equal(find_check(&checks, "etcd.members")->state, CHECK_FAILED);
        assert_int_equal(find_check(&checks, "etcd.revision")->state, CHECK_OK);
        members[0].revision = 49;
        assert_int_equal(state_of(&context, "etcd.revision"), CHECK_FAILED);
}

#define HEAD "# TYPE etcd_disk_wal_fsync_duration_seconds histogram\n"
#define LE(bound, count) "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"" bound "\"} " count "\n"

static void test_fsync(void **state) {
        static const struct {
                const char *text;
                int result;
                double msec;
        } cases[] = {
                { HEAD LE("0.001", "0") LE("0.002", "980") LE("0.004", "1000") LE("+Inf", "1000"), 0, 3 },
                { LE("0.001", "1.234567e+06") LE("+Inf", "1.234567e+06"), 0, 0.99 },
                { LE("0.001", "0") LE("8.192", "0") LE("+Inf", "200"), 0, 8192 },
                { LE("0.001", "99") LE("+Inf", "99"), -ENODATA, 0 }, /* too few */
                { LE("0.001", "-5") LE("x", "200") "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"",
                  -ENODATA, 0 },
                { "", -ENODATA, 0 },
        };
        FIXTURE;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                double msec = 0;

                assert_int_equal(etcd_fsync_percentile(cases[i].text, &msec), cases[i].result);
                assert_true(msec > cases[i].msec - 0.001 && msec < cases[i].msec + 0.001);
        }
        c.timings.etcd_heartbeat_msec = 100;
        members[1].metrics = cases[0].text;
        assert_int_equal(state_of(&context, "etcd.fsync/c1"), CHECK_OK);
        members[1].metrics = cases[2].text;
        assert_int_equal(state_of(&context, "etcd.fsync/c1"), CHECK_WARNING);
}

static EtcdSurvey survey_of(const ProbeContext *context) {
        _cleanup_error_ Error *error = NULL;
        EtcdSurvey survey = {};

        assert_success(etcd_survey(context, &survey, &error), error, 0);
        return survey;
}

static void test_survey(void **state) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        FIXTURE;

        survey = survey_of(&context);
        assert_int_equal(survey.n_sights, 2);
        assert_true(survey.agreed);
        assert_int_equal(survey.n_voters, 2);
        assert_int_equal(survey.n_healthy, 2);
        assert_ptr_equal(etcd_survey_leader(&survey), survey.sights);
        assert_ptr_equal(etcd_survey_find(&survey, nodes + 1), survey.sights + 1);
        assert_false(etcd_survey_lost(&survey, NULL, NULL));

        /* asked without a cluster file that knows it: by the list */
        etcd_survey_done(&survey);
        c.nodes[1].roles = ROLE_LOADBALANCER;
        survey = survey_of(&context);
        assert_int_equal(survey.n_sights, 2);
        assert_null(survey.sights[1].node);
        assert_int_equal(survey.sights[1].state, ETCD_HEALTHY);
        assert_string_equal(etcd_sight_name(survey.sights + 1), "c1");
        assert_int_equal(survey.n_voters, 2);
}

static void test_survey_lost(void **state) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        _cleanup_free_ char *text = NULL, *advice = NULL, *other = NULL;
        FIXTURE;

        members[1].up = false;
        members[0].leader = 0;
        survey = survey_of(&context);
        assert_int_equal(survey.sights[0].state, ETCD_UNHEALTHY);
        assert_string_equal(survey.sights[0].why, "RAFT NO LEADER");
        assert_int_equal(survey.sights[1].state, ETCD_AWAY);
        assert_false(survey.agreed);
        assert_int_equal(survey.list.n_members, 2);
        assert_true(etcd_survey_lost(&survey, &text, &advice));
        assert_contains(text, "members up: 1 of 2, needed: 2");
        assert_contains(advice,
                        "c1 has to come back: switch it on, then hardway install --node NAME, which");
        assert_contains(advice, "--survivor c0");

        /* nobody leads, although both run */
        etcd_survey_done(&survey);
        members[1] = (Member) { .up = true, .cluster = 7 };
        survey = survey_of(&context);
        assert_true(etcd_survey_lost(&survey, &other, NULL));
        assert_contains(other, "no leader, although 2 of 2 members run");

        /* one with data of before a restore is up, and counts for nothing */
        etcd_survey_done(&survey);
        all_well();
        members[1].cluster = 8;
        survey = survey_of(&context);
        assert_int_equal(survey.sights[1].state, ETCD_STRANGER);
        assert_ptr_equal(etcd_survey_leader(&survey), survey.sights);

        /* one that is in the list and never came */
        etcd_survey_done(&survey);
        all_well();
        members[1] = (Member) { .away = true };
        survey = survey_of(&context);
        assert_int_equal(survey.sights[1].state, ETCD_NOT_STARTED);
}

/* A member that is not in the cluster file: one that works goes if that is wanted, one that does not by itself. */
static void test_leavers(void **state) {
        _cleanup_strv_ Strv working = NULL, lost = NULL, stay = NULL, go = NULL;
        _cleanup_error_ Error *error = NULL;
        FIXTURE;

        nodes[1].roles = ROLE_CONTROLLER;
        assert_success(etcd_leavers(&context, &working, &lost, &error), error, 1);
        assert_string_equal(working[0], "c1");
        assert_null(lost);
        assert_success(etcd_prune(&context, /* working= */ false, &stay, &error), error, 0);
        assert_false(removed);
        assert_success(etcd_prune(&context, /* working= */ true, &go, &error), error, 1);
        assert_true(removed);
        assert_contains(go[0], "c1 is not in the cluster file, and no member any more");

        removed = false;
        members[1].away = true;
        working = strv_free(working);
        assert_success(etcd_leavers(&context, &working, &lost, &error), error, 1);
        assert_null(working);
        go = strv_free(go);
        assert_success(etcd_prune(&context, /* working= */ false, &go, &error), error, 1);
        assert_true(removed);
        removed = false;
}

#define IN_TOUCH(n) "etcd_network_active_peers{Local=\"64\",Remote=\"65\"} " n "\n"

/* One that this machine cannot reach, while the others can. */
static void test_leaver_out_of_reach(void **state) {
        _cleanup_strv_ Strv working = NULL, lost = NULL, notes = NULL;
        _cleanup_error_ Error *error = NULL;
        FIXTURE;

        nodes[1].roles = ROLE_CONTROLLER;
        members[1].up = false;
        members[0].metrics = "etcd_network_active_peers{Local=\"64\",Remote=\"66\"} 0\n" IN_TOUCH("1");
        assert_success(etcd_leavers(&context, &working, &lost, &error), error, 1);
        assert_string_equal(working[0],
                            "c1 (in touch with the other members, though not with this machine)");
        assert_null(lost);
        assert_success(etcd_prune(&context, /* working= */ false, &notes, &error), error, 0);
        assert_false(removed);

        /* it was switched off just now: the others notice after some seconds */
        metrics_later = IN_TOUCH("0");
        working = strv_free(working);
        assert_success(etcd_leavers(&context, &working, &lost, &error), error, 1);
        assert_null(working);
        assert_string_equal(lost[0], "c1");
        assert_success(etcd_prune(&context, /* working= */ false, &notes, &error), error, 1);
        assert_true(removed);
        removed = false;
        metrics_later = NULL;
}

static void test_schedule(void **state) {
        static const char last[] =
                "{\"file\":\"2026-11-25T120000Z.db\",\"time\":1700,\"size\":2000000,\"status\":{\"hash\":1,"
                "\"revision\":77,\"totalKey\":3,\"totalSize\":9}}";
        _cleanup_free_ char *whole = xasprintf("5300\n100\nsuccess\nthere\n%s\n", last);
        EtcdScheduled s;

        assert_int_equal(etcd_schedule_parse(whole, &s), 0);
        assert_int_equal(s.now, 5300);
        assert_int_equal(s.taken, 1700);
        assert_int_equal(s.revision, 77);
        assert_int_equal(s.size, 2000000);
        assert_string_equal(s.file, "2026-11-25T120000Z.db");
        assert_false(s.failed || s.missing);
        assert_int_equal(etcd_schedule_parse("5300\n100\nexit-code\nthere\n\n", &s), 0);
        assert_true(s.failed);
        assert_int_equal(s.taken, 0);
        assert_string_equal(s.file, "");
        assert_int_equal(etcd_schedule_parse("", &s), -EBADMSG);
        assert_int_equal(etcd_schedule_parse("a\n1\nsuccess\nthere\n", &s), -EBADMSG);
        assert_int_equal(etcd_schedule_parse("5300\n100\nsuccess\nthere\n{\"file\":", &s), -EBADMSG);
}

/* It becomes part of paths on two machines. */
static void test_schedule_names(void **state) {
        static const char *const bad[] = { "../2026.db",   "a.db",
                                           ".db",          "2026",
                                           "2026.db.part", "2026-11-25T120000Z-2026-11-25T120000Z.db" };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_free_ char *text =
                        xasprintf("5300\n100\nsuccess\nthere\n{\"file\":\"%s\",\"time\":1}\n", bad[i]);
                EtcdScheduled s;

                assert_int_equal(etcd_schedule_parse(text, &s), 0);
                assert_string_equal(s.file, "");
        }
}

/* What is asked of the node, run by this machine's shell, about a directory in which the last one is or is not. */
static int run_here(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        char *const argv[] = { (char*) "/bin/sh", (char*) "-euc", (char*) script, NULL };
        _cleanup_(process_result_done) ProcessResult result = PROCESS_RESULT_NULL;
        int r;

        r = process_run(argv, NULL, 10 * USEC_PER_SEC, &result, reterr);
        if (r >= 0)
                buffer_add_str(ret, buffer_str(&result.out));
        return r;
}

static void test_schedule_question(void **state) {
        static const char last[] = "{\"file\":\"2026-11-25T120000Z.db\",\"time\":1700,\"status\":{}}\n";
        const UnitDir *d = *state;
        _cleanup_free_ char *told_at = xasprintf("%s/last", d->path),
                            *file = xasprintf("%s/2026-11-25T120000Z.db", d->path);
        _cleanup_error_ Error *error = NULL;
        EtcdScheduled s;
        FIXTURE;

        c.snapshots = (SnapshotPolicy) { .every_hours = 6, .keep = 3, .directory = (char*) d->path };
        context.exec = run_here;
        assert_success(etcd_scheduled(&context, nodes, &s, &error), error, 0);
        assert_false(s.missing || s.taken);
        assert_true(fs_write(AT_FDCWD, told_at, last, strlen(last), 0600, 0, NULL) >= 0);
        assert_success(etcd_scheduled(&context, nodes, &s, &error), error, 0);
        assert_true(s.missing);
        assert_int_equal(s.taken, 1700);
        assert_string_equal(s.file, "2026-11-25T120000Z.db");
        assert_true(fs_write(AT_FDCWD, file, "x", 1, 0600, 0, NULL) >= 0);
        assert_success(etcd_scheduled(&context, nodes, &s, &error), error, 0);
        assert_false(s.missing);
}

static int tell_together(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (!fixture_meet(&n_asked, 2))
                return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "one after the other");
        return tell(userdata, node, script, ret, reterr);
}

static void test_verify_schedule_at_once(void **state) {
        FIXTURE;

        c.snapshots = (SnapshotPolicy) { .every_hours = 6, .keep = 3, .directory = (char*) "/srv/etcd" };
        context.exec = tell_together;
        told = "5300\n100\nsuccess\nthere\n\n";
        n_asked = 0;
        assert_int_equal(state_of(&context, "etcd.snapshots/c0"), CHECK_OK);
}

static void test_verify_schedule(void **state) {
        static const struct {
                const char *told, *text;
                CheckState state;
        } rows[] = {
                { "5300\n100\nsuccess\nthere\n\n", "the first one is yet to come", CHECK_OK },
                { "50300\n100\nsuccess\nthere\n\n", "late: there is none yet", CHECK_WARNING },
                { "5300\n100\nexit-code\nthere\n\n", "the last one failed; there is none", CHECK_FAILED },
                { "5300\n100\nunknown\nthere\n\n", "the first one is yet to come", CHECK_OK },
                { "50300\n100\nexit-code\nthere\n{\"time\":43100}\n",
                  "the last one failed; that before is old: 2 h", CHECK_FAILED },
                { "50300\n100\nsuccess\nthere\n{\"time\":43100,\"size\":2500000,\"status\":{\"revision\":7}}\n",
                  "2 h old, revision 7, 2.5 MB", CHECK_OK },
                { "50300\n100\nsuccess\nthere\n{\"time\":1000}\n", "late: the last one is old: 13 h 41 min",
                  CHECK_WARNING },
                { "50300\n100\nsuccess\nmissing\n{\"file\":\"2026-01-01T000000Z.db\",\"time\":43100}\n",
                  "the last one is gone: /srv/etcd/2026-01-01T000000Z.db", CHECK_FAILED },
                /* what failed last counts before what is gone, and a clock that was ahead makes none older than it is */
                { "50300\n100\nexit-code\nmissing\n{\"file\":\"x\",\"time\":43100}\n",
                  "the last one failed; that before", CHECK_FAILED },
                { "50300\n100\nsuccess\nthere\n{\"time\":90000}\n", "0.0 s old, revision 0", CHECK_OK },
        };
        CheckList checks = {};
        FIXTURE;

        c.snapshots = (SnapshotPolicy) { .every_hours = 6, .keep = 3, .directory = (char*) "/srv/etcd" };
        context.exec = tell;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const Check *check;

                told = rows[i].told;
                etcd_verify_schedule(&context, &checks);
                assert_int_equal(checks.n_checks, 2);
                check = checks.checks + 1;
                assert_string_equal(check->id, "etcd.snapshots/c1");
                assert_int_equal(check->state, rows[i].state);
                assert_non_null(startswith(check->text, rows[i].text));
                assert_int_equal(check->advice != NULL, check->state != CHECK_OK);
                if (check->advice)
                        assert_contains(check->advice, "on c1: journalctl -u etcd-snapshot");
                check_list_done(&checks);
        }
        /* none are taken */
        c.snapshots.every_hours = 0;
        etcd_verify_schedule(&context, &checks);
        assert_int_equal(checks.n_checks, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ready),
                cmocka_unit_test(test_serving),
                cmocka_unit_test(test_serving_unseen),
                cmocka_unit_test(test_serving_elsewhere),
                cmocka_unit_test(test_election_is_serving),
                cmocka_unit_test(test_serving_on_a_controller),
                cmocka_unit_test(test_taken_out),
                cmocka_unit_test(test_taken_out_a_moment_ago),
                cmocka_unit_test(test_renumbered),
                cmocka_unit_test(test_renumbered_alone),
                cmocka_unit_test(test_place),
                cmocka_unit_test(test_gate),
                cmocka_unit_test(test_gate_by_list),
                cmocka_unit_test(test_hand_over),
                cmocka_unit_test(test_verify),
                cmocka_unit_test(test_verify_finds),
                cmocka_unit_test(test_verify_learner),
                cmocka_unit_test(test_fsync),
                cmocka_unit_test(test_spare),
                cmocka_unit_test(test_survey),
                cmocka_unit_test(test_survey_lost),
                cmocka_unit_test(test_leavers),
                cmocka_unit_test(test_schedule),
                cmocka_unit_test(test_schedule_names),
                unit_test_in_dir(test_schedule_question),
                unit_test_in_dir(test_older),
                cmocka_unit_test(test_verify_schedule),
                cmocka_unit_test(test_serving_at_once),
                cmocka_unit_test(test_verify_schedule_at_once),
                cmocka_unit_test(test_leaver_out_of_reach),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
