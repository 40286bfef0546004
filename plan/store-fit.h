/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * Do the certificates fit the cluster file?
 *
 * They are made by `pki gen`, and what is made of the cluster file otherwise by a rollout: between an edit and `pki gen`
 * a rollout would move the VIP to where no certificate has its name. What is missing altogether is the plan's to tell
 * (Plan.missing); what has expired would keep from starting whatever a rollout restarts; what merely ends soon, or has a key of another type than is asked for by now, works. So does what has
 * names that are not asked for any more: that is harmless, and only worth a word.
 */
typedef struct StoreMisfit {
        char *file; /* "pki/nodes/c0/pki/apiserver.crt" */
        char *why;  /* "lacks the name 10.77.0.9" */
        bool waits; /* for a CA whose key is not here */
        bool harmless;
} StoreMisfit;

typedef struct StoreMisfits {
        StoreMisfit *misfits;         /* in the order of the requests */
        size_t n_misfits, n_harmless; /* of them */
} StoreMisfits;

int store_find_misfits(Store *store, const Component *const *components, const Cluster *cluster, int64_t now,
                       StoreMisfits *ret, Error **reterr);
char* store_misfits_tell(const StoreMisfits *m,
                         bool harmless);        /* a line for each reason; the caller frees */
bool store_misfits_wait(const StoreMisfits *m); /* each for a CA whose key is not here */
const char* store_misfits_command(const StoreMisfits *m);
bool store_misfits_are_harmless(const StoreMisfits *m); /* all of them, or there are none */
void store_misfits_done(StoreMisfits *m);
