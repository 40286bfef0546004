/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * Command lines: argp, whose tables are parser and help in one
 *
 * options_parse_program() takes what stands in front of the verb and leaves the verb and the rest;
 * options_parse_verb() takes the verb's own options and those common ones that the verb says it takes. Both
 * end the program for --help, --version and what argp refuses (EX_USAGE, see cli/usage.h).
 */
int options_parse_program(VerbContext *v, int argc, char **argv, int *ret_first);
int options_parse_verb(VerbContext *v, int argc, char **argv, Strv *ret_arguments, Error **reterr);

/* Of its options: does it tell events, and is the last line one? */
void options_choose_events(VerbContext *v);

/* A table of argp's ends with an empty row. */
#define OPTIONS_FOREACH(o, options) \
        for (const struct argp_option *o = (options); o->name || o->key || o->doc; o++)

/* By its full name, which word begins with, up to a '='; or NULL. */
const struct argp_option* option_find(const struct argp_option *options, const char *word);

/* All that a verb takes, NULL: what may stand in front of one; ended by an empty one. The caller frees. */
struct argp_option* options_of_verb(const Verb *verb);

/* Whether a stream may be coloured: when is "auto", "always" or "never". */
bool options_color(const char *when, int fd);
