/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/component.h"

/*
 * A plan as one script of POSIX sh: the whole installation of a node, to be read, kept or run
 *
 * Files are inside, each below the reason why it is there. Secrets are not: the script is told where they
 * are (--secrets DIR) and knows them by their digests, from which nothing can be learned of a random key.
 * Binaries are downloaded, or copied from a directory, and known by theirs. Run on a fresh node it gives
 * byte for byte what install gives; run again, it leaves alone what is as it should be, and starts anew what
 * runs with something older. It knows nothing of other nodes: on a cluster that serves, install is the way,
 * which goes on only when the node is back.
 */
int plan_render_script(const Plan *p, const Facts *facts, const Lock *lock, Buffer *out, Error **reterr);

/* script-lines.c: the parts for one item each */
void script_add_comment(Buffer *out, const char *text);
void script_add_file(Buffer *out, const PlanItem *item);
int script_add_binary(Buffer *out, const PlanItem *item, const Lock *lock, Error **reterr);
void script_add_data(Buffer *out, const PlanItem *item, const PlanItem *mark);
void script_add_user(Buffer *out, const PlanItem *item);
void script_add_package(Buffer *out, const PlanItem *item);
void script_add_unit(Buffer *out, const Plan *p, const PlanItem *item);
