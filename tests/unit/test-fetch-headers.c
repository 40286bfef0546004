/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Headers of an answer, and what lies beside an unfinished download: of the one form, or absent. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "fetch/headers.h"
#include "fetch/origin.h"

static void add(Headers *h, const char *line) {
        _cleanup_free_ char *copy = xmemdup(line, strlen(line)); /* without a NUL */

        headers_add(h, copy, strlen(line));
}

static void test_validators(void **state) {
        static const struct {
                const char *line, *validator;
        } rows[] = {
                { "ETag: \"abc\"\r\n", "\"abc\"" },
                { "etag:\"abc\"", "\"abc\"" },
                { "ETAG: \t \"a-b\"  \r\n", "\"a-b\"" },
                { "ETag: W/\"abc\"\r\n", NULL },
                { "ETag: abc\r\n", NULL },
                { "ETag: \"\r\n", NULL },
                { "ETag: \"a\"b\"\r\n", NULL },
                { "ETag: \"a\x01z\"\r\n", NULL },
                { "ETag:\r\n", NULL },
                { "ETag\r\n", NULL },
                { "Last-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n", "Wed, 01 Jan 2025 00:00:00 GMT" },
                { "Last-Modified: \"x\"\r\n", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(headers_done) Headers h = HEADERS_NULL;
                const char *validator;

                add(&h, rows[i].line);
                validator = headers_validator(&h);
                if (!streq_null(validator, rows[i].validator))
                        fail_msg("%s: %s", rows[i].line, validator ?: "none");
        }
}

static void test_range(void **state) {
        static const struct {
                const char *line;
                bool ranged;
                uint64_t start, end, total;
        } rows[] = {
                { "Content-Range: bytes 100-199/200\r\n", true, 100, 199, 200 },
                { "content-range: BYTES 0-0/1", true, 0, 0, 1 },
                { "Content-Range: bytes 5-9/*\r\n", true, 5, 9, 0 },
                { "Content-Range: bytes */200\r\n", false, 0, 0, 0 },
                { "Content-Range: bytes 9-5/200\r\n", false, 0, 0, 0 },
                { "Content-Range: bytes 5-200/200\r\n", false, 0, 0, 0 },
                { "Content-Range: bytes -5-9/200\r\n", false, 0, 0, 0 },
                { "Content-Range: bytes 5-9\r\n", false, 0, 0, 0 },
                { "Content-Range: lines 5-9/200\r\n", false, 0, 0, 0 },
                { "Content-Range: bytes 99999999999999999999-999999999999999999999/*\r\n", false, 0, 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(headers_done) Headers h = HEADERS_NULL;

                add(&h, rows[i].line);
                if (h.ranged != rows[i].ranged || h.range_start != rows[i].start ||
                    h.range_end != rows[i].end || h.range_total != rows[i].total)
                        fail_msg("%s", rows[i].line);
        }
}

/* Each answer on the way of redirects begins anew; all of their headers count against the limit. */
static void test_answers(void **state) {
        _cleanup_(headers_done) Headers h = HEADERS_NULL;
        size_t size;

        add(&h, "HTTP/1.1 302 Found\r\n");
        add(&h, "ETag: \"redirect\"\r\n");
        add(&h, "Content-Encoding: gzip\r\n");
        add(&h, "Last-Modified: yesterday\r\n");
        assert_string_equal(h.encoding, "gzip");
        size = h.size;
        add(&h, "HTTP/2 200\r\n");
        assert_null(h.encoding);
        assert_null(headers_validator(&h));
        assert_int_equal(h.size, size + 12);
        add(&h, "Content-Encoding: identity\r\n");
        assert_null(h.encoding);
        add(&h, "Content-Encoding: br\r\n");
        add(&h, "Content-Encoding: zstd\r\n");
        assert_string_equal(h.encoding, "zstd");
}

static void test_origin(void **state) {
        const Origin o = { .url = (char*) "https://x/y", .validator = (char*) "\"abc\"", .size = 7 };
        static const char *const bad[] = {
                "",
                "[]",
                "{}",
                "{\"url\":\"https://x\"}",
                "{\"url\":\"\",\"size\":1}",
                "{\"url\":\"a\\nb\",\"size\":1}",
                "{\"url\":\"https://x\",\"size\":-1}",
                "{\"url\":\"https://x\",\"size\":\"1\"}",
                "{\"url\":\"https://x\",\"size\":1,\"sha256\":\"ab\"}",
                "{\"url\":\"https://x\",\"size\":1,\"validator\":\"a\\r\\nX: y\"}",
        };
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_(origin_done) Origin again = ORIGIN_NULL;

        origin_write(&o, &text);
        assert_int_equal(origin_parse("x", text.data, text.size, &again, NULL), 0);
        assert_string_equal(again.url, o.url);
        assert_string_equal(again.validator, o.validator);
        assert_null(again.sha256);
        assert_int_equal(again.size, 7);

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                Origin none = ORIGIN_NULL;

                if (origin_parse("x", bad[i], strlen(bad[i]), &none, NULL) >= 0)
                        fail_msg("%s", bad[i]);
                assert_null(none.url);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_validators),
                cmocka_unit_test(test_range),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_origin),
        };

        return cmocka_run_group_tests_name("fetch-headers", tests, NULL, NULL);
}
