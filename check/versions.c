/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rule about another minor version on a cluster that lives
 *
 * The order of a rollout is that of an upgrade, too: on each controller etcd, then its apiserver, then what talks to that
 * apiserver alone, so that nothing is ever newer than the apiserver that it asks (kubernetes.io, "Version Skew Policy").
 * What it bears is one step at a time, and forward: apiservers may be one minor version apart, and etcd's members one, too.
 * So a node is held against what it has, and against what the others have.
 *
 * What it has is what it was given last; it runs that, or what was before and is about to be restarted.
 */

#include "check/rules.h"
#include "common/alloc.h"

/* A node on its way to a version of one of the two programs. */
typedef struct Way {
        const CheckNode *node;
        const char *program; /* "Kubernetes" */
        ArtifactOrigin origin;
        bool has; /* one already; else it is new, or was made anew */
        Version from, to;
        char is[VERSION_TEXT_SIZE], wanted[VERSION_TEXT_SIZE];
} Way;

/* What an earlier role has left is not run any more. */
static bool is_to_run(const CheckNode *n, ArtifactOrigin origin) {
        ArtifactOrigin of;
        Version v;

        PLAN_FOREACH(item, n->plan, PLAN_BINARY)
                if (plan_binary_path_parse(item->path, &of, &v) >= 0 && of == origin)
                        return true;
        return false;
}

static unsigned role_of(ArtifactOrigin origin) {
        return origin == ORIGIN_ETCD ? ROLE_ETCD : ROLE_CONTROLLER;
}

static bool version_of(const CheckNode *n, ArtifactOrigin origin, Version *ret) {
        return n->plan && n->observation && is_to_run(n, origin) &&
               observation_version(n->observation, origin, ret) >= 0;
}

/**
 * check_takes_step() - whether a node has another minor version than the cluster file wants
 * @c:          the cluster
 * @n:          the node
 *
 * Return: true or false.
 */
bool check_takes_step(const Cluster *c, const CheckNode *n) {
        for (ArtifactOrigin origin = ORIGIN_KUBERNETES; origin <= ORIGIN_ETCD; origin++) {
                Version v;

                if (version_of(n, origin, &v) &&
                    version_step(&v, plan_origin_version(c, origin)) != VERSION_STEP_NONE)
                        return true;
        }
        return false;
}

static void refuse_back(Judge *j, const Way *w) {
        check_advise(
                judge(j, CHECK_FAILED, w->node->node,
                      "has %s %s, and %s is an earlier minor version: neither etcd's data nor the cluster's "
                      "objects go back",
                      w->program, w->is, w->wanted),
                "Keep to v%u.%u in the cluster file; if an upgrade has stopped half-way, mend what stopped it, and "
                "hardway install goes on. Or go back to the data of before: hardway etcd restore, see UPGRADES in "
                "hardway(1).",
                w->from.major, w->from.minor);
}

static void refuse_far(Judge *j, const Way *w) {
        check_advise(
                judge(j, CHECK_FAILED, w->node->node,
                      "has %s %s, and %s is more than one minor version later", w->program, w->is,
                      w->wanted),
                "One at a time: v%u.%u in the cluster file, in its latest patch version, hardway fetch and hardway "
                "install; and so on.",
                w->from.major, w->from.minor + 1);
}

static bool has_arrived(const CheckWorld *world, const CheckNode *n, ArtifactOrigin origin) {
        Version v;

        return version_of(n, origin, &v) &&
               version_step(&v, plan_origin_version(world->cluster, origin)) == VERSION_STEP_NONE;
}

/* Whether another one has taken the step already. */
static bool others_are_ahead(const CheckWorld *world, const Way *w) {
        for (size_t i = 0; i < world->cluster->n_nodes; i++)
                if (world->nodes + i != w->node && has_arrived(world, world->nodes + i, w->origin))
                        return true;
        return false;
}

/* Of etcd, if a step of Kubernetes takes it along: with hosts of its own it goes first. */
static bool etcd_is_ahead(const CheckWorld *world, const Way *w) {
        const Version paired = version_etcd_for(&w->from);

        if (w->origin != ORIGIN_KUBERNETES ||
            version_step(&paired, &world->cluster->etcd) == VERSION_STEP_NONE)
                return false;
        for (size_t i = 0; i < world->cluster->n_nodes; i++)
                if (has_arrived(world, world->nodes + i, ORIGIN_ETCD))
                        return true;
        return false;
}

/* etcd's data goes by single steps, and the others cannot wait for it any more. */
static void refuse_left_behind(Judge *j, const Way *w) {
        check_advise(
                judge(j, CHECK_FAILED, w->node->node,
                      "has %s %s, and the others have gone on to %s, which it cannot follow from there",
                      w->program, w->is, w->wanted),
                "What it has is of no use any more. It comes back as a new one: hardway etcd replace %s",
                w->node->node->name);
}

static void refuse_floor(Judge *j, const CheckNode *n, const Version *v, const Version *to) {
        const Version floor = version_etcd_step_floor(to);
        char is[VERSION_TEXT_SIZE], wanted[VERSION_TEXT_SIZE], least[VERSION_TEXT_SIZE];

        version_format(v, is);
        version_format(to, wanted);
        version_format(&floor, least);
        check_advise(
                judge(j, CHECK_FAILED, n->node, "has etcd %s, and a step to %s begins from %s or later", is,
                      wanted, least),
                "First kubernetes in the cluster file as it was, with etcd: %s or a later patch version, hardway "
                "fetch and hardway install.",
                least);
}

