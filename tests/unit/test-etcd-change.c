/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Changes of the membership, alarms, compaction: what etcd 3.6 answers, and what is made of it.
 *
 * Wraps: http_request
 */

#include "tests/unit/unit.h"

#include "etcd/client.h"
#include "http/http.h"

static const char *answer;
static long answer_status;
static Buffer asked;

int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr);

int __wrap_http_request(HttpClient *c, const HttpRequest *request, HttpResponse *ret, Error **reterr) {
        buffer_clear(&asked);
        buffer_addf(&asked, "%s %.*s", request->url, (int) request->body_size,
                    (const char*) (request->body ?: ""));
        *ret = (HttpResponse) { .status = answer_status };
        buffer_add_str(&ret->body, answer);
        return 0;
}

static const EtcdEndpoint endpoint = { .url = "https://10.0.0.1:2379" };

static void says(long status, const char *text) {
        answer_status = status;
        answer = text;
}

#define REFUSED(message) "{\"code\":9,\"message\":\"etcdserver: " message "\",\"details\":[]}"

static void test_add(void **state) {
        _cleanup_(etcd_members_done) EtcdMembers m = {};
        _cleanup_error_ Error *error = NULL;

        says(200,
             "{\"header\":{\"cluster_id\":\"5\"},\"member\":{\"ID\":\"18446744073709551615\",\"peerURLs\":"
             "[\"https://10.0.0.2:2380\"],\"isLearner\":true},\"members\":[{\"ID\":\"1\",\"name\":\"c0\",\"peerURLs\":"
             "[\"https://10.0.0.1:2380\"],\"clientURLs\":[\"https://10.0.0.1:2379\"]},{\"ID\":\"18446744073709551615\","
             "\"peerURLs\":[\"https://10.0.0.2:2380\"],\"isLearner\":true}]}");
        assert_success(etcd_member_add(&endpoint, "https://10.0.0.2:2380", &m, &error), error, 0);
        assert_string_equal(buffer_str(&asked),
                            "https://10.0.0.1:2379/v3/cluster/member/add "
                            "{\"peerURLs\":[\"https://10.0.0.2:2380\"],\"isLearner\":true}");
        assert_int_equal(m.n_members, 2);
        assert_true(m.members[1].learner && m.members[1].id == UINT64_MAX);

        says(400, REFUSED("re-configuration failed due to not enough started members"));
        assert_failure(etcd_member_add(&endpoint, "u", &m, &error), error, ERROR_TEMPORARY, EAGAIN);
        says(503, REFUSED("unhealthy cluster"));
        assert_failure(etcd_member_add(&endpoint, "u", &m, &error), error, ERROR_TEMPORARY, EAGAIN);
        says(400, REFUSED("too many learner members in cluster"));
        assert_true(etcd_member_add(&endpoint, "u", &m, &error) < 0);
        assert_contains(error->message, "too many learner members");
}

static void test_remove(void **state) {
        _cleanup_error_ Error *error = NULL;

        says(200, "{\"header\":{},\"members\":[]}");
        assert_success(etcd_member_remove(&endpoint, UINT64_MAX, &error), error, 0);
        assert_contains(buffer_str(&asked), "{\"ID\":\"18446744073709551615\"}");
        says(404, "{\"code\":5,\"message\":\"etcdserver: member not found\"}");
        assert_success(etcd_member_remove(&endpoint, 7, &error), error, 0);
        says(503, REFUSED("unhealthy cluster"));
        assert_failure(etcd_member_remove(&endpoint, 7, &error), error, ERROR_TEMPORARY, EAGAIN);
}

static void test_promote(void **state) {
        _cleanup_error_ Error *error = NULL;

        says(200, "{\"header\":{}}");
        assert_success(etcd_member_promote(&endpoint, 7, &error), error, 1);
        says(400, REFUSED("can only promote a learner member which is in sync with leader"));
        assert_success(etcd_member_promote(&endpoint, 7, &error), error, 0);
        says(400, REFUSED("can only promote a learner member"));
        assert_success(etcd_member_promote(&endpoint, 7, &error), error, 1);
        says(503, REFUSED("no leader"));
        assert_failure(etcd_member_promote(&endpoint, 7, &error), error, ERROR_TEMPORARY, EAGAIN);
        says(404, REFUSED("member not found"));
        assert_true(etcd_member_promote(&endpoint, 7, &error) < 0);
}

static void test_alarms(void **state) {
        _cleanup_error_ Error *error = NULL;
        EtcdAlarmed *alarms = NULL;
        size_t n = 9;

        says(200, "{\"header\":{}}");
        assert_success(etcd_alarms(&endpoint, &alarms, &n, &error), error, 0);
        assert_int_equal(n, 0);
        free(alarms);
        says(200,
             "{\"header\":{},\"alarms\":[{\"memberID\":\"12\",\"alarm\":\"NOSPACE\"},{\"memberID\":\"13\",\"alarm\":"
             "\"CORRUPT\"}]}");
        assert_success(etcd_alarms(&endpoint, &alarms, &n, &error), error, 0);
        assert_int_equal(n, 2);
        assert_int_equal(alarms[1].alarm, ETCD_ALARM_CORRUPT);
        says(200, "{}");
        assert_success(etcd_disarm(&endpoint, alarms + 1, &error), error, 0);
        assert_contains(buffer_str(&asked),
                        "{\"action\":\"DEACTIVATE\",\"memberID\":\"13\",\"alarm\":\"CORRUPT\"}");
        free(alarms);
}

static void test_compact(void **state) {
        _cleanup_error_ Error *error = NULL;

        says(200, "{\"header\":{}}");
        assert_success(etcd_compact(&endpoint, 42, &error), error, 0);
        assert_contains(buffer_str(&asked), "{\"revision\":\"42\",\"physical\":true}");
        says(400, "{\"code\":11,\"message\":\"etcdserver: mvcc: required revision has been compacted\"}");
        assert_success(etcd_compact(&endpoint, 42, &error), error, 0);
        says(400, "{\"code\":11,\"message\":\"etcdserver: mvcc: required revision is a future revision\"}");
        assert_true(etcd_compact(&endpoint, 42, &error) < 0);
}

static int tear_down(void **state) {
        buffer_done(&asked);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_add),     cmocka_unit_test(test_remove),
                cmocka_unit_test(test_promote), cmocka_unit_test(test_alarms),
                cmocka_unit_test(test_compact),
        };

        return cmocka_run_group_tests(tests, NULL, tear_down);
}
