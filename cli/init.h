/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "cluster/write.h"

/* The parts of `hardway init`. */

int init_run(VerbContext *v, ClusterDraft *draft, char *const *local, bool trust_hosts, Error **reterr);
int init_write_ignore(const VerbContext *v, Error **reterr);

/* Asks each node that is not this machine for its ssh host key (ssh-keyscan) and shows the fingerprints. */
int init_trust_hosts(VerbContext *v, ClusterDraftNode *nodes, size_t n_nodes, Error **reterr);
