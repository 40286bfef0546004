/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rule about another minor version on a cluster that lives
 *
 * The order of a rollout is that of an upgrade, too: on each controller etcd, then its apiserver, then what talks to that
 * apiserver alone, so that nothing is ever newer than the apiserver that it asks (kubernetes.io, "Version Skew Policy").
 * What it bears is one step at a time, forward, through all controllers: apiservers may be one minor version apart, and
 * etcd's members one, too.
 */

#include "check/rules.h"
#include "common/alloc.h"

/* Of those that such a step is for, one that is not looked at; NULL: all are. */
static const Node* not_looked_at(const CheckWorld *w) {
        for (size_t i = 0; i < w->cluster->n_nodes; i++)
                if (!w->nodes[i].observation && (w->cluster->nodes[i].roles & ROLE_CONTROL_PLANE))
                        return w->cluster->nodes + i;
        return NULL;
}

typedef struct Step {
        const char *program;
        Version from, to;
        char is[VERSION_TEXT_SIZE], wanted[VERSION_TEXT_SIZE];
} Step;

static VersionStep step_of(const CheckWorld *w, const CheckNode *n, ArtifactOrigin origin, Step *ret) {
        *ret = (Step) { .program = origin == ORIGIN_ETCD ? "etcd" : "Kubernetes",
                       .to = *plan_origin_version(w->cluster, origin) };
        if (observation_version(n->observation, origin, &ret->from) < 0)
                return VERSION_STEP_NONE;
        version_format(&ret->from, ret->is);
        version_format(&ret->to, ret->wanted);
        return version_step(&ret->from, &ret->to);
}

static void refuse_far(Judge *j, const CheckNode *n, const Step *s) {
        check_advise(
                judge(j, CHECK_FAILED, n->node, "runs %s %s, and %s is more than one minor version later",
                      s->program, s->is, s->wanted),
                "One at a time: v%u.%u in the cluster file, in its latest patch version, hardway fetch and hardway "
                "install; and so on.",
                s->from.major, s->from.minor + 1);
}

static void refuse_back(Judge *j, const CheckNode *n, const Step *s) {
        check_advise(
                judge(j, CHECK_FAILED, n->node,
                      "runs %s %s, and %s is an earlier minor version: neither etcd's data nor the cluster's "
                      "objects go back",
                      s->program, s->is, s->wanted),
                "Keep to v%u.%u in the cluster file. If an upgrade has stopped half-way: mend what stopped it, and "
                "hardway install goes on.",
                s->from.major, s->from.minor);
}

/* Return: whether there is something against it. */
static bool refuse_next(Judge *j, const CheckNode *n, ArtifactOrigin origin, const Step *s) {
        const Version floor = version_etcd_step_floor(&s->to);
        const Node *missing = not_looked_at(j->world);
        char least[VERSION_TEXT_SIZE];

        version_format(&floor, least);
        if (origin == ORIGIN_ETCD && version_compare(&s->from, &floor) < 0)
                check_advise(
                        judge(j, CHECK_FAILED, n->node,
                              "runs etcd %s, and a step to %s begins from %s or later", s->is, s->wanted,
                              least),
                        "First kubernetes in the cluster file as it was, with etcd: %s or a later patch version, and "
                        "hardway install.",
                        least);
        else if (missing)
                check_advise(
                        judge(j, CHECK_FAILED, n->node,
                              "goes from %s %s to %s, another minor version, and %s is not looked at",
                              s->program, s->is, s->wanted, missing->name),
                        "Such a step is for all controllers and etcd members in one run: leave --node away.");
        else
                return false;
        return true;
}

void rule_versions(Judge *j, const CheckNode *n) {
        _cleanup_buffer_ Buffer steps = BUFFER_NULL;

        if ((!j->world->serving && !j->world->served) || !n->observation)
                return;
        for (ArtifactOrigin origin = ORIGIN_KUBERNETES; origin <= ORIGIN_ETCD; origin++) {
                Step s;

                switch (step_of(j->world, n, origin, &s)) {
                case VERSION_STEP_NONE:
                        break;
                case VERSION_STEP_FAR:
                        refuse_far(j, n, &s);
                        return;
                case VERSION_STEP_BACK:
                        refuse_back(j, n, &s);
                        return;
                case VERSION_STEP_NEXT:
                        if (refuse_next(j, n, origin, &s))
                                return;
                        buffer_addf(&steps, "%s%s %s to %s", steps.size > 0 ? ", " : "", s.program, s.is,
                                    s.wanted);
                        break;
                }
        }
        if (steps.size > 0)
                judge(j, CHECK_OK, n->node, "the next minor version: %s", buffer_str(&steps));
        else
                judge(j, CHECK_OK, n->node, "no step of a minor version");
}
