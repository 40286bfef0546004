/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/observation.h"

/* The parts of plan_compare(): what lies on the node's disk, what systemd runs there, what is left alone. */
void changes_add(Changes *c, ChangeType type, const PlanItem *item, const char *format, ...) _printf_(4, 5);
bool is_ours_to_remove(const char *path); /* whatever a record says: nothing else is ever removed */
bool is_still(const ObservedPath *found, const char *sha256);
void plan_compare_left(const Plan *p, const Observation *o, Changes *changes);
void plan_compare_units(const Plan *p, const Observation *o, Changes *changes);
