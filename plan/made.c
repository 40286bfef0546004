/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lines about directories that hardway has made or changed */

#include "plan/made.h"

#include <errno.h>
#include <string.h>

#include "common/alloc.h"
#include "plan/traces.h"

static bool is_mode(const char *word) {
        return *word && strlen(word) <= 4 && strspn(word, "01234567") == strlen(word);
}

bool made_was_nothing(char *const *words) {
        return streq(words[MADE_MODE], "nothing");
}

static bool is_line(char *const *words) {
        size_t n = strv_length(words);

        if (n <= MADE_MODE || !trace_is_directory(words) || words[MADE_PATH][0] != '/' ||
            !words[MADE_PATH][1])
                return false;
        return made_was_nothing(words) ? n == MADE_BEFORE : n == _MADE_WORD_MAX && is_mode(words[MADE_MODE]);
}

/**
 * made_parse() - take a line apart
 * @line:       as a node tells it
 * @ret:        its words, by MadeWord; a shell takes them as they are; the caller frees
 *
 * Return: 0, or -EINVAL.
 */
int made_parse(const char *line, Strv *ret) {
        _cleanup_strv_ Strv words = NULL;

        if (trace_split(line, &words) < 0 || !is_line(words))
                return -EINVAL;
        *ret = TAKE_PTR(words);
        return 0;
}

/**
 * made_find() - what is known of a directory
 * @lines:      all lines of a node
 * @path:       the directory
 * @ret:        the words of its line; the caller frees
 *
 * Return: 0, or -ENOENT: hardway has neither made nor changed it.
 */
int made_find(char *const *lines, const char *path, Strv *ret) {
        STRV_FOREACH(line, lines) {
                _cleanup_strv_ Strv words = NULL;

                if (made_parse(*line, &words) < 0 || !streq(words[MADE_PATH], path))
                        continue;
                *ret = TAKE_PTR(words);
                return 0;
        }
        return -ENOENT;
}
