/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/plan.h"

Strv plan_traces(const Plan *p);
int trace_parse(const char *text, Strv *ret);
bool trace_is_directory(char *const *words);
/* What a node tells, before it becomes part of a script; -EINVAL */
int trace_split(const char *line, Strv *ret);
bool trace_path_is_deep(const char *path);
