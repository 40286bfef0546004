/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/hint.h"

#include <string.h>

#include "cli/verbs.h"
#include "common/alloc.h"
#include "common/buffer.h"
#include "common/shell.h"

#define PROGRAM "hardway "

static bool is_word_character(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
}

/* The longest command that stands there; 0: none. */
static size_t command_length(const char *p) {
        size_t longest = 0;

        for (const Verb *const *v = verbs; *v; v++) {
                const char *rest = startswith(p, (*v)->name);

                if (rest && !is_word_character(*rest) && strlen((*v)->name) > longest)
                        longest = strlen((*v)->name);
        }
        return longest;
}

/* It says by itself which file, needs none, or is what somebody else has typed ("hardway install (process 7)"). */
static bool needs_no_file(const char *rest) {
        return startswith(rest, " -c ") || startswith(rest, " --cluster") || startswith(rest, " --help") ||
               startswith(rest, " (process ");
}

static void add_path(Buffer *out, const char *path) {
        bool plain =
                strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+@%:,") ==
                strlen(path);

        if (plain)
                buffer_add_str(out, path);
        else
                shell_add_quoted(out, path);
}

/**
 * hint_complete() - let commands that a text names be about the cluster file in use
 * @path:       of that file, or NULL: it is the usual one
 * @text:       "Next: hardway install"
 *
 * Layers below do not know which file was given on the command line; without it their advice would be about another
 * one, or none.
 *
 * Return: "Next: hardway install -c pi/hardway.yaml"; the caller frees.
 */
char* hint_complete(const char *path, const char *text) {
        Buffer out = BUFFER_NULL;
        const char *p = text;

        if (!path || streq(path, VERB_CLUSTER_FILE))
                return xstrdup(text);
        while (*p) {
                bool begins = p == text || (!is_word_character(p[-1]) && p[-1] != '/');
                const char *command = begins ? startswith(p, PROGRAM) : NULL;
                size_t n = command ? command_length(command) : 0;

                if (n == 0) {
                        buffer_add_char(&out, *p++);
                        continue;
                }
                buffer_add(&out, p, strlen(PROGRAM) + n);
                p = command + n;
                if (needs_no_file(p))
                        continue;
                buffer_add_str(&out, " -c ");
                add_path(&out, path);
        }
        return buffer_take(&out);
}
