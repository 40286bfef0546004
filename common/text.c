/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/text.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the character that begins here; 0: it is no UTF-8 (RFC 3629), or a control character of two bytes. */
static size_t character(const unsigned char *p) {
        size_t n = p[0] < 0x80                  ? 1 :
                   p[0] >= 0xc2 && p[0] <= 0xdf ? 2 :
                   (p[0] & 0xf0) == 0xe0        ? 3 :
                   p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 :
                                                  0;

        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        if ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xe0 && p[1] < 0xa0) ||
            (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
                return 0;
        return n;
}

/* "\033[1m", as verbs print it */
static size_t color(const char *s) {
        size_t n;

        if (s[0] != '\033' || s[1] != '[')
                return 0;
        n = 2 + strspn(s + 2, "0123456789;");
        return s[n] == 'm' ? n + 1 : 0;
}

/**
 * text_harmless() - make what servers, nodes and files said fit for a terminal, and for JSON
 * @s:          the text, changed in place
 * @keep:       TEXT_LINES, TEXT_COLORS
 *
 * A terminal would obey the control characters in there, a line break would make one message look like two, and a JSON
 * writer refuses what is no UTF-8.
 *
 * Return: @s.
 */
char* text_harmless(char *s, unsigned keep) {
        for (char *p = s; *p;) {
                size_t n = keep & TEXT_COLORS ? color(p) : 0;
                unsigned char c = (unsigned char) *p;

                if (n == 0)
                        n = character((const unsigned char *) p);
                if (n > 1) {
                        p += n;
                        continue;
                }
                if (c == '\n' || c == '\t' || c == '\r') {
                        if (c == '\r' || !(keep & TEXT_LINES))
                                *p = ' ';
                } else if (n == 0 || c < ' ' || c == 0x7f)
                        *p = '?';
                p++;
        }
        return s;
}
