/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Configuration files of other programs: their lines, and the words in these
 */

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "explain/internal.h"

static const char* file_of(const ConfigText *t) {
        return strrchr(t->path, '/') + 1;
}

/* "timeout connect" is found by either word, too. */
static void add_short_words(Explanation *e, const char *keyword) {
        _cleanup_strv_ Strv words = strv_split(keyword, " ");

        if (strv_length(words) > 1)
                STRV_FOREACH(word, words)
                        explanation_hint(e, *word);
}

/* A line without a keyword, in a block of its parent's: an address, a script's name */
static void add_values(Explanation *e, const char *value) {
        _cleanup_strv_ Strv values = strv_split(value, "\n");

        STRV_FOREACH(one, values)
                explanation_alias(e, "%s", *one + strspn(*one, " "));
}

static char* by_hand(const Component *component) {
        return xasprintf("editor %s\nsystemctl reload %s", component->config->path, component->unit);
}

/* "nbsrv(apiservers)" has the word nbsrv. */
static bool has_word(const char *text, const char *word) {
        _cleanup_strv_ Strv words = strv_split(text, " \n");

        STRV_FOREACH(one, words)
                if (strlen(word) == strcspn(*one, "(") && startswith(*one, word))
                        return true;
        return false;
}

static void add_words(Catalogue *c, const View *v, const Component *component, const ConfigLine *l,
                      const char *section, const char *value) {
        const ConfigText *t = component->config;

        for (const ConfigWord *w = t->words; w < t->words + t->n_words; w++) {
                _cleanup_free_ char *name = NULL, *kind = NULL, *line = NULL;
                Explanation *e;

                if (!streq(w->keyword, l->keyword) || !has_word(value, w->word))
                        continue;
                name = xasprintf("%s %s", file_of(t), w->word);
                kind = xasprintf("word of %s, behind %s", file_of(t), *l->keyword ? l->keyword : section);
                line = xasprintf("%s%s%s", l->keyword, *l->keyword ? " " : "", value);
                e = catalogue_enter(c, name, kind, w->why);
                explanation_hint(e, w->word);
                explanation_set(&e->without, w->without);
                explanation_set(&e->manual, t->manual);
                if (!e->by_hand)
                        e->by_hand = by_hand(component);
                explanation_value(e, v, v->context.node->name, line);
        }
}

static void add_config_line(Catalogue *c, const View *v, const Component *component, const ConfigLine *l,
                            const char *section, Explanation *whole) {
        const ConfigText *t = component->config;
        const char *file = file_of(t);
        _cleanup_free_ char *value = config_line_value(l, &v->context), *name = NULL, *kind = NULL,
                            *line = NULL;
        Explanation *e;

        if (!l->why)
                return;
        name = xasprintf("%s %s", file, *l->keyword ? l->keyword : section);
        kind = l->depth == 0 ? xasprintf("section of %s", file) :
                               xasprintf("line of %s, in %s", file, section);
        e = catalogue_enter(c, name, kind, l->why);
        e->is_line = true;
        explanation_alias(e, "%s", *l->keyword ? l->keyword : section);
        explanation_alias(e, "%s %s", *l->keyword ? l->keyword : section, value ? value : "");
        add_short_words(e, l->keyword);
        if (!*l->keyword && value)
                add_values(e, value);
        if (l->instead) {
                explanation_alias(e, "%s", l->instead);
                explanation_alias(e, "%s", strrchr(l->instead, '.') + 1);
        }
        explanation_set(&e->without, l->without);
        explanation_set(&e->manual, t->manual);
        if (!e->by_hand)
                e->by_hand = by_hand(component);
        if (value)
                explanation_value(e, v, v->context.node->name, *value ? value : "(no value)");
        line = xasprintf("%*s%s%s%s", (int) l->depth * 2, "", l->keyword, value && *value ? " " : "",
                         value ? value : "");
        if (value)
                explanation_part(whole, v, line, l->why);
        if (value)
                add_words(c, v, component, l, section, value);
}

void explain_config(Catalogue *c, const View *v) {
        for (const Component *const *p = c->request->components; *p; p++) {
                const ConfigText *t = (*p)->config;
                _cleanup_free_ char *section = NULL;

                const PlanItem *item = t ? plan_find_path(v->plan, t->path) : NULL;
                Explanation *whole;

                if (!item)
                        continue;
                whole = catalogue_enter(c, item->path, "file", item->why);
                whole->parts_title = "Lines";
                for (const ConfigLine *l = t->lines; l < t->lines + t->n_lines; l++) {
                        if (l->depth == 0 && l->keyword) {
                                free(section);
                                section = xasprintf("%s%s%.*s", l->keyword, l->value ? " " : "",
                                                    l->value ? (int) strcspn(l->value, " ") : 0,
                                                    l->value ? l->value : "");
                        }
                        add_config_line(c, v, *p, l, section ? section : "", whole);
                }
        }
}
