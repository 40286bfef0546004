/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pki/store.h"

/*
 * That the cluster has served
 *
 * What came to be then is in the data of its members, and they may all be off when somebody asks. So it is written down
 * here as soon as a run has seen it, and nobody takes the cluster for one that is about to begin any more. With the
 * identity, as a directory may be used for another cluster later. A reset of all members forgets it, with their data.
 */
#define PLAN_SERVED "secrets/served" /* the identity; not there: nobody has seen it */

bool plan_has_served(Store *store);                                       /* false without a store */
int plan_note_served(Store *store, const char *identity, Error **reterr); /* at once, and durably */
int plan_forget_served(Store *store, Error **reterr); /* 0, also if it is not there; without a store */
