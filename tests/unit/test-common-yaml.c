/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <yaml.h>

#include "common/json.h"

/* Reads a document back: quoted is text, plain is what JSON says it is, or a key. */
static json_t* read_node(yaml_document_t *document, yaml_node_t *node) {
        json_t *tree;

        switch (node->type) {
        case YAML_SCALAR_NODE:
                if (node->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
                        return json_stringn((const char*) node->data.scalar.value,
                                            node->data.scalar.length);
                tree = json_loadb((const char*) node->data.scalar.value, node->data.scalar.length,
                                  JSON_DECODE_ANY, NULL);
                assert_non_null(tree);
                return tree;
        case YAML_SEQUENCE_NODE:
                tree = json_array();
                for (yaml_node_item_t *i = node->data.sequence.items.start;
                     i < node->data.sequence.items.top; i++)
                        json_array_append_new(tree,
                                              read_node(document, yaml_document_get_node(document, *i)));
                return tree;
        case YAML_MAPPING_NODE:
                tree = json_object();
                for (yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top;
                     i++)
                        json_object_set_new(
                                tree,
                                (const char*) yaml_document_get_node(document, i->key)->data.scalar.value,
                                read_node(document, yaml_document_get_node(document, i->value)));
                return tree;
        default:
                fail();
                return NULL;
        }
}

static json_t* read_back(const Buffer *b) {
        yaml_document_t document;
        yaml_parser_t parser;
        json_t *tree;

        assert_true(yaml_parser_initialize(&parser));
        yaml_parser_set_input_string(&parser, (const unsigned char *) b->data, b->size);
        assert_true(yaml_parser_load(&parser, &document));
        tree = read_node(&document, yaml_document_get_root_node(&document));
        yaml_document_delete(&document);
        yaml_parser_delete(&parser);
        return tree;
}

static json_t* parse(const char *text) {
        json_error_t e = {};
        json_t *tree = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);

        if (!tree)
                fail_msg("%s in %s", e.text, text);
        return tree;
}

static void test_round_trip(void **state) {
        static const char *const rows[] = {
                "{}",
                "[]",
                "\"no\"",
                "{\"a\": {}, \"b\": [], \"c\": [[]], \"d\": [{}], \"e\": [[[1], 2], [{\"x\": []}]]}",
                "{\"no\": \"no\", \"1.31\": \"1.31\", \"~\": \"null\", \"\": \"\", \"true\": \"0x10\"}",
                "{\"s\": \"a\\nb\\n\", \"t\": \"tab\\there\", \"q\": \"\\\"\\\\'\"}",
                "{\"c\": \"\\u0001\\u007f\"}",
                "{\"lead\": \" x \", \"hash\": \"# no\", \"colon\": \"a: b\", \"dash\": \"- x\"}",
                "{\"amp\": \"&a *b\"}",
                "{\"nul\": \"a\\u0000b\", \"bom\": \"\\ufeff\", \"nel\": \"\\u0085\\u2028\"}",
                "{\"crlf\": \"a\\r\\nb\"}",
                "{\"umlaut\": \"grün\", \"emoji\": \"\\ud83d\\ude00\", \"ключ\": \"значение\"}",
                "{\"i\": 0, \"n\": -7, \"big\": 9223372036854775807, \"r\": 1.5, \"e\": 1e300}",
                "{\"t\": true, \"f\": false, \"z\": null}",
                "{\"a b\": 1, \"a: b\": 2, \"#\": 3, \"-\": 4, \"? x\": 5, \"{\": 6, \"node/1.x_y-z\": 7}",
                "[1, \"1\", [\"x\"], {\"k\": \"v\", \"l\": [1]}]",
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_json_ json_t *tree = parse(rows[i]), *back = NULL;
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                json_write_yaml(tree, NULL, &b);
                assert_int_equal(b.data[b.size - 1], '\n');
                back = read_back(&b);
                if (!json_equal(tree, back))
                        fail_msg("not the same: %s", buffer_str(&b));
        }
}

/* Certificates in a kubeconfig are one line of some thousand letters. */
static void test_long_line(void **state) {
        _cleanup_json_ json_t *tree = json_object(), *back = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL, text = BUFFER_NULL;

        for (unsigned i = 0; i < 2000; i++)
                buffer_add_str(&text, "ab cd ");
        json_object_set_new(tree, "data", json_string(buffer_str(&text)));
        json_write_yaml(tree, NULL, &b);
        assert_ptr_equal(strchr(b.data, '\n'), b.data + b.size - 1);
        back = read_back(&b);
        assert_true(json_equal(tree, back));
}

static void test_text(void **state) {
        _cleanup_json_ json_t *tree = parse("{\"kind\": \"Config\", \"apiVersion\": \"v1\", \"on\": 1, "
                                            "\"list\": [{\"a\": \"b\", \"c\": 2}],"
                                            " \"none\": [], \"empty\": {}}");
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        json_write_yaml(tree, "Made by hardway\n\nDo not edit", &b);
        assert_string_equal(buffer_str(&b), "# Made by hardway\n"
                                            "#\n"
                                            "# Do not edit\n"
                                            "kind: \"Config\"\n"
                                            "apiVersion: \"v1\"\n"
                                            "\"on\": 1\n"
                                            "list:\n"
                                            "- a: \"b\"\n"
                                            "  c: 2\n"
                                            "none: []\n"
                                            "empty: {}\n");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_long_line),
                cmocka_unit_test(test_text),
        };

        return cmocka_run_group_tests_name("common-yaml", tests, NULL, NULL);
}
