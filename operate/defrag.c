/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/defrag.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"
#include "common/shell.h"
#include "etcd/data.h"
#include "operate/hold.h"
#include "operate/operate-scripts.h"
#include "plan/drain.h"

#define DEFRAG_TIMEOUT (600 * USEC_PER_SEC) /* some GB on an SD card */
#define HEALTHY_USEC (60 * USEC_PER_SEC)
#define PAYS_MIN (UINT64_C(32) * 1024 * 1024)      /* bytes that would come back, at least ... */
#define PAYS_FRACTION 4                            /* ... and this part of the database */
#define ROOM_RESERVE (UINT64_C(128) * 1024 * 1024) /* beside the new database: two files of the log */
#define QUOTA_PERCENT 80                           /* below this part of the quota, an alarm is over */

bool defrag_pays(const EtcdStatus *status) {
        uint64_t unused =
                status->db_size > status->db_size_in_use ? status->db_size - status->db_size_in_use : 0;

        return unused >= PAYS_MIN && unused >= status->db_size / PAYS_FRACTION;
}

static void note(const DefragRequest *q, const char *format, ...) _printf_(2, 3);
static void note(const DefragRequest *q, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        if (q->note)
                q->note(q->userdata, text);
}

static int refuse_unhealthy(const EtcdSurvey *survey, Error **reterr) {
        _cleanup_free_ char *text = NULL, *advice = NULL;
        int r;

        if (etcd_survey_lost(survey, &text, &advice)) {
                r = error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "etcd: %s", text);
                error_detail(reterr, "%s\n", advice);
                return r;
        }
        ETCD_FOREACH_SIGHT(s, survey) {
                if (s->state == ETCD_HEALTHY || !etcd_sight_votes(s))
                        continue;
                return error_set(reterr, ERROR_UNAVAILABLE, EAGAIN,
                                 "%s is not healthy: no other member is taken from service now (%s)",
                                 etcd_sight_name(s), s->why ? s->why : "");
        }
        return 0;
}

static int await_healthy(const EtcdSight *s, Error **reterr) {
        uint64_t deadline = clock_usec() + HEALTHY_USEC;

        do {
                if (etcd_health(&s->peer.endpoint, /* serializable= */ false, NULL, NULL) > 0)
                        return 0;
                clock_sleep(100 * USEC_PER_MSEC);
        } while (clock_usec() < deadline);
        return error_set(reterr, ERROR_UNAVAILABLE, ETIMEDOUT, "%s is not healthy again after 60 s",
                         etcd_sight_name(s));
}

static int defragment(const DefragRequest *q, const EtcdSight *s, Error **reterr) {
        _cleanup_(etcd_status_done) EtcdStatus after = {};
        int r;

        if (q->step)
                q->step(q->userdata, s, STAGE_DEFRAGMENT);
        r = etcd_defragment(&s->peer.endpoint, DEFRAG_TIMEOUT, reterr);
        if (r >= 0)
                r = await_healthy(s, reterr);
        if (r >= 0)
                r = etcd_status(&s->peer.endpoint, &after, reterr);
        if (q->end)
                q->end(q->userdata, s, r >= 0, s->status.db_size, after.db_size, r < 0 ? "failed" : "done");
        return r;
}

/* The apiserver beside the member knows no other one: what is asked there would wait until the member is back. */
static int defragment_drained(const DefragRequest *q, const EtcdSight *s, Error **reterr) {
        bool apiserver = s->node && (s->node->roles & ROLE_CONTROLLER);
        int r = 0, back = 0;

        if (apiserver)
                r = drain_set_aside(q->components, q->probes, s->node, reterr);
        if (r >= 0)
                r = defragment(q, s, reterr);
        if (apiserver)
                back = drain_bring_back(q->components, q->probes, r >= 0 ? reterr : NULL);
        return r < 0 ? r : back;
}

