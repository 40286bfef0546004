/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/observation.h"

/* The two halves of plan_compare(): what lies on the node's disk, and what systemd runs there. */
void changes_add(Changes *c, ChangeType type, const PlanItem *item, const char *format, ...) _printf_(4, 5);
void plan_compare_units(const Plan *p, const Observation *o, Changes *changes);
