/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a survey amounts to: who leads, whether there is a quorum, and which members would restore it
 */

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "etcd/internal.h"

size_t etcd_quorum(size_t n_members) {
        return n_members / 2 + 1;
}

bool etcd_sight_votes(const EtcdSight *s) {
        return s->member && !s->member->learner;
}

bool etcd_sight_is_sound(const EtcdSight *s) {
        return s->state == ETCD_HEALTHY && etcd_sight_votes(s);
}

/* Without a list there is but the cluster file to go by, and who is of another cluster is none of it. */
static bool counts(const EtcdSurvey *s, const EtcdSight *sight) {
        return s->list.n_members == 0 ? sight->state != ETCD_STRANGER : etcd_sight_votes(sight);
}

void etcd_survey_count(EtcdSurvey *s) {
        for (size_t i = 0; i < s->n_sights; i++) {
                if (!counts(s, s->sights + i))
                        continue;
                s->n_voters++;
                s->n_healthy += s->sights[i].state == ETCD_HEALTHY;
                s->n_up += s->sights[i].state <= ETCD_WAITING;
        }
        s->quorum = etcd_quorum(s->n_voters);
}

const char* etcd_sight_name(const EtcdSight *s) {
        if (s->node)
                return s->node->name;
        return s->member->name                               ? s->member->name :
               s->member->peer_urls && *s->member->peer_urls ? *s->member->peer_urls :
                                                               "one without a name";
}

const char* etcd_state_to_string(EtcdState state) {
        static const char *const names[] = {
                [ETCD_HEALTHY] = "healthy",
                [ETCD_UNHEALTHY] = "unhealthy",
                [ETCD_WAITING] = "waits for a quorum",
                [ETCD_AWAY] = "away",
                [ETCD_NOT_STARTED] = "never started",
                [ETCD_STRANGER] = "of another cluster",
        };

        return names[state];
}

const EtcdSight* etcd_survey_find(const EtcdSurvey *s, const Node *node) {
        for (size_t i = 0; i < s->n_sights; i++)
                if (s->sights[i].node == node)
                        return s->sights + i;
        return NULL;
}

const EtcdSight* etcd_survey_sound(const EtcdSurvey *survey, const EtcdSight *except) {
        ETCD_FOREACH_SIGHT(s, survey)
                if (s != except && etcd_sight_is_sound(s))
                        return s;
        return NULL;
}

size_t etcd_survey_count_sound(const EtcdSurvey *survey, const EtcdSight *except) {
        size_t n = 0;

        ETCD_FOREACH_SIGHT(s, survey)
                n += s != except && etcd_sight_is_sound(s);
        return n;
}

/**
 * etcd_survey_leader() - who leads
 * @s:          the survey
 *
 * Return: the member that all healthy ones call leader, or NULL.
 */
const EtcdSight* etcd_survey_leader(const EtcdSurvey *s) {
        const EtcdSight *leader = NULL;
        uint64_t id = 0;

        for (size_t i = 0; i < s->n_sights; i++) {
                const EtcdSight *sight = s->sights + i;

                if (sight->state != ETCD_HEALTHY)
                        continue;
                if (id != 0 && sight->status.leader != id)
                        return NULL;
                id = sight->status.leader;
        }
        for (size_t i = 0; i < s->n_sights && id != 0; i++)
                if ((s->sights[i].answers && s->sights[i].status.member_id == id) ||
                    (s->sights[i].member && s->sights[i].member->id == id))
                        leader = s->sights + i;
        return leader;
}

/* "controller-1 and controller-2": voters that run, or those that do not. */
static char* names(const EtcdSurvey *s, bool up, const char *conjunction) {
        _cleanup_strv_ Strv v = NULL;
        _cleanup_free_ char *last = NULL, *separator = xasprintf(" %s ", conjunction), *head = NULL;
        size_t n;

        for (size_t i = 0; i < s->n_sights; i++)
                if (counts(s, s->sights + i) && (s->sights[i].state <= ETCD_WAITING) == up)
                        strv_add(&v, etcd_sight_name(s->sights + i));
        n = strv_length(v);
        if (n < 2)
                return xstrdup(n == 1 ? v[0] : "");
        last = TAKE_PTR(v[n - 1]);
        head = strv_join(v, ", ");
        return xasprintf("%s%s%s", head, separator, last);
}

