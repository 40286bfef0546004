/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/error.h"

/*
 * A passphrase, of a backup or of the keys of CAs: asked for at the terminal, or read from a file that --passphrase-file names. Never an
 * argument and never in the environment, where other processes could read it.
 */

/* what: whose passphrase it is, for the question; ret: secret_freep() */
int passphrase_read(const char *what, const char *file, bool twice, char **ret, Error **reterr);
