/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"

/**
 * event_print() - tell a script what happens
 * @v:          the context
 * @event:      its name
 * @object:     what is to be said of it; taken
 */
void event_print(const VerbContext *v, const char *event, json_t *object) {
        _cleanup_json_ json_t *owned = object;
        _cleanup_free_ char *now = clock_format_iso(clock_realtime());
        char *text;

        (void) json_object_set_new(owned, "event", json_string(event));
        (void) json_object_set_new(owned, "time", json_string(now));
        text = json_dumps(owned, JSON_COMPACT | JSON_SORT_KEYS | JSON_REALS);
        if (!text)
                abort(); /* memory */
        (void) puts(text);
        (void) fflush(stdout);
        free(text);
}

/* What comes from a node may be of any bytes, and JSON is UTF-8. */
json_t* event_string(const char *text) {
        _cleanup_free_ char *copy = NULL;
        json_t *string = json_string(text);

        if (string)
                return string;
        copy = xstrdup(text);
        for (char *c = copy; *c; c++)
                if ((unsigned char) *c >= 0x80)
                        *c = '?';
        return json_string(copy);
}

void event_text(const VerbContext *v, const char *event, const char *name, const char *text) {
        json_t *object = json_object();

        if (name)
                (void) json_object_set_new(object, "name", event_string(name));
        (void) json_object_set_new(object, "text", event_string(text));
        event_print(v, event, object);
}

static json_t* error_to_json(const Error *error) {
        const char *detail = error->detail ?: "";
        _cleanup_free_ char *lines = xstrndup(detail, strlen(detail) - (endswith(detail, "\n") ? 1 : 0));
        json_t *object = json_object();

        (void) json_object_set_new(object, "text", event_string(error->message));
        if (*lines)
                (void) json_object_set_new(object, "details", event_string(lines));
        return object;
}

/**
 * errors_to_json() - all that failed
 * @v:          the context, whose errors it is unless there are none
 * @error:      then this one, or NULL
 *
 * Return: a list, each with "text" and, where there is more to say, "details"; the caller's.
 */
json_t* errors_to_json(const VerbContext *v, const Error *error) {
        json_t *list = json_array();

        for (size_t i = 0; i < v->errors.n_errors; i++)
                (void) json_array_append_new(list, error_to_json(v->errors.errors[i]));
        if (v->errors.n_errors == 0 && error)
                (void) json_array_append_new(list, error_to_json(error));
        return list;
}

/* The first in the event itself; where there are more, all as a list. */
static void add_errors(const VerbContext *v, const Error *error, json_t *object) {
        _cleanup_json_ json_t *list = errors_to_json(v, error);

        (void) json_object_update(object, json_array_get(list, 0));
        if (json_array_size(list) > 1)
                (void) json_object_set(object, "errors", list);
}

/**
 * event_end() - tell a script that this was all, and what came of it
 * @v:          the context; only the first call says something
 * @r:          negative: the command failed
 * @result:     what came of it, or NULL; taken
 * @error:      why it failed, or NULL: the context's errors say so
 */
void event_end(VerbContext *v, int r, json_t *result, const Error *error) {
        json_t *object = result ?: json_object();

        if (v->events_ended) {
                json_decref(object);
                return;
        }
        if (r < 0)
                add_errors(v, error, object);
        event_print(v, r < 0 ? "error" : "done", object);
        v->events_ended = true;
}

/**
 * verb_tell_end() - who reads JSON gets some, whatever happens: the last event, or one document
 * @v:          the context
 * @r:          negative: the command failed
 * @error:      why, or NULL: the context's errors say so
 */
void verb_tell_end(VerbContext *v, int r, const Error *error) {
        const Error *first = v->errors.n_errors > 0 ? v->errors.errors[0] : error;
        _cleanup_json_ json_t *tree = NULL;

        if (v->ends_with_event) {
                if (r < 0 || v->events)
                        event_end(v, r, NULL, error);
                return;
        }
        if (r >= 0 || verb_json_was_printed())
                return;
        tree = json_pack("{s:o}", "errors", errors_to_json(v, error));
        if (v->verb && v->verb->add_failure && first)
                v->verb->add_failure(tree, first);
        verb_print_json(tree);
}
