/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>

#include "common/alloc.h"
#include "install/run.h"

/*
 * The crew: one thread a node
 *
 * What is done to a node is a sequence of waits (for ssh, for systemd, for a probe), so a thread that waits is the simplest thing that works; 50
 * of them cost nothing. Threads take no signals: those go to the main thread, which sets the cancelled flag.
 */
typedef struct CrewMember {
        pthread_t thread;
        bool running;
        NodeRun *node;
        NodeJob job;
        int result;
} CrewMember;

int node_fail(NodeRun *n, int r, Error *error) {
        Error *e = error;

        if (!e)
                (void) error_set(&e, ERROR_INTERNAL, r, "failed without saying why");
        (void) error_prefix(&e, r, "%s", n->node->name);
        error_list_take(&n->errors, e);
        node_end(n, INSTALL_BROKEN, "failed");
        return r;
}

static void* crew_work(void *userdata) {
        CrewMember *m = userdata;
        Error *error = NULL;

        m->result = m->job(m->node, &error);
        if (m->result < 0)
                (void) node_fail(m->node, m->result, error);
        return NULL;
}

static void crew_start(CrewMember *m) {
        sigset_t all, before;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_BLOCK, &all, &before);
        m->running = pthread_create(&m->thread, NULL, crew_work, m) == 0;
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);

        /* No thread to be had: then this node is done here, and the others wait. */
        if (!m->running)
                (void) crew_work(m);
}

int crew_each(InstallRun *run, NodeFilter filter, NodeJob job) {
        _cleanup_free_ CrewMember *crew = xnew(CrewMember, run->n_nodes);
        size_t n_crew = 0;
        int r = 0;

        for (NodeRun *n = run->nodes; n < run->nodes + run->n_nodes; n++)
                if (n->selected && n->errors.n_errors == 0 && (!filter || filter(n)))
                        crew[n_crew++] = (CrewMember) { .node = n, .job = job };

        for (size_t i = 0; i < n_crew; i++)
                crew_start(&crew[i]);
        for (size_t i = 0; i < n_crew; i++) {
                if (crew[i].running)
                        (void) pthread_join(crew[i].thread, NULL);
                if (crew[i].result < 0 && r == 0)
                        r = crew[i].result;
        }
        return r;
}
