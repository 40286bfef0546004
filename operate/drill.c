/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/drill.h"

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "operate/drill-internal.h"
#include "operate/hold.h"
#include "verify/verify.h"

/*
 * One drill after the other
 *
 * Two clients ask all the while: for the version, and to change a ConfigMap of ours. A drill begins when
 * both have been well for a moment; it is watched until they are so again and somebody new leads, but for a
 * few seconds at least, so that what was killed is back and what hangs has been noticed.
 */

#define READ_RATE 20
#define WRITE_RATE 10
#define ANSWER_TIMEOUT USEC_PER_SEC
#define WELL (2 * USEC_PER_SEC) /* so long both have to be */
#define WELL_TIMEOUT (60 * USEC_PER_SEC)
#define WATCH_MIN (5 * USEC_PER_SEC)
#define WATCH_MAX (45 * USEC_PER_SEC)
#define THAW_BY (20 * USEC_PER_SEC) /* what is frozen, before its node does it */
#define HEALTHY_TIMEOUT (180 * USEC_PER_SEC)
#define TICK (50 * USEC_PER_MSEC)

typedef struct Run {
        const DrillRequest *request;
        HostPool *locked; /* keeps the locks of all nodes */
        Prober *reads, *writes;
        bool left; /* something could not be put back */
} Run;

static bool cancelled(const DrillRequest *q) {
        return q->cancelled && *q->cancelled;
}

static void step(const DrillRequest *q, Stage stage) {
        if (q->step)
                q->step(q->userdata, stage);
}

/* Return: how many checks fail; *ret_first says what the first of them found, and is freed by the caller. */
static size_t count_failed(const DrillRequest *q, bool no_nodes, char **ret_first) {
        const VerifyRequest verify = {
                .cluster = q->cluster,
                .components = q->components,
                .store = q->store,
                .lock = q->lock,
                .host = q->host,
                .no_nodes = no_nodes,
        };
        CheckList checks = {};
        size_t n;

        verify_run(&verify, &checks);
        n = check_list_failed(&checks);
        for (size_t i = 0; i < checks.n_checks && !*ret_first; i++) {
                const Check *c = checks.checks + i;

                if (c->state == CHECK_FAILED)
                        *ret_first = xasprintf("%s%s%s: %s", c->node ? c->node : "", c->node ? ": " : "",
                                               c->subject, c->text);
        }
        check_list_done(&checks);
        return n;
}

static int require_healthy(const DrillRequest *q, Error **reterr) {
        _cleanup_free_ char *first = NULL;
        size_t n;

        step(q, STAGE_DRILL_HEALTHY);
        n = count_failed(q, /* no_nodes= */ false, &first);
        if (n == 0)
                return 0;
        return error_set(
                reterr, ERROR_VERIFY, EBUSY,
                "nothing is broken on purpose in a cluster that is not healthy: %s%s (hardway verify)",
                first, n > 1 ? ", and more" : "");
}

static int hold(const Run *run, bool wait, Error **reterr) {
        const DrillRequest *q = run->request;
        const HoldRequest request = {
                .cluster = q->cluster,
                .roles = ROLE_ALL,
                .holder = q->holder,
                .wait = wait,
        };

        return hold_nodes(run->locked, &request, reterr);
}

static bool any_lock_is_lost(const Run *run) {
        const Cluster *c = run->request->cluster;
        bool lost = false;

        for (const Node *node = c->nodes; node < c->nodes + c->n_nodes && !lost; node++) {
                Host *host;

                if (host_pool_take(run->locked, node, &host, NULL) < 0)
                        return true;
                lost = host_lock_is_lost(host);
                host_pool_give(run->locked, node);
        }
        return lost;
}

/* Was this machine asleep, or cut off? Then somebody else may have been at work, and have taken something down. */
static int require_still_ours(const Run *run, Error **reterr) {
        bool lost = any_lock_is_lost(run);
        int r;

        r = hold(run, /* wait= */ false, reterr);
        return r >= 0 && lost ? require_healthy(run->request, reterr) : r;
}

static char* write_body(unsigned turn) {
        return xasprintf("{\"data\":{\"turn\":\"%u\"}}", turn);
}

static int start_probers(Run *run, Error **reterr) {
        const DrillRequest *q = run->request;
        const ProbeContext c = probe_context(q->cluster, q->store, q->cancelled);
        _cleanup_free_ char *base = cluster_endpoint_url(q->cluster);
        _cleanup_free_ char *version = xasprintf("%s/version", base),
                            *map = xasprintf("%s" DRILL_CONFIG_MAP_PATH, base);
        ProberRequest reads = { .url = version, .rate = READ_RATE, .timeout_usec = ANSWER_TIMEOUT };
        ProberRequest writes = { .url = map,
                                 .method = "PATCH",
                                 .content_type = "application/merge-patch+json",
                                 .body = write_body,
                                 .rate = WRITE_RATE,
                                 .timeout_usec = ANSWER_TIMEOUT };
        int r;

        r = drill_make_config_map(&c, reterr);
        if (r >= 0)
                r = probe_prober(&c, "ca", NULL, &reads, &run->reads, reterr);
        if (r >= 0)
                r = probe_prober(&c, "ca", "admin", &writes, &run->writes, reterr);
        return r;
}

