/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a plan leaves on a node besides its files, and what has to go with hardway long after another plan has taken its
 * place: it is written down on the node, one trace a line. Paths and names need no quoting.
 */

#include <string.h>

#include "common/alloc.h"
#include "plan/traces.h"

/**
 * plan_traces() - all traces of a plan
 * @p:          the plan
 *
 * "directory PATH OWNER", "chosen PATH OWNER" (a directory that a flag of the user's names, in which others may have something),
 * "file PATH", "user NAME", "package NAME DIRECTORY" (which its removal would leave).
 *
 * Return: them, or NULL if there are none. The caller frees.
 */
Strv plan_traces(const Plan *p) {
        Strv traces = NULL;

        for (size_t i = 0; i < p->n_items; i++) {
                const PlanItem *item = p->items[i];

                if (item->type == PLAN_DIRECTORY)
                        strv_addf(&traces, "%s %s %s", item->directory.chosen ? "chosen" : "directory",
                                  item->path, item->owner ?: "root:root");
                else if (item->type == PLAN_USER)
                        strv_addf(&traces, "user %s", item->user.name);
                else if (item->type == PLAN_PACKAGE)
                        STRV_FOREACH(path, item->package.leaves)
                                strv_addf(&traces, "package %s %s", item->package.name, *path);
                else if (item->type == PLAN_UNIT)
                        STRV_FOREACH(path, item->unit.leaves)
                                strv_addf(&traces, "file %s", *path);
        }
        return traces;
}

/* Something that a shell takes as it is, and that is no way out of the directory it begins with. */
static bool word_is_plain(const char *word) {
        return *word && *word != '-' &&
               strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789/._:@+-") == strlen(word) &&
               !strstr(word, "/..");
}

/* Whole trees are removed: none that everything else lies in. */
bool trace_path_is_deep(const char *path) {
        return *path == '/' && path[1] && path[1] != '/' && strchr(path + 1, '/') &&
               strchr(path + 1, '/')[1];
}

/**
 * trace_split() - take a line of a node's records apart
 * @line:       as the node tells it, words with one blank between them
 * @ret:        its words, which a shell takes as they are; the caller frees
 *
 * Return: 0, or -EINVAL.
 */
int trace_split(const char *line, Strv *ret) {
        _cleanup_strv_ Strv words = strv_split(line, " ");

        STRV_FOREACH(word, words)
                if (!word_is_plain(*word))
                        return -EINVAL;
        *ret = TAKE_PTR(words);
        return 0;
}

/**
 * trace_parse() - take a trace apart
 * @text:       one of plan_traces(), as a node tells it
 * @ret:        its words, the kind first, as many as that kind has; the caller frees
 *
 * Return: 0, or -EINVAL: it is none, or one of a version to come.
 */
int trace_parse(const char *text, Strv *ret) {
        static const struct {
                const char *kind;
                size_t n_words, path; /* which is a path; 0: none */
        } kinds[] = {
                { "directory", 3, 1 }, { "chosen", 3, 1 },  { "file", 2, 1 },
                { "user", 2, 0 },      { "package", 3, 2 },
        };
        _cleanup_strv_ Strv words = NULL;
        size_t n;

        if (trace_split(text, &words) < 0)
                return -EINVAL;
        n = strv_length(words);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                if (n != kinds[i].n_words || !streq(words[0], kinds[i].kind))
                        continue;
                if (kinds[i].path > 0 && !trace_path_is_deep(words[kinds[i].path]))
                        return -EINVAL;
                *ret = TAKE_PTR(words);
                return 0;
        }
        return -EINVAL;
}

/**
 * trace_is_directory() - is it a directory, whoever chose it?
 * @words:      of trace_parse(); the second is its path, the third its owner
 */
bool trace_is_directory(char *const *words) {
        return streq(words[0], "directory") || streq(words[0], "chosen");
}
