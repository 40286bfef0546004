/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The client that goes on asking, against a server that answers, hangs, refuses and is not there
 */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "common/json.h"
#include "http/prober.h"
#include "tests/fetch/server.h"

static TestServer server;

static Prober* begin(const char *port, const char *path, unsigned rate, uint64_t timeout_usec) {
        _cleanup_free_ char *url = server_url(&server, port, path);
        _cleanup_buffer_ Buffer ca = BUFFER_NULL;
        _cleanup_error_ Error *error = NULL;
        const HttpTrust trust = { .ca = &ca };
        const ProberRequest request = {
                .trust = &trust, .url = url, .rate = rate, .timeout_usec = timeout_usec
        };
        Prober *p = NULL;

        server_pki(&server, "ca.crt", &ca);
        assert_success(prober_start(&request, &p, &error), error, 0);
        return p;
}

/* Until so many have ended, or half a minute is over. */
static void await(Prober *p, unsigned answered, unsigned failed) {
        uint64_t end = clock_usec() + 30 * USEC_PER_SEC;
        bool there = false;

        while (!there && clock_usec() < end) {
                ProberSum s = {};

                prober_sum(p, 0, &s);
                there = s.answered >= answered && s.failed >= failed;
                prober_sum_done(&s);
                clock_sleep(10 * USEC_PER_MSEC);
        }
        assert_true(there);
}

static void test_answered(void **state) {
        _cleanup_(prober_freep) Prober *p = NULL;
        uint64_t since = clock_usec();
        ProberSum s = {};

        server_put(&server, "file", "hello", 5);
        p = begin("good", "/file", 10, 5 * USEC_PER_SEC);
        await(p, 10, 0);
        prober_sum(p, since, &s);
        assert_int_equal(s.failed, 0);
        assert_int_equal(s.failing_usec, 0);
        assert_null(s.error);
        assert_true(s.gap_usec > 0);
        assert_true(prober_well_usec(p) > 0);
        prober_sum_done(&s);

        /* what was before does not count */
        prober_sum(p, clock_usec(), &s);
        assert_int_equal(s.answered, 0);
        prober_sum_done(&s);
}

/* A status that is no success, a port that nobody listens on, one on which nothing is ever said. */
static void test_failed(void **state) {
        static const struct {
                const char *port, *path, *words;
                uint64_t timeout_usec; /* long enough for a busy machine, where an answer is waited for */
        } rows[] = {
                { "good", "/absent", "404", 5 * USEC_PER_SEC },
                { "closing", "/", "https://127.0.0.1:", 5 * USEC_PER_SEC },
                { "silent", "/", "within 0.2 s", 200 * USEC_PER_MSEC },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(prober_freep) Prober *p = NULL;
                uint64_t since = clock_usec();
                ProberSum s = {};

                p = begin(rows[i].port, rows[i].path, 10, rows[i].timeout_usec);
                await(p, 0, 3);
                prober_sum(p, since, &s);
                assert_int_equal(s.answered, 0);
                assert_true(s.failed >= 3 && s.failing_usec > 0);
                /* nothing was ever answered: that lasts still */
                assert_true(s.gap_usec >= s.failing_usec);
                assert_contains(s.error, rows[i].words);
                assert_int_equal(prober_well_usec(p), 0);
                prober_sum_done(&s);
        }
}

/* One that hangs keeps none of the others from being sent at its time. */
static void test_rate_does_not_depend_on_answers(void **state) {
        _cleanup_(prober_freep) Prober *p = begin("silent", "/", 20, USEC_PER_SEC);
        uint64_t since = clock_usec();
        ProberSum s = {};

        await(p, 0, 25);
        prober_sum(p, since, &s);
        /* 25 that one after the other would have taken 25 seconds */
        assert_true(s.failing_usec < 6 * USEC_PER_SEC);
        prober_sum_done(&s);
}

/* A gap lasts from the last good answer to the next one, also where that came before. */
static void test_gap(void **state) {
        _cleanup_(prober_freep) Prober *p = NULL;
        uint64_t since;
        ProberSum s = {};
        _cleanup_free_ char *path = server_path(&server, "root/comes-and-goes");

        server_put(&server, "comes-and-goes", "x", 1);
        p = begin("good", "/comes-and-goes", 20, 5 * USEC_PER_SEC);
        await(p, 3, 0);
        since = clock_usec();
        assert_int_equal(unlink(path), 0);
        await(p, 3, 5);
        server_put(&server, "comes-and-goes", "x", 1);
        while (prober_well_usec(p) < 100 * USEC_PER_MSEC)
                clock_sleep(10 * USEC_PER_MSEC);
        prober_sum(p, since, &s);
        assert_true(s.failed >= 5 && s.answered > 0);
        assert_true(s.gap_usec >= 4 * 20 * USEC_PER_MSEC && s.failing_usec > 0);
        assert_contains(s.error, "404");
        prober_sum_done(&s);
}

static char* body(unsigned turn) {
        return xasprintf("{\"turn\":\"%u\"}", turn);
}

static void test_body(void **state) {
        _cleanup_free_ char *url = server_url(&server, "good", "/echo");
        _cleanup_buffer_ Buffer ca = BUFFER_NULL;
        const HttpTrust trust = { .ca = &ca };
        const ProberRequest request = { .trust = &trust,
                                        .url = url,
                                        .method = "PATCH",
                                        .content_type = "application/merge-patch+json",
                                        .body = body,
                                        .rate = 10,
                                        .timeout_usec = 5 * USEC_PER_SEC };
        _cleanup_(prober_freep) Prober *p = NULL;

        server_pki(&server, "ca.crt", &ca);
        assert_int_equal(prober_start(&request, &p, NULL), 0);
        await(p, 3, 0);
}

static int group_setup(void **state) {
        server_start(&server);
        return 0;
}

static int group_teardown(void **state) {
        server_stop(&server);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answered),
                cmocka_unit_test(test_failed),
                cmocka_unit_test(test_rate_does_not_depend_on_answers),
                cmocka_unit_test(test_gap),
                cmocka_unit_test(test_body),
        };

        return cmocka_run_group_tests_name("http prober", tests, group_setup, group_teardown);
}
