/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Drills against a cluster that is a few variables: what is run on which node, in which order, and that
 * whatever was broken is put back
 *
 * Wraps: verify_run probe_prober prober_sum prober_well_usec probe_client http_json clock_usec clock_sleep
 * Wraps: drill_pulse_start drill_pulse_end drill_pending_rest unlink
 * Wraps: host_pool_exec host_pool_take host_pool_give host_pool_reach host_lock host_lock_is_lost
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "common/clock.h"
#include "common/json.h"
#include "host/pool.h"
#include "operate/drill-internal.h"
#include "tests/unit/lb-fixture.h"
#include "verify/verify.h"

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

void __wrap_verify_run(const VerifyRequest *request, CheckList *ret);
int __wrap_probe_prober(const ProbeContext *c, const char *ca, const char *credential,
                        ProberRequest *request, Prober **ret, Error **reterr);
void __wrap_prober_sum(Prober *p, uint64_t since, ProberSum *ret);
uint64_t __wrap_prober_well_usec(Prober *p);
int __wrap_probe_client(const ProbeContext *c, const char *ca, const char *credential, HttpClient **ret,
                        Error **reterr);
int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr);
uint64_t __wrap_clock_usec(void);
void __wrap_clock_sleep(uint64_t usec);
int __wrap_host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr);
int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr);
void __wrap_host_pool_give(HostPool *p, const Node *node);
int __wrap_host_lock(Host *h, const char *holder, bool wait, Error **reterr);

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

int __wrap_host_pool_take(HostPool *p, const Node *node, Host **ret, Error **reterr) {
        *ret = NULL;
        return 0;
}

void __wrap_host_pool_give(HostPool *p, const Node *node);
void __wrap_host_pool_give(HostPool *p, const Node *node) {}

void __wrap_host_pool_reach(HostPool *p, const Node *const *nodes, size_t n_nodes, Error **ret);
void __wrap_host_pool_reach(HostPool *p, const Node *const *nodes, size_t n_nodes, Error **ret) {}

int __wrap_host_lock(Host *h, const char *holder, bool wait, Error **reterr) {
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

uint64_t __wrap_clock_usec(void) {
        return now;
}

void __wrap_clock_sleep(uint64_t usec) {
        if (slow)
                (void) usleep((useconds_t) usec);
        else
                now += usec;
        if (cancel_at_wait)
                cancelled = 1;
}

void __wrap_verify_run(const VerifyRequest *request, CheckList *ret) {
        unsigned *left = hit ? &unhealthy_after : &unhealthy;

        now += USEC_PER_SEC;
        if (*left > 0) {
                (*left)--;
                check_add(ret, CHECK_FAILED, "etcd.leader", NULL, "etcd", "there is no leader");
        }
}

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

void __wrap_prober_sum(Prober *p, uint64_t since, ProberSum *ret) {
        counted_since =
                counted_since ?: since; /* of the first sum; others count from when it was put back */
        *ret = (ProberSum) { .answered = 100, .failed = 1, .gap_usec = 120000, .failing_usec = 90000 };
}

uint64_t __wrap_prober_well_usec(Prober *p) {
        if (!hit && moves_meanwhile)
                owner = moves_meanwhile;
        return never_well ? 0 : 10 * USEC_PER_SEC;
}

int __wrap_probe_client(const ProbeContext *c, const char *ca, const char *credential, HttpClient **ret,
                        Error **reterr) {
        *ret = NULL;
        return 0;
}

int __wrap_http_json(HttpClient *c, const char *method, const char *url, const json_t *body, json_t **ret,
                     Error **reterr) {
        assert_contains(url, "/configmaps/hardway-failover");
        asked++;
        removed += streq(method, "DELETE");
        return map_fails ? error_set(reterr, ERROR_UNAVAILABLE, ECONNREFUSED, "nobody answers") : 0;
}

static void note(const char *node, const char *what) {
        char *longer = xasprintf("%s%s%s:%s", done ? done : "", done ? " " : "", node, what);

        free(done);
        done = longer;
}

static const char* name_of_script(const char *script) {
        static const char *const words[][2] = {
                { "--on-active=", "arm" },   { "--signal=STOP", "freeze" },  { "--signal=CONT", "thaw" },
                { "--signal=KILL", "kill" }, { "systemctl start", "start" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strstr(script, words[i][0]))
                        return words[i][1];
        return script;
}

int __wrap_host_pool_exec(void *pool, const Node *node, const char *script, Buffer *ret, Error **reterr) {
        const char *what = name_of_script(script);

        if (endswith(what, "\n:\n")) /* opens the connection */
                return 0;
        note(node->name, what);
        if (streq(what, "kill") || streq(what, "freeze")) {
                if (exec_fails)
                        return error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO, "%s: no", node->name);
                hit = true;
                owner = heir;
                cancelled = cancel_at_hit;
                assert_int_equal(access(pending, F_OK), 0); /* said before it is done */
        } else if (back_fails && !streq(what, "arm"))
                return error_set(reterr, ERROR_UNAVAILABLE, EREMOTEIO, "%s: no", node->name);
        return 0;
}

static int leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
        *ret = owner && streq(owner, node->name);
        return 0;
}

