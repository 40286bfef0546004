/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who leads among kube-controller-managers and kube-schedulers: the lease in kube-system
 * (coordination.k8s.io/v1)
 *
 * A lease is as fresh as its renewTime, which is the leader's clock; ours may differ. So a lease that looks
 * too old, or made in the future, is read again a little later: a leader that is alive has renewed it.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "controlplane/controlplane.h"
#include "controlplane/internal.h"

char* lease_duration(const PlanContext *c) {
        return xasprintf("%us", c->cluster->timings.lease_duration_sec);
}

char* lease_renew(const PlanContext *c) {
        return xasprintf("%us", c->cluster->timings.lease_renew_sec);
}

char* lease_retry(const PlanContext *c) {
        return xasprintf("%us", c->cluster->timings.lease_retry_sec);
}

typedef struct Lease {
        char *holder; /* "controller-0_4d1f...": host name and a random id */
        char *renewed;
        int64_t age_sec; /* by our clock */
        int64_t duration_sec;
        int64_t transitions;
} Lease;

static void lease_done(Lease *l) {
        free(l->holder);
        free(l->renewed);
        *l = (Lease) {};
}

/* RFC 3339 in UTC, with or without a fraction; -1 if it is none. */
int64_t lease_time(const char *text) {
        struct tm tm = {};

        return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t) timegm(&tm) : -1;
}

static int read_lease(HttpClient *http, const char *url, const char *name, Lease *ret, char **ret_problem) {
        _cleanup_free_ char *path =
                xasprintf("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/%s", name);
        _cleanup_(api_answer_done) ApiAnswer answer = {};
        _cleanup_error_ Error *error = NULL;
        const json_t *spec;
        int r;

        r = api_request(http, "GET", url, path, NULL, &answer, &error);
        if (r < 0) {
                *ret_problem = xstrdup(error->message);
                return r;
        }
        if (answer.status == 404) {
                *ret_problem = xstrdup("nobody has ever led");
                return -ESRCH;
        }
        spec = json_path(answer.tree, "spec");
        if (answer.status != 200 || !json_text(spec, "holderIdentity") ||
            !*json_text(spec, "holderIdentity")) {
                *ret_problem = answer.status == 200 ? xstrdup("nobody leads") : api_answer_text(&answer);
                return answer.status == 200 ? -ESRCH : -EPROTO;
        }
        *ret = (Lease) {
                .holder = xstrdup(json_text(spec, "holderIdentity")),
                .renewed = xstrdup(json_text(spec, "renewTime") ?: ""),
                .duration_sec = (int64_t) json_uint64(spec, "leaseDurationSeconds"),
                .transitions = (int64_t) json_uint64(spec, "leaseTransitions"),
        };
        ret->age_sec = clock_realtime() - lease_time(ret->renewed);
        return 0;
}

static bool looks_fresh(const Lease *l) {
        return l->age_sec >= -1 && l->age_sec <= l->duration_sec;
}

/* Alive in spite of its looks: it is renewed while we wait. */
static bool is_renewed(const ProbeContext *c, HttpClient *http, const char *url, const char *name,
                       Lease *l) {
        uint64_t deadline = clock_usec() + (c->cluster->timings.lease_retry_sec + 2) * USEC_PER_SEC;

        do {
                _cleanup_(lease_done) Lease now = {};
                _cleanup_free_ char *problem = NULL;

                clock_sleep(500 * USEC_PER_MSEC);
                if (read_lease(http, url, name, &now, &problem) < 0)
                        return false;
                if (!streq(now.renewed, l->renewed)) {
                        lease_done(l);
                        *l = TAKE_GENERIC(now, Lease, ((Lease) {}));
                        l->age_sec = 0;
                        return true;
                }
        } while (clock_usec() < deadline);
        return false;
}

