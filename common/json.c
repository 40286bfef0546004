/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/json.h"

#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/parse.h"

/**
 * json_parse() - read a JSON document
 * @what:       its name for the message, such as a path or an URL
 * @data:       the text
 * @size:       its size
 * @ret:        the tree, an object or an array; the caller gives it back with json_decref()
 * @reterr:     says the line and column
 *
 * Text behind the document, a key given twice, a NUL in a string and a depth beyond 2048 are errors.
 *
 * Return: 0, or -EBADMSG (ERROR_VERIFY).
 */
int json_parse(const char *what, const void *data, size_t size, json_t **ret, Error **reterr) {
        json_error_t e = {};
        json_t *tree = json_loadb(data ?: "", size, JSON_REJECT_DUPLICATES, &e);

        if (!tree)
                return error_set(reterr, ERROR_VERIFY, EBADMSG, "%s: line %d column %d: %s", what, e.line,
                                 e.column, e.text);
        *ret = tree;
        return 0;
}

/**
 * json_text() - a string member
 * @object:     the object; may be NULL or anything else, which has no members
 * @key:        the member
 *
 * Return: the string, lent by the tree; NULL if it is absent or no string.
 */
const char* json_text(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}

static json_t* json_step(const json_t *tree, const char *key) {
        uint64_t index;

        if (!json_is_array(tree))
                return json_object_get(tree, key);
        if (parse_uint64(key, 0, SIZE_MAX, &index) < 0)
                return NULL;
        return json_array_get(tree, (size_t) index);
}

/**
 * json_path() - a member of a member
 * @object:     the object; may be NULL or anything else
 * @path:       keys with dots between them; a number is the index into an array
 *
 * Return: what is there, lent by the tree; NULL if it is absent.
 */
json_t* json_path(const json_t *object, const char *path) {
        const json_t *tree = object;

        for (;;) {
                size_t n = strcspn(path, ".");
                _cleanup_free_ char *key = xstrndup(path, n);

                tree = json_step(tree, key);
                if (!tree || !path[n])
                        return (json_t*) tree;
                path += n + 1;
        }
}

/**
 * json_path_text() - a string member of a member
 * @object:     the object; may be NULL or anything else
 * @path:       keys with dots between them
 *
 * Return: the string, lent by the tree; NULL if it is absent or no string.
 */
const char* json_path_text(const json_t *object, const char *path) {
        return json_string_value(json_path(object, path));
}

/**
 * json_uint64() - a number member
 * @object:     the object; may be NULL or anything else
 * @key:        the member: an integer, or a string of digits, as etcd's gateway writes 64 bits
 *
 * Return: the number; 0 if it is absent, negative or no number.
 */
uint64_t json_uint64(const json_t *object, const char *key) {
        const json_t *member = json_object_get(object, key);
        uint64_t value = 0;

        if (json_is_integer(member) && json_integer_value(member) > 0)
                return (uint64_t) json_integer_value(member);
        if (json_is_string(member))
                (void) parse_uint64(json_string_value(member), 0, UINT64_MAX, &value);
        return value;
}

/**
 * json_seconds() - a time as scripts read it
 * @usec:       the time; it is rounded, as what is below a millisecond is chance
 *
 * Return: a number of seconds; the caller's.
 */
json_t* json_seconds(uint64_t usec) {
        return json_real((double) ((usec + USEC_PER_MSEC / 2) / USEC_PER_MSEC) / 1000);
}

/**
 * json_latency() - how long an answer took, as scripts read it
 * @usec:       the time; it is not rounded: a member nearby answers in less than half a millisecond, and a 0 would say that it
 *              was not asked
 *
 * Return: a number of seconds; the caller's.
 */
json_t* json_latency(uint64_t usec) {
        return json_real((double) usec / USEC_PER_SEC);
}

static int json_write_piece(const char *text, size_t size, void *userdata) {
        buffer_add(userdata, text, size);
        return 0;
}

/**
 * json_write() - write a tree as JSON
 * @tree:       the tree
 * @out:        where to append it; members sorted, indented by two blanks, a newline at the end
 */
void json_write(const json_t *tree, Buffer *out) {
        (void) json_dump_callback(tree, json_write_piece, out,
                                  JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY | JSON_REALS);
        buffer_add_char(out, '\n');
}
