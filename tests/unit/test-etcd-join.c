/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The drop-in with which a member joins goes when it has served its purpose, whatever was killed meanwhile.
 *
 * Wraps: etcd_peer_open etcd_status etcd_survey
 */

#include "tests/unit/unit.h"

#include "etcd/internal.h"
#include "tests/unit/plan-fixture.h"

static bool answers, learner, data, broken, drop_in;
static unsigned n_forgotten, n_surveys;

int __wrap_etcd_peer_open(const ProbeContext *c, const Node *node, uint64_t timeout_usec, EtcdPeer *ret,
                          Error **reterr);
int __wrap_etcd_status(const EtcdEndpoint *e, EtcdStatus *ret, Error **reterr);
int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr);

int __wrap_etcd_peer_open(const ProbeContext *c, const Node *node, uint64_t timeout_usec, EtcdPeer *ret,
                          Error **reterr) {
        *ret = (EtcdPeer) {};
        return 0;
}

int __wrap_etcd_status(const EtcdEndpoint *e, EtcdStatus *ret, Error **reterr) {
        if (!answers)
                return error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "connection refused");
        *ret = (EtcdStatus) { .learner = learner };
        return 0;
}

int __wrap_etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr) {
        n_surveys++;
        return error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "not asked here");
}

static int run_on(void *userdata, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        if (strstr(script, "whose etcd data is there?")) {
                if (broken)
                        return error_set(reterr, ERROR_IO, EIO, "c0: /var/lib/etcd cannot be read");
                buffer_add_str(ret, data ? "member\nend\n" : "end\n");
        } else if (strstr(script, "is it about to join?"))
                buffer_add_str(ret, drop_in ? "yes\n" : "");
        else if (strstr(script, "the first start is over")) {
                assert_contains(script, "drop_in='/run/systemd/system/etcd.service.d/90-hardway-join.conf'");
                assert_contains(script, "data='/var/lib/etcd'");
                n_forgotten++;
        } else
                fail_msg("%s", script);
        return 0;
}

#define FIXTURE                                                         \
        Node nodes[3];                                                  \
        Cluster c = fixture_cluster(nodes);                             \
        const ProbeContext context = { .cluster = &c, .exec = run_on }; \
        _cleanup_(probe_result_done) _unused_ ProbeResult result = {};  \
        _cleanup_error_ Error *error = NULL;                            \
        answers = true;                                                 \
        learner = data = broken = drop_in = false;                      \
        n_forgotten = n_surveys = 0

/* Killed between the promotion and the clearing up: the next run sees a voter. */
static void test_voter(void **state) {
        FIXTURE;

        assert_success(etcd_settle(&context, nodes, &result, &error), error, 0);
        assert_int_equal(result.state, PROBE_READY);
        assert_int_equal(n_forgotten, 1);
}

static void test_silent(void **state) {
        FIXTURE;

        answers = false;
        assert_success(etcd_settle(&context, nodes, &result, &error), error, 0);
        assert_int_equal(result.state, PROBE_READY);
        drop_in = true;
        assert_success(etcd_settle(&context, nodes, &result, &error), error, 0);
        assert_int_equal(result.state, PROBE_WAITING);
        assert_string_equal(result.text, "connection refused");
        assert_int_equal(n_forgotten, 0);
}

/* Before a start: else the old command line would run, and the new one be taken for what runs. */
static void test_start(void **state) {
        FIXTURE;

        data = true;
        assert_success(etcd_join(&context, nodes, &error), error, 0);
        assert_int_equal(n_forgotten, 1);
        assert_int_equal(n_surveys, 0);
        data = false;
        assert_true(etcd_join(&context, nodes, &error) < 0);
        assert_int_equal(n_forgotten, 1);
}

/* Data that cannot be looked into is not none: no new member may come to be where one is. */
static void test_unreadable(void **state) {
        FIXTURE;

        broken = true;
        assert_failure(etcd_join(&context, nodes, &error), error, ERROR_IO, EIO);
        assert_int_equal(n_surveys, 0);
        assert_int_equal(n_forgotten, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_voter),
                cmocka_unit_test(test_silent),
                cmocka_unit_test(test_start),
                cmocka_unit_test(test_unreadable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
