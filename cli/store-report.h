/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * What was done to entries of the store, as lines for people and as a list for --json: store_report_entry()
 * is a StoreReport whose userdata is a Report.
 */
typedef struct Report {
        VerbContext *v;
        json_t *list; /* the caller frees */
        size_t n_kept, n_made, n_reissued, n_waits;
} Report;

void store_report_entry(void *userdata, const StoreRequest *request, StoreOutcome outcome, const char *why,
                        int64_t expires);
