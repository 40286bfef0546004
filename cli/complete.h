/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * What may come next on a command line, for the completion of shells (completions/)
 *
 *     hardway __complete WORD...       the words behind "hardway", up to the one that is being typed (it may be empty)
 *
 * prints what the last one may become, one a line: names of commands, options, nodes of the cluster file, checks, words for
 * `explain`. They come out of the tables that commands are read by, when they are asked for, so that nothing has to be kept
 * up. ":files" or ":directories" alone: that is for the shell.
 */
#define COMPLETE_WORD "__complete"

int complete_print(VerbContext *v, int argc, char *const *argv);
