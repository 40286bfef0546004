/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Members that are not in the cluster file any more
 *
 * Who took a node out of the cluster file wants its member out. One after the other, and only while every member
 * that stays is healthy: then what stays is a quorum of what is left, whoever goes.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "etcd/internal.h"

#define IN_TOUCH_SEC 20u /* one that was lost just now is given up by the others after some seconds */
#define IN_TOUCH_PAUSE_USEC (1 * USEC_PER_SEC)

static const EtcdSight* find_heir(const EtcdSurvey *survey) {
        ETCD_FOREACH_SIGHT(s, survey)
                if (s->node && etcd_sight_is_sound(s))
                        return s;
        return NULL;
}

/* Every member of the cluster file votes and is healthy. */
static bool all_well(const EtcdSurvey *survey) {
        ETCD_FOREACH_SIGHT(s, survey)
                if (s->node && !etcd_sight_is_sound(s))
                        return false;
        return true;
}

static int take_out(const EtcdSurvey *survey, const EtcdSight *s, Strv *notes, Error **reterr) {
        const EtcdSight *heir = find_heir(survey);
        int r;

        /* a leader that is taken out costs an election */
        if (s == etcd_survey_leader(survey) && s->peer.http)
                (void) etcd_transfer_leadership(&s->peer.endpoint, heir->member->id, NULL);
        r = etcd_member_remove_patiently(&heir->peer.endpoint, s->member->id, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "etcd: %s cannot be taken out", etcd_sight_name(s));
        strv_addf(notes, "etcd: %s is not in the cluster file, and no member any more%s", etcd_sight_name(s),
                  s->state <= ETCD_WAITING ? "; what still runs there serves nobody" : "");
        return 1;
}

/* That this machine gets no answer says nothing of a member in a network that it has no way to. Others know better;
 * where they cannot be asked nobody knows, and it stays. */
static bool is_in_touch(const ProbeContext *c, const EtcdSurvey *survey, const EtcdSight *s) {
        const EtcdSight *leader = etcd_survey_leader(survey),
                        *other = leader && leader->node ? leader : NULL;
        uint64_t end_usec = clock_usec() + IN_TOUCH_SEC * USEC_PER_SEC;

        other = other ? other : find_heir(survey);
        if (s->state != ETCD_AWAY || !other)
                return false;
        while (etcd_is_in_touch(&other->peer, s->member->id) != 0) {
                if (clock_usec() > end_usec || (c->cancelled && *c->cancelled))
                        return true;
                clock_sleep(IN_TOUCH_PAUSE_USEC);
        }
        return false;
}

/* Who loses it may not have meant to: an old copy of the cluster file has fewer nodes, too. */
static bool works(const ProbeContext *c, const EtcdSurvey *survey, const EtcdSight *s) {
        return etcd_sight_votes(s) && (s->state == ETCD_HEALTHY || is_in_touch(c, survey, s));
}

static bool leaves(const EtcdSurvey *survey, const EtcdSight *s) {
        return survey->agreed && !s->node;
}

static int prune_one(const ProbeContext *c, bool working, Strv *notes, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        int r;

        r = etcd_survey(c, &survey, reterr);
        if (r < 0)
                return r;
        ETCD_FOREACH_SIGHT(s, &survey) {
                if (!leaves(&survey, s) || (!working && works(c, &survey, s)))
                        continue;
                if (all_well(&survey))
                        return take_out(&survey, s, notes, reterr);
                strv_addf(
                        notes,
                        "etcd: %s is not in the cluster file; it stays a member until all others are healthy",
                        etcd_sight_name(s));
                return 0;
        }
        return 0;
}

static void add_leaver(const ProbeContext *c, const EtcdSurvey *survey, const EtcdSight *s, Strv *working,
                       Strv *lost) {
        if (!works(c, survey, s))
                strv_add(lost, etcd_sight_name(s));
        else if (s->state == ETCD_HEALTHY)
                strv_add(working, etcd_sight_name(s));
        else
                strv_addf(working, "%s (in touch with the other members, though not with this machine)",
                          etcd_sight_name(s));
}

/**
 * etcd_leavers() - members that are not in the cluster file
 * @c:          the context of the probe
 * @ret_working: names of those that are healthy, as far as the others can tell; the caller frees
 * @ret_lost:   names of the others; the caller frees
 * @reterr:     what went wrong
 *
 * Return: how many there are, or a negative errno.
 */
int etcd_leavers(const ProbeContext *c, Strv *ret_working, Strv *ret_lost, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        int r, n = 0;

        r = etcd_survey(c, &survey, reterr);
        if (r < 0)
                return r;
        *ret_working = *ret_lost = NULL;
        ETCD_FOREACH_SIGHT(s, &survey)
                if (leaves(&survey, s)) {
                        add_leaver(c, &survey, s, ret_working, ret_lost);
                        n++;
                }
        return n;
}

/**
 * etcd_prune() - take members out that are not in the cluster file
 * @c:          the context of the probe
 * @working:    also healthy ones
 * @ret_notes:  what was done, for people; the caller frees
 * @reterr:     what went wrong
 *
 * Return: how many were taken out, or a negative errno.
 */
int etcd_prune(const ProbeContext *c, bool working, Strv *ret_notes, Error **reterr) {
        _cleanup_strv_ Strv notes = NULL;
        int r, n = 0;

        while ((r = prune_one(c, working, &notes, reterr)) > 0)
                n++;
        if (r < 0)
                return r;
        *ret_notes = TAKE_PTR(notes);
        return n;
}
