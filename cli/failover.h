/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "plan/component.h"

/* hardway verify --failover: names of drills, or NULL for all; power: the command of --power, or NULL. */
int failover_run(VerbContext *v, Strv names, const char *power, Error **reterr);

/* Puts back what an interrupted drill has left, and says what that was: a finding, if there was anything. power: as above. */
void failover_recover(VerbContext *v, const char *power, CheckList *findings);
bool failover_is_pending(const VerbContext *v); /* is there anything? */
/* For `status`, which changes nothing: the finding alone. */
void failover_tell(const VerbContext *v, CheckList *findings);

/* For `status`: what the last run has shown, or NULL if there was none. The caller frees. */
char* failover_last(const VerbContext *v);
