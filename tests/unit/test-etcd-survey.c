/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Whom a survey believes after a restore: members that came back with the data of before are healthy among
 * themselves, and come first in the cluster file.
 *
 * Wraps: http_request
 */

#include "tests/unit/unit.h"

#include "etcd/data.h"
#include "etcd/internal.h"
#include "etcd/survey.h"
#include "tests/unit/no-http.h"
#include "tests/unit/no-sync.h"
#include "tests/unit/plan-fixture.h"

static bool away;    /* c1 is */
static bool expired; /* what both show */

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "etcd/ca");
        assert_contains(credential, "/pki/etcd/healthcheck-client");
}

/* c0 is member 10 of cluster 1, c1 member 11 of cluster 2; each is well and alone. */
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);
int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        int n = strstr(request->url, "10.77.0.20") ? 0 : 1;

        if (expired)
                return error_set(reterr, ERROR_VERIFY, EKEYEXPIRED, "the server's certificate has expired");
        if (n == 1 && away)
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "connection refused");
        *ret = (HttpResponse) { .status = 200 };
        if (strstr(request->url, "/health"))
                buffer_add_str(&ret->body, "{\"health\":\"true\"}");
        else if (strstr(request->url, "/status"))
                buffer_addf(&ret->body,
                            "{\"header\":{\"cluster_id\":\"%d\",\"member_id\":\"1%d\",\"revision\":\"5\"},"
                            "\"version\":\"3.6.16\",\"leader\":\"1%d\"}",
                            n + 1, n, n);
        else
                buffer_addf(
                        &ret->body,
                        "{\"header\":{\"cluster_id\":\"%d\"},\"members\":[{\"ID\":\"1%d\",\"name\":\"c%d\","
                        "\"peerURLs\":[\"https://10.77.0.2%d:2380\"],\"clientURLs\":"
                        "[\"https://10.77.0.2%d:2379\"]}]}",
                        n + 1, n, n, n, n);
        return 0;
}

static void survey(const UnitDir *d, Cluster *c, const char *token, EtcdSurvey *ret) {
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_free_ char *path = xasprintf("%s/" ETCD_TOKEN, d->path);
        _cleanup_error_ Error *error = NULL;

        if (token)
                assert_true(fs_write(AT_FDCWD, path, token, strlen(token), 0600, 0, NULL) >= 0);
        assert_success(store_open(d->path, &store, &error), error, 0);
        assert_success(etcd_survey(&(ProbeContext) { .cluster = c, .store = store }, ret, &error), error, 0);
}

static void test_restored(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path), *text = NULL;
        _cleanup_(etcd_survey_done) EtcdSurvey before = {}, after = {};
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        survey(d, &c, NULL, &before);
        assert_int_equal(before.list.cluster_id, 1);
        assert_int_equal(before.sights[1].state, ETCD_STRANGER);

        text = etcd_token_text("00112233445566778899aabbccddeeff", 2);
        survey(d, &c, text, &after);
        assert_int_equal(after.list.cluster_id, 2);
        assert_int_equal(after.sights[0].state, ETCD_STRANGER);
        assert_int_equal(after.sights[1].state, ETCD_HEALTHY);
        assert_int_equal(after.n_healthy, 1);
}

static int tell(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        buffer_add_str(ret, "of abcd\netcd_server_has_leader 1\n");
        return 0;
}

static bool serves_unseen(const UnitDir *d, Cluster *c, uint64_t restored_id) {
        _cleanup_free_ char *identity = xasprintf("%s/secrets/identity", d->path),
                            *token = xasprintf("%s/" ETCD_TOKEN, d->path),
                            *text = etcd_token_text("00112233445566778899aabbccddeeff", restored_id);
        _cleanup_(store_freep) Store *store = NULL;
        _cleanup_error_ Error *error = NULL;
        bool serving = false;

        assert_true(fs_write(AT_FDCWD, identity, "abcd\n", 5, 0600, 0, NULL) >= 0);
        assert_true(fs_write(AT_FDCWD, token, text, strlen(text), 0600, 0, NULL) >= 0);
        assert_success(store_open(d->path, &store, &error), error, 0);
        if (expired)
                assert_failure(
                        etcd_serving_unseen(&(ProbeContext) { .cluster = c, .store = store, .exec = tell },
                                            &serving, &error),
                        error, ERROR_VERIFY, EKEYEXPIRED);
        else
                assert_success(
                        etcd_serving_unseen(&(ProbeContext) { .cluster = c, .store = store, .exec = tell },
                                            &serving, &error),
                        error, 0);
        return serving;
}

/* By the word of their nodes both lead; those that have the data of before a restore do not serve for that. */
static void test_strangers_do_not_serve(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path);
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        assert_true(serves_unseen(d, &c, 2));
        assert_false(serves_unseen(d, &c, 3));
}

/* Nobody of the new cluster is there: the old one is no substitute. */
static void test_only_strangers(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path), *text = NULL, *lost = NULL;
        _cleanup_(etcd_survey_done) EtcdSurvey s = {};
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        text = etcd_token_text("00112233445566778899aabbccddeeff", 3);
        survey(d, &c, text, &s);
        assert_int_equal(s.list.n_members, 0);
        assert_int_equal(s.sights[0].state, ETCD_STRANGER);
        assert_int_equal(s.sights[1].state, ETCD_STRANGER);
        assert_true(etcd_survey_lost(&s, &lost, NULL));
        assert_contains(lost, "no member has the data of the last restore");
}

/* Who came back with the data of before is none of those that have to come back. */
static void test_strangers_are_no_quorum(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path), *text = NULL, *lost = NULL,
                            *advice = NULL;
        _cleanup_(etcd_survey_done) EtcdSurvey s = {};
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        text = etcd_token_text("00112233445566778899aabbccddeeff", 2);
        away = true;
        survey(d, &c, text, &s);
        away = false;
        assert_int_equal(s.sights[0].state, ETCD_STRANGER);
        assert_contains(s.sights[0].why, "hardway etcd replace c0");
        assert_true(etcd_survey_lost(&s, &lost, &advice));
        assert_contains(lost, "quorum is lost (members up: 0 of 1, needed: 1)");
        assert_contains(advice, "if nothing was installed yet. Else: c1 has to come back");
}

/* All run, and nobody can ask them: neither switching them on nor a restore is what helps, and what helps changes them
 * all at once. */
static void test_expired(void **state) {
        const UnitDir *d = *state;
        _cleanup_free_ char *secrets = xasprintf("%s/secrets", d->path), *lost = NULL, *advice = NULL;
        _cleanup_(etcd_survey_done) EtcdSurvey s = {};
        Node nodes[3];
        Cluster c = fixture_cluster(nodes);

        assert_true(fs_mkdir_parents(AT_FDCWD, secrets, 0700, NULL) >= 0);
        expired = true;
        survey(d, &c, NULL, &s);
        assert_false(serves_unseen(d, &c, 0));
        expired = false;
        assert_true(etcd_survey_lost(&s, &lost, &advice));
        assert_string_equal(lost,
                            "certificates of 2 of 2 members have expired, or are not valid yet: nobody can "
                            "ask them");
        assert_string_equal(advice,
                            "is the clock of this machine right, and are the nodes' (hardway check)? Then "
                            "hardway pki renew; the data is not lost");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_restored),       unit_test_in_dir(test_strangers_do_not_serve),
                unit_test_in_dir(test_only_strangers), unit_test_in_dir(test_strangers_are_no_quorum),
                unit_test_in_dir(test_expired),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
