/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "cli/components.h"
#include "cli/explain-entries.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "common/alloc.h"
#include "explain/explain.h"
#include "operate/drill.h"

/* The command line as far as it was read. */
typedef struct Typed {
        VerbContext *v;
        struct argp_option
                *options; /* of the verb; while there is none, those that may stand in front of it */
        const struct argp_option *open; /* whose value comes next; or NULL */
        Strv words;                     /* that are neither options nor values */
        const char *current;            /* what is being typed */
} Typed;

/* Values that are one of a few words; each stands in the option's help as well, which a test sees to. */
static const struct {
        const char *option, *words;
} choices[] = {
        { "color", "auto always never" },    { "until", "trust reissue finish" },
        { "network-profile", "wired wifi" }, { "disk-profile", "ssd sdcard" },
        { "arch", "arm64 amd64" },           { "key-type", "ec:p256 ec:p384 rsa:2048 rsa:3072 rsa:4096" },
};

static void offer(const char *begun, const char *word) {
        if (startswith(word, begun))
                (void) printf("%s\n", word);
}

static void offer_list(const char *begun, const char *list, const char *separators) {
        for (const char *p = list + strspn(list, separators); *p; p += strspn(p, separators)) {
                size_t n = strcspn(p, separators);
                _cleanup_free_ char *word = xstrndup(p, n);

                offer(begun, word);
                p += n;
        }
}

static void offer_nodes(VerbContext *v, const char *begun) {
        if (verb_load_cluster(v, NULL) < 0)
                return;
        for (size_t i = 0; i < v->cluster->n_nodes; i++)
                offer(begun, v->cluster->nodes[i].name);
}

static void offer_checks(const char *begun) {
        _cleanup_free_ CheckName *checks = NULL;
        size_t n;

        check_names_list(components, &checks, &n);
        for (size_t i = 0; i < n; i++)
                offer(begun, checks[i].name);
}

static void offer_drills(const char *begun) {
        for (const Drill *d = drills; d->name; d++)
                offer(begun, d->name);
}

/* Names and shorter words; those with blanks in them are for people to type. */
static void offer_explained(VerbContext *v, const char *begun) {
        _cleanup_(catalogue_freep) Catalogue *c = NULL;
        ExplainRequest request = { .components = components };

        if (verb_load_cluster(v, NULL) >= 0) {
                request.cluster = v->cluster;
                request.nodes = v->nodes;
                request.n_nodes = v->n_nodes;
        }
        if (catalogue_new(&request, &c, NULL) < 0 || explain_add_verbs(c, &request, NULL) < 0 ||
            explain_add_checks(c, &request, NULL) < 0)
                return;
        for (size_t i = 0; i < catalogue_size(c); i++) {
                const Explanation *e = catalogue_get(c, i);

                if (!strchr(e->name, ' '))
                        offer(begun, e->name);
                STRV_FOREACH(alias, e->aliases)
                        if (!strchr(*alias, ' '))
                                offer(begun, *alias);
        }
}

static void offer_value(VerbContext *v, const struct argp_option *o, const char *begun) {
        static const char *const nodes[] = { "node", "survivor", "without" };

        for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
                if (streq(o->name, choices[i].option))
                        offer_list(begun, choices[i].words, " ");
        for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
                if (streq(o->name, nodes[i]))
                        offer_nodes(v, begun);
        if (streq(o->name, "ignore"))
                offer_checks(begun);
        else if (streq(o->name, "drill"))
                offer_drills(begun);
        else if (streq(o->arg, "FILE"))
                (void) printf(":files\n");
        else if (streq(o->arg, "DIR"))
                (void) printf(":directories\n");
}

static void offer_options(const struct argp_option *options, const char *begun) {
        OPTIONS_FOREACH(o, options) {
                _cleanup_free_ char *word = o->name ? xasprintf("--%s", o->name) : NULL;

                if (word && !(o->flags & OPTION_HIDDEN))
                        offer(begun, word);
        }
        offer_list(begun, "--help --usage --version", " ");
}

