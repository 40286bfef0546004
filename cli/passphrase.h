/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"

/*
 * A passphrase, for backups: asked for at the terminal, or read from a file that --passphrase-file names. Never an
 * argument and never in the environment, where other processes could read it.
 */

int passphrase_read(const char *file, bool twice, char **ret, Error **reterr); /* secret_freep() */
