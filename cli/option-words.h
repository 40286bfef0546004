/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * The words of a command line, looked at before argp reads them: what argp would refuse without a suggestion, or take
 * although nobody can mean it
 */
int option_words_check(const Verb *verb, const struct argp_option *options, int argc, char *const *argv,
                       Error **reterr);