static bool both_well(const Run *run) {
        return prober_well_usec(run->reads) >= WELL && prober_well_usec(run->writes) >= WELL;
}

/* Return: false if that did not come, or if we were cancelled. */
static bool wait_until_well(const Run *run) {
        uint64_t deadline = clock_usec() + WELL_TIMEOUT;

        while (!both_well(run)) {
                if (clock_usec() > deadline || cancelled(run->request))
                        return false;
                clock_sleep(TICK);
        }
        return true;
}

/* Has somebody else taken over? Who was hit is not asked: it may hang, or be away. */
static bool find_heir(const DrillHit *h, const DrillLeader *before, DrillResult *r, uint64_t since) {
        DrillLeader now = {};

        if (r->heir || !h->drill->moves)
                return true;
        if (drill_leader(h->probes, h->request->components, h->drill->leader, h->node, &now) &&
            !streq_null(now.identity, before->identity)) {
                r->takeover_usec = clock_usec() - since;
                r->heir = xstrdup(now.node->name);
        }
        drill_leader_done(&now);
        return r->heir != NULL;
}

/* Until all is well again, or it takes too long. */
static void watch(const Run *run, const DrillHit *h, const DrillLeader *before, uint64_t since,
                  DrillResult *r) {
        uint64_t longest = h->drill->action == DRILL_FREEZE ? THAW_BY : WATCH_MAX, passed;

        do {
                bool moved = find_heir(h, before, r, since);

                passed = clock_usec() - since;
                if (moved && passed >= WATCH_MIN && both_well(run))
                        return;
                clock_sleep(TICK);
        } while (passed < longest && !cancelled(run->request));
        if (!r->heir && h->drill->moves && !cancelled(run->request))
                r->text = xstrdup("nobody took over");
}

static void wait_until_healthy(const Run *run, uint64_t since, DrillResult *r) {
        const bool no_nodes = !drill_is_of_host(r->drill); /* those that boot are asked, too */
        uint64_t deadline = clock_usec() + HEALTHY_TIMEOUT;

        step(run->request, STAGE_DRILL_BACK);
        while (!cancelled(run->request)) {
                _cleanup_free_ char *first = NULL;

                if (count_failed(run->request, no_nodes, &first) == 0 && both_well(run)) {
                        r->healthy_usec = clock_usec() - since;
                        return;
                }
                if (clock_usec() > deadline) {
                        free(r->text);
                        r->text = xasprintf("not healthy again: %s", first ? first : "requests fail");
                        return;
                }
                clock_sleep(TICK);
        }
        if (!r->text)
                r->text = xstrdup("interrupted: it was not waited until all is healthy again");
}

static unsigned count_failed_since(const Run *run, uint64_t since) {
        ProberSum reads, writes;
        unsigned n;

        prober_sum(run->reads, since, &reads);
        prober_sum(run->writes, since, &writes);
        n = reads.failed + writes.failed;
        prober_sum_done(&reads);
        prober_sum_done(&writes);
        return n;
}

/* From the hit until it is put back, whatever happens in between. since: when that was. */
static int hit_and_put_back(Run *run, DrillHit *h, const DrillLeader *before, uint64_t *since,
                            DrillResult *r, Error **reterr) {
        _cleanup_error_ Error *also = NULL;
        int hit, back;

        step(run->request, STAGE_DRILL_BREAK);
        hit = drill_hit(h, since, reterr);
        if (hit >= 0)
                watch(run, h, before, *since, r);
        prober_sum(run->reads, *since, &r->reads);
        prober_sum(run->writes, *since, &r->writes);
        back = drill_put_back(h, hit < 0 ? &also : reterr);
        run->left = back < 0;
        if (back >= 0)
                (void) drill_pending_rest(run->request, NULL); /* else the next one puts it back once more */
        if (hit < 0 && back < 0)
                error_detail(reterr, "and %s was not put back: %s", h->node->name, also->message);
        if (hit < 0)
                return error_prefix_once(reterr, hit, h->node->name);
        return back < 0 ?
                       error_prefix(reterr, back, "%s was not put back: %s", h->node->name, h->drill->what) :
                       0;
}

