/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/clock.h"
#include "common/json.h"
#include "operate/drill-internal.h"
#include "tests/unit/fake-hosts.h"
#include "tests/unit/lb-fixture.h"
#include "tests/unit/no-http.h"
#include "verify/verify.h"

/*
 * A cluster that is a few variables, for drills: what is run on which node, and in which order, is in done.
 *
 * Wraps: verify_run probe_prober prober_sum prober_well_usec http_json clock_usec clock_sleep
 * Wraps: drill_pulse_start drill_pulse_end drill_pending_rest unlink host_lock_is_lost
 */

static LbFixture f;
static uint64_t now;
static const char *owner, *heir; /* who holds the VIP; who takes it over when its owner is hit */
static const char *etcd_leader;
static unsigned unhealthy;       /* so many verifications fail, from the first one on */
static unsigned unhealthy_after; /* the same, from the hit on */
static bool hit, exec_fails, back_fails, never_well, map_fails;
static volatile int cancelled;
static bool cancel_at_hit, cancel_at_wait;
static char *ended;                 /* the drill whose result was told last */
static char *done;                  /* "lb0:kill lb0:start" */
static const char *moves_meanwhile; /* who leads after it was waited for all to be well */
static unsigned removed;            /* the ConfigMap, so many times */
static unsigned locked, asked;      /* nodes whose lock was taken; requests to the apiservers */
static unsigned locked_by_others;   /* the first so many can be taken, 0: all */
static bool loses; /* this machine falls asleep, and its locks are gone; another one stops etcd then */
static bool slow;  /* no time passes but that of the clock on the wall */
static unsigned
        rest_fails; /* the disk is full when it is noted for so manyeth time that nothing is broken */
static bool unlink_fails;
static char directory[] = "/tmp/hardway-drill-XXXXXX", *pending;

int __real_drill_pending_rest(const DrillRequest *q, Error **reterr);
int __wrap_drill_pending_rest(const DrillRequest *q, Error **reterr);
int __wrap_drill_pending_rest(const DrillRequest *q, Error **reterr) {
        if (rest_fails > 0 && --rest_fails == 0)
                return error_set_errno(reterr, ENOSPC, "cannot write %s", q->pending);
        return __real_drill_pending_rest(q, reterr);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) {
        if (!unlink_fails)
                return __real_unlink(path);
        errno = EROFS;
        return -1;
}

int fake_host(const Node *node, const char *what, Error **reterr) {
        if (!streq(what, "lock"))
                return 0;
        if (locked_by_others > 0 && locked + 1 == locked_by_others)
                return error_set(reterr, ERROR_TEMPORARY, EBUSY, "is held by eve");
        locked++;
        return 0;
}

bool __wrap_host_lock_is_lost(const Host *h);
bool __wrap_host_lock_is_lost(const Host *h) {
        unhealthy += loses;
        return loses;
}

uint64_t __wrap_clock_usec(void);
uint64_t __wrap_clock_usec(void) {
        return now;
}

void __wrap_clock_sleep(uint64_t usec);
void __wrap_clock_sleep(uint64_t usec) {
        if (slow)
                (void) usleep((useconds_t) usec);
        else
                now += usec;
        if (cancel_at_wait)
                cancelled = 1;
}

void __wrap_verify_run(const VerifyRequest *request, CheckList *ret);
void __wrap_verify_run(const VerifyRequest *request, CheckList *ret) {
        unsigned *left = hit ? &unhealthy_after : &unhealthy;

        now += USEC_PER_SEC;
        if (*left > 0) {
                (*left)--;
                check_add(ret, CHECK_FAILED, "etcd.leader", NULL, "etcd", "there is no leader");
        }
}

int __wrap_probe_prober(const ProbeContext *c, const char *ca, const char *credential,
                        ProberRequest *request, Prober **ret, Error **reterr);
int __wrap_probe_prober(const ProbeContext *c, const char *ca, const char *credential,
                        ProberRequest *request, Prober **ret, Error **reterr) {
        assert_string_equal(ca, "ca");
        assert_true(request->rate > 0);
        *ret = NULL;
        return 0;
}

static uint64_t last_heard, counted_since;

Pulse* __wrap_drill_pulse_start(const InetAddress *address, unsigned port);
Pulse* __wrap_drill_pulse_start(const InetAddress *address, unsigned port) {
        return NULL;
}

uint64_t __wrap_drill_pulse_end(Pulse *p);
uint64_t __wrap_drill_pulse_end(Pulse *p) {
        now = last_heard > now ? last_heard : now;
        return last_heard;
}

void __wrap_prober_sum(Prober *p, uint64_t since, ProberSum *ret);
void __wrap_prober_sum(Prober *p, uint64_t since, ProberSum *ret) {
        counted_since =
                counted_since ?: since; /* of the first sum; others count from when it was put back */
        *ret = (ProberSum) { .answered = 100, .failed = 1, .gap_usec = 120000, .failing_usec = 90000 };
}

