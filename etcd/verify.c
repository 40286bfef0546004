/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * etcd's checks: each member, and what they have to agree on
 */

#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/json.h"
#include "etcd/internal.h"

#define TIMEOUT (3 * USEC_PER_SEC)
#define CATCH_UP (5 * USEC_PER_SEC)
#define SUBJECT "etcd"

/* As check_add(), with the node's name in the id. */
#define check_node(checks, state, id, node, ...)                               \
        ({                                                                     \
                _cleanup_free_ char *_id_ = xasprintf(id "/%s", (node)->name); \
                check_add(checks, state, _id_, node, SUBJECT, __VA_ARGS__);    \
        })

typedef struct Seen {
        const Node *node;
        EtcdPeer peer;
        EtcdStatus status;
        bool answers, healthy;
        char *why; /* it is not healthy */
} Seen;

typedef struct Round {
        const Cluster *cluster;
        Seen *seen;
        size_t n_seen, n_healthy;
} Round;

static void round_done(Round *round) {
        for (size_t i = 0; i < round->n_seen; i++) {
                etcd_peer_close(&round->seen[i].peer);
                etcd_status_done(&round->seen[i].status);
                free(round->seen[i].why);
        }
        free(round->seen);
}

static void ask(const ProbeContext *c, Seen *s) {
        _cleanup_error_ Error *error = NULL;
        _cleanup_free_ char *reason = NULL;
        int r;

        r = etcd_peer_open(c, s->node, TIMEOUT, &s->peer, &error);
        if (r >= 0)
                r = etcd_health(&s->peer.endpoint, /* serializable= */ false, &reason, &error);
        s->answers = r >= 0 && etcd_status(&s->peer.endpoint, &s->status, &error) >= 0;
        s->healthy = s->answers && r > 0;
        if (!s->healthy)
                s->why = xstrdup(error             ? error->message :
                                 reason && *reason ? reason :
                                                     "says that it is not healthy");
}

static void ask_all(const ProbeContext *c, Round *round) {
        round->cluster = c->cluster;
        round->seen = xnew(Seen, c->cluster->n_nodes);
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                Seen *s = round->seen + round->n_seen++;

                s->node = node;
                ask(c, s);
                round->n_healthy += s->healthy;
        }
}

static json_t* seen_to_json(const Seen *s) {
        _cleanup_free_ char *id = xasprintf("%" PRIx64, s->status.member_id);
        const char *role = s->status.learner                       ? "learner" :
                           s->status.leader == s->status.member_id ? "leader" :
                                                                     "follower";

        return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I}", "id", id, "role", role, "version",
                         s->status.version ?: "", "revision", (json_int_t) s->status.revision, "raft_term",
                         (json_int_t) s->status.raft_term, "db_size", (json_int_t) s->status.db_size,
                         "db_size_in_use", (json_int_t) s->status.db_size_in_use);
}

static void check_alarms(const Seen *s, CheckList *checks) {
        _cleanup_free_ char *errors = strv_join(s->status.errors, "; ");
        Check *check;

        if (strv_length(s->status.errors) == 0)
                return;
        check = check_node(checks, CHECK_FAILED, "etcd.alarms", s->node, "reports: %s", errors);
        check_advise(check, "NOSPACE: defragment (hardway etcd defrag); CORRUPT: replace this member");
}

/*
 * etcd's documentation ("Hardware") asks for less than 10 ms, a tenth of the usual heartbeat. More is no
 * failure; more than a heartbeat, and elections are near.
 */
static void check_fsync(const Round *round, const Seen *s, CheckList *checks) {
        unsigned heartbeat = round->cluster->timings.etcd_heartbeat_msec;
        double msec = 0;
        Check *check;

        if (etcd_fsync(&s->peer, &msec) < 0)
                return;
        if (msec <= heartbeat) {
                check_node(checks, CHECK_OK, "etcd.fsync", s->node,
                           "99 of 100 syncs of its log take at most %.1f ms%s", msec,
                           msec > heartbeat / 10.0 ? ", which is much" : "");
                return;
        }
        check = check_node(
                checks, CHECK_WARNING, "etcd.fsync", s->node,
                "99 of 100 syncs of its log take at most %.0f ms: longer than a heartbeat (%u ms)", msec,
                heartbeat);
        check_advise(check, round->cluster->disk_profile == DISK_SSD ?
                                    "a faster disk, or: profile.disk: sdcard, and hardway install" :
                                    "a faster disk");
}

