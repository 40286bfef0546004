/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/fs.h"
#include "install/run.h"
#include "plan/served.h"

/**
 * run_note_served() - write down that the cluster has served
 * @run:        the run, which has seen it; may be called by several threads, and again
 *
 * At once, and not at the run's end, as it may be killed any moment. That it could not be written is told: all is well but that
 * a member whose disk was lost may be taken for a new one, where no other can be asked.
 */
void run_note_served(InstallRun *run) {
        Store *store = run->request->store;
        _cleanup_free_ char *path = NULL, *text = NULL;
        _cleanup_error_ Error *error = NULL;

        if (atomic_exchange(&run->noted, true) || run->request->dry_run || !run->identity ||
            plan_has_served(store))
                return;
        path = store_path(store, PLAN_SERVED);
        text = xasprintf("%s\n", run->identity);
        if (fs_write(AT_FDCWD, path, text, strlen(text), 0600, 0, &error) < 0)
                run_warn(run, error->message);
}
