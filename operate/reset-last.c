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

/**
 * reset_tell_last() - say that the data of nodes may be the only copy
 * @c:          the context of the probe
 * @nodes:      those that are about to be reset, and are of this cluster
 * @n_nodes:    how many
 * @out:        gets a line, if other members do not answer
 */
void reset_tell_last(const ProbeContext *c, const Node *const *nodes, size_t n_nodes, Buffer *out) {
        _cleanup_(etcd_survey_done) EtcdSurvey survey = {};
        _cleanup_free_ char *list = NULL;
        _cleanup_strv_ Strv names = NULL;
        size_t n_away = 0;

        if (etcd_survey(c, &survey, NULL) < 0)
                return;
        ETCD_FOREACH_SIGHT(s, &survey)
                if (s->node && node_is_among(s->node, nodes, n_nodes))
                        strv_add(&names, s->node->name);
                else
                        n_away += s->state > ETCD_WAITING;
        if (!names || n_away == 0)
                return;
        list = strv_join(names, " and ");
        buffer_addf(
                out,
                "etcd does not serve, and %zu other %s not answer: what is on %s may be the only copy of the "
                "cluster's data. hardway etcd snapshot FILE --node %s saves it.\n",
                n_away, n_away == 1 ? "member does" : "members do", list, names[0]);
}
