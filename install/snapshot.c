/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is kept before the binaries of a cluster that serves are changed for others
 */

#include "install/run.h"

static bool was_given_another(const Observation *o, const PlanItem *binary) {
        ArtifactOrigin origin;
        Version version, v;

        return plan_binary_path_parse(binary->path, &origin, &version) >= 0 &&
               observation_version(o, origin, &v) >= 0 && version_compare(&v, &version) != 0;
}

/* Was this node given binaries of another version last? A node that joins is no reason for a snapshot. */
static bool node_changes_version(const NodeRun *n) {
        PLAN_FOREACH(item, n->plan, PLAN_BINARY)
                if (n->observation && was_given_another(n->observation, item))
                        return true;
        return false;
}

static bool run_changes_version(const InstallRun *run) {
        RUN_FOREACH_NODE(n, run)
                if (node_differs(n) && node_changes_version(n))
                        return true;
        return false;
}

/**
 * run_snapshot() - before other binaries are rolled out: what the components want to have kept
 * @run:        the run, whose locks are held
 * @reterr:     what could not be kept
 *
 * Return: 0 or a negative errno.
 */
int run_snapshot(InstallRun *run, Error **reterr) {
        int r;

        if (!run->serving || !run_changes_version(run))
                return 0;
        RUN_FOREACH_COMPONENT(c, run) {
                if (!c->before_rollout)
                        continue;
                r = c->before_rollout(&run->probes, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "before other binaries are rolled out: %s", c->name);
        }
        return 0;
}
