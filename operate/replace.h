/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "install/install.h"

/*
 * A member in place of one that was lost, on a fresh host or a fresh disk, at the same address or another
 *
 * Refused where the others are not a quorum by themselves: looked at before somebody is asked, and again when the
 * locks of all members' nodes are held. Then: the load balancers spare the node's apiserver,
 * what runs on the node is stopped, the lost member is taken out of the list, what is left of its data goes
 * aside, and an installation puts everything there; in the course of it the member joins as a learner and is
 * promoted once it is in sync. What an interrupted run has done is found; the same command goes on.
 */
typedef struct ReplaceRequest {
        InstallRequest install; /* the nodes: all */
        const Node *node;
        bool force; /* although its member is healthy */
        int (*confirm)(void *userdata, const char *what, Error **reterr); /* before the first change */
        void *userdata;
} ReplaceRequest;

int replace_run(const ReplaceRequest *request, ErrorList *errors);
