/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/explain-entries.h"

#include <string.h>

#include "check/check.h"
#include "cli/components.h"
#include "cli/verbs.h"
#include "common/alloc.h"

/* What explain/ does not know: commands, and the checks. */

static void add_options(Explanation *e, const Verb *verb) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;

        for (const struct argp_option *o = verb->options; o && (o->name || o->doc); o++)
                if (o->name)
                        buffer_addf(&text, "%s--%s%s%s", text.size > 0 ? ", " : "", o->name,
                                    o->arg ? "=" : "", o->arg ?: "");
        if (text.size > 0)
                explanation_add_part(e, "Options", buffer_str(&text));
}

static int add_step(Explanation *e, const ExplainRequest *request, const VerbStep *s, size_t number,
                    Error **reterr) {
        _cleanup_free_ char *name = xasprintf("%zu. %s", number, s->name),
                            *by_hand = s->by_hand ? explain_fill(request, s->by_hand, reterr) : NULL;

        if (s->by_hand && !by_hand)
                return error_prefix(reterr, -EINVAL, "%s", e->name);
        /* of what this cluster has nothing of, there is nothing to be typed */
        explanation_add_step(e, name, s->what, by_hand && *by_hand ? by_hand : NULL);
        return 0;
}

static int add_verb(Catalogue *c, const ExplainRequest *request, const Verb *verb, Error **reterr) {
        Explanation *e = catalogue_add(c, verb->name, "command of hardway");
        size_t number = 1;
        int r = 0;

        e->why = xasprintf("%s.%s%s", verb->summary, verb->description ? " " : "", verb->description ?: "");
        e->manual = xstrdup("hardway(1)");
        e->usage =
                xasprintf("hardway %s%s%s", verb->name, verb->arguments ? " " : "", verb->arguments ?: "");
        e->absent = false;
        e->parts_title = "Steps";
        strv_addf(&e->aliases, "hardway %s", verb->name);
        if (strchr(verb->name, ' '))
                strv_add(&e->aliases, strrchr(verb->name, ' ') + 1);
        if (verb->by_hand) {
                e->by_hand = explain_fill(request, verb->by_hand, reterr);
                if (!e->by_hand)
                        return -EINVAL;
        }
        for (const VerbStep *s = verb->steps; s->name && r >= 0; s++)
                r = add_step(e, request, s, number++, reterr);
        add_options(e, verb);
        return r;
}

/**
 * explain_add_verbs() - add the commands, with their steps
 * @c:          the catalogue
 * @request:    what it was made for
 * @reterr:     a step has a word that nobody knows, which is a bug
 *
 * Return: 0 or a negative errno.
 */
int explain_add_verbs(Catalogue *c, const ExplainRequest *request, Error **reterr) {
        int r = 0;

        for (const Verb *const *verb = verbs; *verb && r >= 0; verb++)
                r = add_verb(c, request, *verb, reterr);
        return r;
}

static int add_check(Catalogue *c, const ExplainRequest *request, const CheckName *check, Error **reterr) {
        _cleanup_free_ char *name = xasprintf("check %s", check->name);
        Explanation *e;
        Found others;
        int r;

        catalogue_find(c, check->name, &others);
        e = catalogue_add(c, name, "what hardway check looks at");
        e->why = xstrdup(check->why);
        e->without = xstrdup(check->without);
        e->manual = xstrdup("hardway(1)");
        /* Findings have the bare name; of a word that means something else already, that is likelier meant. */
        if (others.n_matches == 0)
                strv_add(&e->aliases, check->name);
        found_done(&others);
        r = explanation_fill(e, request, check->by_hand, reterr);
        e->absent = r > 0;
        return r;
}

static void add_list_of_checks(Catalogue *c, const CheckName *checks, size_t n) {
        Explanation *e = catalogue_add(c, "checks", EXPLAIN_WORD);

        e->why = xstrdup(
                "What hardway check looks at, and hardway install before it writes anything. Each is a word of its own, "
                "with how it is looked at by hand: hardway explain check NAME.");
        e->without = xstrdup(
                "What is wrong with a machine would show half-way through, when something does not start.");
        e->manual = xstrdup("hardway(1)");
        e->by_hand = xstrdup("hardway check");
        e->absent = false;
        e->parts_title = "Checks";
        for (size_t i = 0; i < n; i++)
                explanation_add_part(e, checks[i].name, checks[i].why);
}

/**
 * explain_add_checks() - add what hardway check looks at, after all that may have the same words
 * @c:          the catalogue
 * @request:    what it was made for
 * @reterr:     a check has a word that nobody knows, which is a bug
 *
 * Return: 0 or a negative errno.
 */
int explain_add_checks(Catalogue *c, const ExplainRequest *request, Error **reterr) {
        _cleanup_free_ CheckName *checks = NULL;
        size_t n;
        int r = 0;

        check_names_list(components, &checks, &n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_check(c, request, checks + i, reterr);
        add_list_of_checks(c, checks, n);
        return r;
}
