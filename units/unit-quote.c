/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Quoting for unit files
 *
 * systemd reads a unit file in three steps, and each takes its own characters away: lines (continuations,
 * comments, UTF-8 only), words (quotes and backslash escapes), and then specifiers ('%') and, for command
 * lines, variables ('$'). What is written here survives all three. Documented in systemd.syntax(7),
 * systemd.service(5) "COMMAND LINES" and systemd.unit(5) "SPECIFIERS".
 */

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "units/unit-file.h"
#include "units/unit-quote.h"

/* A physical or continued line may have 1 MiB (LONG_LINE_MAX, since systemd 239); beyond that the file is
 * not read at all. */
#define VALUE_SIZE_MAX (1024 * 1024 - 4096)

/* What never needs quotes, anywhere in a value. '#' and ';' are not among them: at the start of a
 * continued line they make it a comment, and ';' alone separates commands. */
static bool is_plain(unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c != '\0' && strchr("/._-=:,@+%$", c));
}

static bool word_is_plain(const char *s) {
        for (const char *p = s; *p; p++)
                if (!is_plain((unsigned char) *p))
                        return false;
        return *s;
}

/*
 * The length of the UTF-8 sequence at s: 1 to 4, or 0 if what stands there is none. Overlong forms, surrogates and values above
 * U+10FFFF are not UTF-8 (RFC 3629), and systemd refuses them too.
 */
static size_t utf8_length(const char *s) {
        const unsigned char *p = (const unsigned char *) s;
        size_t n = p[0] < 0x80 ? 1 :
                   p[0] < 0xc2 ? 0 :
                   p[0] < 0xe0 ? 2 :
                   p[0] < 0xf0 ? 3 :
                   p[0] < 0xf5 ? 4 :
                                 0;

        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
            (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
                return 0;
        return n;
}

bool unit_text_is_utf8(const char *s) {
        while (*s) {
                size_t n = utf8_length(s);

                if (n == 0)
                        return false;
                s += n;
        }
        return true;
}

static void add_escaped_byte(unsigned char c, Buffer *out) {
        static const char names[] = "a\ab\bf\fn\nr\rt\tv\v";

        for (const char *p = names; *p; p += 2)
                if ((unsigned char) p[1] == c) {
                        buffer_addf(out, "\\%c", p[0]);
                        return;
                }
        buffer_addf(out, "\\x%02x", c);
}

static size_t add_quoted_char(const char *s, UnitQuote quote, Buffer *out) {
        unsigned char c = (unsigned char) *s;
        size_t n = utf8_length(s);

        if (c == '"' || c == '\\')
                buffer_addf(out, "\\%c", c);
        else if ((c == '%' && !(quote & QUOTE_KEEP_SPECIFIERS)) || (c == '$' && (quote & QUOTE_VARIABLES)))
                buffer_addf(out, "%c%c", c, c);
        else if (n == 0 || ((c < ' ' || c == 0x7f) && (quote & QUOTE_ESCAPES))) {
                add_escaped_byte(c, out);
                return 1;
        } else
                buffer_add(out, s, n);
        return n;
}

/* Settings that are lists of names or paths know \" and \\ at most, some not even these. */
static bool word_can_be_expressed(const char *s, UnitQuote quote) {
        if (strlen(s) > VALUE_SIZE_MAX / 4)
                return false;
        return (quote & QUOTE_ESCAPES) || (unit_text_is_utf8(s) && !strpbrk(s, "\n\r\\\""));
}

/**
 * unit_quote_word() - write one word so that systemd reads it back unchanged
 * @s:          the word, any bytes
 * @quote:      which of systemd's expansions the setting goes through
 * @out:        what to add it to
 *
 * A '%' is doubled unless QUOTE_KEEP_SPECIFIERS is given. Quotes are only written where they are needed, so
 * that the usual file is easy to read.
 *
 * Return: 0, or -EINVAL if this kind of setting cannot express the word; @out is as before then.
 */
int unit_quote_word(const char *s, UnitQuote quote, Buffer *out) {
        bool plain = word_is_plain(s);

        if (!word_can_be_expressed(s, quote))
                return -EINVAL;
        if (!plain)
                buffer_add_char(out, '"');
        for (const char *p = s; *p;)
                p += add_quoted_char(p, quote, out);
        if (!plain)
                buffer_add_char(out, '"');
        return 0;
}

/**
 * unit_escape_percent() - a value in which systemd sees no specifiers
 * @value:      text
 *
 * Return: the value with each '%' doubled; the caller frees it.
 */
char* unit_escape_percent(const char *value) {
        _cleanup_buffer_ Buffer out = BUFFER_NULL;

        for (const char *p = value; *p; p++) {
                if (*p == '%')
                        buffer_add_char(&out, '%');
                buffer_add_char(&out, *p);
        }
        return buffer_take(&out);
}

/**
 * unit_value_is_valid() - can this stand behind "Key=" as it is?
 * @value:      text
 *
 * systemd ends a line at each of newline, carriage return and NUL, ignores lines that are not UTF-8, takes
 * blanks at both ends away, and reads a backslash at the end as "goes on in the next line".
 */
bool unit_value_is_valid(const char *value) {
        size_t n = strlen(value), backslashes = 0;

        if (n > VALUE_SIZE_MAX || strpbrk(value, "\n\r") || !unit_text_is_utf8(value))
                return false;
        if (n > 0 && (strchr(" \t", value[0]) || strchr(" \t", value[n - 1])))
                return false;
        while (backslashes < n && value[n - 1 - backslashes] == '\\')
                backslashes++;
        return backslashes % 2 == 0;
}

/**
 * unit_name_is_valid() - is this a name that systemd takes for a unit?
 * @name:       "etcd.service", "getty@tty1.service"
 *
 * Templates ("getty@.service") count as valid. The alphabet is that of systemd.unit(5) "STRING ESCAPING FOR
 * INCLUSION IN UNIT NAMES".
 */
bool unit_name_is_valid(const char *name) {
        static const char *const types[] = {
                ".service", ".socket", ".target", ".device", ".mount", ".automount",
                ".swap",    ".timer",  ".path",   ".slice",  ".scope",
        };
        static const char alphabet[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
        const char *dot = strrchr(name, '.');

        if (!dot || dot == name || name[0] == '@' || strlen(name) > 255 || name[strspn(name, alphabet)])
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (streq(dot, types[i]))
                        return true;
        return false;
}
