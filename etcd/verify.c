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

#define CATCH_UP (5 * USEC_PER_SEC)
#define SUBJECT "etcd"

static json_t* sight_to_json(const EtcdSight *s) {
        _cleanup_free_ char *id = xasprintf("%" PRIx64, s->status.member_id);

        return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I}", "id", id, "role", etcd_role(&s->status), "version",
                         s->status.version ?: "", "revision", (json_int_t) s->status.revision, "raft_term",
                         (json_int_t) s->status.raft_term, "db_size", (json_int_t) s->status.db_size,
                         "db_size_in_use", (json_int_t) s->status.db_size_in_use);
}

static void check_alarms(const EtcdSight *s, CheckList *checks) {
        _cleanup_free_ char *errors = strv_join(s->status.errors, "; ");
        Check *check;

        if (strv_length(s->status.errors) == 0)
                return;
        check = check_add_on(checks, CHECK_FAILED, "etcd.alarms", s->node, SUBJECT, "reports: %s", errors);
        check_advise(check, "NOSPACE: defragment (hardway etcd defrag); CORRUPT: replace this member");
}

/*
 * etcd's documentation ("Hardware") asks for less than 10 ms, a tenth of the usual heartbeat. More is no
 * failure; more than a heartbeat, and elections are near.
 */
static void check_fsync(const EtcdSurvey *survey, const EtcdSight *s, CheckList *checks) {
        unsigned heartbeat = survey->cluster->timings.etcd_heartbeat_msec;
        double msec = 0;
        Check *check;

        if (etcd_fsync(&s->peer, &msec) < 0)
                return;
        if (msec <= heartbeat) {
                check_add_on(checks, CHECK_OK, "etcd.fsync", s->node, SUBJECT,
                             "99 of 100 syncs of its log take at most %.1f ms%s", msec,
                             msec > heartbeat / 10.0 ? ", which is much" : "");
                return;
        }
        check = check_add_on(
                checks, CHECK_WARNING, "etcd.fsync", s->node, SUBJECT,
                "99 of 100 syncs of its log take at most %.0f ms: longer than a heartbeat (%u ms)", msec,
                heartbeat);
        check_advise(check, survey->cluster->disk_profile == DISK_SSD ?
                                    "a faster disk, or: profile.disk: sdcard, and hardway install" :
                                    "a faster disk");
}

static void check_member(const EtcdSurvey *survey, const EtcdSight *s, CheckList *checks) {
        char wanted[VERSION_TEXT_SIZE];
        Check *check;

        if (s->state == ETCD_STRANGER) {
                check = check_add_on(checks, CHECK_FAILED, "etcd.member", s->node, SUBJECT,
                                     ETCD_STRANGER_TEXT);
                check_advise(check, "hardway etcd replace %s", s->node->name);
                return;
        }
        if (s->state != ETCD_HEALTHY) {
                check = check_add_on(checks, CHECK_FAILED, "etcd.member", s->node, SUBJECT, "%s", s->why);
                check_advise_silent(check, s->node, SUBJECT, s->errnum);
                return;
        }
        version_format(&survey->cluster->etcd, wanted);
        if (s->status.version && !streq(s->status.version, wanted + 1)) {
                check = check_add_on(checks, CHECK_WARNING, "etcd.member", s->node, SUBJECT,
                                     "healthy, but runs v%s instead of %s", s->status.version, wanted);
                check_advise(check, "hardway install");
        } else
                check = check_add_on(checks, CHECK_OK, "etcd.member", s->node, SUBJECT,
                                     "healthy, %s, %s, %.1f MB", etcd_role(&s->status), wanted,
                                     (double) s->status.db_size / 1e6);
        check->data = sight_to_json(s);
        check_alarms(s, checks);
        check_fsync(survey, s, checks);
}

static void check_quorum(const EtcdSurvey *survey, CheckList *checks) {
        _cleanup_free_ char *text = NULL, *advice = NULL;
        Check *check;

        if (etcd_survey_lost(survey, &text, &advice)) {
                check = check_add(checks, CHECK_FAILED, "etcd.quorum", NULL, SUBJECT, "%s", text);
                check_advise(check, "%s", advice);
                return;
        }
        if (survey->n_healthy == survey->n_voters) {
                check_add(checks, CHECK_OK, "etcd.quorum", NULL, SUBJECT,
                          "%zu of %zu member%s, %zu may fail", survey->n_healthy, survey->n_voters,
                          survey->n_voters == 1 ? "" : "s", survey->n_voters - survey->quorum);
                return;
        }
        check = check_add(checks, CHECK_FAILED, "etcd.quorum", NULL, SUBJECT,
                          "%zu of %zu members healthy, quorum is %zu", survey->n_healthy, survey->n_voters,
                          survey->quorum);
        check_advise(check, "%zu member%s to stay: mend the others before anything else", survey->quorum,
                     survey->quorum == 1 ? " has" : "s have");
}

/* Of whom it was found that they say the same: one that is away has said nothing. The caller frees. */
static char* on_members(const EtcdSurvey *survey) {
        size_t n = 0;

        ETCD_FOREACH_SIGHT(s, survey)
                n += s->state == ETCD_HEALTHY;
        return n == survey->n_sights ?
                       xstrdup("on all members") :
                       xasprintf("on %zu of %zu members, those that are healthy", n, survey->n_sights);
}

