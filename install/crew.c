/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/alloc.h"
#include "common/parallel.h"
#include "install/run.h"

/*
 * The crew: every chosen node at once, errors kept with their nodes
 */
typedef struct CrewMember {
        NodeRun *node;
        NodeJob job;
        int result;
} CrewMember;

int node_fail(NodeRun *n, int r, Error *error) {
        Error *e = error;

        if (!e)
                (void) error_set(&e, ERROR_INTERNAL, r, "failed without saying why");
        (void) error_prefix_once(&e, r, n->node->name);
        error_list_take(&n->errors, e);
        node_end(n, INSTALL_BROKEN, "failed");
        return r;
}

static void crew_work(void *item) {
        CrewMember *m = item;
        Error *error = NULL;

        m->result = m->job(m->node, &error);
        if (m->result < 0)
                m->node->failed = true; /* before it is seen to be no longer at work */
        m->node->active = false;
        if (m->result < 0)
                (void) node_fail(m->node, m->result, error);
}

typedef struct Bystander {
        NodeRun *node;
        void (*job)(NodeRun *n);
} Bystander;

static void bystander_work(void *item) {
        const Bystander *b = item;

        b->job(b->node);
}

void crew_beside(InstallRun *run, void (*job)(NodeRun *n)) {
        _cleanup_free_ Bystander *others = xnew(Bystander, run->n_nodes + 1);
        size_t n_others = 0;

        RUN_FOREACH_NODE(n, run)
                if (!n->selected)
                        others[n_others++] = (Bystander) { .node = n, .job = job };
        parallel_each(bystander_work, others, sizeof(Bystander), n_others);
}

int crew_each(InstallRun *run, NodeFilter filter, NodeJob job) {
        _cleanup_free_ CrewMember *crew = xnew(CrewMember, run->n_nodes + 1);
        size_t n_crew = 0;

        RUN_FOREACH_NODE(n, run) {
                if (!n->selected || n->errors.n_errors > 0 || (filter && !filter(n)))
                        continue;
                n->active = true;
                n->blocked = false;
                crew[n_crew++] = (CrewMember) { .node = n, .job = job };
        }
        parallel_each(crew_work, crew, sizeof(CrewMember), n_crew);
        for (size_t i = 0; i < n_crew; i++)
                if (crew[i].result < 0)
                        return crew[i].result;
        return 0;
}
