/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "plan/plan.h"

/* Plans as such, apart from what nodes look like: what `plan --offline`, `--output` and `--script` print. */
typedef struct PlanShow {
        const char *output; /* directory for the trees, or NULL: as a list */
        bool secrets;       /* with output */
        bool print;         /* false: only find out what is missing */
} PlanShow;

int plan_show_all(VerbContext *v, const PlanShow *show, Error **reterr);
/* ask: with what the node tells of itself, as install would; else with the usual values. */
int plan_show_script(VerbContext *v, const Node *node, bool ask, Error **reterr);
