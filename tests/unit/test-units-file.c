/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The unit-file writer, read back by what systemd.syntax(7) and systemd.service(5) say a reader does: lines,
 * then words, then specifiers and variables. tests/lab/ asks systemd itself.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "units/unit-file.h"
#include "units/unit-quote.h"

/* --- a reader --- */

/* The value of the only key in text, or NULL: continuation lines joined, comments left out, blanks at the
 * ends dropped. */
static char* read_value(const char *text, const char *key) {
        _cleanup_buffer_ Buffer joined = BUFFER_NULL;
        bool inside = false;

        while (*text) {
                size_t n = strcspn(text, "\n\r"), begin = strspn(text, " \t");
                const char *line = text;
                bool escaped = false;

                text += n + (text[n] ? 1 : 0);
                if (begin >= n || strchr("#;", line[begin])) {
                        if (begin >= n && inside)
                                break;
                        continue;
                }
                if (!inside) {
                        size_t k = strlen(key);

                        if (n <= k || strncmp(line, key, k) != 0 || line[k] != '=')
                                continue;
                        line += k + 1, n -= k + 1;
                        inside = true;
                }
                for (size_t i = 0; i < n; i++)
                        escaped = !escaped && line[i] == '\\';
                buffer_add(&joined, line, escaped ? n - 1 : n);
                if (!escaped)
                        break;
                buffer_add_char(&joined, ' ');
        }
        return inside ? xstrdup(buffer_str(&joined) + strspn(buffer_str(&joined), " \t")) : NULL;
}

static int hex_digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char* read_escape(const char *p, Buffer *word) {
        static const char names[] = "a\ab\bf\fn\nr\rt\tv\v\\\\\"\"''s ";

        if (*p == 'x') {
                int high = hex_digit(p[1]), low = hex_digit(p[2]);

                assert_true(high >= 0 && low >= 0 && high + low > 0);
                buffer_add_char(word, (char) (high << 4 | low));
                return p + 3;
        }
        for (const char *n = names; *n; n += 2)
                if (*n == *p) {
                        buffer_add_char(word, n[1]);
                        return p + 1;
                }
        fail_msg("unknown escape \\%c", *p);
        return NULL;
}

/* The next word of a command line, 0 at its end. */
static bool read_word(const char **line, Buffer *word) {
        const char *p = *line + strspn(*line, " \t\n\r");
        char quote = 0;

        if (!*p)
                return false;
        /* ';' alone would begin another command */
        assert_false(p[0] == ';' && (!p[1] || strchr(" \t", p[1])));
        for (; *p && (quote || !strchr(" \t\n\r", *p));) {
                if (*p == '\\')
                        p = read_escape(p + 1, word);
                else if (quote ? *p == quote : (*p == '"' || *p == '\'')) {
                        quote = quote ? 0 : *p;
                        p++;
                } else
                        buffer_add_char(word, *p++);
        }
        assert_int_equal(quote, 0);
        *line = p;
        return true;
}

/* "%%" and, if variables, "$$" become one; single ones would mean something else. */
static char* read_expansions(const Buffer *word, bool variables) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;

        for (const char *p = buffer_str(word); *p; p++) {
                if (*p == '%' || (*p == '$' && variables)) {
                        assert_int_equal(p[0], p[1]);
                        p++;
                }
                buffer_add_char(&out, *p);
        }
        return buffer_take(&out);
}

static Strv read_command(const char *text, const char *key, bool variables) {
        _cleanup_free_ char *value = read_value(text, key);
        const char *p = value;
        Strv argv = NULL;

        assert_non_null(value);
        assert_true(unit_text_is_utf8(value));
        for (;;) {
                _cleanup_buffer_ Buffer word = BUFFER_NULL;
                _cleanup_free_ char *argument = NULL;

                if (!read_word(&p, &word))
                        return argv;
                argument = read_expansions(&word, variables);
                strv_add(&argv, argument);
        }
}

/* --- the tests --- */

