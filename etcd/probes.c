/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * etcd's probes: is a member ready, does the cluster serve, who leads
 *
 * Health is judged by the quorum wherever something is decided for the whole cluster; a single member is
 * only asked for itself when it was just started.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "etcd/internal.h"

#define TIMEOUT_QUICK USEC_PER_SEC
#define TRANSFER_TIMEOUT (10 * USEC_PER_SEC)
#define ELECTION_PAUSE_USEC (200 * USEC_PER_MSEC)

static size_t count_up(const ProbeContext *c) {
        size_t n = 0;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                _cleanup_(etcd_peer_close) EtcdPeer p = {};

                n += etcd_peer_open(c, node, TIMEOUT_QUICK, &p, NULL) >= 0 && etcd_peer_is_up(&p, node);
        }
        return n;
}

static void say_ready(const ProbeContext *c, const EtcdPeer *p, const Node *node, ProbeResult *ret) {
        size_t n_members = cluster_count(c->cluster, ROLE_ETCD);
        _cleanup_(etcd_status_done) EtcdStatus status = {};

        if (etcd_status(&p->endpoint, &status, NULL) < 0)
                probe_result_set(ret, PROBE_READY, "member of %zu", n_members);
        else if (!etcd_is_current(c->store, status.cluster_id))
                etcd_say_older(node, ret);
        else if (status.learner)
                probe_result_set(ret, PROBE_READY, "learner");
        else
                probe_result_set(ret, PROBE_READY, "member of %zu, %s", n_members, etcd_role(&status));
}

/* It reaches a quorum, of those that came back with the data of before a restore. */
void etcd_say_older(const Node *node, ProbeResult *ret) {
        probe_result_set(ret, PROBE_FAILED,
                         "its data is of before the last restore: hardway etcd replace %s", node->name);
}

/* It does not answer its clients: its own fault, or that of those who are not there? */
static void say_waiting(const ProbeContext *c, const EtcdPeer *p, const Node *node, const char *why,
                        ProbeResult *ret) {
        size_t n = cluster_count(c->cluster, ROLE_ETCD), up;

        if (!etcd_peer_is_up(p, node)) {
                probe_result_set(ret, PROBE_WAITING, "%s", why);
                return;
        }
        up = count_up(c);
        if (up < etcd_quorum(n))
                probe_result_set(ret, PROBE_BLOCKED, "%zu of %zu member%s, quorum needs %zu", up, n,
                                 n == 1 ? "" : "s", etcd_quorum(n));
        else
                probe_result_set(ret, PROBE_WAITING, "%zu of %zu member%s, no leader yet", up, n,
                                 n == 1 ? "" : "s");
}

/**
 * etcd_ready() - does this node's member do its work?
 * @c:          the context of the probe
 * @node:       the node
 * @ret:        ready once it reaches a quorum
 * @reterr:     what the store lacks
 *
 * Return: 0 or a negative errno.
 */
int etcd_ready(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_(etcd_peer_close) EtcdPeer p = {};
        _cleanup_free_ char *reason = NULL;
        _cleanup_error_ Error *error = NULL;
        int r;

        r = etcd_peer_open(c, node, c->before ? ETCD_ASK_USEC : TIMEOUT_QUICK, &p, reterr);
        if (r < 0)
                return r;
        r = etcd_health(&p.endpoint, /* serializable= */ false, &reason, &error);
        if (r > 0)
                say_ready(c, &p, node, ret);
        else if (r == -EKEYREJECTED || r == -EACCES)
                probe_result_set(ret, PROBE_FAILED, "%s", error->message);
        else
                say_waiting(c, &p, node, error ? error->message : reason ? reason : "not healthy", ret);
        return 0;
}

typedef enum Leading {
        LED,
        LED_SOON, /* a quorum runs, and is between two leaders */
        LED_BY_NOBODY,
} Leading;

static int ask_leading(const ProbeContext *c, Leading *ret, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        int r;

        r = etcd_survey(c, &survey, reterr);
        if (r < 0)
                return r;
        *ret = survey.n_up > 0 && survey.n_up >= survey.quorum ? LED_SOON : LED_BY_NOBODY;
        ETCD_FOREACH_SIGHT(s, &survey)
                if (s->answers && s->status.leader != 0 && etcd_is_current(c->store, s->status.cluster_id))
                        *ret = LED;
        return 0;
}

/**
 * etcd_election_usec() - how long a quorum that runs may be without a leader
 * @c:          the cluster
 *
 * Each member waits for one to two election timeouts before it stands; the second time hardly two stand at once.
 *
 * Return: microseconds.
 */
uint64_t etcd_election_usec(const Cluster *c) {
        return 2 * c->timings.etcd_election_msec * USEC_PER_MSEC;
}

