/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/process.h"

/* process-spawn.c: what process.c (children left running) and process-run.c (children run to their end) share. */

int process_pair(bool socket, int ret[static 2]);
int process_pipe(int *ret_read, int *ret_write);
int process_spawn(char *const *argv, int in, int out, int err, pid_t *ret, Error **reterr);
int process_reap(pid_t pid, int *ret_status);
int process_await(pid_t pid, uint64_t timeout_usec, int *ret_status);
void process_kill(pid_t pid, int sig);
int process_terminate(pid_t pid);
