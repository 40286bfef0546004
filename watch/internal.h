/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "watch/watch.h"

/* What the files of watch/ share; nobody else includes this. */

#define WATCH_SCRIPT PLAN_ROOT "/watch/hardway-watch"
#define WATCH_CONFIG "/etc/hardway/watch.conf"
#define WATCH_STATE "/run/hardway/watch" /* what the last look has found */
#define WATCH_SERVICE "hardway-watch.service"
#define WATCH_TIMER "hardway-watch.timer"

/* config.c: what is to be looked at, from the plan as it is so far */
void watch_config(const PlanContext *c, const Plan *plan, Buffer *out);
/* verify.c */
int watch_verify(const ProbeContext *c, CheckList *checks);
void watch_judge(const Node *node, const char *text, CheckList *checks);
