/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"
#include "http/http.h"

/*
 * --verbose: every command that is sent to a node, and every request to an apiserver or to etcd's gateway
 *
 * On standard error, so that results stay what they are; with --json of commands that tell events, one event each. What is long
 * and was shown before (the same file of ours for another node, the same ssh) is named only. May be called by any thread.
 */
void command_show(void *context, const Node *node, const HostCommand *command); /* for HostOptions */
void request_show(void *context, const HttpTold *told);                         /* for http_set_trace() */