static void assert_command_survives(char *const *argv, bool breaks) {
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new("a\nb");
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_strv_ Strv back = NULL;

        unit_file_section(u, "Service");
        unit_file_comment(u, "why");
        assert_int_equal(unit_file_set_command(u, "ExecStart", "", argv, breaks, NULL), 0);
        unit_file_render(u, &text);
        back = read_command(buffer_str(&text), "ExecStart", true);
        assert_int_equal(strv_length(back), strv_length(argv));
        for (size_t i = 0; argv[i]; i++)
                assert_string_equal(back[i], argv[i]);
}

static void test_command_special(void **state) {
        const char *argv[] = {
                "/bin/a b%c", "",        ";",  "#x",   ";x",           "$HOME", "${HOME}",
                "$$",         "%h",      "%%", "a'b",  "a\"b",         "\\",    "\\n",
                "\n",         "\r",      "\t", " ",    "a\\",          "\x7f",  "\xff\xfe",
                "\xc3\xa4",   "--x=y z", "-",  "\x01", "\xed\xa0\x80", "",      NULL,
        };

        assert_command_survives((char**) argv, false);
        assert_command_survives((char**) argv, true);
}

static void test_command_specifiers(void **state) {
        const char *argv[] = { "/bin/x", "--key=%d/a b", "%%", "$", NULL };
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new(NULL);
        _cleanup_free_ char *escaped = unit_escape_percent("100%d");
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        unit_file_section(u, "Service");
        assert_int_equal(unit_file_set_command_specifiers(u, "ExecStart", "", (char**) argv, false, NULL),
                         0);
        unit_file_render(u, &text);
        assert_string_equal(buffer_str(&text), "[Service]\nExecStart=/bin/x \"--key=%d/a b\" %% $$\n");
        assert_string_equal(escaped, "100%%d");
}

static void test_command_random(void **state) {
        static const char favourites[] = "%$\\\"'; #\n\r\t{}@:+-!x\xc3\xa4";
        unsigned short seed[3] = { 1, 2, 3 };

        for (unsigned round = 0; round < 20000; round++) {
                _cleanup_strv_ Strv argv = strv_new("/bin/x", NULL);

                for (long n = nrand48(seed) % 6; n > 0; n--) {
                        char word[24] = "";
                        long length = nrand48(seed) % 20;

                        for (long i = 0; i < length; i++)
                                word[i] = nrand48(seed) % 2 ?
                                                  favourites[nrand48(seed) % (sizeof(favourites) - 1)] :
                                                  (char) (1 + nrand48(seed) % 255);
                        strv_add(&argv, word);
                }
                assert_command_survives(argv, round % 2);
        }
}

static void test_command_refused(void **state) {
        static const char *const programs[] = { "", "x", "/a/", "/a$b", "/a'b", "/a\nb", "/a\\b", "/a\xff" };
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new(NULL);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_free_ char *large = xmalloc(1024 * 1024);
        const char *argv[3] = { "/bin/true", NULL };

        unit_file_section(u, "Service");
        assert_int_equal(unit_file_set_command(u, "ExecStart", "@", (char**) argv, false, NULL), -EINVAL);
        assert_int_equal(unit_file_set_command(u, "Exec\nStart", "", (char**) argv, false, NULL), -EINVAL);
        assert_int_equal(unit_file_set_command(u, "ExecStart", "", (char**) argv + 1, false, NULL),
                         -EINVAL);
        for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
                _cleanup_error_ Error *error = NULL;

                argv[0] = programs[i];
                assert_int_equal(unit_file_set_command(u, "ExecStart", "", (char**) argv, false, &error),
                                 -EINVAL);
                assert_non_null(strstr(error->message, "ExecStart="));
        }
        memset(large, '\x01', 1024 * 1024 - 1);
        large[1024 * 1024 - 1] = 0;
        argv[0] = "/bin/true", argv[1] = large;
        assert_int_equal(unit_file_set_command(u, "ExecStart", "", (char**) argv, false, NULL), -EINVAL);
        unit_file_render(u, &text);
        assert_string_equal(buffer_str(&text), "[Service]\n");
}