static void add_lease(const Lease *l, bool alive, const char *name, const char *id, CheckList *checks) {
        const char *end = strchr(l->holder, '_');
        int n = end ? (int) (end - l->holder) : (int) strlen(l->holder);
        Check *check;

        if (alive)
                check = check_add(checks, CHECK_OK, id, NULL, name, "%.*s leads, renewed %lld s ago", n,
                                  l->holder, (long long) (l->age_sec > 0 ? l->age_sec : 0));
        else {
                check = check_add(checks, CHECK_FAILED, id, NULL, name,
                                  "%.*s led, and has not renewed its lease for %lld s (it holds for %lld)",
                                  n, l->holder, (long long) l->age_sec, (long long) l->duration_sec);
                check_advise(check,
                             "another one takes over when it can: journalctl -u %s on the controllers",
                             name);
        }
        check->data = json_pack("{s:s,s:s,s:I,s:I}", "holder", l->holder, "renewed", l->renewed, "age",
                                (json_int_t) l->age_sec, "transitions", (json_int_t) l->transitions);
}

/**
 * leader_ready() - does anybody lead?
 * @c:          the context of the probe
 * @node:       the node whose apiserver is asked
 * @lease:      the name of the lease, which is that of the program
 * @ret:        ready if the lease has a holder
 *
 * Asked with super-admin's rights: on a first installation the bindings of others are yet to be made.
 */
void leader_ready(const ProbeContext *c, const Node *node, const char *lease, ProbeResult *ret) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *url = cluster_apiserver_url(c->cluster, node), *problem = NULL;
        _cleanup_error_ Error *error = NULL;
        _cleanup_(lease_done) Lease l = {};

        if (probe_client(c, "ca", "super-admin", &http, &error) < 0)
                probe_result_set(ret, PROBE_FAILED, "%s", error->message);
        else if (read_lease(http, url, lease, &l, &problem) < 0)
                probe_result_set(ret, PROBE_WAITING, "%s", problem);
        else if (looks_fresh(&l) || is_renewed(c, http, url, lease, &l))
                probe_result_set(ret, PROBE_READY, NULL);
        else /* as all of them do when their certificates have expired: it holds the lease until another one takes it */
                probe_result_set(ret, PROBE_WAITING, "%.*s led, and does not any more",
                                 (int) strcspn(l.holder, "_"), l.holder);
}

/**
 * controlplane_leader() - who leads?
 * @c:          the context of the probe
 * @lease:      the name of the lease, which is that of the program
 * @ret:        its holder, which may be dead already; the caller frees
 *
 * Asked at the endpoint, as whoever.
 *
 * Return: 0, or -ENOENT if nobody leads or nobody can be asked.
 */
int controlplane_leader(const ProbeContext *c, const char *lease, char **ret) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *url = cluster_endpoint_url(c->cluster), *problem = NULL;
        _cleanup_(lease_done) Lease l = {};

        if (probe_client(c, "ca", "admin", &http, NULL) < 0 ||
            read_lease(http, url, lease, &l, &problem) < 0)
                return -ENOENT;
        *ret = TAKE_PTR(l.holder);
        return 0;
}

/**
 * check_leader() - add the check of a leader
 * @c:          the context of the probe
 * @lease:      the name of the lease, which is that of the program
 * @id:         of the check
 * @checks:     where to
 */
void check_leader(const ProbeContext *c, const char *lease, const char *id, CheckList *checks) {
        _cleanup_(http_client_freep) HttpClient *http = NULL;
        _cleanup_free_ char *url = cluster_endpoint_url(c->cluster), *problem = NULL;
        _cleanup_error_ Error *error = NULL;
        _cleanup_(lease_done) Lease l = {};
        Check *check;
        int r;

        r = probe_client(c, "ca", "admin", &http, &error);
        if (r < 0)
                problem = xstrdup(error->message);
        else
                r = read_lease(http, url, lease, &l, &problem);
        if (r < 0) {
                check = check_add(checks, CHECK_FAILED, id, NULL, lease, "%s", problem);
                if (r == -ESRCH)
                        check_advise(check, "journalctl -u %s on the controllers", lease);
                else
                        check_advise(check, "who leads stands in the cluster: see why the endpoint does not "
                                            "tell");
                return;
        }
        add_lease(&l, looks_fresh(&l) || is_renewed(c, http, url, lease, &l), lease, id, checks);
}