/* Whether all healthy members say the same of something. */
static bool agree(const EtcdSurvey *survey, uint64_t (*what)(const EtcdSight *s), uint64_t *ret) {
        bool first = true;

        ETCD_FOREACH_SIGHT(s, survey) {
                if (s->state != ETCD_HEALTHY)
                        continue;
                if (!first && *ret != what(s))
                        return false;
                *ret = what(s);
                first = false;
        }
        return true;
}

static uint64_t sight_leader(const EtcdSight *s) {
        return s->status.leader;
}

static bool has_stranger(const EtcdSurvey *survey) {
        ETCD_FOREACH_SIGHT(s, survey)
                if (s->state == ETCD_STRANGER)
                        return true;
        return false;
}

static void check_agreement(const EtcdSurvey *survey, CheckList *checks) {
        _cleanup_free_ char *on = on_members(survey);
        uint64_t leader = 0;
        Check *check;

        if (has_stranger(survey)) {
                check = check_add(checks, CHECK_FAILED, "etcd.cluster", NULL, SUBJECT,
                                  "the members belong to different clusters");
                check_advise(
                        check,
                        "the one that differs has data of another cluster, or of before a restore: stop it, "
                        "then hardway etcd replace NAME");
        } else
                check_add(checks, CHECK_OK, "etcd.cluster", NULL, SUBJECT, "cluster id %" PRIx64 " %s",
                          survey->list.cluster_id, on);

        if (!agree(survey, sight_leader, &leader) || leader == 0) {
                check = check_add(checks, CHECK_FAILED, "etcd.leader", NULL, SUBJECT,
                                  leader == 0 ? "there is no leader" :
                                                "the members do not agree on a leader");
                check_advise(check,
                             "if this stays for more than %u s, look at the network between the controllers",
                             2 * survey->cluster->timings.etcd_election_msec / 1000 + 1);
        } else
                check_add(checks, CHECK_OK, "etcd.leader", NULL, SUBJECT, "%s leads",
                          etcd_survey_leader(survey) ? etcd_sight_name(etcd_survey_leader(survey)) :
                                                       "a member that is not in the list");
}

/* The list of members against the cluster file. */
static void check_members(const EtcdSurvey *survey, CheckList *checks) {
        Check *check;

        if (!survey->agreed) {
                check_add(checks, CHECK_FAILED, "etcd.members", NULL, SUBJECT,
                          "the list of members cannot be had");
                return;
        }
        ETCD_FOREACH_SIGHT(s, survey) {
                bool named =
                        s->node && s->member && (!s->member->name || streq(s->member->name, s->node->name));

                if (named && !s->member->learner)
                        continue;
                check = check_add(checks, CHECK_FAILED, "etcd.members", s->node, SUBJECT,
                                  !s->node   ? "%s is a member, but not in the cluster file" :
                                  !s->member ? "%s is in the cluster file, but no member" :
                                  !named     ? "%s has another name in the list of members" :
                                               "%s is a learner: it does not vote",
                                  etcd_sight_name(s));
                check_advise(check, "see: hardway etcd members");
        }
}

static const EtcdSight* find_behind(const EtcdSurvey *survey, uint64_t revision) {
        ETCD_FOREACH_SIGHT(s, survey) {
                uint64_t own = 0;

                if (s->state == ETCD_HEALTHY &&
                    (etcd_revision(&s->peer.endpoint, /* linearizable= */ false, &own, NULL) < 0 ||
                     own < revision))
                        return s;
        }
        return NULL;
}

/* What was committed at the start has to be on every member soon. */
static void check_revision(const EtcdSurvey *survey, const EtcdSight *one, CheckList *checks) {
        uint64_t deadline = clock_usec() + CATCH_UP, revision = 0;
        _cleanup_free_ char *on = on_members(survey);
        _cleanup_error_ Error *error = NULL;
        const EtcdSight *behind;
        Check *check;

        if (etcd_revision(&one->peer.endpoint, /* linearizable= */ true, &revision, &error) < 0) {
                check_add(checks, CHECK_FAILED, "etcd.revision", one->node, SUBJECT, "%s", error->message);
                return;
        }
        while ((behind = find_behind(survey, revision)) && clock_usec() < deadline)
                clock_sleep(50 * USEC_PER_MSEC);
        if (behind) {
                check = check_add(checks, CHECK_FAILED, "etcd.revision", behind->node, SUBJECT,
                                  "has not reached revision %" PRIu64 " after 5 s", revision);
                check_advise(check, "its disk or its network is too slow");
        } else
                check_add(checks, CHECK_OK, "etcd.revision", NULL, SUBJECT, "revision %" PRIu64 " %s",
                          revision, on);
}

/**
 * etcd_verify() - add etcd's checks
 * @c:          the context of the probe
 * @checks:     where to
 *
 * Return: 0.
 */
int etcd_verify(const ProbeContext *c, CheckList *checks) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        const EtcdSight *one = NULL;
        _cleanup_error_ Error *error = NULL;

        if (etcd_survey(c, &survey, &error) < 0) {
                check_add(checks, CHECK_FAILED, "etcd.member", NULL, SUBJECT, "%s", error->message);
                return 0;
        }
        ETCD_FOREACH_SIGHT(s, &survey) {
                if (s->node)
                        check_member(&survey, s, checks);
                /* a learner answers no question of what was committed */
                if (!one && s->state == ETCD_HEALTHY && !s->status.learner)
                        one = s;
        }
        check_quorum(&survey, checks);
        etcd_verify_schedule(c, checks);
        if (!one)
                return 0;
        check_agreement(&survey, checks);
        check_members(&survey, checks);
        check_revision(&survey, one, checks);
        return 0;
}
