/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <regex.h>

#include "cli/events.h"
#include "cli/options.h"
#include "cli/progress-line.h"
#include "cli/progress.h"
#include "common/clock.h"

/* One row as a line of this width, without colours. */
static char* line_of(const ProgressRow *row, size_t width) {
        const VerbContext v = {};
        _cleanup_buffer_ Buffer out = BUFFER_NULL;

        progress_line(&v, row, 4, width, &out);
        return buffer_take(&out);
}

static void test_line(void **state) {
        _cleanup_strv_ Strv finished = strv_new("facts 0.2 s", "23 files 2.9 s", NULL);
        ProgressRow row = {
                .name = (char*) "c0",
                .finished = finished,
                .step = (char*) "etcd",
                .detail = (char*) "2 of 3 members",
                .start_usec = clock_usec(),
        };
        _cleanup_free_ char *wide = line_of(&row, 100), *narrow = line_of(&row, 50),
                            *tiny = line_of(&row, 10);

        assert_string_equal(wide, "c0     facts 0.2 s   23 files 2.9 s   etcd: 2 of 3 members");
        /* What is over gives way to what goes on. */
        assert_string_equal(narrow, "c0     23 files 2.9 s   etcd: 2 of 3 members");
        assert_string_equal(tiny, "c0     etc");
}