static void check_member(const Round *round, const Seen *s, CheckList *checks) {
        char wanted[VERSION_TEXT_SIZE];
        Check *check;

        if (!s->healthy) {
                check = check_node(checks, CHECK_FAILED, "etcd.member", s->node, "%s", s->why);
                check_advise(check, "on %s: journalctl -u etcd; then: hardway install --node %s",
                             s->node->name, s->node->name);
                return;
        }
        version_format(&round->cluster->etcd, wanted);
        if (s->status.version && !streq(s->status.version, wanted + 1)) {
                check = check_node(checks, CHECK_WARNING, "etcd.member", s->node,
                                   "healthy, but runs v%s instead of %s", s->status.version, wanted);
                check_advise(check, "hardway install");
        } else
                check = check_node(checks, CHECK_OK, "etcd.member", s->node, "healthy, %s, %s, %.1f MB",
                                   s->status.leader == s->status.member_id ? "leader" : "follower", wanted,
                                   (double) s->status.db_size / 1e6);
        check->data = seen_to_json(s);
        check_alarms(s, checks);
        check_fsync(round, s, checks);
}

static void check_quorum(const Round *round, CheckList *checks) {
        size_t quorum = etcd_quorum(round->n_seen);
        Check *check;

        if (round->n_healthy == round->n_seen) {
                check_add(checks, CHECK_OK, "etcd.quorum", NULL, SUBJECT, "%zu of %zu members, %zu may fail",
                          round->n_healthy, round->n_seen, round->n_seen - quorum);
                return;
        }
        check = check_add(checks, CHECK_FAILED, "etcd.quorum", NULL, SUBJECT,
                          "%zu of %zu members healthy, quorum %s %zu", round->n_healthy, round->n_seen,
                          round->n_healthy < quorum ? "needs" : "is", quorum);
        check_advise(check,
                     round->n_healthy < quorum ?
                             "nothing can be written until %zu members are back" :
                             "%zu members have to stay: mend the others before anything else",
                     quorum);
}

/* Whether all healthy members say the same of something. */
static bool agree(const Round *round, uint64_t (*what)(const Seen *s), uint64_t *ret) {
        bool first = true;

        for (const Seen *s = round->seen; s < round->seen + round->n_seen; s++) {
                if (!s->healthy)
                        continue;
                if (!first && *ret != what(s))
                        return false;
                *ret = what(s);
                first = false;
        }
        return true;
}

static uint64_t seen_leader(const Seen *s) {
        return s->status.leader;
}

static uint64_t seen_cluster(const Seen *s) {
        return s->status.cluster_id;
}

static const char* member_name(const Round *round, uint64_t id) {
        for (size_t i = 0; i < round->n_seen; i++)
                if (round->seen[i].answers && round->seen[i].status.member_id == id)
                        return round->seen[i].node->name;
        return "a member that is not in the cluster file";
}

static void check_agreement(const Round *round, CheckList *checks) {
        uint64_t leader = 0, cluster = 0;
        Check *check;

        if (!agree(round, seen_cluster, &cluster)) {
                check = check_add(checks, CHECK_FAILED, "etcd.cluster", NULL, SUBJECT,
                                  "the members belong to different clusters");
                check_advise(
                        check,
                        "the one that differs has data of another cluster: hardway reset --node NAME there");
        } else
                check_add(checks, CHECK_OK, "etcd.cluster", NULL, SUBJECT,
                          "cluster id %" PRIx64 " on all members", cluster);

        if (!agree(round, seen_leader, &leader) || leader == 0) {
                check = check_add(checks, CHECK_FAILED, "etcd.leader", NULL, SUBJECT,
                                  leader == 0 ? "there is no leader" :
                                                "the members do not agree on a leader");
                check_advise(check,
                             "if this stays for more than %u s, look at the network between the controllers",
                             2 * round->cluster->timings.etcd_election_msec / 1000 + 1);
        } else
                check_add(checks, CHECK_OK, "etcd.leader", NULL, SUBJECT, "%s leads",
                          member_name(round, leader));
}

