/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "cli/hint.h"
#include "cli/progress-line.h"
#include "cli/table.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "etcd/survey.h"

static const char* role_of(const EtcdSurvey *survey, const EtcdSight *s) {
        if (!s->member)
                return survey->list.n_members > 0 ? "no member" : "";
        if (s->member->learner)
                return "learner";
        return s == etcd_survey_leader(survey) ? "leader" : "voter";
}

static char* number(bool known, uint64_t value) {
        return known ? xasprintf("%" PRIu64, value) : xstrdup("");
}

static char* size(bool known, uint64_t bytes) {
        return known ? format_size(bytes) : xstrdup("");
}

static Style state_style(EtcdState state) {
        return state == ETCD_HEALTHY                            ? STYLE_GREEN :
               state == ETCD_WAITING || state == ETCD_UNHEALTHY ? STYLE_YELLOW :
                                                                  STYLE_RED;
}

static void add_row(Table *t, const EtcdSurvey *survey, const EtcdSight *s) {
        uint64_t id = s->answers ? s->status.member_id : s->member ? s->member->id : 0;
        _cleanup_free_ char *hex = id ? xasprintf("%" PRIx64, id) : NULL,
                            *db = size(s->answers, s->status.db_size),
                            *used = size(s->answers, s->status.db_size_in_use),
                            *term = number(s->answers, s->status.raft_term),
                            *raft_index = number(s->answers, s->status.raft_index),
                            *latency = s->latency_usec ?
                                               xasprintf("%.1f ms", (double) s->latency_usec / 1000) :
                                               NULL,
                            *alarms = strv_join(s->status.errors, "; ");

        table_row(t, etcd_sight_name(s), hex ?: "", role_of(survey, s), etcd_state_to_string(s->state),
                  s->status.version ?: "", db, used, term, raft_index, latency ?: "", alarms, NULL);
        table_style(t, 3, state_style(s->state));
}

static void print_table(const VerbContext *v, const EtcdSurvey *survey) {
        _cleanup_(table_freep) Table *t = table_new(v, "MEMBER", "ID", "ROLE", "STATE", "VERSION", "DB",
                                                    "IN USE", "TERM", "INDEX", "LATENCY", "ALARMS", NULL);

        for (size_t column = 5; column < 10; column++)
                table_align_right(t, column);
        for (size_t i = 0; i < survey->n_sights; i++)
                add_row(t, survey, survey->sights + i);
        table_print(t);
}

/* What is not as it should be, a line each. */
static void print_reasons(const EtcdSurvey *survey) {
        ETCD_FOREACH_SIGHT(s, survey) {
                if (s->why)
                        (void) printf("%s: %s\n", etcd_sight_name(s), s->why);
                if (!s->node)
                        (void) printf("%s: is not in the cluster file\n", etcd_sight_name(s));
        }
}

static void print_verdict(const VerbContext *v, const EtcdSurvey *survey) {
        _cleanup_free_ char *text = NULL, *advice = NULL, *what_to_do = NULL;

        if (etcd_survey_lost(survey, &text, &advice)) {
                what_to_do = hint_complete(v->cluster_path, advice);
                (void) printf("%s%s.%s\n%s.\n", verb_style(v, STYLE_RED), text, verb_style(v, STYLE_NONE),
                              what_to_do);
                return;
        }
        (void) printf("%zu of %zu voters healthy, quorum is %zu: ", survey->n_healthy, survey->n_voters,
                      survey->quorum);
        if (survey->n_healthy > survey->quorum)
                (void) printf("%zu more may fail.\n", survey->n_healthy - survey->quorum);
        else
                (void) printf("no more may fail.\n");
}

static json_t* text_id(uint64_t id) {
        _cleanup_free_ char *hex = xasprintf("%" PRIx64, id);

        return json_string(hex);
}

static void add_status(json_t *object, const EtcdSight *s) {
        const EtcdStatus *status = &s->status;
        json_t *alarms = json_array();

        STRV_FOREACH(error, status->errors)
                json_array_append_new(alarms, json_string(*error));
        json_object_update_new(object, json_pack("{s:o, s:s*, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "id",
                                                 text_id(status->member_id), "version", status->version,
                                                 "db_size", (json_int_t) status->db_size, "db_size_in_use",
                                                 (json_int_t) status->db_size_in_use, "db_quota",
                                                 (json_int_t) status->db_quota, "raft_term",
                                                 (json_int_t) status->raft_term, "raft_index",
                                                 (json_int_t) status->raft_index, "raft_applied_index",
                                                 (json_int_t) status->raft_applied_index, "revision",
                                                 (json_int_t) status->revision, "alarms", alarms));
}

static json_t* sight_to_json(const EtcdSurvey *survey, const EtcdSight *s) {
        json_t *object = json_pack("{s:s, s:s*, s:s, s:s, s:s*, s:b}", "name", etcd_sight_name(s), "node",
                                   s->node ? s->node->name : NULL, "role", role_of(survey, s), "state",
                                   etcd_state_to_string(s->state), "why", s->why, "healthy",
                                   s->state == ETCD_HEALTHY);

        if (s->member)
                json_object_set_new(object, "id", text_id(s->member->id));
        if (s->answers)
                add_status(object, s);
        if (s->latency_usec)
                json_object_set_new(object, "latency", json_latency(s->latency_usec));
        return object;
}

static void print_json(const EtcdSurvey *survey) {
        _cleanup_free_ char *text = NULL, *advice = NULL;
        bool lost = etcd_survey_lost(survey, &text, &advice);
        _cleanup_json_ json_t *tree = NULL;
        json_t *list = json_array();

        for (size_t i = 0; i < survey->n_sights; i++)
                json_array_append_new(list, sight_to_json(survey, survey->sights + i));
        tree = json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:s*, s:s*, s:o}", "cluster", survey->cluster->name,
                         "quorum", !lost, "voters", (json_int_t) survey->n_voters, "up",
                         (json_int_t) survey->n_up, "healthy", (json_int_t) survey->n_healthy, "needed",
                         (json_int_t) survey->quorum, "text", text, "advice", advice, "members", list);
        verb_print_json(tree);
}

static int run(VerbContext *v, _unused_ int argc, _unused_ char **argv, Error **reterr) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        ProbeContext context = probe_context(v->cluster, v->store, v->cancelled);
        int r;

        context.looks_only = true;
        r = etcd_survey(&context, &survey, reterr);
        if (r >= 0)
                r = verb_stopped(v, reterr);
        if (r < 0)
                return r;
        if (v->json) {
                print_json(&survey);
                return 0;
        }
        print_table(v, &survey);
        print_reasons(&survey);
        print_verdict(v, &survey);
        return 0;
}

const Verb verb_etcd_members = {
        .name = "etcd members",
        .summary = "Show etcd's members, and whether they are enough",
        .description = "Asks every member, and shows what those say that answer. If the quorum is lost, it "
                       "says which members would restore it. The exit status does not depend on that.",
        .common = VERB_OPTION_JSON,
        .needs = VERB_NEEDS_CLUSTER | VERB_NEEDS_STORE | VERB_ON_LIVING,
        .steps = steps_etcd_members,
        .by_hand = steps_etcdctl,
        .run = run,
};