static bool is_below_floor(const Way *w, const Version *v) {
        const Version floor = version_etcd_step_floor(&w->to);

        return w->origin == ORIGIN_ETCD && version_step(v, &w->to) == VERSION_STEP_NEXT &&
               version_compare(v, &floor) < 0;
}

/* Return: whether there is something against it by what the node itself has. */
static bool refuse_own(Judge *j, const Way *w) {
        const VersionStep step = version_step(&w->from, &w->to);
        bool ahead = others_are_ahead(j->world, w);

        if (step == VERSION_STEP_BACK)
                refuse_back(j, w);
        else if (w->origin == ORIGIN_ETCD && ahead &&
                 (step == VERSION_STEP_FAR || is_below_floor(w, &w->from)))
                refuse_left_behind(j, w);
        /* an apiserver keeps nothing that a step could leave out: one that was away comes after the others at once */
        else if (step == VERSION_STEP_FAR && !ahead)
                refuse_far(j, w);
        else if (is_below_floor(w, &w->from))
                refuse_floor(j, w->node, &w->from, &w->to);
        else if (!j->world->serving && !ahead && !etcd_is_ahead(j->world, w))
                check_advise(
                        judge(j, CHECK_FAILED, w->node->node,
                              "has %s %s, and goes to another minor version, %s, while the cluster does not serve",
                              w->program, w->is, w->wanted),
                        "Let it serve with what it has first: v%u.%u in the cluster file, hardway fetch and hardway "
                        "install.",
                        w->from.major, w->from.minor);
        else
                return false;
        return true;
}

static bool refuse_unseen(Judge *j, const Way *w, const CheckNode *other) {
        /* it has nothing of ours; and whoever joins has asked those that are there */
        if (other->reached || !w->has)
                return false;
        check_advise(
                judge(j, CHECK_FAILED, w->node->node,
                      "goes from %s %s to %s, another minor version, and %s could not be looked at",
                      w->program, w->is, w->wanted, other->node->name),
                "It may be further behind. Switch it on; if it is gone for good: hardway etcd replace %s; or, if "
                "you know that it has v%u.%u or later: --ignore versions",
                other->node->name, w->from.major, w->from.minor);
        return true;
}

/* Return: the same, by what another has that stays as it is; or that is not known to be near. */
static bool refuse_beside(Judge *j, const Way *w, const CheckNode *other) {
        char theirs[VERSION_TEXT_SIZE];
        VersionStep step;
        Version v;

        if (!other->observation)
                return refuse_unseen(j, w, other);
        if (!version_of(other, w->origin, &v))
                return false;
        version_format(&v, theirs);
        step = version_step(&v, &w->to);
        if (step == VERSION_STEP_BACK)
                check_advise(judge(j, CHECK_FAILED, w->node->node,
                                   "would be given %s %s, and %s has %s already", w->program, w->wanted,
                                   other->node->name, theirs),
                             "Keep to v%u.%u in the cluster file.", v.major, v.minor);
        else if (step == VERSION_STEP_FAR)
                check_advise(
                        judge(j, CHECK_FAILED, w->node->node,
                              "would be given %s %s, and %s has %s, which is more than one minor version before",
                              w->program, w->wanted, other->node->name, theirs),
                        "First all of them, one at a time: v%u.%u in the cluster file, hardway fetch and hardway "
                        "install.",
                        v.major, v.minor + 1);
        else if (is_below_floor(w, &v))
                refuse_floor(j, other, &v, &w->to);
        else
                return false;
        return true;
}

static bool refuse(Judge *j, const Way *w) {
        const CheckWorld *world = j->world;

        if (w->has && refuse_own(j, w))
                return true;
        for (size_t i = 0; i < world->cluster->n_nodes; i++) {
                const CheckNode *other = world->nodes + i;

                if (other != w->node && !other->chosen && (other->node->roles & role_of(w->origin)) &&
                    refuse_beside(j, w, other))
                        return true;
        }
        return false;
}

void rule_versions(Judge *j, const CheckNode *n) {
        _cleanup_buffer_ Buffer steps = BUFFER_NULL;

        if ((!j->world->serving && !j->world->served) || !n->plan || !n->observation)
                return;
        for (ArtifactOrigin origin = ORIGIN_KUBERNETES; origin <= ORIGIN_ETCD; origin++) {
                Way w = { .node = n,
                          .program = origin == ORIGIN_ETCD ? "etcd" : "Kubernetes",
                          .origin = origin,
                          .to = *plan_origin_version(j->world->cluster, origin) };

                w.has = !n->anew && version_of(n, origin, &w.from);
                if (!is_to_run(n, origin) || (w.has && version_step(&w.from, &w.to) == VERSION_STEP_NONE))
                        continue;
                version_format(&w.from, w.is);
                version_format(&w.to, w.wanted);
                if (refuse(j, &w))
                        return;
                if (w.has)
                        buffer_addf(&steps, "%s%s %s to %s", steps.size > 0 ? ", " : "", w.program, w.is,
                                    w.wanted);
        }
        if (steps.size > 0)
                judge(j, CHECK_OK, n->node, "another minor version: %s", buffer_str(&steps));
        else
                judge(j, CHECK_OK, n->node, "no step of a minor version");
}