static int etcd_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
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

static void note_end(void *userdata, const DrillResult *r) {
        free(ended);
        ended = xstrdup(r->drill->name);
}

static int run_with(const char *name, const char *power, Error **reterr) {
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

static int setup(void **state) {
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

static int teardown(void **state) {
        (void) unlink(pending);
        drill_report_done(&report);
        free(done);
        done = NULL;
        return 0;
}

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

static void expect_error(const char *name, const char *power, int errnum, const char *words,
                         const char *wanted) {
        _cleanup_error_ Error *error = NULL;

        assert_int_equal(run_with(name, power, &error), -errnum);
        assert_contains(error->message, words);
        assert_string_equal(done ? done : "", wanted);
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

/* How often the command was called, once it was called so often; it is waited for a guard, which is on its own. */
static unsigned await_calls(const char *log, unsigned n) {
        unsigned lines = 0;

        for (unsigned i = 0; i < 2000 && lines < n; i++) {
                _cleanup_buffer_ Buffer said = BUFFER_NULL;

                lines = 0;
                if (fs_read_optional(AT_FDCWD, log, 4096, &said, NULL) > 0)
                        for (const char *p = buffer_str(&said); (p = strchr(p, '\n')); p++)
                                lines++;
                (void) usleep(10000);
        }
        return lines;
}

static unsigned n_told;

static void tell(void *userdata, const char *text) {
        assert_contains(text, "waiting for the command of --power");
        n_told++;
}

static int recover(char **ret_what, Error **reterr) {
        const HostOptions host = {};
        const DrillRequest request = {
                .cluster = &f.cluster, .components = fakes, .host = &host, .pending = pending, .step = tell
        };

        return drill_recover(&request, ret_what, reterr);
}

/* It is tried again, and once we have given up our guard goes on. */
static void test_power_fails(void **state) {
        _cleanup_free_ char *script = NULL, *log = NULL, *power = NULL, *text = NULL, *what = NULL;

        log = xasprintf("%s/log", directory);
        script = xasprintf("%s/power", directory);
        power = xasprintf("sh %s", script);
        text = xasprintf("echo \"$*\" >>%s\n[ \"$1\" = cut ] || [ $(wc -l <%s) -ge \"$(cat %s/from)\" ]\n",
                         log, log, directory);
        assert_int_equal(fs_write(AT_FDCWD, script, text, strlen(text), 0644, FS_NO_SYNC, NULL), 1);
        {
                _cleanup_free_ char *from = xasprintf("%s/from", directory);

                assert_int_equal(fs_write(AT_FDCWD, from, "3\n", 2, 0644, FS_NO_SYNC, NULL), 1);
                heir = "lb1";
                assert_int_equal(run_with("owner-power", power, NULL), 0);
                assert_int_equal(await_calls(log, 3), 3);

                /* the cut, three times by us, and once by the guard */
                assert_int_equal(unlink(log), 0);
                assert_int_equal(fs_write(AT_FDCWD, from, "5\n", 2, 0644, FS_NO_SYNC, NULL), 1);
                setup(NULL);
                assert_int_equal(run_with("owner-power", power, NULL), -EREMOTEIO);
                /* nobody puts back beside it: it is waited for, and what is left is done */
                slow = true;
                assert_int_equal(recover(&what, NULL), 0);
                assert_contains(what, "the ConfigMap kube-system/hardway-failover is there (since 20");
                assert_int_equal(access(pending, F_OK), -1);
                assert_int_equal(await_calls(log, 5), 5);
        }
}

/* The disk is full when the guard has put the host back: the file says what it said, and that is done once more. */
static void test_guard_cannot_note(void **state) {
        _cleanup_free_ char *log = xasprintf("%s/noted", directory),
                            *script = xasprintf("%s/plug", directory), *power = xasprintf("sh %s", script),
                            *text = NULL, *what = NULL;

        text = xasprintf("echo \"$*\" >>%s\n"
                         "ln -sf /dev/full %s/.#%s.00000000\n"
                         "[ \"$1\" = cut ] || [ $(wc -l <%s) -ge 5 ]\n",
                         log, directory, fs_path_basename(pending), log);
        assert_int_equal(fs_write(AT_FDCWD, script, text, strlen(text), 0644, FS_NO_SYNC, NULL), 1);
        heir = "lb1";
        assert_int_equal(run_with("owner-power", power, NULL), -EREMOTEIO);
        assert_int_equal(await_calls(log, 5), 5);
        slow = true;
        assert_int_equal(recover(&what, NULL), 0);
        assert_contains(what, "the owner of the VIP loses its power (lb0, since 20");
        assert_int_equal(await_calls(log, 6), 6);
        assert_int_equal(access(pending, F_OK), -1);
        free(text);
        text = xasprintf("%s/.#%s.00000000", directory,
                         fs_path_basename(pending)); /* that of the sixth call */
        assert_int_equal(faccessat(AT_FDCWD, text, F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* It was put back, and the disk is full: that the file is in the way no more needs no room. */
static void test_cannot_note(void **state) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *what = NULL, *again = NULL;

        rest_fails = 1;
        assert_int_equal(run_with("haproxy-hung", NULL, &error), -ENOSPC);
        assert_contains(error->message, pending);
        assert_null(done);
        error = error_free(error);

        setup(NULL);
        rest_fails = 2;
        assert_success(run_with("haproxy-hung", NULL, &error), error, 0);
        assert_int_equal(access(pending, F_OK), -1);

        /* it cannot be removed either: somebody has to hear of it */
        setup(NULL);
        unlink_fails = true;
        assert_int_equal(run_with("haproxy-hung", NULL, &error), -EROFS);
        assert_contains(error->message, pending);
        assert_contains(error->message, "cannot remove");
        error = error_free(error);
        assert_int_equal(recover(&what, &error), -EROFS);
        assert_contains(error->message, pending);
        error = error_free(error);
        unlink_fails = false;
        assert_success(recover(&again, &error), error, 0);
        assert_int_equal(access(pending, F_OK), -1);
}

static void write_pending(const char *text) {
        assert_int_equal(fs_write(AT_FDCWD, pending, text, strlen(text), 0644, FS_NO_SYNC, NULL), 1);
}

/* A guard that ends neither in time nor at all is told of, and not waited for without end. */
static void test_guard_hangs(void **state) {
        _cleanup_free_ char *what = NULL;
        _cleanup_error_ Error *error = NULL;
        _cleanup_close_ int fd = -EBADF;

        write_pending("{\"drill\":\"owner-link\",\"node\":\"lb1\",\"since\":\"x\",\"power\":\"true\"}");
        fd = open(pending, O_RDONLY | O_CLOEXEC);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        n_told = 0;
        assert_int_equal(recover(&what, &error), -ETIMEDOUT);
        assert_contains(error->message, "the command of --power of an interrupted drill hangs");
        assert_int_equal(n_told, 1);
        assert_int_equal(access(pending, F_OK), 0);
}

/* We did not get to it: the next command does. */
static void test_recover(void **state) {
        _cleanup_free_ char *what = NULL, *none = NULL, *text = NULL;
        _cleanup_error_ Error *error = NULL;

        back_fails = true;
        assert_int_equal(run_with("haproxy-hung", NULL, NULL), -EREMOTEIO);
        assert_string_equal(done, "lb0:arm lb0:freeze lb0:thaw");
        text = drill_pending_text(pending);
        assert_contains(text, "haproxy hangs on the owner of the VIP (lb0, since ");
        assert_int_equal(recover(&what, NULL), -EREMOTEIO);
        assert_string_equal(what, text);
        assert_int_equal(access(pending, F_OK), 0);

        back_fails = false;
        free(TAKE_PTR(what));
        assert_success(recover(&what, &error), error, 0);
        assert_string_equal(what, text);
        assert_string_equal(done, "lb0:arm lb0:freeze lb0:thaw lb0:thaw lb0:thaw");
        assert_int_equal(access(pending, F_OK), -1);

        assert_success(recover(&none, &error), error, 0);
        assert_null(none);
        none = drill_pending_text(pending);
        assert_null(none);
}

/* The machine that a drill ran on has died, and with it the guard: all that there is is the file. */
static void test_recover_host(void **state) {
        _cleanup_free_ char *log = xasprintf("%s/recovered", directory), *text = NULL, *what = NULL,
                            *other = NULL;
        _cleanup_buffer_ Buffer said = BUFFER_NULL;

        /* the command is found where it was found then, and what it is told is what puts back */
        write_pending("echo \"$PWD $*\" >>recovered");
        text = xasprintf("%s/plug", directory);
        assert_int_equal(rename(pending, text), 0);
        free(TAKE_PTR(text));
        text = xasprintf(
                "{\"drill\":\"owner-link\",\"node\":\"lb1\",\"since\":\"x\",\"power\":\"sh ./plug --name x\","
                "\"directory\":\"%s\"}",
                directory);
        write_pending(text);
        assert_int_equal(recover(&what, NULL), 0);
        assert_string_equal(what, "the owner of the VIP loses its network (lb1, since x)");
        assert_int_equal(fs_read(AT_FDCWD, log, 4096, &said, NULL), 0);
        free(TAKE_PTR(text));
        text = xasprintf("%s --name x up lb1\n", directory);
        assert_string_equal(buffer_str(&said), text);
        assert_int_equal(access(pending, F_OK), -1);

        /* a node that is the cluster's no more is nobody's matter; what cannot be read is said */
        write_pending("{\"drill\":\"owner-link\",\"node\":\"gone\",\"since\":\"x\"}");
        free(TAKE_PTR(what));
        assert_int_equal(recover(&what, NULL), 0);
        assert_int_equal(access(pending, F_OK), -1);
        write_pending("{\"drill\":\"owner-link\",\"node\":\"lb1\",\"since\":\"x\"}");
        assert_int_equal(recover(&other, NULL), -EINVAL);
        free(TAKE_PTR(other));
        write_pending("{\"drill\":1}");
        assert_int_equal(recover(&other, NULL), -EINVAL);
        write_pending("{");
        assert_true(recover(&other, NULL) < 0);
        free(TAKE_PTR(other));
        other = drill_pending_text(pending);
        assert_contains(other, "cannot be read");
}

/* It has died when nothing was broken: there is the ConfigMap still. */
static void test_recover_map(void **state) {
        _cleanup_free_ char *what = NULL, *again = NULL;
        _cleanup_error_ Error *error = NULL;

        write_pending("{\"since\":\"x\"}");
        map_fails = true;
        assert_int_equal(recover(&what, &error), -ECONNREFUSED);
        assert_string_equal(what, "the ConfigMap kube-system/hardway-failover is there (since x)");
        assert_int_equal(access(pending, F_OK), 0);

        map_fails = false;
        removed = 0;
        assert_int_equal(recover(&again, NULL), 0);
        assert_int_equal(removed, 1);
        assert_int_equal(access(pending, F_OK), -1);
        assert_null(done);

        /* what was broken is put back also where nobody answers yet; the next one has the rest to do */
        free(TAKE_PTR(again));
        write_pending("{\"drill\":\"haproxy-hung\",\"node\":\"lb1\",\"since\":\"x\"}");
        map_fails = true;
        assert_int_equal(recover(&again, NULL), 0);
        assert_string_equal(done, "lb1:thaw");
        free(TAKE_PTR(again));
        again = drill_pending_text(pending);
        assert_contains(again, "the ConfigMap kube-system/hardway-failover is there (since 20");
}

static void test_table(void **state) {
        DrillAim aim;
        Timings *t = &f.cluster.timings;

        for (const Drill *d = drills; d->name; d++) {
                assert_ptr_equal(drill_find(d->name), d);
                assert_true(d->what && d->component && d->aim.read_gap > 0);
        }
        assert_null(drill_find("nothing"));

        drill_aim(drill_find("keepalived"), &f.cluster, false, &aim);
        assert_int_equal(aim.read_gap, 400);
        t->vrrp_advert_msec = 300;
        drill_aim(drill_find("keepalived"), &f.cluster, false, &aim);
        assert_int_equal(aim.read_gap, 1200);
        drill_aim(drill_find("controller-power"), &f.cluster, true, &aim);
        assert_int_equal(aim.read_gap, 1200);
        assert_int_equal(aim.read_failing, 1900);
        t->etcd_election_msec = 5000;
        drill_aim(drill_find("etcd-leader"), &f.cluster, false, &aim);
        assert_int_equal(aim.write_gap, 10000);
        assert_int_equal(aim.read_gap, 150);
        t->lease_duration_sec = 60;
        drill_aim(drill_find("scheduler"), &f.cluster, false, &aim);
        assert_int_equal(aim.takeover, 80000);
        t->haproxy_check_msec = 3000;
        drill_aim(drill_find("follower-power"), &f.cluster, false, &aim);
        assert_int_equal(aim.read_failing, 2100);
        assert_int_equal(aim.write_gap, 2100);

        /* what somebody else's load balancer does is not ours to judge */
        f.cluster.endpoint.kind = ENDPOINT_FOREIGN;
        drill_aim(drill_find("etcd-leader"), &f.cluster, false, &aim);
        assert_int_equal(aim.read_gap + aim.read_failing + aim.write_gap, 0);
        assert_int_equal(aim.takeover, 10000);
}

static void test_judged(void **state) {
        DrillResult r = { .drill = drill_find("etcd-leader"),
                          .reads = { .gap_usec = 100000, .failing_usec = 700000 },
                          .writes = { .gap_usec = 1999000 } };
        _cleanup_free_ char *well = NULL, *why = NULL;

        drill_aim(r.drill, &f.cluster, false, &r.aim);
        assert_true(drill_met(&r, &well));
        assert_null(well);
        r.reads.gap_usec = 310000;
        r.writes.gap_usec = 2100000;
        assert_false(drill_met(&r, &why));
        assert_string_equal(why, "gap in reads 0.31 s (aim: 0.15 s); gap in writes 2.10 s (aim: 2.00 s)");
}

static void test_record(void **state) {
        _cleanup_json_ json_t *tree = NULL,
                              *other = json_pack("{s:s, s:[i, {}, s]}", "begun", "x", "drills", 1, "a");
        _cleanup_free_ char *text = NULL;
        const json_t *first;

        assert_int_equal(run_with("haproxy", NULL, NULL), 0);
        report.begun = 1795260425;
        tree = drill_report_to_json(&f.cluster, &report);
        first = json_array_get(json_object_get(tree, "drills"), 0);
        assert_string_equal(json_text(first, "drill"), "haproxy");
        assert_string_equal(json_text(first, "node"), "lb0");
        assert_true(json_is_true(json_object_get(first, "met")));
        assert_true(json_number_value(json_object_get(json_object_get(first, "reads"), "gap")) == 0.12);
        text = drill_record_text(tree);
        assert_string_equal(text,
                            "1 drill on 2026-11-21: longest gap in reads 0.12 s (haproxy), in writes 0.12 s "
                            "(haproxy)");
        assert_null(drill_record_text(other));
        assert_null(drill_record_text(NULL));
}

static json_t* record(const char *begun, const char *drill, double gap, double healthy) {
        return json_pack("{s:s, s:s, s:[{s:s, s:{s:f}, s:{s:f}, s:f}, {s:s, s:b}]}", "cluster", "x", "begun",
                         begun, "drills", "drill", drill, "reads", "gap", gap, "writes", "gap", gap,
                         "healthy", healthy, "drill", "etcd-leader", "skipped", 1);
}

/* What a later run has not looked at, or not to its end, stays as it was. */
static void test_record_merged(void **state) {
        _cleanup_json_ json_t *known = NULL, *seen = record("2026-11-21T10:00:00Z", "haproxy", 0.5, 3),
                              *other = record("2026-11-28T10:00:00Z", "keepalived", 0.25, 2), *both = NULL,
                              *broken = record("2026-11-29T10:00:00Z", "haproxy", 9, 0), *again = NULL;
        _cleanup_free_ char *text = NULL;

        known = drill_record_merge(NULL, seen, false);
        both = drill_record_merge(known, other, false);
        text = drill_record_text(both);
        assert_string_equal(text,
                            "2 drills from 2026-11-21 to 2026-11-28: longest gap in reads 0.50 s (haproxy), "
                            "in writes 0.50 s (haproxy)");
        assert_null(drill_record_merge(both, broken, true));
        again = drill_record_merge(both, broken, false);
        assert_int_equal(json_array_size(json_object_get(again, "drills")), 2);
        freep(&text);
        text = drill_record_text(again);
        assert_contains(text, "longest gap in reads 9.00 s (haproxy)");

        json_object_set_new(both, "cluster", json_string("y"));
        json_decref(again);
        again = drill_record_merge(both, seen, false);
        assert_int_equal(json_array_size(json_object_get(again, "drills")), 1);
}

#define drill_test(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                drill_test(test_order),       drill_test(test_locks_lost),
                drill_test(test_guard_hangs), drill_test(test_refused),
                drill_test(test_put_back),    drill_test(test_power),
                drill_test(test_power_fails), drill_test(test_table),
                drill_test(test_judged),      drill_test(test_record),
                drill_test(test_recover),     drill_test(test_recover_host),
                drill_test(test_recover_map), drill_test(test_record_merged),
                drill_test(test_others),      drill_test(test_heard),
                drill_test(test_cannot_note), drill_test(test_guard_cannot_note),
        };
        int r;

        if (!mkdtemp(directory))
                return 1;
        pending = xasprintf("%s/pending", directory);
        r = cmocka_run_group_tests_name("drills", tests, NULL, NULL);
        (void) fs_remove_tree(AT_FDCWD, directory, NULL);
        free(pending);
        free(ended);
        return r;
}
