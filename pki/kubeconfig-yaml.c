/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <yaml.h>

#include "common/alloc.h"
#include "pki/kubeconfig-internal.h"

/*
 * YAML in, by libyaml's events: reading stops at the first thing that a kubeconfig does not hold (an anchor,
 * a tag, a level too deep), so that a hostile text costs no more than a good one. libyaml takes quadratic
 * time for text that nests deep; here it never gets to look that far.
 */

#define DEPTH_MAX 8

typedef struct Reader {
        const char *what;
        yaml_parser_t parser;
        unsigned depth;
        Error **reterr;
} Reader;

static int read_node(Reader *r, const yaml_event_t *event, json_t **ret);

static void yaml_event_done(yaml_event_t *event) {
        yaml_event_delete(event);
}

static int reader_complain(const Reader *r, yaml_mark_t mark, const char *problem) {
        return error_set(r->reterr, ERROR_CONFIG, EBADMSG, "%s:%zu:%zu: %s", r->what, mark.line + 1,
                         mark.column + 1, problem);
}

static int reader_next(Reader *r, yaml_event_t *ret) {
        if (yaml_parser_parse(&r->parser, ret) == 1)
                return 0;
        if (r->parser.error == YAML_READER_ERROR)
                return error_set(r->reterr, ERROR_CONFIG, EBADMSG, "%s: %s", r->what,
                                 r->parser.problem ?: "not text");
        return reader_complain(r, r->parser.problem_mark, r->parser.problem ?: "not YAML");
}

static int reader_expect(Reader *r, yaml_event_type_t type) {
        _cleanup_(yaml_event_done) yaml_event_t event = {};
        int q = reader_next(r, &event);

        if (q < 0)
                return q;
        if (event.type != type)
                return reader_complain(r, event.start_mark, "not one plain YAML document");
        return 0;
}

static int read_string(Reader *r, const yaml_event_t *event, json_t **ret) {
        json_t *string;

        if (event->data.scalar.anchor || (event->data.scalar.tag && !event->data.scalar.plain_implicit &&
                                          !event->data.scalar.quoted_implicit))
                return reader_complain(r, event->start_mark, "anchors and tags have no place here");
        string = json_stringn((const char*) event->data.scalar.value, event->data.scalar.length);
        if (!string || memchr(event->data.scalar.value, '\0', event->data.scalar.length)) {
                json_decref(string);
                return reader_complain(r, event->start_mark, "not text");
        }
        *ret = string;
        return 0;
}

static int read_member(Reader *r, const yaml_event_t *key, json_t *object) {
        _cleanup_(yaml_event_done) yaml_event_t event = {};
        _cleanup_json_ json_t *name = NULL, *value = NULL;
        int q;

        if (key->type != YAML_SCALAR_EVENT)
                return reader_complain(r, key->start_mark, "a key has to be a word");
        q = read_string(r, key, &name);
        if (q < 0)
                return q;
        if (json_object_get(object, json_string_value(name)))
                return reader_complain(r, key->start_mark, "a key is given twice");

        q = reader_next(r, &event);
        if (q < 0)
                return q;
        q = read_node(r, &event, &value);
        if (q < 0)
                return q;
        return json_object_set_new(object, json_string_value(name), TAKE_PTR(value));
}

static int read_object(Reader *r, json_t **ret) {
        _cleanup_json_ json_t *object = json_object();

        for (;;) {
                _cleanup_(yaml_event_done) yaml_event_t event = {};
                int q = reader_next(r, &event);

                if (q < 0)
                        return q;
                if (event.type == YAML_MAPPING_END_EVENT)
                        break;
                q = read_member(r, &event, object);
                if (q < 0)
                        return q;
        }
        *ret = TAKE_PTR(object);
        return 0;
}

static int read_array(Reader *r, json_t **ret) {
        _cleanup_json_ json_t *array = json_array();

        for (;;) {
                _cleanup_(yaml_event_done) yaml_event_t event = {};
                json_t *element = NULL;
                int q = reader_next(r, &event);

                if (q < 0)
                        return q;
                if (event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                q = read_node(r, &event, &element);
                if (q < 0)
                        return q;
                json_array_append_new(array, element);
        }
        *ret = TAKE_PTR(array);
        return 0;
}

static int read_node(Reader *r, const yaml_event_t *event, json_t **ret) {
        int q;

        if (event->type == YAML_SCALAR_EVENT)
                return read_string(r, event, ret);
        if ((event->type != YAML_MAPPING_START_EVENT && event->type != YAML_SEQUENCE_START_EVENT) ||
            event->data.mapping_start.anchor || event->data.mapping_start.tag)
                return reader_complain(r, event->start_mark, "anchors, aliases and tags have no place here");
        if (r->depth >= DEPTH_MAX)
                return reader_complain(r, event->start_mark, "nested too deeply");

        r->depth++;
        q = event->type == YAML_MAPPING_START_EVENT ? read_object(r, ret) : read_array(r, ret);
        r->depth--;
        return q;
}

static int read_document(Reader *r, json_t **ret) {
        _cleanup_(yaml_event_done) yaml_event_t event = {};
        _cleanup_json_ json_t *tree = NULL;
        int q;

        q = reader_expect(r, YAML_STREAM_START_EVENT);
        if (q < 0)
                return q;
        q = reader_expect(r, YAML_DOCUMENT_START_EVENT);
        if (q < 0)
                return q;
        q = reader_next(r, &event);
        if (q < 0)
                return q;
        q = read_node(r, &event, &tree);
        if (q < 0)
                return q;
        q = reader_expect(r, YAML_DOCUMENT_END_EVENT);
        if (q < 0)
                return q;
        q = reader_expect(r, YAML_STREAM_END_EVENT);
        if (q < 0)
                return q;

        *ret = TAKE_PTR(tree);
        return 0;
}

int kubeconfig_read_yaml(const char *what, const void *data, size_t size, json_t **ret, Error **reterr) {
        Reader reader = { .what = what, .reterr = reterr };
        int r;

        if (yaml_parser_initialize(&reader.parser) != 1)
                return error_set(reterr, ERROR_INTERNAL, ENOMEM, "cannot start libyaml");
        yaml_parser_set_input_string(&reader.parser, data, size);
        r = read_document(&reader, ret);
        yaml_parser_delete(&reader.parser);
        return r;
}
