/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "tests/unit/drill-fixture.h"

/* Drills: what is hit and when, what is refused, and that whatever was broken is put back */

static void test_order(void **state) {
        _cleanup_error_ Error *error = NULL;
        const DrillResult *r;

        unhealthy_after = 3;
        assert_success(run_with("haproxy-hung", NULL, &error), error, 0);
        assert_string_equal(done, "lb0:arm lb0:freeze lb0:thaw");
        assert_int_equal(report.n_results, 1);
        r = report.results;
        assert_string_equal(r->node->name, "lb0");
        assert_string_equal(r->heir, "lb1");
        assert_int_equal(r->reads.failed, 1);
        assert_null(r->text);
        assert_int_equal(access(pending, F_OK), -1);
        /* five seconds at least, and four verifications */
        assert_true(r->healthy_usec >= 9 * USEC_PER_SEC);

        assert_int_equal(locked, 2 * f.cluster.n_nodes); /* and looked at again before the hit */

        setup(NULL);
        assert_success(run_with("keepalived", NULL, &error), error, 0);
        assert_string_equal(done, "lb0:kill lb0:start");

        /* whoever leads when it is hit, not when it was waited */
        setup(NULL);
        moves_meanwhile = "lb1";
        heir = "lb0";
        assert_success(run_with("keepalived", NULL, &error), error, 0);
        assert_string_equal(done, "lb1:kill lb1:start");
}

static void test_refused(void **state) {
        unhealthy = 1;
        expect_error("haproxy", NULL, EBUSY, "etcd: there is no leader", "");
        assert_int_equal(asked, 0);
        setup(NULL);
        locked_by_others = 2;
        expect_error("haproxy", NULL, EBUSY, "is held by eve", "");
        assert_int_equal(asked, 0);
        setup(NULL);
        never_well = true;
        expect_error("haproxy", NULL, ETIMEDOUT, "fail before anything is broken", "");
        setup(NULL);
        expect_error("owner-power", NULL, EINVAL, "needs --power", "");
        expect_error("etcd-leader", NULL, EINVAL, "etcd runs on 2 nodes: nobody could take over", "");
        owner = NULL;
        expect_error("haproxy", NULL, ENOENT, "nobody leads among those of keepalived", "");
        f.cluster.n_nodes = 3;
        expect_error("haproxy", NULL, EINVAL, "haproxy runs on 1 node: nobody could take over", "");
        f.cluster.n_nodes = 2;
        f.cluster.endpoint.kind = ENDPOINT_FOREIGN;
        expect_error("haproxy", NULL, EINVAL, "the load balancer is not hardway's", "");
}

/* Nothing is broken while somebody else is at work, or has been and left something down. */
static void test_locks_lost(void **state) {
        locked_by_others = (unsigned) f.cluster.n_nodes + 1;
        expect_error("haproxy", NULL, EBUSY, "is held by eve", "");
        setup(NULL);
        loses = true;
        expect_error("haproxy", NULL, EBUSY, "etcd: there is no leader", "");
}

/* Whatever goes wrong from the hit on: it is put back. */
static void test_put_back(void **state) {
        exec_fails = true;
        expect_error("haproxy-hung", NULL, EREMOTEIO, "drill haproxy-hung: lb0: no",
                     "lb0:arm lb0:freeze lb0:thaw");

        setup(NULL);
        cancel_at_hit = true;
        expect_error("haproxy-hung", NULL, ECANCELED, "what was broken is put back",
                     "lb0:arm lb0:freeze lb0:thaw");
        /* what it has shown until then is told, and is no success */
        assert_string_equal(ended, "haproxy-hung");
        assert_int_equal(report.n_results, 1);
        assert_contains(report.results[0].text, "interrupted");
        assert_int_equal(report.results[0].reads.failed, 1);

        setup(NULL);
        cancel_at_wait = never_well = true;
        expect_error("haproxy-hung", NULL, ECANCELED, "nothing was broken", "");
        assert_int_equal(report.n_results, 0);
        assert_null(ended);

        setup(NULL);
        heir = NULL;
        assert_int_equal(run_with("haproxy-hung", NULL, NULL), 0);
        assert_string_equal(done, "lb0:arm lb0:freeze lb0:thaw");
        assert_string_equal(report.results[0].text, "nobody took over");

        setup(NULL);
        unhealthy_after = 10000;
        expect_error("haproxy-hung", NULL, ETIMEDOUT, "not healthy again: etcd: there is no leader",
                     "lb0:arm lb0:freeze lb0:thaw");
}

