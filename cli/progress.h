/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "cli/verb.h"
#include "install/stage.h"

/*
 * Progress of things that go on at the same time, one row each (nodes of an installation, downloads)
 *
 * On a terminal each row is one line, rewritten in place, cut to the terminal's width: its name, the steps
 * it has finished with the time each took, the step it is at, and how it ended. Elsewhere a step is one
 * plain line, with the time of day, when it is finished, and a step that takes long says so every 10 s.
 * --json of commands that have events tells those (cli/events.h); with --json of others, and with --quiet,
 * nothing is shown. Every function may be called from any thread.
 *
 *     Progress *p = progress_new(v);
 *     size_t row = progress_add(p, node->name);
 *     progress_step(p, row, STAGE_FACTS, NULL);
 *     progress_step(p, row, STAGE_PUT, "12 files"); ends "facts", with its time
 *     progress_amount(p, row, done, total);        a bar behind the current step
 *     progress_detail(p, row, "2 of 3 members");   what the current step is waiting for
 *     progress_end(p, row, true, "done");
 *     progress_free(p);                            leaves the lines on the screen
 *
 * While a Progress exists, nothing else may write to the terminal but progress_note(), which puts a line
 * above the rows; verb_note() and verb_warn() do the same then.
 */
typedef struct Progress Progress;

Progress* progress_new(VerbContext *v);
size_t progress_add(Progress *p, const char *name);
void progress_step(Progress *p, size_t row, Stage stage,
                   const char *text); /* instead of its name; or NULL */
void progress_amount(Progress *p, size_t row, uint64_t done, uint64_t total); /* bytes; total 0: unknown */
void progress_detail(Progress *p, size_t row, const char *format, ...) _printf_(3, 4);
void progress_end(Progress *p, size_t row, bool success, const char *format, ...) _printf_(4, 5);
void progress_remove(Progress *p, size_t row); /* takes the line away: a download that is done */
void progress_note(Progress *p, const char *format, ...) _printf_(2, 3);
void progress_above(Progress *p, FILE *stream, const char *text);
Progress* progress_free(Progress *p); /* also NULL */
DEFINE_CLEANUP(Progress*, progress_free)
