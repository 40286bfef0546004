/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * All members at a glance: who answers, what it says, and whether that is enough
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parallel.h"
#include "etcd/internal.h"

static void set_away(EtcdSight *s, const Error *error) {
        s->state = s->node && etcd_peer_is_up(&s->peer, s->node) ? ETCD_WAITING : ETCD_AWAY;
        s->why = xstrdup(s->state == ETCD_WAITING ? "runs, and has found no quorum since its start" :
                                                    error->message);
        s->errnum = s->state == ETCD_WAITING ? 0 : error->errnum;
}

/* The status first: then the connection stands, and what the second question takes is the member's own. */
static void ask(void *item) {
        EtcdSight *s = item;
        _cleanup_free_ char *reason = NULL;
        _cleanup_error_ Error *error = NULL;
        uint64_t begin;
        int r;

        /* nobody knows its address */
        if (!s->peer.http)
                return;
        r = etcd_status(&s->peer.endpoint, &s->status, &error);
        if (r < 0) {
                set_away(s, error);
                return;
        }
        s->answers = true;
        begin = clock_usec();
        r = etcd_health(&s->peer.endpoint, /* serializable= */ false, &reason, &error);
        if (r > 0) {
                s->latency_usec = clock_usec() - begin;
                s->state = ETCD_HEALTHY;
                return;
        }
        s->state = ETCD_UNHEALTHY;
        s->errnum = error ? error->errnum : 0;
        s->why = xstrdup(error             ? error->message :
                         reason && *reason ? reason :
                                             "says that it is not healthy");
}

/* Those from the first on. */
static void ask_all(EtcdSurvey *s, size_t first) {
        parallel_each(ask, s->sights + first, sizeof(EtcdSight), s->n_sights - first);
}

/* Answers, and for another cluster than the one that the last restore made. */
static bool is_of_before(const EtcdSurvey *s, const EtcdSight *sight) {
        return s->restored_id != 0 && sight->answers && sight->status.cluster_id != s->restored_id;
}

/* The list from whoever has one; through the quorum where there is one. */
static void take_list(EtcdSurvey *s) {
        for (int linearizable = 1; linearizable >= 0; linearizable--)
                for (size_t i = 0; i < s->n_sights; i++) {
                        EtcdState state = s->sights[i].state;

                        if (state != ETCD_HEALTHY && (linearizable || state != ETCD_UNHEALTHY))
                                continue;
                        if (is_of_before(s, s->sights + i))
                                continue;
                        if (etcd_members(&s->sights[i].peer.endpoint, linearizable, &s->list, NULL) < 0)
                                continue;
                        s->agreed = linearizable;
                        return;
                }
}

/* A member is known by the id that it tells; one that is silent by the name of its node, or its address. */
static const EtcdMember* member_of(const EtcdSurvey *s, const EtcdSight *sight) {
        _cleanup_free_ char *url = NULL;
        const EtcdMember *named;

        if (sight->answers)
                return etcd_members_find(&s->list, sight->status.member_id);
        named = etcd_members_find_name(&s->list, sight->node->name);
        if (named)
                return named;
        url = etcd_peer_url(sight->node);
        return etcd_members_find_peer(&s->list, url);
}

static bool is_sighted(const EtcdSurvey *s, const EtcdMember *member) {
        for (size_t i = 0; i < s->n_sights; i++)
                if (s->sights[i].member == member)
                        return true;
        return false;
}

/* The list is that of the first member that is well; who answers for another cluster does not belong to it. */
static void judge_stranger(const EtcdSurvey *survey, EtcdSight *s) {
        bool other = survey->list.n_members > 0 && s->status.cluster_id != survey->list.cluster_id;

        if (!s->answers || (!other && !is_of_before(survey, s)))
                return;
        s->state = ETCD_STRANGER;
        free(s->why);
        s->why = xasprintf(ETCD_STRANGER_TEXT "%s%s",
                           s->node ? ". Put in order by: hardway etcd replace " : "",
                           s->node ? s->node->name : "");
}

static void judge_silent(EtcdSight *s) {
        if (s->state != ETCD_AWAY || !s->member || s->member->client_urls)
                return;
        s->state = ETCD_NOT_STARTED;
        free(s->why);
        s->why = xstrdup("is in the list of members, and was never started");
}

/* Members of the list whom nobody has asked yet, at the address that the list has. Any certificate of etcd's
 * CA will do. */
static void ask_others(const ProbeContext *c, EtcdSurvey *s) {
        size_t first = s->n_sights;

        for (size_t i = 0; i < s->list.n_members && first > 0; i++) {
                const EtcdMember *m = s->list.members + i;
                EtcdSight *sight = s->sights + s->n_sights;

                if (is_sighted(s, m))
                        continue;
                *sight = (EtcdSight) { .member = m, .state = ETCD_AWAY };
                s->n_sights++;
                if (m->client_urls)
                        (void) etcd_peer_open_url(c, s->sights[0].node, m->client_urls[0], ETCD_ASK_USEC,
                                                  &sight->peer, NULL);
        }
        ask_all(s, first);
}

static int ask_nodes(const ProbeContext *c, EtcdSurvey *s, Error **reterr) {
        int r;

        s->sights = xnew(EtcdSight, cluster_count(c->cluster, ROLE_ETCD) + 1);
        CLUSTER_FOREACH_NODE(node, c->cluster, ROLE_ETCD) {
                EtcdSight *sight = s->sights + s->n_sights;

                sight->node = node;
                r = etcd_peer_open(c, node, ETCD_ASK_USEC, &sight->peer, reterr);
                if (r < 0)
                        return r;
                s->n_sights++;
        }
        ask_all(s, 0);
        take_list(s);
        return 0;
}

/**
 * etcd_survey() - ask all members
 * @c:          the context of the probe; its exec is not used
 * @ret:        what they say; to be released with etcd_survey_done()
 * @reterr:     what the store lacks
 *
 * Return: 0, however many answer, or a negative errno.
 */
int etcd_survey(const ProbeContext *c, EtcdSurvey *ret, Error **reterr) {
        EtcdSurvey s = { .cluster = c->cluster, .restored_id = etcd_restored_id(c->store) };
        int r;

        r = ask_nodes(c, &s, reterr);
        if (r < 0) {
                etcd_survey_done(&s);
                return r;
        }
        s.sights = xrealloc(s.sights, s.n_sights + s.list.n_members + 1, sizeof(EtcdSight));
        for (size_t i = 0; i < s.n_sights; i++)
                s.sights[i].member = member_of(&s, s.sights + i);
        ask_others(c, &s);
        for (size_t i = 0; i < s.n_sights; i++) {
                judge_stranger(&s, s.sights + i);
                judge_silent(s.sights + i);
        }
        etcd_survey_count(&s);
        *ret = s;
        return 0;
}

void etcd_survey_done(EtcdSurvey *s) {
        for (size_t i = 0; i < s->n_sights; i++) {
                etcd_peer_close(&s->sights[i].peer);
                etcd_status_done(&s->sights[i].status);
                free(s->sights[i].why);
        }
        free(s->sights);
        etcd_members_done(&s->list);
        *s = (EtcdSurvey) {};
}
