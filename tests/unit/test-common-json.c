/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include "common/json.h"

static void test_parse(void **state) {
        static const char text[] = "{ \"a\": [1, {\"b\": \"x\"}], \"n\": null }\n";
        _cleanup_json_ json_t *tree = NULL;
        Error *e = NULL;

        assert_success(json_parse("t", text, strlen(text), &tree, &e), e, 0);
        assert_int_equal(json_object_size(tree), 2);
        assert_string_equal(json_path_text(tree, "a.1.b"), "x");
        assert_true(json_is_null(json_path(tree, "n")));
}

static void test_hostile(void **state) {
        static const struct {
                const char *text;
                size_t size;
                const char *where;
        } rows[] = {
#define ROW(text, where) { text, sizeof(text) - 1, where }
                ROW("", "line 1 column 0"),
                ROW("{", "line 1 column 1"),
                ROW("{\"a\": 1,\n \"a\": 2}", "line 2"),
                ROW("{} x", "line 1 column 4"),
                ROW("{}\0", "line 1 column 3"),
                ROW("{\"a\": \"\\u0000\"}", "line 1"),
                ROW("{\"a\": \"\xff\"}", "line 1"),
                ROW("{\"a\": \"\xed\xa0\x80\"}", "line 1"),
                ROW("{\"a\": 1e999}", "line 1"),
                ROW("{\"a\": 99999999999999999999}", "line 1"),
                ROW("{\"a\": 01}", "line 1"),
                ROW("{'a': 1}", "line 1"),
                ROW("{\"a\": NaN}", "line 1"),
                ROW("[1,]", "line 1"),
                ROW("\"text\"", "line 1"),
                ROW("{\"a\": \"unterminated", "line 1"),
#undef ROW
        };
        Error *e = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                json_t *tree = NULL;

                assert_int_equal(json_parse("answer", rows[i].text, rows[i].size, &tree, &e), -EBADMSG);
                assert_null(tree);
                assert_true(startswith(e->message, "answer: "));
                assert_contains(e->message, rows[i].where);
                assert_failure(-e->errnum, e, ERROR_VERIFY, EBADMSG);
        }
        assert_int_equal(json_parse("nothing", NULL, 0, NULL, NULL), -EBADMSG);
}

static void test_deep(void **state) {
        _cleanup_free_ char *text = xmalloc(2000000);
        json_t *tree = NULL;

        memset(text, '[', 2000000);
        assert_int_equal(json_parse("deep", text, 2000000, &tree, NULL), -EBADMSG);
        for (size_t i = 0; i + 5 <= 2000000; i += 5)
                memcpy(text + i, "{\"a\":", 5);
        assert_int_equal(json_parse("deep", text, 2000000, &tree, NULL), -EBADMSG);
        assert_null(tree);
}

static void test_access(void **state) {
        static const char text[] =
                "{\"s\": \"text\", \"i\": 5, \"neg\": -5, \"d\": \"18446744073709551615\","
                " \"bad\": \"5x\", \"f\": 1.5, \"o\": {\"a\": [\"x\", {}]}, \"z\": null}";
        _cleanup_json_ json_t *tree = NULL;

        assert_int_equal(json_parse("t", text, strlen(text), &tree, NULL), 0);
        assert_string_equal(json_text(tree, "s"), "text");
        assert_null(json_text(tree, "i"));
        assert_null(json_text(tree, "absent"));
        assert_null(json_text(NULL, "s"));
        assert_null(json_text(json_object_get(tree, "s"), "s"));

        assert_int_equal(json_uint64(tree, "i"), 5);
        assert_int_equal(json_uint64(tree, "neg"), 0);
        assert_true(json_uint64(tree, "d") == UINT64_MAX);
        assert_int_equal(json_uint64(tree, "bad"), 0);
        assert_int_equal(json_uint64(tree, "f"), 0);
        assert_int_equal(json_uint64(tree, "o"), 0);
        assert_int_equal(json_uint64(NULL, "i"), 0);

        assert_string_equal(json_path_text(tree, "o.a.0"), "x");
        assert_null(json_path_text(tree, "o.a.1"));
        assert_true(json_is_object(json_path(tree, "o.a.1")));
        assert_null(json_path(tree, "o.a.2"));
        assert_null(json_path(tree, "o.a.x"));
        assert_null(json_path(tree, "o.a.-1"));
        assert_null(json_path(tree, "s.t.u"));
        assert_null(json_path(tree, ""));
        assert_null(json_path(tree, "o..a"));
        assert_null(json_path(tree, "o."));
        assert_null(json_path(NULL, "o"));
}

static void test_write(void **state) {
        static const char text[] = "{\"b\":1,\"a\":[true,\"gr\xc3\xbcn\"],\"e\":{}}";
        _cleanup_json_ json_t *tree = NULL, *scalar = json_string("x");
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(json_parse("t", text, strlen(text), &tree, NULL), 0);
        json_write(tree, &b);
        assert_string_equal(buffer_str(&b),
                            "{\n  \"a\": [\n    true,\n    \"gr\xc3\xbcn\"\n  ],\n  \"b\": 1,\n"
                            "  \"e\": {}\n}\n");
        buffer_clear(&b);
        json_write(scalar, &b);
        assert_string_equal(buffer_str(&b), "\"x\"\n");
}

static void test_times(void **state) {
        _cleanup_json_ json_t *tree = json_pack("{s:o, s:o, s:o}", "latency", json_latency(412), "long",
                                                json_latency(2034567), "seconds", json_seconds(23456));
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        json_write(tree, &b);
        assert_string_equal(buffer_str(&b),
                            "{\n  \"latency\": 0.000412,\n  \"long\": 2.034567,\n  \"seconds\": 0.023\n}\n");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),  cmocka_unit_test(test_hostile), cmocka_unit_test(test_deep),
                cmocka_unit_test(test_access), cmocka_unit_test(test_write),   cmocka_unit_test(test_times),
        };

        return cmocka_run_group_tests_name("common-json", tests, NULL, NULL);
}
