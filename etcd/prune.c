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

#define TIMEOUT (3 * USEC_PER_SEC)

static bool stays(const EtcdSight *s) {
        return s->node && etcd_sight_votes(s);
}

static const EtcdSight* find_heir(const EtcdSurvey *survey) {
        for (const EtcdSight *s = survey->sights; s < survey->sights + survey->n_sights; s++)
                if (stays(s) && s->state == ETCD_HEALTHY)
                        return s;
        return NULL;
}

/* Every member of the cluster file votes and is healthy. */
static bool all_well(const EtcdSurvey *survey) {
        for (const EtcdSight *s = survey->sights; s < survey->sights + survey->n_sights; s++)
                if (s->node && (!stays(s) || s->state != ETCD_HEALTHY))
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

/* Who loses it may not have meant to: an old copy of the cluster file has fewer nodes, too. */
static bool works(const EtcdSight *s) {
        return s->state == ETCD_HEALTHY && etcd_sight_votes(s);
}

static bool leaves(const EtcdSurvey *survey, const EtcdSight *s) {
        return survey->agreed && !s->node;
}

static int prune_one(const ProbeContext *c, bool working, Strv *notes, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        int r;

        r = etcd_survey(c, TIMEOUT, &survey, reterr);
        if (r < 0)
                return r;
        for (const EtcdSight *s = survey.sights; s < survey.sights + survey.n_sights; s++) {
                if (!leaves(&survey, s) || (works(s) && !working))
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

/**
 * etcd_leavers() - members that are not in the cluster file
 * @c:          the context of the probe
 * @ret_working: names of those that are healthy; the caller frees
 * @ret_lost:   names of the others; the caller frees
 * @reterr:     what went wrong
 *
 * Return: how many there are, or a negative errno.
 */
int etcd_leavers(const ProbeContext *c, Strv *ret_working, Strv *ret_lost, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        int r, n = 0;

        r = etcd_survey(c, TIMEOUT, &survey, reterr);
        if (r < 0)
                return r;
        *ret_working = *ret_lost = NULL;
        for (const EtcdSight *s = survey.sights; s < survey.sights + survey.n_sights; s++)
                if (leaves(&survey, s)) {
                        strv_add(works(s) ? ret_working : ret_lost, etcd_sight_name(s));
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
