/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/alloc.h"
#include "install/run.h"

/*
 * Instances that are in the cluster and not in the cluster file
 *
 * Who took a node out of the file wants them gone; who works from an old copy of it does not. So what is lost is
 * taken out, and what works only by who says so.
 */

/* Was anything ever installed here? Before that nobody has to be asked. */
static bool run_knows_nodes(const InstallRun *run) {
        RUN_FOREACH_NODE(n, run)
                if (n->observation && n->observation->n_applied > 0)
                        return true;
        return false;
}

/* Return: how many leave, none of which works. */
static int component_refuse(const InstallRun *run, const Component *c, Error **reterr) {
        _cleanup_strv_ Strv working = NULL, lost = NULL;
        _cleanup_free_ char *names = NULL;
        int r;

        r = c->leavers(&run->probes, &working, &lost, reterr);
        if (r < 0 || !working)
                return r;
        names = strv_join(working, ", ");
        r = error_set(reterr, ERROR_CONFIG, EEXIST, "%s: %s %s healthy, and not in the cluster file",
                      c->name, names, strv_length(working) == 1 ? "is" : "are");
        error_detail(reterr,
                     "To take %s out of the cluster: hardway install --yes. Else the cluster file lacks "
                     "what another copy of it has.\n",
                     strv_length(working) == 1 ? "it" : "them");
        return r;
}

/**
 * run_refuse_leavers() - before the first change: is something that works about to be taken out?
 * @run:        the run, whose nodes were looked at
 * @reterr:     what, and what to do
 *
 * Return: 0 or a negative errno.
 */
int run_refuse_leavers(InstallRun *run, Error **reterr) {
        bool asked = false;
        int r, n = 0;

        if (run->request->leavers != LEAVERS_REFUSE || !run_is_whole(run) || !run_knows_nodes(run))
                return 0;
        RUN_FOREACH_COMPONENT(c, run) {
                if (!c->leavers)
                        continue;
                r = component_refuse(run, c, reterr);
                if (r < 0)
                        return r;
                asked = true;
                n += r;
        }
        run->nobody_leaves = asked && n == 0;
        return 0;
}

/**
 * run_show_leavers() - what a run on all nodes would take out
 * @run:        a dry run, whose nodes were looked at
 * @result:     is told
 *
 * Who cannot be asked has an end elsewhere.
 */
void run_show_leavers(InstallRun *run, InstallResult *result) {
        if (!run->request->store || !run_is_whole(run) || !run_knows_nodes(run))
                return;
        RUN_FOREACH_COMPONENT(c, run) {
                _cleanup_strv_ Strv working = NULL, lost = NULL;

                if (!c->leavers || c->leavers(&run->probes, &working, &lost, NULL) < 0)
                        continue;
                STRV_FOREACH(name, working)
                        strv_addf(&result->leavers,
                                  "%s: %s, not in the cluster file, healthy: with --yes only", c->name,
                                  *name);
                STRV_FOREACH(name, lost)
                        strv_addf(&result->leavers, "%s: %s, not in the cluster file", c->name, *name);
        }
        result->changed = result->changed || result->leavers;
}

static int prune(InstallRun *run, bool working, bool tell_rest, Error **reterr) {
        int r, n = 0;

        if (!run_is_whole(run))
                return 0;
        RUN_FOREACH_COMPONENT(c, run) {
                _cleanup_strv_ Strv notes = NULL;

                if (!c->prune)
                        continue;
                r = c->prune(&run->probes, working, &notes, reterr);
                if (r < 0)
                        return r;
                if (r > 0 || tell_rest)
                        STRV_FOREACH(note, notes)
                                run_warn(run, *note);
                n += r;
        }
        return n;
}

/**
 * run_prune_lost() - take out what is lost and not in the cluster file, before something that works is stopped
 * @run:        the run
 * @reterr:     what went wrong
 *
 * What is in the list and does not come counts for a quorum all the same, and could cost it. What cannot go
 * yet is told of at the end.
 *
 * Return: how many were taken out, or a negative errno.
 */
int run_prune_lost(InstallRun *run, Error **reterr) {
        return prune(run, /* working= */ false, /* tell_rest= */ false, reterr);
}

/**
 * run_prune_early() - take out what is not in the cluster file any more, before it is stopped where it runs
 * @run:        the run
 * @reterr:     what went wrong
 *
 * Of two voters, none can be taken out once the other is gone.
 *
 * Return: how many were taken out, or a negative errno.
 */
int run_prune_early(InstallRun *run, Error **reterr) {
        return prune(run, run->request->leavers == LEAVERS_GO, /* tell_rest= */ false, reterr);
}

/**
 * run_prune() - take out what is not in the cluster file any more, once all that is does its work
 * @run:        the run
 * @reterr:     what went wrong
 *
 * Return: how many were taken out, or a negative errno.
 */
int run_prune(InstallRun *run, Error **reterr) {
        return prune(run, run->request->leavers == LEAVERS_GO, /* tell_rest= */ true, reterr);
}