uint64_t __wrap_prober_well_usec(Prober *p);
uint64_t __wrap_prober_well_usec(Prober *p) {
        if (!hit && moves_meanwhile)
                owner = moves_meanwhile;
        return never_well ? 0 : 10 * USEC_PER_SEC;
}

void fake_client(const char *ca, const char *credential) {
        assert_string_equal(ca, "ca");
}

int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr);
int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr) {
        assert_contains(url, "/configmaps/hardway-failover");
        asked++;
        removed += streq(method, "DELETE");
        return map_fails ? error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "nobody answers") : 0;
}

static inline void note(const char *node, const char *what) {
        char *longer = xasprintf("%s%s%s:%s", done ? done : "", done ? " " : "", node, what);

        free(done);
        done = longer;
}

static inline const char* name_of_script(const char *script) {
        static const char *const words[][2] = {
                { "--on-active=", "arm" },   { "--signal=STOP", "freeze" },  { "--signal=CONT", "thaw" },
                { "--signal=KILL", "kill" }, { "systemctl start", "start" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strstr(script, words[i][0]))
                        return words[i][1];
        return script;
}

int fake_script(const Node *node, const char *script, Buffer *ret, Error **reterr) {
        const char *what = name_of_script(script);

        if (endswith(what, "\n:\n")) /* opens the connection */
                return 0;
        note(node->name, what);
        if (streq(what, "kill") || streq(what, "freeze")) {
                if (exec_fails)
                        return error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO, "no");
                hit = true;
                owner = heir;
                cancelled = cancel_at_hit;
                assert_int_equal(access(pending, F_OK), 0); /* said before it is done */
        } else if (back_fails && !streq(what, "arm"))
                return error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO, "no");
        return 0;
}

static inline int leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
        *ret = owner && streq(owner, node->name);
        return 0;
}

static inline int etcd_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
        *ret = etcd_leader && streq(etcd_leader, node->name);
        return 0;
}

static const Component
        haproxy = { .name = "haproxy", .unit = "haproxy.service", .roles = ROLE_LOADBALANCER },
        keepalived = { .name = "keepalived",
                       .unit = "keepalived.service",
                       .roles = ROLE_LOADBALANCER,
                       .leads = leads },
        etcd = { .name = "etcd", .unit = "etcd.service", .roles = ROLE_ETCD, .leads = etcd_leads },
        apiserver = { .name = "kube-apiserver", .unit = "kube-apiserver.service", .roles = ROLE_CONTROLLER };
static const Component *const fakes[] = { &haproxy, &keepalived, &etcd, &apiserver, NULL };

static DrillReport report;

static inline void note_end(void *userdata, const DrillResult *r) {
        free(ended);
        ended = xstrdup(r->drill->name);
}

static inline int run_with(const char *name, const char *power, Error **reterr) {
        const HostOptions host = {};
        const Drill *one = drill_find(name);
        DrillRequest request = {
                .cluster = &f.cluster,
                .components = fakes,
                .host = &host,
                .drills = &one,
                .n_drills = 1,
                .chosen = true,
                .power = power,
                .pending = pending,
                .cancelled = &cancelled,
                .end = note_end,
        };

        assert_non_null(one);
        free(TAKE_PTR(ended));
        drill_report_done(&report);
        return drill_run(&request, &report, reterr);
}

static inline int setup(void **state) {
        lb_fixture_set_up(&f);
        now = 100 * USEC_PER_SEC;
        owner = "lb0";
        heir = "lb1";
        etcd_leader = NULL;
        last_heard = counted_since = 0;
        unhealthy = unhealthy_after = 0;
        hit = exec_fails = back_fails = never_well = map_fails = cancel_at_hit = cancel_at_wait = false;
        locked = asked = removed = locked_by_others = 0;
        loses = slow = unlink_fails = false;
        rest_fails = 0;
        moves_meanwhile = NULL;
        cancelled = 0;
        free(done);
        done = NULL;
        return 0;
}

static inline int teardown(void **state) {
        (void) unlink(pending);
        drill_report_done(&report);
        free(done);
        done = NULL;
        return 0;
}

static inline void expect_error(const char *name, const char *power, int errnum, const char *words,
                                const char *wanted) {
        _cleanup_error_ Error *error = NULL;

        assert_int_equal(run_with(name, power, &error), -errnum);
        assert_contains(error->message, words);
        assert_string_equal(done ? done : "", wanted);
}

#define drill_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

/* For what is written on this machine; the group of tests has one. */
static inline int drill_directory(void) {
        if (!mkdtemp(directory))
                return -1;
        pending = xasprintf("%s/pending", directory);
        return 0;
}

static inline void drill_directory_done(void) {
        (void) fs_remove_tree(AT_FDCWD, directory, NULL);
        free(pending);
        free(ended);
}
