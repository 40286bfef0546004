/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"

/* A cluster that has everything, for those who ask without having one. */
int example_cluster(Cluster **ret, Error **reterr);
