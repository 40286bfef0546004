/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/* hardway verify --failover: names of drills, or NULL for all; power: the command of --power, or NULL. */
int failover_run(VerbContext *v, Strv names, const char *power, Error **reterr);

/* For `status`: what the last run has shown, or NULL if there was none. The caller frees. */
char* failover_last(const VerbContext *v);
