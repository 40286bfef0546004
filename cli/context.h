/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/* What the program does around a verb's run(). */
void verb_context_init(VerbContext *v);
int verb_fulfil_needs(VerbContext *v, Error **reterr);
void verb_context_done(VerbContext *v);
