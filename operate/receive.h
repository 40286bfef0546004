/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/host.h"

/*
 * A file of a node, brought here whole
 *
 * It arrives as PATH.part, readable for its owner alone, and gets its name once all of it is on the disk and
 * found good: PATH is not there, or it is right.
 */
int receive_file_limited(Host *host, const char *source, const char *path, uint64_t limit,
                         int (*check)(const char *part, Error **reterr), Error **reterr);
/* The same, of any size. */
int receive_file(Host *host, const char *source, const char *path,
                 int (*check)(const char *part, Error **reterr), Error **reterr); /* check: or NULL */
