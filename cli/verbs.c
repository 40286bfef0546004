/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"

#define VERB_ROW(name) &verb_##name,

const Verb *const verbs[] = { VERBS(VERB_ROW) NULL };

/* The words of a name that this word could be: "pki gen" for "pki". */
static bool is_group(const char *name) {
        for (const Verb *const *v = verbs; *v; v++) {
                const char *rest = startswith((*v)->name, name);

                if (rest && *rest == ' ')
                        return true;
        }
        return false;
}

/* "pki renew" for "renew". */
static const char* find_by_last_word(const char *word) {
        for (const Verb *const *v = verbs; *v; v++) {
                const char *blank = strrchr((*v)->name, ' ');

                if (blank && streq(blank + 1, word))
                        return (*v)->name;
        }
        return NULL;
}

/**
 * verb_group_help() - the commands that begin with a word
 * @name:       "pki"
 *
 * Return: a line for each; NULL if there are none; the caller frees.
 */
char* verb_group_help(const char *name) {
        Buffer out = BUFFER_NULL;

        if (!is_group(name))
                return NULL;
        for (const Verb *const *v = verbs; *v; v++) {
                const char *rest = startswith((*v)->name, name);

                if (rest && *rest == ' ')
                        buffer_addf(&out, "hardway %-16s %s\n", (*v)->name, (*v)->summary);
        }
        return buffer_take(&out);
}

static int refuse_group(const char *name, const char *wanted, Error **reterr) {
        _cleanup_free_ char *text = verb_group_help(name);

        if (wanted)
                (void) error_set(reterr, ERROR_USAGE, EINVAL,
                                 "unknown command '%s'; those of %s are:", wanted, name);
        else
                (void) error_set(reterr, ERROR_USAGE, EINVAL, "%s needs one more word:", name);
        error_detail(reterr, "%s", text);
        return -EINVAL;
}

/**
 * verb_find() - look a verb up
 * @argc:       how many words
 * @argv:       the words, the first of them the verb's
 * @ret:        the verb
 * @reterr:     says which verbs there are, or which one may have been meant
 *
 * Return: how many words the verb's name took, or -EINVAL.
 */
int verb_find(int argc, char **argv, const Verb **ret, Error **reterr) {
        _cleanup_free_ char *two = argc > 1 ? xasprintf("%s %s", argv[0], argv[1]) : NULL;
        const char *names[VERBS_MAX + 1] = {};
        const char *wanted = argv[0], *nearest;
        size_t n = 0;

        for (const Verb *const *v = verbs; *v; v++) {
                if (streq((*v)->name, argv[0]) || streq_null((*v)->name, two)) {
                        *ret = *v;
                        return streq((*v)->name, argv[0]) ? 1 : 2;
                }
                if (n < VERBS_MAX)
                        names[n++] = (*v)->name;
        }

        if (is_group(argv[0])) {
                if (!two || argv[1][0] == '-')
                        return refuse_group(argv[0], NULL, reterr);
                wanted = two;
        }

        nearest = two == wanted ? NULL : find_by_last_word(wanted);
        nearest = nearest ?: string_nearest(wanted, names);
        if (nearest)
                return error_set(reterr, ERROR_USAGE, EINVAL, "unknown command '%s'; did you mean '%s'?",
                                 wanted, nearest);
        if (two == wanted)
                return refuse_group(argv[0], wanted, reterr);
        return error_set(reterr, ERROR_USAGE, EINVAL, "unknown command '%s', see: hardway --help", wanted);
}