static const char* few(size_t n) {
        static const char *const words[] = { "none", "one", "two", "three", "four" };

        return n < ARRAY_SIZE(words) ? words[n] : "more";
}

static char* how_to_restore(const EtcdSurvey *s) {
        size_t missing = s->quorum - s->n_up;
        _cleanup_free_ char *all = names(s, /* up= */ false, "and"), *up = names(s, /* up= */ true, "or");
        bool everybody = s->n_voters - s->n_up == missing;
        _cleanup_free_ char *who = everybody ? xstrdup(all) : xasprintf("%s of %s", few(missing), all);
        bool one = missing == 1;

        return xasprintf(
                "%s %s to come back: switch %s on, then hardway install --node NAME%s, which finds %s data. "
                "If the data is lost: hardway etcd restore, from a snapshot%s%s",
                who, one ? "has" : "have", one ? "it" : "them", one ? "" : " for each",
                one ? "its" : "their", s->n_up > 0 ? " or --survivor " : "", s->n_up > 0 ? up : "");
}

/* All that answer are of another cluster, and nobody else is in the cluster file. */
static bool say_all_older(char **ret_text, char **ret_advice) {
        if (ret_text)
                *ret_text = xstrdup("no member has the data of the last restore");
        if (ret_advice)
                *ret_advice =
                        xstrdup("hardway etcd restore, from a snapshot; or, of what a member had before, "
                                "--survivor NAME --force");
        return true;
}

/* Members that run with certificates which nobody takes: switching anything on, or a restore, is no help. */
static bool say_expired(const EtcdSurvey *s, char **ret_text, char **ret_advice) {
        size_t n = 0;

        for (size_t i = 0; i < s->n_sights; i++)
                n += counts(s, s->sights + i) && s->sights[i].errnum == EKEYEXPIRED;
        if (n == 0 || s->n_up + n < s->quorum)
                return false;
        if (ret_text)
                *ret_text =
                        xasprintf("certificates of %zu of %zu members have expired, or are not valid yet: "
                                  "nobody can ask them",
                                  n, s->n_voters);
        if (ret_advice)
                *ret_advice =
                        xstrdup("is the clock of this machine right, and are the nodes' (hardway check)? "
                                "Then hardway pki renew; the data is not lost");
        return true;
}

/**
 * etcd_survey_lost() - is the quorum lost?
 * @s:          the survey
 * @ret_text:   what is so, one line; the caller frees; may be NULL
 * @ret_advice: what to do; the caller frees; may be NULL
 *
 * Return: true if no member reaches one; false, and nothing is set, if any does.
 */
bool etcd_survey_lost(const EtcdSurvey *s, char **ret_text, char **ret_advice) {
        if (s->n_healthy > 0 || s->n_sights == 0)
                return false;
        if (s->n_voters == 0)
                return say_all_older(ret_text, ret_advice);
        if (say_expired(s, ret_text, ret_advice))
                return true;
        if (s->n_up >= s->quorum) {
                if (ret_text)
                        *ret_text = xasprintf("no leader, although %zu of %zu members run: the API can "
                                              "neither write nor read",
                                              s->n_up, s->n_voters);
                if (ret_advice)
                        *ret_advice = xstrdup("an election takes seconds; if it stays so, look at the "
                                              "network between the members, at their clocks and disks");
                return true;
        }
        if (ret_text)
                *ret_text = xasprintf("quorum is lost (members up: %zu of %zu, needed: %zu): the API writes "
                                      "nothing, and reads what is in its memory at most",
                                      s->n_up, s->n_voters, s->quorum);
        if (ret_advice) {
                _cleanup_free_ char *restore = how_to_restore(s);

                *ret_advice = s->n_up > 0 ? TAKE_PTR(restore) :
                                            xasprintf("hardway install, if nothing was installed yet. Else: "
                                                      "%s",
                                                      restore);
        }
        return true;
}
