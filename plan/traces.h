/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/plan.h"

Strv plan_traces(const Plan *p);
int trace_parse(const char *text, Strv *ret);
bool trace_is_directory(char *const *words);
