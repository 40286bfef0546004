/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "operate/reset.h"

/* What the files of reset share. */

/* What stays: directories, single files, and the users that own them. */
typedef struct ResetKeep {
        Strv directories, files, users;
} ResetKeep;

/* The data of the node's components, its mark and its owner. */
void reset_keep_data(const Component *const *components, const Plan *plan, ResetKeep *ret);
bool reset_keeps(const ResetKeep *keep, const char *path);
void reset_keep_done(ResetKeep *keep);

/* The script that does it. o may be NULL. */
void reset_script(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out);
int reset_is_ours(const Node *node, const Observation *o, const char *identity, Error **reterr);
void reset_tell(const Plan *plan, const Observation *o, const ResetKeep *keep, Buffer *out);
