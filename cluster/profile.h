/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cluster/cluster.h"

/* The two profiles: what network and disk are like, and all timings that follow from it, together. */
void timings_for(NetworkProfile network, DiskProfile disk, Timings *ret);
