/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "install/install.h"

/*
 * The rollout of certificates: install_run(), with each node proven by what it shows
 *
 * What store_renew() has issued is unproven until its node shows it, and then settled. A node that does not
 * come back, or shows something else, gets its old certificates back, in the store and then on the node;
 * those of nodes whose turn did not come are put back in the store. What is left unproven (the run was
 * cancelled or killed, or a node could not be given its old ones) is gone on with by the next run.
 */
int proven_rollout(const InstallRequest *install, const StoreRequests *requests, InstallResult *ret,
                   ErrorList *errors);

/*
 * Refuses nodes that differ from their plans already: they would be changed along with what is to be rolled
 * out, and nobody could tell what went wrong.
 */
int proven_check_before(const InstallRequest *install, ErrorList *errors);

/* Refuses an older copy of the cluster directory, and nothing else: before the directory is written to. */
int proven_check_copy(const InstallRequest *install, ErrorList *errors);

/* Whose entry is this by its name: "nodes/c0/pki/apiserver" is of c0. NULL: of no node. */
const Node* entry_node(const Cluster *c, const char *name);
