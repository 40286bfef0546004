/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What `pki gen` was not asked for since the cluster file was edited; and what another copy of the store was asked for. */

#include "check/rules.h"
#include "common/alloc.h"
#include "plan/edition.h"

void rule_certificates(Judge *j) {
        const StoreMisfits *m = j->world->misfits;
        _cleanup_free_ char *text = NULL;
        bool harmless;
        size_t n;

        if (!m)
                return;
        if (m->n_misfits == 0) {
                judge(j, CHECK_OK, NULL, "those that were made fit the cluster file");
                return;
        }
        harmless = store_misfits_are_harmless(m);
        n = harmless ? m->n_harmless : m->n_misfits - m->n_harmless;
        text = store_misfits_tell(m, harmless);
        check_advise(judge(j, harmless ? CHECK_WARNING : CHECK_FAILED, NULL,
                           "%zu of them %s not fit the cluster file", n, n == 1 ? "does" : "do"),
                     "%s\n%s", text, store_misfits_command(m));
}

void rule_newest_copy(Judge *j) {
        if (!j->world->editions)
                return;
        if (j->world->outdated)
                check_advise(judge(j, CHECK_FAILED, NULL, "%s", j->world->outdated), "%s", EDITION_ADVICE);
        else
                judge(j, CHECK_OK, NULL, "no newer copy of this directory was at work");
}
