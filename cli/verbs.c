/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <string.h>

#include "common/alloc.h"

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
                        return error_set(reterr, ERROR_USAGE, EINVAL,
                                         "%s needs one more word, see: hardway --help", argv[0]);
                wanted = two;
        }

        nearest = string_nearest(wanted, names);
        if (nearest)
                return error_set(reterr, ERROR_USAGE, EINVAL, "unknown command '%s'; did you mean '%s'?",
                                 wanted, nearest);
        return error_set(reterr, ERROR_USAGE, EINVAL, "unknown command '%s', see: hardway --help", wanted);
}
