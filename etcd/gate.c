/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * May a member be stopped, as far as the others can tell?
 *
 * Every member of the cluster file that was ever started has to be healthy. And what a quorum is made of is
 * etcd's list, not the cluster file: members that are gone, and were taken out of the file but not yet out of
 * the list, are voters that do not come.
 */

#include "common/alloc.h"
#include "etcd/internal.h"

/* Who came back with the data of before a restore tells an id that is in no list; its node's member is. */
static const EtcdMember* find_listed(const EtcdSurvey *survey, const EtcdSight *s) {
        if (s->member || s->state != ETCD_STRANGER || !s->node)
                return s->member;
        return etcd_members_find_name(&survey->list, s->node->name);
}

/* A member without client URLs is in the list and was never started: nobody waits for it. */
static const EtcdSight* find_ill(const EtcdSurvey *survey) {
        ETCD_FOREACH_SIGHT(s, survey) {
                const EtcdMember *member = find_listed(survey, s);

                if (s->node && member && member->client_urls && s->state != ETCD_HEALTHY)
                        return s;
        }
        return NULL;
}

/* "c3 (not in the cluster file), c4": voters that are not healthy */
static char* name_lost(const EtcdSurvey *survey) {
        _cleanup_strv_ Strv names = NULL;

        ETCD_FOREACH_SIGHT(s, survey)
                if (etcd_sight_votes(s) && s->state != ETCD_HEALTHY)
                        strv_addf(&names, "%s%s", etcd_sight_name(s),
                                  s->node ? "" : " (not in the cluster file)");
        return strv_join(names, ", ");
}

/* Of one voter, and of two, each is needed, whatever is done: that is no reason never to change them. */
static void judge_loss(const EtcdSurvey *survey, const EtcdSight *own, ProbeResult *ret) {
        size_t left = etcd_survey_count_sound(survey, own);
        _cleanup_free_ char *lost = NULL;

        if (!etcd_sight_votes(own) || survey->n_voters < 3 || left >= survey->quorum)
                return;
        lost = name_lost(survey);
        probe_result_set(ret, PROBE_WAITING,
                         "without the member of %s %zu of %zu voters would be healthy, and quorum needs "
                         "%zu; lost: %s",
                         etcd_sight_name(own), left, survey->n_voters, survey->quorum, lost);
}

/**
 * etcd_gate() - may a node be touched?
 * @c:          the context of the probe
 * @node:       the node
 * @ret:        ready if every member that was ever started is healthy, and, before the change, if the others
 *              are a quorum without this node's
 * @reterr:     what the store lacks
 *
 * Return: 0 or a negative errno.
 */
int etcd_gate(const ProbeContext *c, const Node *node, ProbeResult *ret, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        const EtcdSight *ill, *own;
        int r;

        r = etcd_survey(c, &survey, reterr);
        if (r < 0)
                return r;
        ill = find_ill(&survey);
        own = etcd_survey_find(&survey, node);
        if (survey.list.n_members == 0)
                probe_result_set(ret, PROBE_WAITING, "no member answers");
        else if (ill)
                probe_result_set(ret, PROBE_WAITING, "the member of %s is not healthy: %s", ill->node->name,
                                 ill->why);
        else {
                probe_result_set(ret, PROBE_READY, NULL);
                if (c->before && own)
                        judge_loss(&survey, own, ret);
        }
        return 0;
}