/* The new database is written beside the old one, and a member whose log finds the disk full ends. */
static int refuse_full_disk(const DefragRequest *q, const EtcdSight *s, Error **reterr) {
        uint64_t needed = s->status.db_size_in_use + ROOM_RESERVE, free_kib;
        _cleanup_buffer_ Buffer variables = BUFFER_NULL, out = BUFFER_NULL;
        int r;

        if (!s->node)
                return 0;
        shell_add_variable(&variables, "data", ETCD_DATA);
        r = probe_exec(q->probes, s->node, "how much room is there for a second database, in KiB?",
                       &variables, EMBED_DEFRAG_ROOM_SH, &out, reterr);
        if (r < 0)
                return r;
        if (parse_uint64(buffer_str(&out), 0, UINT64_MAX / 1024, &free_kib) < 0 || free_kib * 1024 >= needed)
                return 0;
        r = error_set(reterr, ERROR_IO, ENOSPC,
                      "%s: %" PRIu64 " MB are needed for the new database beside the old one, %" PRIu64
                      " MB are free",
                      s->node->name, needed / 1000000 + 1, free_kib * 1024 / 1000000);
        error_detail(reterr, "Make room where " ETCD_DATA " lies. This member was left as it is.\n");
        return r;
}

/* To another voter, so that the pause costs no election. */
static int hand_over(const EtcdSurvey *survey, const EtcdSight *leader, Error **reterr) {
        const EtcdSight *other = etcd_survey_sound(survey, leader);

        return other ? etcd_transfer_leadership(&leader->peer.endpoint, other->member->id, reterr) : 0;
}

/* The sight of the same member in a younger survey. */
static const EtcdSight* find_again(const EtcdSurvey *survey, const EtcdSight *old) {
        ETCD_FOREACH_SIGHT(s, survey)
                if (s->answers && s->status.member_id == old->status.member_id)
                        return s;
        return NULL;
}

/* While the last one was at it, another may have died: whether this one can be spared is asked now. */
static int defragment_if_all_well(const DefragRequest *q, const EtcdSight *old, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        const EtcdSight *s;
        int r;

        r = etcd_survey(q->probes, &survey, reterr);
        if (r >= 0)
                r = refuse_unhealthy(&survey, reterr);
        if (r < 0)
                return r;
        s = find_again(&survey, old);
        if (!s)
                return error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "%s does not answer any more",
                                 etcd_sight_name(old));
        r = refuse_full_disk(q, s, reterr);
        if (r >= 0 && s == etcd_survey_leader(&survey))
                r = hand_over(&survey, s, reterr);
        return r < 0 ? r : defragment_drained(q, s, reterr);
}

static int take_turn(const DefragRequest *q, const EtcdSight *s, bool all, Error **reterr) {
        uint64_t size = s->status.db_size;
        int r;

        r = error_if_cancelled(q->cancelled, reterr, "stopped as asked, before %s", etcd_sight_name(s));
        if (r < 0)
                return r;

        if (!all && !defrag_pays(&s->status)) {
                if (q->end)
                        q->end(q->userdata, s, true, size, size, "left as it is: it would hardly shrink");
                return 0;
        }
        if (!q->dry_run)
                return defragment_if_all_well(q, s, reterr);
        if (q->end)
                q->end(q->userdata, s, true, size, s->status.db_size_in_use, "would be defragmented");
        return 0;
}

/* One of another cluster, with data of before a restore, is left alone; and a learner, which refuses this (etcd,
 * server/etcdserver/api/v3rpc/interceptor.go). */
static bool takes_part(const EtcdSight *s) {
        return s->answers && s->state != ETCD_STRANGER && etcd_sight_votes(s);
}

static void tell_of_others(const DefragRequest *q, const EtcdSurvey *survey) {
        ETCD_FOREACH_SIGHT(s, survey)
                if (s->state == ETCD_STRANGER)
                        note(q, "%s is left alone: %s", etcd_sight_name(s), s->why);
                else if (s->member && s->member->learner)
                        note(q, "%s is left alone: it is a learner", etcd_sight_name(s));
}

static int one_by_one(const DefragRequest *q, const EtcdSurvey *survey, bool all, Error **reterr) {
        const EtcdSight *leader = etcd_survey_leader(survey);
        int r;

        for (int turn = 0; turn < 2; turn++)
                ETCD_FOREACH_SIGHT(s, survey) {
                        if ((s == leader) != (turn == 1) || !takes_part(s))
                                continue;
                        r = take_turn(q, s, all, reterr);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static bool has_nospace(const EtcdAlarmed *alarms, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (alarms[i].alarm == ETCD_ALARM_NOSPACE)
                        return true;
        return false;
}

/* Every member has room again. */
static bool has_room(const DefragRequest *q) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};

        if (etcd_survey(q->probes, &survey, NULL) < 0 || !etcd_survey_sound(&survey, NULL))
                return false;
        ETCD_FOREACH_SIGHT(s, &survey)
                if (takes_part(s) && s->status.db_quota > 0 &&
                    s->status.db_size > s->status.db_quota / 100 * QUOTA_PERCENT)
                        return false;
        return true;
}

