/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/strv.h"

/*
 * Which directories hardway has made on a node, and how those were that it has changed
 *
 * Before a plan makes a directory, or gives one another mode or owner, a line of /var/lib/hardway/directories says what was there:
 *
 *     directory|chosen PATH OWNER nothing
 *     directory|chosen PATH OWNER MODE OWNER_BEFORE
 *
 * A list that was begun before anything else of hardway's was on the node has the line "complete" before them: then a directory of the
 * plan that has none was there, and as planned. One that an upgrade has begun says nothing of those without a line.
 *
 * The first three words are those of its trace (plan/traces.h). Written once, and on the disk before the directory is touched: a run
 * that is killed at any moment leaves none that is not known to be hardway's. What is in a directory that hardway has made is hardway's; of
 * one that was there before, it has what its user owns there.
 */
#define MADE_WHOLE "complete"

typedef enum MadeWord {
        MADE_KIND,
        MADE_PATH,
        MADE_OWNER,
        MADE_MODE, /* octal, or "nothing" */
        MADE_BEFORE,
        _MADE_WORD_MAX,
} MadeWord;

int made_parse(const char *line, Strv *ret); /* its words; -EINVAL */
int made_find(char *const *lines, const char *path,
              Strv *ret); /* the words of the line about path; -ENOENT */
bool made_was_nothing(char *const *words);