static void test_text(void **state) {
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new("Made by\r[Service]\n\nus");
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_strv_ Strv paths = strv_new("/a", "/b c", "/d%e", "-/f$", NULL);
        _cleanup_strv_ Strv argv = strv_new("/bin/x", "--a=b", "--c=d e", NULL);

        unit_file_section(u, "Unit");
        assert_int_equal(unit_file_set_literal(u, "Description", "100 % 'x'", NULL), 0);
        unit_file_section(u, "Service");
        assert_int_equal(unit_file_set_command(u, "ExecStart", "+", argv, true, NULL), 0);
        unit_file_section(u, "Install");
        assert_int_equal(unit_file_set(u, "WantedBy", "multi-user.target", NULL), 0);
        unit_file_section(u, "Service");
        unit_file_comment(u, "one\ntwo");
        assert_int_equal(unit_file_set_words(u, "ReadWritePaths", paths, NULL), 0);
        assert_int_equal(unit_file_set(u, "ReadOnlyPaths", "", NULL), 0);
        unit_file_render(u, &text);
        assert_string_equal(buffer_str(&text),
                            "# Made by\n# [Service]\n#\n# us\n\n"
                            "[Unit]\nDescription=100 %% 'x'\n\n"
                            "[Service]\nExecStart=+/bin/x \\\n        --a=b \\\n        \"--c=d e\"\n"
                            "# one\n# two\nReadWritePaths=/a \"/b c\" /d%%e -/f$\nReadOnlyPaths=\n\n"
                            "[Install]\nWantedBy=multi-user.target\n");
}

static void test_environment(void **state) {
        static const char *const values[] = { "",   "a b", "$HOME",    "%h", "line\nline",
                                              "\"", "\\",  "\xc3\xa4", "\r" };

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                _cleanup_(unit_file_freep) UnitFile *u = unit_file_new(NULL);
                _cleanup_free_ char *expected = xasprintf("A_1=%s", values[i]);
                _cleanup_buffer_ Buffer text = BUFFER_NULL;
                _cleanup_strv_ Strv back = NULL;

                unit_file_section(u, "Service");
                assert_int_equal(unit_file_set_environment(u, "A_1", values[i], NULL), 0);
                assert_int_equal(unit_file_set_environment(u, "1A", values[i], NULL), -EINVAL);
                assert_int_equal(unit_file_set_environment(u, "", values[i], NULL), -EINVAL);
                assert_int_equal(unit_file_set_environment(u, "A=", values[i], NULL), -EINVAL);
                assert_int_equal(unit_file_set_environment(u, "A", "\xff", NULL), -EINVAL);
                unit_file_render(u, &text);
                back = read_command(buffer_str(&text), "Environment", false);
                assert_int_equal(strv_length(back), 1);
                assert_string_equal(back[0], expected);
        }
}

static void test_values(void **state) {
        static const char *const good[] = { "", "a", "a b", "%h", "a\\\\", "\xf0\x9f\x98\x80" };
        static const char *const bad[] = { "a\nb", "a\rb",    " a",   "a ",       "\ta",
                                           "a\\",  "a\\\\\\", "\xff", "\xc0\x80", "\xf4\x90\x80\x80" };
        _cleanup_(unit_file_freep) UnitFile *u = unit_file_new(NULL);
        const char *words[] = { "a\\b", NULL };

        assert_int_equal(unit_file_set(u, "Type", "simple", NULL), -EINVAL); /* no section yet */
        unit_file_section(u, "Service");
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_int_equal(unit_file_set(u, "Description", good[i], NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(unit_file_set(u, "Description", bad[i], NULL), -EINVAL);
        assert_int_equal(unit_file_set_words(u, "After", (char**) words, NULL), -EINVAL);
}

static void test_names(void **state) {
        assert_true(unit_name_is_valid("etcd.service"));
        assert_true(unit_name_is_valid("getty@tty1.service"));
        assert_true(unit_name_is_valid("dev-disk-by\\x2dlabel.device"));
        assert_false(unit_name_is_valid("etcd"));
        assert_false(unit_name_is_valid(".service"));
        assert_false(unit_name_is_valid("@a.service"));
        assert_false(unit_name_is_valid("a b.service"));
        assert_false(unit_name_is_valid("a/b.service"));
        assert_false(unit_name_is_valid("etcd.services"));
        assert_false(unit_name_is_valid(""));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_command_special),
                cmocka_unit_test(test_command_specifiers),
                cmocka_unit_test(test_command_random),
                cmocka_unit_test(test_command_refused),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_environment),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
