/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "install/install.h"
#include "plan/left-out.h"

/*
 * Nodes that a restore left out, and how they come back
 *
 * The file is in the cluster directory; a store that is open does not see what is written here. While a node is
 * being replaced its line is "NAME back": plans count it in, and a run that was killed is known by it.
 */
int left_out_write(const char *directory, char *const *names, Error **reterr); /* none: no file */
bool left_out_knows(Store *store, const Node *node); /* left out, or on its way back */
int left_out_forget(const char *directory, const Node *node, Error **reterr);

/* An installation that has to be told of a node's coming back: of all but those that are left out still. */
typedef struct LeftOutReturn {
        Store *store;
        const Node **nodes;
        size_t n_nodes;
} LeftOutReturn;

int left_out_return(const InstallRequest *request, const Node *node, LeftOutReturn *ret, Error **reterr);
void left_out_return_done(LeftOutReturn *r);
