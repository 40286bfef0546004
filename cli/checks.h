/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "plan/probe.h"

/* What `verify`, `status` and `check` share: asking, and the findings as lines and as JSON. */
int checks_ask(VerbContext *v, CheckList *ret, Error **reterr);
void checks_print(const VerbContext *v, const CheckList *checks);
json_t* checks_to_json(const VerbContext *v, const CheckList *checks);
const char* check_state_to_string(CheckState state); /* "ok", "warning", "failed" */
Style check_state_style(CheckState state);
