/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/progress.h"
#include "install/install.h"

/*
 * A rollout as verbs show it: one row for each node, from its first event on, and the result for --json
 *
 *     rollout_show_begin(v, &show, &request, reterr);   request: what the context knows, and where to tell
 *     install_run(&request, &result, &v->errors);
 *     rollout_show_end(&show);                          then results may be printed
 */
typedef struct RolloutShow {
        VerbContext *v;
        Progress *progress;
        size_t *rows; /* by the node's index */
        HostOptions host;
        bool looks_only; /* a node that was looked at needs no line any more */
} RolloutShow;

int rollout_show_begin(VerbContext *v, RolloutShow *ret, InstallRequest *ret_request, Error **reterr);
void rollout_show_nodes(RolloutShow *s); /* a row for each chosen node at once */
void rollout_show_end(RolloutShow *s);

/* Of a dry run: what would change on a node, and what would be left. */
void rollout_show_diff(const VerbContext *v, const InstallNode *n);
void rollout_show_leavers(const InstallResult *result);
void rollout_show_outdated(const VerbContext *v, const InstallResult *result);
size_t rollout_count_differing(const InstallResult *result);
json_t* rollout_leavers_to_json(const InstallResult *result);
json_t* rollout_node_to_json(const InstallNode *n);
json_t* rollout_to_json(const InstallResult *result);
