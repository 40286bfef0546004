/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "plan/served.h"
#include "install/run.h"

/**
 * run_note_served() - write down that the cluster has served
 * @run:        the run, which has seen it; may be called by several threads, and again
 *
 * At once, and not at the run's end, as it may be killed any moment. That it could not be written is told: all is well but that
 * a member whose disk was lost may be taken for a new one, where no other can be asked.
 */
void run_note_served(InstallRun *run) {
        Store *store = run->request->store;
        _cleanup_error_ Error *error = NULL;

        if (atomic_exchange(&run->noted, true) || run->request->dry_run || !run->identity ||
            plan_has_served(store))
                return;
        if (plan_note_served(store, run->identity, &error) < 0)
                run_warn(run, error->message);
}