static void test_amount(void **state) {
        ProgressRow row = {
                .name = (char*) "c0",
                .step = (char*) "put",
                .start_usec = clock_usec(),
        };
        static const struct {
                uint64_t done, total;
                const char *text;
        } rows[] = {
                { 0, 0, "c0     put" },
                { 1500, 0, "c0     put 1.5 kB" },
                { 0, 400000000, "c0     put [                    ] 0% 0 B/400 MB" },
                { 100000000, 400000000, "c0     put [#####               ] 25% 100 MB/400 MB" },
                { 400000000, 400000000, "c0     put [####################] 100% 400 MB/400 MB" },
                { 500000000, 400000000, "c0     put [####################] 100% 500 MB/400 MB" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *line = NULL;

                row.done = rows[i].done;
                row.total = rows[i].total;
                line = line_of(&row, 100);
                assert_string_equal(line, rows[i].text);
        }
}

/* What servers and nodes say is shown, not obeyed; a cut does not tear a character. */
static void test_hostile(void **state) {
        ProgressRow row = {
                .name = (char*) "c0",
                .end = (char*) "f\033[2J\n\xc3\xa4\xc3\xb6",
        };
        _cleanup_free_ char *all = line_of(&row, 80), *cut = line_of(&row, 14);

        assert_string_equal(all, "c0     f [2J \xc3\xa4\xc3\xb6");
        assert_string_equal(cut, "c0     f [2J \xc3\xa4");
}

static void test_sizes(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } rows[] = {
                { 0, "0 B" },
                { 999, "999 B" },
                { 1000, "1.0 kB" },
                { 9999, "9.9 kB" },
                { 10000, "10 kB" },
                { 361000000, "361 MB" },
                { 1234567890, "1.2 GB" },
                { UINT64_MAX, "18446744 TB" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *text = format_size(rows[i].bytes);

                assert_string_equal(text, rows[i].text);
        }
}

/* Runs f with standard output in a file; the caller frees what was written. */
static char* output_of(void (*f)(VerbContext *v), VerbContext *v) {
        FILE *file = tmpfile();
        _cleanup_buffer_ Buffer out = BUFFER_NULL;
        char piece[4096];
        int saved;
        size_t n;

        assert_non_null(file);
        (void) fflush(stdout);
        saved = dup(STDOUT_FILENO);
        (void) dup2(fileno(file), STDOUT_FILENO);
        f(v);
        (void) fflush(stdout);
        (void) dup2(saved, STDOUT_FILENO);
        close(saved);

        rewind(file);
        while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
                buffer_add(&out, piece, n);
        (void) fclose(file);
        return buffer_take(&out);
}

static void two_nodes(VerbContext *v) {
        Progress *p = progress_new(v);
        size_t a = progress_add(p, "c0"), b = progress_add(p, "c1");

        progress_step(p, a, STAGE_FACTS, NULL);
        progress_step(p, b, STAGE_FACTS, NULL);
        progress_step(p, a, STAGE_PUT, "3 files");
        progress_amount(p, a, 1, 2);
        verb_note(v, "a note");
        progress_end(p, a, true, "done");
        progress_end(p, b, false, "failed");
        progress_free(p);
        verb_note(v, "the end");
}

#define TIME "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"

static void assert_matches(const char *pattern, const char *text) {
        regex_t regex;
        int r;

        assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
        r = regexec(&regex, text, 0, NULL, 0);
        regfree(&regex);
        if (r != 0)
                fail_msg("\"%s\" is not as \"%s\"", text, pattern);
}

/* With the time of day, to be laid beside other logs; what comes after the work has none. */
static void test_plain(void **state) {
        VerbContext v = {};
        _cleanup_free_ char *out = output_of(two_nodes, &v);

        /* The times differ from run to run. */
        assert_matches("^" TIME " c0: facts 0\\.[0-9] s\n" TIME " a note\n" TIME
                       " c0: 3 files 0[^\n]* s\n" TIME " c0: done\n" TIME " c1: facts 0[^\n]* s\n" TIME
                       " c1: failed\nthe end\n$",
                       out);
        assert_null(strchr(out, '\033'));
        assert_null(v.progress);
}

static void test_silent(void **state) {
        VerbContext quiet = { .quiet = true }, json = { .json = true };
        _cleanup_free_ char *a = output_of(two_nodes, &quiet), *b = output_of(two_nodes, &json);

        assert_string_equal(a, "");
        assert_string_equal(b, "");
}

static void events_of_two_nodes(VerbContext *v) {
        Progress *p = progress_new(v);
        size_t a = progress_add(p, "c0"), b = progress_add(p, "c1");

        progress_step(p, a, STAGE_FACTS, NULL);
        progress_detail(p, a, "2 of 3 members");
        progress_detail(p, a, "2 of 3 members");
        progress_detail(p, a, "%s", "");
        verb_note(v, "a note");
        progress_note(p, "b\xff");
        progress_end(p, a, true, "done");
        progress_end(p, b, false, "failed");
        progress_free(p);
        error_list_add(&v->errors, ERROR_IO, ENOSPC, "c1: the disk is full");
        event_end(v, -ENOSPC, json_pack("{s:b}", "changed", 1), NULL);
        event_end(v, 0, NULL, NULL);
}

/* One a line, each a document with the time; whatever bytes a node has sent. */
static void test_events(void **state) {
        static const char *const wanted[] = {
                "stage c0: facts",
                "waiting c0: 2 of 3 members",
                "note : a note",
                "note : b?",
                "finished c0: done",
                "failed c1: failed",
                "error : c1: the disk is full",
        };
        VerbContext v = { .json = true, .events = true },
                    quiet = { .json = true, .events = true, .quiet = true };
        _cleanup_free_ char *out = output_of(events_of_two_nodes, &v),
                            *last = output_of(events_of_two_nodes, &quiet);
        _cleanup_strv_ Strv lines = strv_split(out, "\n");
        size_t n = 0;

        STRV_FOREACH(line, lines) {
                _cleanup_json_ json_t *event = NULL;
                _cleanup_free_ char *text = NULL;

                assert_true(json_parse("event", *line, strlen(*line), &event, NULL) >= 0);
                assert_matches("^" TIME "$", json_text(event, "time"));
                text = xasprintf("%s %s: %s", json_text(event, "event"), json_text(event, "name") ?: "",
                                 json_text(event, "text"));
                assert_true(n < ARRAY_SIZE(wanted));
                assert_string_equal(text, wanted[n++]);
                assert_int_equal(startswith(text, "f") != NULL, json_object_get(event, "seconds") != NULL);
                assert_int_equal(startswith(text, "error") != NULL,
                                 json_object_get(event, "changed") != NULL);
        }
        assert_int_equal(n, ARRAY_SIZE(wanted));
        error_list_done(&v.errors);
        assert_non_null(startswith(last, "{\"changed\":true,\"event\":\"error\","));
        assert_ptr_equal(strchr(last, '\n'), last + strlen(last) - 1);
        error_list_done(&quiet.errors);
}

static void test_live(void **state) {
        VerbContext v = { .terminal = true };
        _cleanup_free_ char *out = NULL;

        assert_int_equal(setenv("TERM", "xterm", 1), 0);
        out = output_of(two_nodes, &v);
        /* The last picture: both rows, each to the end of its line. */
        assert_contains(out, "\rc0   facts 0");
        assert_contains(out, "done\033[K\n\rc1   facts 0");
        assert_true(endswith(out, "failed\033[K\nthe end\n"));
}

static void test_color(void **state) {
        assert_int_equal(setenv("TERM", "xterm", 1), 0);
        assert_true(options_color("always", -1));
        assert_false(options_color("never", -1));
        assert_false(options_color("auto", -1));
        assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
        assert_true(options_color("always", -1));
        assert_false(options_color("auto", STDOUT_FILENO));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_line),   cmocka_unit_test(test_amount), cmocka_unit_test(test_hostile),
                cmocka_unit_test(test_sizes),  cmocka_unit_test(test_plain),  cmocka_unit_test(test_silent),
                cmocka_unit_test(test_events), cmocka_unit_test(test_live),   cmocka_unit_test(test_color),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