/* The command of --power is told what to do and to whom; it is told to put back also if it has failed. */
static void test_power(void **state) {
        _cleanup_free_ char *script = NULL, *log = NULL, *power = NULL;
        _cleanup_buffer_ Buffer said = BUFFER_NULL;

        log = xasprintf("%s/log", directory);
        script = xasprintf("%s/power", directory);
        power = xasprintf("sh %s --name x", script);
        {
                _cleanup_free_ char *text = xasprintf("echo \"$*\" >>%s\n[ \"$3\" != down ]\n", log);

                assert_int_equal(fs_write(AT_FDCWD, script, text, strlen(text), 0644, FS_NO_SYNC, NULL), 1);
        }
        heir = "lb1";
        assert_int_equal(run_with("owner-link", power, NULL), -EREMOTEIO);
        heir = owner = "lb0";
        assert_int_equal(run_with("owner-power", power, NULL), 0);
        assert_int_equal(fs_read(AT_FDCWD, log, 4096, &said, NULL), 0);
        assert_string_equal(buffer_str(&said), "--name x down lb0\n--name x up lb0\n"
                                               "--name x cut lb0\n--name x on lb0\n");
        assert_null(done);
        assert_int_equal(unlink(log), 0);
}

static void expect_hit(const char *name, const char *node) {
        _cleanup_error_ Error *error = NULL;

        assert_success(run_with(name, "true", &error), error, 0);
        assert_string_equal(report.results[0].node->name, node);
}

/* What is not meant to be the end of etcd's leader is not; nor is a host's that of the VIP, if another is there. */
static void test_others(void **state) {
        etcd_leader = "c1";
        expect_hit("follower-power", "c0");
        assert_null(report.results[0].text); /* nobody has to take over */
        expect_hit("apiserver", "c0");
        etcd_leader = "c0";
        expect_hit("follower-link", "c1");

        for (size_t i = 0; i < 2; i++)
                f.nodes[i].roles |= ROLE_LOADBALANCER;
        f.nodes[2].roles |= ROLE_CONTROLLER;
        owner = "lb0";
        expect_hit("follower-link", "c1");
        assert_int_equal(report.results[0].aim.read_gap, 150);
        expect_hit("apiserver", "lb0");
        f.nodes[2].roles = ROLE_LOADBALANCER;
        owner = heir = "c1";
        expect_hit("follower-link", "c1");
        /* it has to be that of the VIP: no read can be answered before another one holds it */
        assert_int_equal(report.results[0].aim.read_gap, 400);
        assert_int_equal(report.results[0].aim.read_failing, 1100);
}

/* What the command of --power takes until the host is away is not counted, where that can be seen. */
static void test_heard(void **state) {
        uint64_t begun;

        expect_hit("follower-link", "c1"); /* nothing takes time here but verifications */
        begun = counted_since;

        setup(NULL);
        last_heard = begun + 3 * USEC_PER_SEC;
        expect_hit("follower-link", "c1");
        assert_int_equal(counted_since, last_heard);

        /* one that fell silent before has done so for another reason */
        setup(NULL);
        last_heard = begun - 1;
        expect_hit("follower-link", "c1");
        assert_int_equal(counted_since, begun);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                drill_test(test_order),    drill_test(test_locks_lost), drill_test(test_refused),
                drill_test(test_put_back), drill_test(test_power),      drill_test(test_others),
                drill_test(test_heard),
        };
        int r;

        if (drill_directory() < 0)
                return 1;
        r = cmocka_run_group_tests_name("drills", tests, NULL, NULL);
        drill_directory_done();
        return r;
}