static int drill_one(Run *run, const Drill *d, DrillResult *r, Error **reterr) {
        const DrillRequest *q = run->request;
        _cleanup_(host_pool_freep) HostPool *hosts = host_pool_new(q->cluster, q->host);
        const ProbeContext c = host_pool_probes(hosts, q->cluster, q->store, q->cancelled);
        _cleanup_(drill_hit_done) DrillHit h = { .request = q,
                                                 .probes = &c,
                                                 .drill = d,
                                                 .component = component_find(q->components, d->component) };
        _cleanup_(drill_leader_done) DrillLeader before = {};
        uint64_t since, back;
        int k;

        step(q, STAGE_DRILL_WELL);
        if (!wait_until_well(run))
                return cancelled(q) ?
                               0 :
                               error_set(reterr, ERROR_VERIFY, ETIMEDOUT,
                                         "requests through the endpoint fail before anything is broken");
        k = require_still_ours(run, reterr);
        if (k < 0)
                return k;
        k = drill_choose_node(&h, &before, reterr); /* who leads may have changed while it was waited */
        if (k < 0)
                return k;
        if (q->begin)
                q->begin(q->userdata, d, h.node->name);
        r->node = h.node;
        drill_aim(d, q->cluster, drill_takes_vip(&h), &r->aim);
        k = drill_prepare(&h, reterr);
        if (k < 0)
                return error_prefix_once(reterr, k, h.node->name);
        since = clock_usec();
        k = hit_and_put_back(run, &h, &before, &since, r, reterr);
        if (k < 0)
                return k;
        back = clock_usec();
        hosts = host_pool_free(hosts); /* connections to a host that was off are of no use */
        wait_until_healthy(run, since, r);
        r->failed_after = count_failed_since(run, back);
        return 0;
}

static int drill_each(Run *run, DrillReport *report, Error **reterr) {
        const DrillRequest *q = run->request;

        for (size_t i = 0; i < q->n_drills; i++) {
                const Drill *d = q->drills[i];
                DrillResult *r = report->results + report->n_results;
                int k = 0;

                if (cancelled(q))
                        break;
                *r = (DrillResult) { .drill = d, .text = drill_why_not(q, d) };
                r->skipped = r->text != NULL;
                report->n_results++;
                if (r->skipped && q->chosen)
                        return error_set(reterr, ERROR_USAGE, EINVAL, "drill %s: %s", d->name, r->text);
                if (!r->skipped)
                        k = drill_one(run, d, r, reterr);
                if (k < 0)
                        return error_prefix(reterr, k, "drill %s", d->name);
                if (!r->skipped && !r->node) {
                        report->n_results--; /* interrupted before anything was broken */
                        break;
                }
                /* also of one that was interrupted: it has shown something */
                if (q->end)
                        q->end(q->userdata, r);
                if (!r->skipped && r->healthy_usec == 0 && !cancelled(q))
                        return error_set(
                                reterr, ERROR_VERIFY, ETIMEDOUT,
                                "drill %s: the cluster is not as it was, so the others are not begun: %s",
                                d->name, r->text);
        }
        if (cancelled(q))
                return error_set(reterr, ERROR_TEMPORARY, ECANCELED, "interrupted; %s",
                                 report->n_results > 0 ? "what was broken is put back" :
                                                         "nothing was broken");
        return 0;
}

/**
 * drill_run() - try out what happens when things break
 * @request:    which drills
 * @ret:        what was seen; also of a run that failed. To be released with drill_report_done()
 * @reterr:     somebody else works on a node; the cluster was not healthy, or did not become so again
 *
 * Return: 0, or a negative errno.
 */
int drill_run(const DrillRequest *request, DrillReport *ret, Error **reterr) {
        /* nothing is put back by these hosts: whoever waits for their locks may tire of it */
        HostOptions options = *request->host;
        _cleanup_(host_pool_freep) HostPool *locked = host_pool_new(request->cluster, &options);
        const ProbeContext c = probe_context(request->cluster, request->store, request->cancelled);
        Run run = { .request = request, .locked = locked };
        _cleanup_error_ Error *error = NULL;
        int r;

        options.cancelled = request->cancelled;
        *ret = (DrillReport) { .begun = clock_realtime(),
                              .results = xnew(DrillResult, request->n_drills + 1) };
        r = hold(&run, request->wait, reterr);
        if (r >= 0)
                r = require_healthy(request, reterr);
        if (r < 0)
                return r;
        r = drill_pending_rest(request, reterr);
        if (r < 0)
                return r;
        r = start_probers(&run, reterr);
        if (r >= 0)
                r = drill_each(&run, ret, reterr);
        prober_free(run.reads);
        prober_free(run.writes);
        if (drill_remove_config_map(&c, NULL) >= 0 &&
            drill_pending_end(request, /* back= */ !run.left, &error) < 0 && r >= 0)
                r = error_propagate(reterr, TAKE_PTR(error));
        return r;
}

void drill_report_done(DrillReport *r) {
        for (size_t i = 0; i < r->n_results; i++) {
                prober_sum_done(&r->results[i].reads);
                prober_sum_done(&r->results[i].writes);
                free(r->results[i].heir);
                free(r->results[i].text);
        }
        free(r->results);
        *r = (DrillReport) {};
}
