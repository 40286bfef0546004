/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"
#include "plan/observation.h"

/*
 * Is this copy of the cluster directory the one that the nodes had their keys of last?
 *
 * An older one (an operator's who has not fetched what another has changed, a backup that was restored) would take back
 * what was renewed or rotated since, and nobody would notice: all that it has fits together. So each node's record has the edition of
 * the store (pki/store.h) that it was given, and one that the store has never had came from another copy.
 */
#define EDITION_CHECK "newest-copy" /* by which --ignore knows it */
#define EDITION_LOST                                                                                               \
        "Go on with the copy that they came from, or with its newest backup (hardway restore). If it is lost for " \
        "ever: "
#define EDITION_ADVICE EDITION_LOST "hardway install --ignore " EDITION_CHECK

/* o: of nodes, or NULL where there is none; what is foreign to the store, for people, or NULL: nothing. The caller frees. */
char* edition_tell(Store *store, const Cluster *cluster, const Observation *const *o);