static int clear(const DefragRequest *q, const EtcdSurvey *survey, const EtcdSight *one,
                 const EtcdAlarmed *alarm, bool room, Error **reterr) {
        const EtcdMember *member = etcd_members_find(&survey->list, alarm->member);
        const char *name = member && member->name ? member->name : "a member that is gone";
        bool corrupt = alarm->alarm == ETCD_ALARM_CORRUPT;
        int r;

        if (corrupt && member) {
                note(q, "CORRUPT: the data of %s differs from that of the others: hardway etcd replace %s",
                     name, name);
                return 0;
        }
        if (!corrupt && !room) {
                note(q,
                     "NOSPACE stays, raised by %s: what is in use nearly fills the quota. Delete what fills it "
                     "(events, or one kind of object without end), then again: hardway etcd defrag",
                     name);
                return 0;
        }
        r = etcd_disarm(&one->peer.endpoint, alarm, reterr);
        if (r >= 0)
                note(q, "%s, raised by %s, is cleared", corrupt ? "CORRUPT" : "NOSPACE", name);
        return r;
}

static int clear_all(const DefragRequest *q, const EtcdSurvey *survey, const EtcdSight *one,
                     const EtcdAlarmed *alarms, size_t n, Error **reterr) {
        bool room = n > 0 && has_room(q);
        int r;

        for (size_t i = 0; i < n; i++) {
                r = clear(q, survey, one, alarms + i, room, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Of all members' nodes, and of the load balancers', which are told: one that is off need not be. */
static int hold_all(const DefragRequest *q, Error **reterr) {
        const Cluster *c = q->probes->cluster;
        _cleanup_free_ const Node **members = xnew(const Node*, c->n_nodes + 1);
        size_t n = 0;

        CLUSTER_FOREACH_NODE(node, c, ROLE_ETCD)
                members[n++] = node;
        return hold_nodes(q->hosts,
                          &(HoldRequest) { .cluster = c,
                                          .roles = ROLE_ETCD | ROLE_LOADBALANCER,
                                          .holder = q->holder,
                                          .wait = q->wait,
                                          .lenient = true,
                                          .firm = members,
                                          .n_firm = n },
                          reterr);
}

/**
 * defrag_run() - defragment where it pays, and clear alarms whose cause is gone
 * @request:    what to do, and whom to tell
 * @reterr:     a member is not healthy, before or after, or somebody else is at work on its node
 *
 * Return: 0 or a negative errno.
 */
int defrag_run(const DefragRequest *request, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        _cleanup_free_ EtcdAlarmed *alarms = NULL;
        const EtcdSight *one;
        size_t n_alarms = 0;
        bool full;
        int r = 0;

        if (!request->dry_run)
                r = hold_all(request, reterr);
        if (r >= 0)
                r = etcd_survey(request->probes, &survey, reterr);
        if (r >= 0)
                r = refuse_unhealthy(&survey, reterr);
        one = etcd_survey_sound(&survey, NULL);
        if (r >= 0 && !one)
                r = error_set(reterr, ERROR_UNAVAILABLE, EAGAIN, "etcd's list of members cannot be had");
        if (r >= 0)
                r = etcd_alarms(&one->peer.endpoint, &alarms, &n_alarms, reterr);
        if (r < 0)
                return r;
        full = has_nospace(alarms, n_alarms);
        if (full && !request->dry_run) {
                note(request, "NOSPACE: outdated revisions are compacted first");
                r = etcd_compact(&one->peer.endpoint, one->status.revision, reterr);
        }
        tell_of_others(request, &survey);
        if (r >= 0)
                r = one_by_one(request, &survey, request->all || full, reterr);
        if (r >= 0 && !request->dry_run)
                r = clear_all(request, &survey, one, alarms, n_alarms, reterr);
        return r;
}
