/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Secrets that somebody wrote into a file of hardway's: their lines end where the secret begins
 */

#include <string.h>

#include "plan/hide.h"

/* What a secret stands behind: in keepalived.conf, haproxy.cfg, kubeconfigs, command lines, environments; in any case.
 * Too much is hidden rather than too little. */
static const char *const words[] = {
        "auth_pass", "stats auth", "pass",     "secret",        "token",  "api_key",
        "apikey",    "api-key",    "key-data", "authorization", "bearer", "credential",
};

/* Where a word ends that stands here, with one blank or more for each of its own; or NULL. */
static const char* word_ends(const char *p, const char *end, const char *word) {
        for (; *word; word++) {
                const char *first = p;

                if (*word == ' ')
                        while (p < end && (*p == ' ' || *p == '\t'))
                                p++;
                else if (p < end && strncasecmp(p, word, 1) == 0)
                        p++;
                if (p == first)
                        return NULL;
        }
        return p;
}

static const char* after_word(const char *line, size_t size) {
        const char *first = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                const char *end = NULL;

                for (const char *p = line; p < line + size && !end; p++)
                        end = word_ends(p, line + size, words[i]);
                if (end && (!first || end < first))
                        first = end;
        }
        return first;
}

/* The user and password of a URL (RFC 3986 3.2.1) */
static const char* in_url(const char *line, size_t size) {
        const char *scheme = memmem(line, size, "://", 3);
        const char *begin = scheme ? scheme + 3 : NULL;

        return begin && memchr(begin, '@', (size_t) (line + size - begin)) ? begin : NULL;
}

static const char* secret_begins(const char *line, size_t size) {
        const char *word = after_word(line, size), *url = in_url(line, size);

        return word && (!url || word < url) ? word : url;
}

typedef struct Line {
        const char *text;
        size_t size; /* without its line break */
        const char *next;
} Line;

static Line line_at(const char *p, const char *end) {
        const char *newline = memchr(p, '\n', (size_t) (end - p));

        return (Line) { p, (size_t) ((newline ?: end) - p), newline ? newline + 1 : end };
}

static bool has_line(const Buffer *b, const Line *line) {
        const char *p = buffer_str(b), *end = p + b->size;

        while (p < end) {
                Line l = line_at(p, end);

                if (l.size == line->size && memcmp(l.text, line->text, l.size) == 0)
                        return true;
                p = l.next;
        }
        return false;
}

/**
 * hide_secrets() - leave out what may be a secret
 * @found:      a text that somebody has edited
 * @planned:    what is to be there: lines of it are no secrets
 * @ret:        gets the text, with lines cut off behind words that secrets stand behind
 */
void hide_secrets(const Buffer *found, const Buffer *planned, Buffer *ret) {
        const char *p = buffer_str(found), *end = p + found->size;

        while (p < end) {
                Line line = line_at(p, end);
                const char *secret = has_line(planned, &line) ? NULL : secret_begins(line.text, line.size);

                if (secret) {
                        buffer_add(ret, p, (size_t) (secret - p));
                        buffer_add_str(ret, "... (not shown)");
                        p += line.size; /* to its line break */
                }
                buffer_add(ret, p, (size_t) (line.next - p));
                p = line.next;
        }
}
