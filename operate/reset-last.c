/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A reset where etcd does not serve: is what goes all that is left?
 *
 * After a lost quorum the data is with those who are still there, whom nothing protects: there is no service that
 * could be harmed.
 */

#include <stdlib.h>

#include "common/alloc.h"
#include "etcd/survey.h"
#include "operate/reset-internal.h"

/* What saves the data that is about to go: a member that answers no client (it was started without a quorum) gives no snapshot. */
static void tell_way(const EtcdSight *best, Buffer *out) {
        if (best->answers)
                buffer_addf(out, "hardway etcd snapshot FILE --node %s saves it.\n", best->node->name);
        else
                buffer_addf(
                        out,
                        "No snapshot can be taken of a member that answers nobody; hardway etcd restore --survivor %s "
                        "(with --without for each one that is gone) makes a cluster of what it has.\n",
                        best->node->name);
}

/* Of which the data is had the easiest: one that answers, else one that runs. */
static const EtcdSight* better(const EtcdSight *a, const EtcdSight *b) {
        if (!a || (b->answers && !a->answers))
                return b;
        return !a->answers && a->state > ETCD_WAITING && b->state <= ETCD_WAITING ? b : a;
}

/**
 * reset_tell_last() - say that the data of nodes may be the only copy
 * @c:          the context of the probe
 * @nodes:      those that are about to be reset, and are of this cluster
 * @n_nodes:    how many
 * @out:        gets a line, if other members do not answer
 */
void reset_tell_last(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, Buffer *out) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        const EtcdSight *best = NULL;
        _cleanup_free_ char *list = NULL;
        _cleanup_strv_ Strv names = NULL;
        size_t n_away = 0;

        if (etcd_survey(c, &survey, NULL) < 0)
                return;
        ETCD_FOREACH_SIGHT(s, &survey)
                if (s->node && node_is_among(s->node, nodes, n_nodes)) {
                        strv_add(&names, s->node->name);
                        best = better(best, s);
                } else
                        n_away += s->state > ETCD_WAITING;
        if (!names || n_away == 0)
                return;
        list = strv_join(names, " and ");
        buffer_addf(
                out,
                "etcd does not serve, and %zu other %s not answer: what is on %s may be the only copy of the "
                "cluster's data. ",
                n_away, n_away == 1 ? "member does" : "members do", list);
        tell_way(best, out);
}