/**
 * etcd_serving() - does the cluster serve?
 * @c:          the context of the probe
 * @ret:        true if any member knows a leader, or comes to know one: an election is no end of service
 * @reterr:     what the store lacks; or it serves, and why it cannot be asked
 *
 * Return: 0, -EHOSTUNREACH if it serves and this machine cannot ask it, -EKEYEXPIRED if that is so because its
 * certificates have expired, -EEXIST if it serves on members that are not in the cluster file, or another negative
 * errno.
 */
int etcd_serving(const ProbeContext *c, bool *ret, Error **reterr) {
        uint64_t deadline = clock_usec() + etcd_election_usec(c->cluster);
        Leading leading;
        int r;

        while ((r = ask_leading(c, &leading, reterr)) >= 0 && leading == LED_SOON &&
               clock_usec() < deadline && !(c->cancelled && *c->cancelled))
                clock_sleep(ELECTION_PAUSE_USEC);
        if (r < 0)
                return r;
        if (leading == LED) {
                *ret = true;
                return 0;
        }
        r = etcd_former(c, reterr);
        return r < 0 ? r : etcd_serving_unseen(c, ret, reterr);
}

/**
 * etcd_leads() - is this node's member the leader?
 * @c:          the context of the probe
 * @node:       the node
 * @ret:        false also if it does not answer
 * @reterr:     what the store lacks
 *
 * Return: 0 or a negative errno.
 */
int etcd_leads(const ProbeContext *c, const Node *node, bool *ret, Error **reterr) {
        _cleanup_(etcd_peer_close) EtcdPeer p = {};
        _cleanup_(etcd_status_done) EtcdStatus status = {};
        int r;

        r = etcd_peer_open(c, node, ETCD_ASK_USEC, &p, reterr);
        if (r < 0)
                return r;
        *ret = etcd_status(&p.endpoint, &status, NULL) >= 0 && status.leader != 0 &&
               status.leader == status.member_id && etcd_is_current(c->store, status.cluster_id);
        return 0;
}

/* The voter that is furthest, besides the leader itself; 0: there is none. */
static uint64_t find_transferee(const ProbeContext *c, const Node *leader) {
        uint64_t id = 0, index = 0;

        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                _cleanup_(etcd_peer_close) EtcdPeer p = {};
                _cleanup_(etcd_status_done) EtcdStatus status = {};

                if (node == leader || etcd_peer_open(c, node, TIMEOUT_QUICK, &p, NULL) < 0 ||
                    etcd_health(&p.endpoint, /* serializable= */ false, NULL, NULL) <= 0 ||
                    etcd_status(&p.endpoint, &status, NULL) < 0 || status.learner ||
                    !etcd_is_current(c->store, status.cluster_id))
                        continue;
                if (id == 0 || status.raft_applied_index > index) {
                        id = status.member_id;
                        index = status.raft_applied_index;
                }
        }
        return id;
}

/* The answer says that it is done; what counts is that the member itself knows it, as it is about to be
 * stopped. */
static int wait_for_leader(const EtcdPeer *p, uint64_t id, Error **reterr) {
        uint64_t deadline = clock_usec() + TRANSFER_TIMEOUT;

        do {
                _cleanup_(etcd_status_done) EtcdStatus status = {};

                if (etcd_status(&p->endpoint, &status, NULL) >= 0 && status.leader == id)
                        return 0;
                clock_sleep(100 * USEC_PER_MSEC);
        } while (clock_usec() < deadline);
        return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT,
                         "etcd's leadership did not move to another member");
}

/**
 * etcd_hand_over() - let another member lead
 * @c:          the context of the probe
 * @node:       the node whose member is about to be restarted
 * @reterr:     nobody else can lead, or nobody else does
 *
 * Without it the others notice the loss after the election timeout, and writes wait so long.
 *
 * Return: 0 also where there is nothing to hand over, or a negative errno.
 */
int etcd_hand_over(const ProbeContext *c, const Node *node, Error **reterr) {
        _cleanup_(etcd_peer_close) EtcdPeer p = {};
        bool leads = false;
        uint64_t transferee;
        int r;

        r = etcd_leads(c, node, &leads, reterr);
        if (r < 0 || !leads || cluster_count(c->cluster, ROLE_ETCD) < 2)
                return r;
        transferee = find_transferee(c, node);
        if (transferee == 0)
                return error_set(reterr, ERROR_UNAVAILABLE, EHOSTUNREACH,
                                 "etcd: the leader cannot hand over, as no other member is healthy");
        r = etcd_peer_open(c, node, TRANSFER_TIMEOUT, &p, reterr);
        if (r < 0)
                return r;
        r = etcd_transfer_leadership(&p.endpoint, transferee, reterr);
        return r < 0 ? r : wait_for_leader(&p, transferee, reterr);
}
