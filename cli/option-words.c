/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/option-words.h"

#include <string.h>

#include "cli/options.h"
#include "common/alloc.h"

static size_t count(const struct argp_option *options) {
        size_t n = 0;

        OPTIONS_FOREACH(o, options)
        n++;
        return n;
}

/* Its full name, or a beginning that no other has, as getopt takes it; NULL: none, or more than one. */
static const struct argp_option* find_long(const struct argp_option *options, const char *word, size_t n,
                                           size_t *ret_n) {
        const struct argp_option *found = NULL;

        *ret_n = 0;
        OPTIONS_FOREACH(o, options) {
                if (!o->name || strncmp(o->name, word, n) != 0)
                        continue;
                if (strlen(o->name) == n) {
                        *ret_n = 1;
                        return o;
                }
                (*ret_n)++;
                found = o;
        }
        return *ret_n == 1 ? found : NULL;
}

static const struct argp_option* find_short(const struct argp_option *options, const char *word) {
        OPTIONS_FOREACH(o, options)
        if (o->key == *word)
                return o;
        return NULL;
}

/* 0, also where nothing is near: argp says that itself, and knows --help and the like. */
static int refuse_unknown(const Verb *verb, const struct argp_option *options, const char *word, size_t n,
                          Error **reterr) {
        static const char *const argps[] = { "help", "usage", "version" };
        _cleanup_free_ const char **names = xnew(const char*, count(options) + ARRAY_SIZE(argps) + 1);
        _cleanup_free_ char *wanted = xstrndup(word, n);
        const char *nearest;
        size_t k = 0;

        OPTIONS_FOREACH(o, options)
        if (o->name)
                names[k++] = o->name;
        for (size_t i = 0; i < ARRAY_SIZE(argps); i++) {
                if (startswith(argps[i], wanted))
                        return 0;
                names[k++] = argps[i];
        }
        nearest = string_nearest(wanted, names);
        if (!nearest)
                return 0;
        return error_set(reterr, ERROR_USAGE, EINVAL, "%s: unknown option '--%s'; did you mean '--%s'?",
                         verb->name, wanted, nearest);
}

/*
 * A shell makes a directory of "~" at the beginning of a word only: of "--output=~/x" it is passed on as it stands, and
 * a directory of that name would be made, with a key in it.
 */
static int refuse_tilde(const Verb *verb, const struct argp_option *o, const char *value, Error **reterr) {
        if (!o->arg || !(streq(o->arg, "FILE") || streq(o->arg, "DIR")) || !startswith(value, "~/"))
                return 0;
        return error_set(
                reterr, ERROR_USAGE, EINVAL,
                "%s: the shell has left '%s' as it is: write --%s %s, with a blank before it and no quotes",
                verb->name, value, o->name, value);
}

/**
 * option_words_check() - look for misspelt options, and for paths that the shell should have completed
 * @verb:       whose they are
 * @options:    all that it takes
 * @argc:       how many words
 * @argv:       the words, the first of which is not looked at
 * @reterr:     what may have been meant
 *
 * Return: 0, or -EINVAL.
 */
int option_words_check(const Verb *verb, const struct argp_option *options, int argc, char *const *argv,
                       Error **reterr) {
        for (int i = 1; i < argc && !streq(argv[i], "--"); i++) {
                const char *name = startswith(argv[i], "--"), *value;
                const struct argp_option *o;
                size_t n, n_found = 0;
                int r;

                if (!name && argv[i][0] != '-')
                        continue;
                if (name) {
                        n = strcspn(name, "=");
                        o = find_long(options, name, n, &n_found);
                        value = name[n] == '=' ? name + n + 1 : NULL;
                } else {
                        o = find_short(options, argv[i] + 1);
                        value = argv[i][1] && argv[i][2] ? argv[i] + 2 : NULL;
                }
                r = name && n_found == 0 ? refuse_unknown(verb, options, name, n, reterr) : 0;
                if (r >= 0 && o && o->arg && !value && i + 1 < argc)
                        value = argv[++i];
                if (r >= 0 && o && value)
                        r = refuse_tilde(verb, o, value, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
