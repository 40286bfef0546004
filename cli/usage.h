/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * What argp refuses, as all other errors are told
 *
 * argp, and getopt below it, print what is wrong with a command line to standard error, and end the program. Between
 * usage_begin() and usage_end() that is caught: it becomes an Error, which is printed as others are, with --json among
 * the words as JSON too.
 */
bool usage_wants_json(int argc, char *const *argv); /* whether --json is among the words */
void usage_begin(VerbContext *v);                   /* v->json: whether it is */
void usage_end(void);
