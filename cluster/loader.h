/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <yaml.h>

#include "cluster/problems.h"

/*
 * From a YAML tree to a struct, by a table of keys
 *
 * A Key says how the value is written (a text, a list of texts, a section with keys of its own, or something
 * that has a function of its own), where it goes, and where the place it was found at goes; offsets count
 * from the struct that the table is for. A problem is noted and the rest is read all the same, so that all
 * of them are told at once; a field whose value was refused keeps what it had and its Mark becomes
 * MARK_REFUSED. A key that is not there leaves its Mark 0.
 *
 * A text's parser gets the text and the field, and returns NULL, or what is wrong with the text, in words
 * that follow "KEY: ". For lists it is called once per item and adds it.
 */

typedef struct Loader {
        yaml_document_t *document;
        Problems *problems;
        const char *section; /* what stands in front of a key in messages: "endpoint", "nodes"; or NULL */
} Loader;

typedef char *(*TextParser)(const char *text, void *field);

typedef enum KeyForm {
        KEY_TEXT,
        KEY_LIST, /* one text does for a list of one */
        KEY_SECTION,
        KEY_FUNCTION,
} KeyForm;

typedef struct Key Key;
struct Key {
        const char *name;
        KeyForm form;
        bool required;
        size_t field, mark;
        TextParser parse;
        const Key *keys; /* of a section, or of the mappings that function reads */
        void (*function)(Loader *l, const Key *key, yaml_node_t *node, void *target);
        const char *why;     /* what it says, in one sentence for people */
        const char *without; /* what holds without it */
};

void load_mapping(Loader *l, const Key *keys, yaml_node_t *node, void *target);

/* For functions: each notes the problem if it returns false or NULL. */
bool loader_is(Loader *l, const Key *key, yaml_node_t *node, yaml_node_type_t type);
void loader_problem(Loader *l, Mark mark, const char *name, const char *format, ...) _printf_(4, 5);
yaml_node_t* loader_node(const Loader *l, int index);

/* A text from the file for a message: in quotes, and cut if it is long; the caller frees. */
char* quote(const char *text);
