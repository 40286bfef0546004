/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/events.h"

#include <stdio.h>
#include <stdlib.h>

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
        text = json_dumps(owned, JSON_COMPACT | JSON_SORT_KEYS);
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
        if (r < 0 && v->errors.n_errors > 0)
                error = v->errors.errors[0];
        if (r < 0 && error)
                (void) json_object_set_new(object, "text", event_string(error->message));
        event_print(v, r < 0 ? "error" : "done", object);
        v->events_ended = true;
}
