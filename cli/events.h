/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/verb.h"

/*
 * What happens, for scripts: --json of commands that change something
 *
 * One object a line on standard output, as it happens, each with "event" and "time":
 *
 *     stage      "name" (a node, or what is worked on) is at another stage: "text"
 *     progress   "done" of "total" bytes of it; about once a second
 *     waiting    what the stage waits for: "text"
 *     finished, failed   "name" is done: "text", after "seconds"
 *     note, warning      "text" for people
 *     command    with --verbose: "text" is sent to the node "name"
 *     request    with --verbose: "text" says what was asked of an apiserver or of etcd, and what became of it
 *     done       the last one, with the result
 *     error      the last one, if the command failed: "text" says why, "details" more of it and what to do; "errors" all, where
 *                several things failed; and the result is there as far as there is one
 *
 * With --quiet only the last one. Commands may have more of their own. May be called by any thread.
 */
void event_print(const VerbContext *v, const char *event, json_t *object); /* takes the object */
json_t* event_string(const char *text);                                    /* of any bytes */
void event_text(const VerbContext *v, const char *event, const char *name,
                const char *text); /* name: or NULL */

json_t* errors_to_json(const VerbContext *v, const Error *error); /* also of documents: "errors" */

/* The last one: done, or error if r is negative, for the reason of error or of the context's errors. */
void event_end(VerbContext *v, int r, json_t *result, const Error *error); /* takes result; NULL: none */

/* When the command is at its end, and has not told it itself. */
void verb_tell_end(VerbContext *v, int r, const Error *error);