/* The list of members against the cluster file. */
static void check_members(const Round *round, const Seen *one, CheckList *checks) {
        _cleanup_(etcd_members_done) EtcdMembers members = {};
        _cleanup_error_ Error *error = NULL;
        size_t n_known = 0;
        Check *check;

        if (etcd_members(&one->peer.endpoint, /* linearizable= */ true, &members, &error) < 0) {
                check_add(checks, CHECK_FAILED, "etcd.members", NULL, SUBJECT, "%s", error->message);
                return;
        }
        for (size_t i = 0; i < members.n_members; i++) {
                const EtcdMember *m = members.members + i;
                const Node *node = m->name ? cluster_find_node(round->cluster, m->name) : NULL;

                n_known += node != NULL;
                if (node && !m->learner)
                        continue;
                check = check_add(checks, CHECK_FAILED, "etcd.members", node, SUBJECT,
                                  node ? "%s is a learner: it does not vote" :
                                         "%s is a member, but not in the cluster file",
                                  m->name              ?:
                                          m->peer_urls ? m->peer_urls[0] :
                                                         "one without a name");
                check_advise(check, "see: hardway etcd members");
        }
        if (n_known < round->n_seen) {
                check = check_add(checks, CHECK_FAILED, "etcd.members", NULL, SUBJECT,
                                  "%zu of %zu members are in the list", n_known, round->n_seen);
                check_advise(check, "see: hardway etcd members");
        }
}

static const Seen* find_behind(const Round *round, uint64_t revision) {
        for (const Seen *s = round->seen; s < round->seen + round->n_seen; s++) {
                uint64_t own = 0;

                if (s->healthy &&
                    (etcd_revision(&s->peer.endpoint, /* linearizable= */ false, &own, NULL) < 0 ||
                     own < revision))
                        return s;
        }
        return NULL;
}

/* What was committed at the start has to be on every member soon. */
static void check_revision(const Round *round, const Seen *one, CheckList *checks) {
        uint64_t deadline = clock_usec() + CATCH_UP, revision = 0;
        _cleanup_error_ Error *error = NULL;
        const Seen *behind;
        Check *check;

        if (etcd_revision(&one->peer.endpoint, /* linearizable= */ true, &revision, &error) < 0) {
                check_add(checks, CHECK_FAILED, "etcd.revision", one->node, SUBJECT, "%s", error->message);
                return;
        }
        while ((behind = find_behind(round, revision)) && clock_usec() < deadline)
                clock_sleep(50 * USEC_PER_MSEC);
        if (behind) {
                check = check_add(checks, CHECK_FAILED, "etcd.revision", behind->node, SUBJECT,
                                  "has not reached revision %" PRIu64 " after 5 s", revision);
                check_advise(check, "its disk or its network is too slow");
        } else
                check_add(checks, CHECK_OK, "etcd.revision", NULL, SUBJECT,
                          "revision %" PRIu64 " on all members", revision);
}

/**
 * etcd_verify() - add etcd's checks
 * @c:          the context of the probe
 * @checks:     where to
 *
 * Return: 0.
 */
int etcd_verify(const ProbeContext *c, CheckList *checks) {
        _cleanup_(round_done) Round round = {};
        const Seen *one = NULL;

        ask_all(c, &round);
        for (size_t i = 0; i < round.n_seen; i++) {
                check_member(&round, round.seen + i, checks);
                if (!one && round.seen[i].healthy)
                        one = round.seen + i;
        }
        check_quorum(&round, checks);
        if (!one)
                return 0;
        check_agreement(&round, checks);
        check_members(&round, one, checks);
        check_revision(&round, one, checks);
        return 0;
}
