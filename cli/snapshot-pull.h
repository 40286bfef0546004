/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/* `hardway etcd snapshot --pull`: of the chosen nodes, into directory; NULL: snapshots/ beside the cluster
 * file. */
int snapshot_pull_run(VerbContext *v, const char *directory, Error **reterr);