/* The first word of commands, or the second one of those that begin with a word. */
static void offer_verbs(const Typed *t) {
        const char *group = t->words ? t->words[0] : NULL;
        _cleanup_strv_ Strv told = NULL;

        if (strv_length(t->words) > 1)
                return;
        for (const Verb *const *v = verbs; *v; v++) {
                const char *rest = group ? startswith((*v)->name, group) : NULL;
                size_t n = strcspn((*v)->name, " ");
                _cleanup_free_ char *word = NULL;

                if (group && !(rest && *rest == ' '))
                        continue;
                word = group ? xstrdup(rest + 1) : xstrndup((*v)->name, n);
                if (!strv_contains(told, word))
                        offer(t->current, word);
                strv_add(&told, word);
        }
}

static void offer_arguments(Typed *t) {
        const Verb *verb = t->v->verb;

        if (verb->arguments_may_be_flags)
                offer_explained(t->v, t->current);
        else if (!verb->arguments)
                return;
        else if (strstr(verb->arguments, "FILE"))
                (void) printf(":files\n");
        else if (streq(verb->arguments, "NAME"))
                offer_nodes(t->v, t->current);
        else if (strchr(verb->arguments, '|'))
                offer_list(t->current, verb->arguments, "[|]");
}

static const struct argp_option* find_option(const struct argp_option *options, const char *word) {
        const char *name = startswith(word, "--");

        if (name)
                return option_find(options, name);
        return streq(word, "-c") ? option_find(options, "cluster") : NULL;
}

static void take_value(Typed *t, const struct argp_option *o, char *value) {
        if (streq(o->name, "cluster"))
                t->v->cluster_path = value;
}

static void take_word(Typed *t, char *word) {
        strv_add(&t->words, word);
        if (t->v->verb)
                return;
        if (verb_find((int) strv_length(t->words), t->words, &t->v->verb, NULL) > 0) {
                free(t->options);
                t->options = options_of_verb(t->v->verb);
        }
}

/* bash makes three words of "--node=c0": what is between the others says nothing. */
static void take(Typed *t, char *word) {
        const struct argp_option *o = find_option(t->options, word);
        char *equals = strchr(word, '=');

        if (streq(word, "="))
                return;
        if (t->open) {
                take_value(t, t->open, word);
                t->open = NULL;
        } else if (o && o->arg && equals)
                take_value(t, o, equals + 1);
        else if (o && o->arg)
                t->open = o;
        else if (*word != '-')
                take_word(t, word);
}

static void offer_next(Typed *t) {
        const struct argp_option *o = find_option(t->options, t->current);
        const char *equals = strchr(t->current, '=');

        if (t->open)
                offer_value(t->v, t->open, streq(t->current, "=") ? "" : t->current);
        else if (o && o->arg && equals)
                offer_value(t->v, o, equals + 1);
        else if (*t->current == '-')
                offer_options(t->options, t->current);
        else if (!t->v->verb)
                offer_verbs(t);
        else
                offer_arguments(t);
        if (*t->current == '-' && t->v->verb && t->v->verb->arguments_may_be_flags)
                offer_explained(t->v, t->current);
}

/**
 * complete_print() - print what the last of these words may become
 * @v:          the context; gets the cluster file, if that is needed
 * @argc:       how many words
 * @argv:       the words behind "hardway"
 *
 * Return: 0.
 */
int complete_print(VerbContext *v, int argc, char *const *argv) {
        Typed t = { .v = v, .options = options_of_verb(NULL), .current = argc > 0 ? argv[argc - 1] : "" };

        for (int i = 0; i < argc - 1; i++)
                take(&t, argv[i]);
        offer_next(&t);
        free(t.options);
        strv_free(t.words);
        return 0;
}
