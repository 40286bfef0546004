/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cluster/loader.h"

#include <string.h>

#include "cluster/yaml-check.h"
#include "common/alloc.h"
#include "common/strv.h"

#define KEYS_MAX 32

/* No list of a cluster file has a use for more, and looking for doubles takes the square. */
#define LIST_MAX 100

#define QUOTE_MAX 60

char* quote(const char *text) {
        size_t n = strlen(text);

        if (n <= QUOTE_MAX)
                return xasprintf("'%s'", text);

        /* Not in the midst of a character. */
        n = QUOTE_MAX;
        while (n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80)
                n--;
        return xasprintf("'%.*s...'", (int) n, text);
}

yaml_node_t* loader_node(const Loader *l, int index) {
        return yaml_document_get_node(l->document, index);
}

/**
 * loader_problem() - note what is wrong with the value of a key
 * @l:          the loader
 * @mark:       where it is
 * @name:       the key, or NULL for the section
 * @format:     printf-style message
 */
void loader_problem(Loader *l, Mark mark, const char *name, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);

        if (l->section && name)
                problem_add(l->problems, mark, "%s.%s: %s", l->section, name, text);
        else if (l->section || name)
                problem_add(l->problems, mark, "%s: %s", l->section ?: name, text);
        else
                problem_add(l->problems, mark, "%s", text);
}

/**
 * loader_is() - see that a value is written the way it should be
 * @l:          the loader
 * @key:        the key
 * @node:       its value
 * @type:       what it should be
 *
 * Return: true if it is.
 */
bool loader_is(Loader *l, const Key *key, yaml_node_t *node, yaml_node_type_t type) {
        static const char *const names[] = {
                [YAML_SCALAR_NODE] = "a single value",
                [YAML_SEQUENCE_NODE] = "a list",
                [YAML_MAPPING_NODE] = "keys with values",
        };
        const char *found = names[node->type];

        if (node->type == type)
                return true;
        if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
                found = type == YAML_MAPPING_NODE ?
                                "nothing: if all below it is left out, leave it out, too" :
                                "nothing";
        loader_problem(l, mark_of(&node->start_mark), key ? key->name : NULL, "expected %s, found %s",
                       names[type], found);
        return false;
}

/* The text of a value, which is not empty, lent by the document; or NULL */
static const char* text_of(Loader *l, const char *name, yaml_node_t *node) {
        const Key key = { .name = name };
        const char *text;

        if (!loader_is(l, &key, node, YAML_SCALAR_NODE))
                return NULL;

        text = (const char*) node->data.scalar.value;
        if (strlen(text) != node->data.scalar.length)
                loader_problem(l, mark_of(&node->start_mark), name, "holds a NUL character");
        else if (!*text)
                loader_problem(l, mark_of(&node->start_mark), name, "is empty");
        else
                return text;
        return NULL;
}

static bool load_text(Loader *l, const Key *key, yaml_node_t *node, void *field) {
        const char *text = text_of(l, key->name, node);
        _cleanup_free_ char *wrong = NULL;

        if (!text)
                return false;
        wrong = key->parse(text, field);
        if (wrong)
                loader_problem(l, mark_of(&node->start_mark), key->name, "%s", wrong);
        return !wrong;
}

static bool load_list(Loader *l, const Key *key, yaml_node_t *node, void *field) {
        bool good = true;

        if (node->type == YAML_SCALAR_NODE && node->data.scalar.length > 0)
                return load_text(l, key, node, field);
        if (!loader_is(l, key, node, YAML_SEQUENCE_NODE))
                return false;

        if (node->data.sequence.items.top - node->data.sequence.items.start > LIST_MAX) {
                loader_problem(l, mark_of(&node->start_mark), key->name, "more than %d items", LIST_MAX);
                return false;
        }
        for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
                good = load_text(l, key, loader_node(l, *i), field) && good;
        return good;
}

static bool load_section(Loader *l, const Key *key, yaml_node_t *node, void *target) {
        Loader inner = *l;
        _cleanup_free_ char *section =
                l->section ? xasprintf("%s.%s", l->section, key->name) : xstrdup(key->name);

        if (!loader_is(l, key, node, YAML_MAPPING_NODE))
                return false;
        inner.section = section;
        load_mapping(&inner, key->keys, node, target);
        return true;
}

static void load_value(Loader *l, const Key *key, yaml_node_t *node, void *target) {
        char *base = target;
        bool good = true;

        switch (key->form) {
        case KEY_TEXT:
                good = load_text(l, key, node, base + key->field);
                break;
        case KEY_LIST:
                good = load_list(l, key, node, base + key->field);
                break;
        case KEY_SECTION:
                good = load_section(l, key, node, target);
                break;
        case KEY_FUNCTION:
                key->function(l, key, node, target);
                break;
        }

        *(Mark*) (void*) (base + key->mark) = good ? mark_of(&node->start_mark) : MARK_REFUSED;
}

/* A key that was meant is not missing as well: it is noted with the negative line of its misspelling. */
static void unknown_key(Loader *l, const Key *keys, const char *name, Mark mark, int *seen) {
        const char *candidates[KEYS_MAX + 1] = {};
        _cleanup_free_ char *quoted = quote(name);
        const char *nearest;
        size_t n = 0;

        /* A file of nothing but wrong keys must not cost a search each. */
        for (const Key *key = keys; key->name && n < KEYS_MAX && l->problems->n_errors < PROBLEMS_MAX; key++)
                candidates[n++] = key->name;

        nearest = string_nearest(name, candidates);
        if (nearest)
                loader_problem(l, mark, NULL, "unknown key %s; did you mean '%s'?", quoted, nearest);
        else
                loader_problem(l, mark, NULL, "unknown key %s", quoted);

        for (size_t i = 0; i < n; i++)
                if (nearest == candidates[i] && seen[i] == 0)
                        seen[i] = -mark.line;
}

/* The row of a pair's key, or NULL with the problem noted. */
static const Key* find_key(Loader *l, const Key *keys, yaml_node_t *node, int *seen) {
        Mark mark = mark_of(&node->start_mark);
        const char *name = (const char*) node->data.scalar.value;

        if (node->type != YAML_SCALAR_NODE || strlen(name) != node->data.scalar.length) {
                loader_problem(l, mark, NULL, "a key must be a plain word");
                return NULL;
        }

        for (const Key *key = keys; key->name; key++) {
                if (!streq(key->name, name))
                        continue;
                if (seen[key - keys] > 0) {
                        loader_problem(l, mark, key->name, "given twice, first in line %d",
                                       seen[key - keys]);
                        return NULL;
                }
                seen[key - keys] = mark.line;
                return key;
        }

        unknown_key(l, keys, name, mark, seen);
        return NULL;
}

/**
 * load_mapping() - read a mapping into a struct
 * @l:          the loader
 * @keys:       the table, ended by a row without name
 * @node:       the mapping
 * @target:     the struct
 */
void load_mapping(Loader *l, const Key *keys, yaml_node_t *node, void *target) {
        int seen[KEYS_MAX] = {};

        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
             pair++) {
                const Key *key = find_key(l, keys, loader_node(l, pair->key), seen);

                if (key)
                        load_value(l, key, loader_node(l, pair->value), target);
        }

        for (const Key *key = keys; key->name; key++)
                if (key->required && seen[key - keys] == 0)
                        loader_problem(l, mark_of(&node->start_mark), NULL, "'%s' is missing", key->name);
                else if (seen[key - keys] < 0)
                        *(Mark*) (void*) ((char*) target + key->mark) = MARK_REFUSED;
}
