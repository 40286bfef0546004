/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"
#include "pki/store.h"

/*
 * Nodes that the last restore left out, as their hosts were gone
 *
 * They may come back with the data of before, and be a quorum of their old cluster among themselves: what they serve
 * then is not what this cluster has. So until they are replaced nobody is told to ask them: no load balancer, and no
 * apiserver that asks members on hosts of their own.
 */
#define PLAN_LEFT_OUT "secrets/left-out" /* a name a line; not there: none are */

bool plan_left_out(Store *store, const Node *node); /* false without a store */
