/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/macro.h"

/*
 * Who writes to an unfinished file of the cache: the process that has locked it (flock), until it ends, however it
 * ends
 */
int claim_open(const char *path, int *ret_fd);
void claim_sweep(const char *cache, const char *key);
void claim_sweep_staged(const char *cache, const char *name);
