/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What says what a drill is breaking, when this machine's disk refuses one of the writes, or the run is killed before it:
 * the file is old or new, nothing is broken that it does not tell of, and the next run puts back what was, and leaves
 * nothing behind.
 *
 * Wraps: host_pool_exec http_json
 */

#include "tests/unit/unit.h"

#include <string.h>

#include "host/pool.h"
#include "operate/drill-internal.h"
#include "tests/unit/lb-fixture.h"
#include "tests/unit/no-http.h"
#include "tests/unit/write-faults.h"

static bool api_is_away;
static unsigned n_back; /* so many times a node was told to put something back */

int __wrap_host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr);
int __wrap_host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        assert_string_equal(node->name, "lb0");
        assert_contains(script, "H_UNIT='haproxy.service'\n");
        assert_contains(script, "--signal=CONT \"$H_UNIT\"");
        n_back++;
        return 0;
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
        assert_string_equal(credential, "admin");
}

int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr);
int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr) {
        assert_string_equal(method, "DELETE");
        return api_is_away ? error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "nobody answers") : 0;
}

static const Component haproxy = { .name = "haproxy",
                                   .unit = "haproxy.service",
                                   .roles = ROLE_LOADBALANCER };
static const Component *const components[] = { &haproxy, NULL };

static LbFixture f;
static HostOptions host;
static char *pending;
static DrillRequest request;

static void set_up(const UnitDir *d) {
        lb_fixture_set_up(&f);
        free(pending);
        pending = xasprintf("%s/failover.pending", d->path);
        request = (DrillRequest) {
                .cluster = &f.cluster,
                .components = components,
                .host = &host,
                .pending = pending,
        };
}

/* What a drill writes from its beginning to its end, in drill_run()'s order; what is broken is told of before. */
static int drill(Error **reterr) {
        const DrillHit h = { .request = &request, .drill = drill_find("haproxy-hung"), .node = &f.nodes[2] };
        _cleanup_free_ char *text = NULL;
        int r;

        r = drill_pending_rest(&request, reterr);
        if (r >= 0)
                r = drill_pending_write(&h, reterr);
        if (r >= 0) {
                text = drill_pending_text(pending);
                assert_contains(text, "haproxy hangs on the owner of the VIP (lb0, since ");
                (void) drill_pending_rest(&request, NULL);
        }
        return r < 0 ? r : drill_pending_end(&request, /* back= */ true, reterr);
}

static int recover(Error **reterr) {
        _cleanup_free_ char *what = NULL;

        return drill_recover(&request, &what, reterr);
}

/* Old or new: it is not there, or can be understood. */
static void assert_whole(void) {
        _cleanup_free_ char *text = drill_pending_text(pending);

        assert_true(!text || !strstr(text, "cannot be read"));
}

static void assert_recovers(const UnitDir *d) {
        _cleanup_error_ Error *error = NULL;

        countdown = 0;
        api_is_away = false;
        assert_success(recover(&error), error, 0);
        assert_success(drill(&error), error, 0); /* sweeps away what was half written */
        assert_int_equal(unit_count_entries(d->path), 0);
}

static void leave(const char *text) {
        countdown = 0;
        assert_true(fs_write(AT_FDCWD, pending, text, strlen(text), 0644, 0, NULL) >= 0);
}

static unsigned calls_of(int (*act)(Error **reterr), unsigned least) {
        _cleanup_error_ Error *error = NULL;

        countdown = count = 0;
        assert_success(act(&error), error, 0);
        assert_in_range(count, least, 40);
        return count;
}

static void refuse_at(const UnitDir *d, int (*act)(Error **reterr), unsigned at, int errnum) {
        _cleanup_error_ Error *error = NULL;
        int r;

        trouble = errnum;
        countdown = at;
        r = act(&error);
        countdown = 0;
        if (r >= 0) /* it was of no consequence: what could not be written was about to be removed */
                return;
        assert_int_equal(r, -errnum);
        assert_contains(error->message, d->path); /* of what was to be synced it is the directory */
        assert_contains(error->message, strerror(errnum));
}

static void kill_at(int (*act)(Error **reterr), unsigned at) {
        pid_t pid = fork_to_die(at);

        if (pid == 0) {
                (void) act(NULL);
                _exit(0);
        }
        await_killed(pid);
}

static void test_drill(void **state) {
        const UnitDir *d = *state;
        unsigned n;

        set_up(d);
        n = calls_of(drill, 13);
        for (unsigned at = 1; at <= n; at++) {
                for (size_t i = 0; i < ARRAY_SIZE(troubles); i++) {
                        refuse_at(d, drill, at, troubles[i]);
                        assert_whole();
                        assert_recovers(d);
                }
                kill_at(drill, at);
                assert_whole();
                assert_recovers(d);
        }
}

/* What the next run does with what an interrupted one has left, itself interrupted. */
static void recover_left(const UnitDir *d, const char *text, bool away, unsigned least) {
        unsigned n;

        leave(text);
        api_is_away = away;
        n = calls_of(recover, least);
        for (unsigned at = 1; at <= n; at++) {
                for (size_t i = 0; i < ARRAY_SIZE(troubles); i++) {
                        leave(text);
                        api_is_away = away;
                        n_back = 0;
                        refuse_at(d, recover, at, troubles[i]);
                        assert_int_equal(n_back, strstr(text, "drill") ? 1 : 0);
                        assert_whole();
                        assert_recovers(d);
                }
                leave(text);
                api_is_away = away;
                kill_at(recover, at);
                assert_whole();
                assert_recovers(d);
        }
}

#define HIT "{\"drill\": \"haproxy-hung\", \"node\": \"lb0\", \"since\": \"2026-11-28T12:00:00Z\"}\n"
#define REST "{\"since\": \"2026-11-28T12:00:00Z\"}\n"

static void test_recover(void **state) {
        set_up(*state);
        recover_left(*state, HIT, /* away= */ false, 6);
        recover_left(*state, HIT, /* away= */ true, 4);
        recover_left(*state, REST, /* away= */ false, 2);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                unit_test_in_dir(test_drill),
                unit_test_in_dir(test_recover),
        };
        int r = cmocka_run_group_tests_name("operate-drill-faults", tests, NULL, NULL);

        free(pending);
        return r;
}
